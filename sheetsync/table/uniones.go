package table

import (
	"fmt"
	"strconv"
	"strings"

	"envivo/plant"
)

// UnionRow is one row of Uniones, decoded.
type UnionRow struct {
	Row     int
	Tag     plant.Tag
	Union   plant.Union
	Damaged []string
	// Unread are the columns carried along that tell nothing here: those in
	// quarantine and those the worksheet does not have.
	Unread []string
}

// MaxN is the highest number of a union; the plant's steel carries 1 to 20.
const MaxN = 99

const (
	noNumber   = "la unión no tiene un número de 1 a 99"
	noDN       = "la unión no tiene un diámetro mayor que cero"
	noTipo     = "la unión no tiene tipo"
	unionTwice = "unión repetida; vale la fila "
	tipoSpelt  = "tipo de unión escrito distinto"
)

// ReadUniones decodes the worksheet of the unions. Of two rows with the same
// tag and number the first counts (rules §11.1).
func ReadUniones(s Sheet) (Page[UnionRow], error) {
	rs, err := open(s, Uniones, needed(Uniones), nil)
	if err != nil {
		return Page[UnionRow]{}, err
	}
	var page Page[UnionRow]
	first := make(map[string]int)
	page.Outcomes = rs.each(Columns(Uniones)[:12], func(r *row) {
		u, ok := r.union()
		if !ok {
			return
		}
		key := fmt.Sprintf("%s\x00%d", strings.ToUpper(string(u.Tag)), u.Union.N)
		if f, taken := first[key]; taken {
			r.reject(colNUnion, unionTwice+strconv.Itoa(f))
			return
		}
		first[key] = r.n
		page.Rows = append(page.Rows, u)
	})
	page.Findings = rs.findings
	return page, nil
}

func (r *row) union() (UnionRow, bool) {
	tag, ok := r.tag(colTag)
	if !ok {
		return UnionRow{}, false
	}
	n, p := Int(r.cell(colNUnion), MaxN)
	if p.Bad() || n < 1 {
		r.reject(colNUnion, noNumber)
		return UnionRow{}, false
	}
	dn, p := Inches(r.cell(colDN), MaxDN)
	if p.Bad() || dn <= 0 {
		r.reject(colDN, noDN)
		return UnionRow{}, false
	}
	r.report(colDN, p)
	tipo, p := tipo(r.cell(colTipo))
	if p.Bad() || tipo == "" {
		r.reject(colTipo, noTipo)
		return UnionRow{}, false
	}
	r.report(colTipo, p)
	u := UnionRow{Row: r.n, Tag: plant.Tag(tag), Union: plant.Union{
		N: n, DN: dn, Tipo: tipo,
		Arm:  plant.JointWork{Worker: get(r, colArmWorker, Worker), Start: get(r, colArmInicio, Time), End: get(r, colArmFin, Time)},
		Sold: plant.JointWork{Worker: get(r, colSolWorker, Worker), Start: get(r, colSolInicio, Time), End: get(r, colSolFin, Time)},
		NDT:  get(r, colNDT, Label), NDTResult: get(r, colNDTResult, Label), NDTDate: get(r, colNDTDate, dayText), NDTStatus: get(r, colNDTStatus, Label),
		SheetID: get(r, colID, Label),
	}}
	u.Unread = r.unread(colID, colNDT, colNDTResult, colNDTDate, colNDTStatus)
	for _, c := range r.bad {
		u.Damaged = append(u.Damaged, fmt.Sprintf("%s (unión %d)", c, n))
	}
	return u, true
}

// tipo reads a type of union: the known codes in capitals, any other word as
// it stands.
func tipo(c Cell) (string, Problem) {
	s, p := Label(c)
	if !p.OK() || c.Kind == Number {
		return s, p
	}
	switch u := strings.ToUpper(s); u {
	case "BW", "BR", "SO", "FILL", "LET", "FW", "MIT":
		if u != s {
			p = repaired(tipoSpelt)
		}
		return u, p
	}
	return s, p
}

// dayText keeps what the inspection staff wrote, real dates as the plant
// writes them.
func dayText(c Cell) (string, Problem) {
	if c.Kind == Number {
		if d, p := serialDay(c.Num); p.OK() {
			return d.String(), Problem{}
		}
	}
	return Label(c)
}
