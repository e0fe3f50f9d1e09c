package table

import (
	"strconv"
	"strings"
	"time"

	"envivo/plant"
)

// SpoolRow is one row of Operaciones, decoded. Cells that could not be read
// are empty here and named in Damaged.
type SpoolRow struct {
	Row    int
	Tag    plant.Tag
	Office plant.Office

	Armador, Soldador           plant.Person
	FechaArmado, FechaSoldadura plant.Date
	FechaQC                     plant.Date
	Ocupado                     plant.Person
	FechaOcupacion              time.Time
	Estado                      string
	Notas                       string
	// Version is the text of the version column: 0 or a UUID4.
	Version string
	// Counts are the five counter columns as they stand; they are compared with
	// the unions and otherwise ignored.
	Counts  Counts
	Damaged []string
	// Unread are the office's columns that tell nothing here: those in
	// quarantine and those the worksheet does not have.
	Unread []string
}

// Counts are the counter columns of a row. A nil counter is an empty cell.
type Counts struct {
	Total, ARM, SOLD *int
	PDArm, PDSold    *plant.Inches
}

// Page is what one worksheet came to: its rows, decoded, and what there is to
// say about them.
type Page[R any] struct {
	Rows     []R
	Outcomes []Outcome
	Findings []Finding
}

// Reasons for putting a whole row aside.
const (
	noTag        = "fila sin TAG_SPOOL"
	noTagSplit   = "fila sin TAG_SPOOL; el SPLIT no se usa en su lugar"
	unreadable   = "no se puede leer el identificador de la fila"
	tagTwice     = "TAG repetido; vale la fila "
	tagCaseTwice = "TAG repetido con otras mayúsculas; vale la fila "
)

// maxCount bounds counters; more unions than that on one spool are nonsense.
const maxCount = 10000

// ReadOperaciones decodes the worksheet of the spools. Of rows with the same
// tag, whatever the case of its letters, the first counts.
func ReadOperaciones(s Sheet) (Page[SpoolRow], error) {
	required := needed(Operaciones)
	tagColumn := colTag
	if len(s.Rows) > 0 {
		h := ReadHeader(s.Rows[0])
		_, tag := h.Col(colTag)
		_, split := h.Col(colSplit)
		if !tag && split {
			tagColumn, required = colSplit, required[1:]
		}
	}
	rs, err := open(s, Operaciones, required, []string{colSplit, colOT, colVersion})
	if err != nil {
		return Page[SpoolRow]{}, err
	}
	var page Page[SpoolRow]
	first := make(map[string]SpoolRow)
	page.Outcomes = rs.each(Columns(Operaciones)[:14], func(r *row) {
		tag, ok := r.tag(tagColumn)
		if !ok {
			return
		}
		if f, taken := first[strings.ToUpper(tag)]; taken {
			reason := tagTwice
			if string(f.Tag) != tag {
				reason = tagCaseTwice
			}
			r.reject(tagColumn, reason+strconv.Itoa(f.Row))
			return
		}
		sp := r.spool(plant.Tag(tag))
		first[strings.ToUpper(tag)] = sp
		page.Rows = append(page.Rows, sp)
	})
	page.Findings = rs.findings
	return page, nil
}

// tag reads the identifier of a row and puts the row aside when there is none.
func (r *row) tag(column string) (string, bool) {
	tag, p := Label(r.cell(column))
	switch {
	case p.Bad():
		r.reject(column, unreadable+": "+p.Reason)
		return "", false
	case tag == "" && !r.cell(colSplit).Blank():
		r.reject(column, noTagSplit)
		return "", false
	case !hasWord(tag):
		r.reject(column, noTag)
		return "", false
	}
	r.report(column, p)
	return tag, true
}

func (r *row) spool(tag plant.Tag) SpoolRow {
	sp := SpoolRow{
		Row: r.n, Tag: tag,
		Office: plant.Office{
			Split: get(r, colSplit, Label), NV: get(r, colNV, Label), OT: get(r, colOT, Label),
			Materiales: get(r, colMateriales, Date),
		},
		Armador: get(r, colArmador, Worker), FechaArmado: get(r, colFechaArmado, Date),
		Soldador: get(r, colSoldador, Worker), FechaSoldadura: get(r, colFechaSoldadura, Date),
		FechaQC: get(r, colFechaQC, Date),
		Ocupado: get(r, colOcupado, Occupant), FechaOcupacion: get(r, colFechaOcupacion, Time),
		Estado: get(r, colEstado, Label), Notas: get(r, colNotas, Prose),
		Version: get(r, colVersion, Label),
		Counts: Counts{
			Total: count(r, colTotalUniones), ARM: count(r, colUnionesARM), SOLD: count(r, colUnionesSOLD),
			PDArm: inchCount(r, colPulgadasARM), PDSold: inchCount(r, colPulgadasSOLD),
		},
	}
	sp.Damaged = r.bad
	sp.Unread = r.unread(colSplit, colNV, colOT, colMateriales)
	return sp
}

// count reads a counter. Its true value is worked out from the unions, so a
// cell with something else in it is repaired, not put aside.
func count(r *row, column string) *int {
	if r.cell(column).Blank() {
		return nil
	}
	n, p := Int(r.cell(column), maxCount)
	if p.Bad() {
		r.report(column, repaired(textForCount))
		return nil
	}
	return &n
}

func inchCount(r *row, column string) *plant.Inches {
	if r.cell(column).Blank() {
		return nil
	}
	n, p := Inches(r.cell(column), maxCount)
	if p.Bad() {
		r.report(column, repaired(textForCount))
		return nil
	}
	return &n
}

// Differs names the first counter that contradicts the unions, with the
// finding to report; false when all that are filled in agree.
func (c Counts) Differs(row int, t plant.Tally) (Finding, bool) {
	f := Finding{Sheet: Operaciones, Row: row, Reason: countDiffers, Action: Repaired}
	sold := t.Welded
	for _, x := range []struct {
		column string
		have   *int
		want   int
	}{{colTotalUniones, c.Total, t.Total}, {colUnionesARM, c.ARM, t.Armed}, {colUnionesSOLD, c.SOLD, sold}} {
		if x.have != nil && *x.have != x.want {
			f.Column, f.Value = x.column, strconv.Itoa(*x.have)
			return f, true
		}
	}
	for _, x := range []struct {
		column string
		have   *plant.Inches
		want   plant.Inches
	}{{colPulgadasARM, c.PDArm, t.PDArmed}, {colPulgadasSOLD, c.PDSold, t.PDSold}} {
		if x.have != nil && *x.have != x.want {
			f.Column, f.Value = x.column, x.have.String()
			return f, true
		}
	}
	return Finding{}, false
}
