package table

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

	"envivo/plant"
)

const (
	noMetaTime  = "no se puede leer la hora del evento; la fila se conserva"
	noMetaID    = "evento sin ID; se le dio uno a partir de su contenido"
	metaSameRow = "evento repetido, idéntico al de la fila "
	metaSameID  = "otro evento tiene el mismo ID; se le dio uno a partir de su contenido"
)

// ReadMetadata decodes the log. No row is dropped, whatever its words (rules
// §7.2); only a row that repeats an earlier one entirely, ID included, is. Rows
// without an ID, or with the ID of a different row, get one from their content,
// so that a second import of the same worksheet finds them again.
func ReadMetadata(s Sheet) (Page[plant.MetadataRow], error) {
	rs, err := open(s, Metadata, needed(Metadata), nil)
	if err != nil {
		return Page[plant.MetadataRow]{}, err
	}
	var page Page[plant.MetadataRow]
	seen := make(map[string]plant.MetadataRow)
	twins := make(map[string]int)
	page.Outcomes = rs.each(Columns(Metadata), func(r *row) {
		m := r.metadata()
		same, taken := seen[m.ID]
		switch {
		case m.ID == "":
			r.report(colID, repaired(noMetaID))
			m.ID = contentID(m, "", twins)
		case taken && sameRow(same, m):
			r.reject(colID, metaSameRow+strconv.Itoa(int(same.Order)))
			return
		case taken:
			r.report(colID, repaired(metaSameID))
			m.ID = contentID(m, m.ID, twins)
		}
		seen[m.ID] = m
		page.Rows = append(page.Rows, m)
	})
	page.Findings = rs.findings
	return page, nil
}

func (r *row) metadata() plant.MetadataRow {
	text := func(column string) string { return clean(r.cell(column).String()) }
	m := plant.MetadataRow{
		ID: text(colID), EventoTipo: text(colEventoTipo), Tag: text(colTag), WorkerID: text(colMetaWorkerID), WorkerNombre: text(colMetaWorker),
		Operacion: text(colOperacion), Accion: text(colAccion), JSON: text(colJSON), NUnion: text(colNUnion), Order: int32(r.n),
	}
	at, p := Time(r.cell(colTimestamp))
	m.At, m.Timestamp = at, text(colTimestamp)
	switch {
	case p.Bad() || at.IsZero():
		r.report(colTimestamp, bad(noMetaTime))
	case r.cell(colTimestamp).Kind == Number:
		m.Timestamp = plant.SheetTime(at)
	}
	m.FechaOperacion = text(colFechaOperacion)
	if c := r.cell(colFechaOperacion); c.Kind == Number {
		if d, p := Date(c); p.OK() {
			m.FechaOperacion = d.String()
		}
	}
	return m
}

func sameRow(a, b plant.MetadataRow) bool {
	a.Order = b.Order
	return a == b
}

func content(m plant.MetadataRow) string {
	return strings.Join([]string{m.Timestamp, m.EventoTipo, m.Tag, m.WorkerID, m.WorkerNombre, m.Operacion, m.Accion, m.FechaOperacion, m.JSON, m.NUnion}, "\x00")
}

// contentID is the ID of a row that has none of its own: a name-based UUID of
// the row's texts, the ID it collided with and how many equal rows came before.
func contentID(m plant.MetadataRow, collided string, twins map[string]int) string {
	key := collided + "\x01" + content(m)
	n := twins[key]
	twins[key]++
	return derivedID("fila", key, strconv.Itoa(n))
}

// derivedID is a name-based UUID (version 5) in a space of our own.
func derivedID(parts ...string) string {
	space := uuid.NewSHA1(uuid.NameSpaceURL, []byte("envivo:metadata"))
	return uuid.NewSHA1(space, []byte(strings.Join(parts, "\x02"))).String()
}

// MetadataCells writes a row of the log. Texts that are exactly what the plant
// writes for a date or a number become one; everything else stays as it came.
func MetadataCells(m plant.MetadataRow) []Cell {
	timestamp := TextCell(m.Timestamp)
	if !m.At.IsZero() && plant.SheetTime(m.At) == m.Timestamp {
		timestamp = InstantCell(m.At)
	}
	fecha := TextCell(m.FechaOperacion)
	if d, p := Date(fecha); p.OK() && d.String() == m.FechaOperacion {
		fecha = DateCell(d)
	}
	return []Cell{TextCell(m.ID), timestamp, TextCell(m.EventoTipo), TextCell(m.Tag), countCell(m.WorkerID), TextCell(m.WorkerNombre),
		TextCell(m.Operacion), TextCell(m.Accion), fecha, TextCell(m.JSON), countCell(m.NUnion)}
}

// countCell is a number where s is how a whole number is written, else text.
func countCell(s string) Cell {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil && strconv.FormatUint(n, 10) == s {
		return NumberCell(float64(n))
	}
	return TextCell(s)
}
