package sample

import (
	"fmt"
	"strings"
	"time"

	"envivo/plant"
	"envivo/sheetsync/table"
)

// workbookBase is the moment the shipped workbook shows.
func workbookBase() time.Time { return time.Date(2026, 5, 12, 14, 30, 0, 0, time.UTC) }

// ours and width are where the system's own four columns begin and end in a
// migrated production sheet (rules §2.2): columns 64 to 67.
const (
	ours  = 63
	width = 67
)

// officeHeaders are the columns of the office, by position; the rest of the 63
// are named after what a fabrication plant keeps there.
func officeHeaders() []string {
	out := make([]string, width)
	for i, name := range map[int]string{0: "CLIENTE", 1: "NV", 2: "OT", 3: "PLANO", 4: "REV", 5: "SPLIT", 6: "TAG_SPOOL / CODIGO_BARRA", 7: "LINEA", 8: "SERVICIO",
		9: "MATERIAL", 10: "SCH", 11: "DIAM_MAX", 12: "PESO_KG", 13: "AREA_M2", 14: "LARGO_MM", 33: "Fecha_Materiales", 36: "FECHA ARMADO", 37: "Armador",
		38: "Fecha_Soldadura", 39: "Soldador", 40: "Fecha_QC_Metrologia", 50: "Notas", 51: "STATUS_NV", 52: "Status_Spool", 58: "Precio Fabricación",
		59: "Precio Revestimiento", 60: "Precio Pintura", 61: "Precio Embalaje", 62: "Precio Total",
		ours: "Ocupado_Por", ours + 1: "Fecha_Ocupacion", ours + 2: "version", ours + 3: "Estado_Detalle"} {
		out[i] = name
	}
	for i := range out {
		if out[i] == "" {
			out[i] = fmt.Sprintf("DATO_%02d", i+1)
		}
	}
	return out
}

// Workbook is a plant's workbook as offices really keep it: 2,493 spools in 67
// columns, with the faults that were met in production (rules §2.7, §2.8). It
// is always the same.
func Workbook() table.Book {
	w := Make(workbookBase())
	clean := w.Tables()
	d := &dirt{w: w}
	ops := table.Sheet{Name: table.Operaciones, Rows: [][]table.Cell{texts(officeHeaders())}}
	for i, row := range clean.Sheet(table.Operaciones).Rows[1:] {
		ops.Rows = append(ops.Rows, d.spool(i, row))
		ops.Rows = append(ops.Rows, d.between(i, ops.Rows[len(ops.Rows)-1])...)
	}
	return table.Book{Sheets: []table.Sheet{ops, d.people(clean.Sheet(table.Trabajadores)), d.roles(clean.Sheet(table.Roles)),
		d.joints(clean.Sheet(table.Uniones)), d.log(clean.Sheet(table.Metadata))}}
}

func texts(names []string) []table.Cell {
	out := make([]table.Cell, len(names))
	for i, n := range names {
		out[i] = table.TextCell(n)
	}
	return out
}

// dirt makes clean rows look like those of a sheet that people work in.
type dirt struct{ w *World }

// place are the columns of a clean row in the office's order.
var place = [...]int{6, 5, 1, 2, 33, 36, 37, 38, 39, 40, ours, ours + 1, ours + 2, ours + 3}

func (d *dirt) spool(i int, clean []table.Cell) []table.Cell {
	row := make([]table.Cell, width)
	for k, at := range place {
		row[at] = clean[k]
	}
	row[50] = clean[19]
	row[0], row[9], row[12] = table.TextCell([]string{"Minera Norte", "Celulosa Sur", "Puerto Central"}[i%3]), table.TextCell([]string{"A106 Gr.B", "A312 TP316L"}[i%2]), table.NumberCell(float64(20+i*7%900)+0.5)
	row[62] = table.NumberCell(float64(150000 + i*37%90000))
	row[33] = shape(i, row[33])
	row[36], row[38] = shape(i+3, row[36]), shape(i+5, row[38])
	d.quirks(i, row)
	return row
}

// shape writes a date in one of the ways the office has used over the years.
func shape(i int, c table.Cell) table.Cell {
	if c.Kind != table.Number {
		return c
	}
	t := plant.Date(int32(c.Num)).Start().In(plant.Zone()).Add(2 * time.Hour)
	switch i % 12 {
	case 0:
		return table.TextCell(t.Format("02-01-2006"))
	case 1:
		return table.TextCell(t.Format("2/1/2006"))
	case 2:
		return table.TextCell(t.Format("2/1/06"))
	case 3:
		return table.TextCell(t.Format("2006-01-02"))
	case 4:
		return table.TextCell(t.Format("02-Jan-2006"))
	case 5:
		return table.NumberCell(c.Num)
	case 6:
		return table.TextCell(" " + t.Format("02-01-2006") + " ")
	}
	return c
}

// quirks are single faults, far apart.
func (d *dirt) quirks(i int, row []table.Cell) {
	free := row[ours].Blank()
	switch {
	case i%211 == 7 && free:
		row[ours] = table.TextCell("DISPONIBLE")
	case i%223 == 9 && free:
		row[ours] = table.TextCell("-")
	case i%307 == 11:
		row[6] = table.TextCell(row[6].Text + "  ")
	case i%401 == 13 && !row[37].Blank():
		row[37] = table.TextCell("Pedro Soto")
	case i == 17:
		row[33] = table.TextCell("pendiente")
	case i == 19:
		row[33] = table.BoolCell(true)
	case i == 23:
		row[33] = table.TextCell("31-02-2026")
	case i == 29 && row[36].Blank():
		row[36] = table.TextCell("#REF!")
	case i == 31:
		row[1] = table.NumberCell(123)
	case i == 37:
		row[50] = table.TextCell("=HOY()")
	}
	if row[ours].Blank() && row[ours+3].Text != "" && i%61 == 4 && strings.HasPrefix(row[ours+3].Text, "Disponible - ARM pausado") {
		row[ours+3] = table.TextCell(strings.Replace(row[ours+3].Text, "ARM pausado", "ARM en progreso", 1)) // before there was a word for it
	}
}

// between are rows that follow a spool's: blank ones, duplicates, and rows
// without a tag.
func (d *dirt) between(i int, row []table.Cell) [][]table.Cell {
	switch {
	case i%499 == 20:
		return [][]table.Cell{{}}
	case i%577 == 30:
		return [][]table.Cell{row}
	case i == 41:
		twin := append([]table.Cell(nil), row...)
		twin[6] = table.TextCell(strings.ToLower(row[6].Text))
		return [][]table.Cell{twin}
	case i == 43:
		orphan := make([]table.Cell, 7)
		orphan[5] = table.TextCell("SPLIT-SIN-TAG")
		return [][]table.Cell{orphan}
	}
	return nil
}

func (d *dirt) people(s table.Sheet) table.Sheet {
	s.Rows = append(s.Rows,
		[]table.Cell{table.TextCell("sin número"), table.TextCell("Juan"), table.TextCell("Pérez"), table.BoolCell(true)},
		[]table.Cell{table.NumberCell(900), table.TextCell("Solo"), {}, table.BoolCell(true)},
		[]table.Cell{table.NumberCell(901), table.TextCell("Inés"), table.TextCell("Ávila"), table.TextCell("VERDADERO")})
	return s
}

func (d *dirt) roles(s table.Sheet) table.Sheet {
	s.Rows = append(s.Rows,
		[]table.Cell{table.NumberCell(901), table.TextCell(" METROLOGÍA "), table.BoolCell(true)},
		[]table.Cell{table.NumberCell(901), table.TextCell("Gerente"), table.BoolCell(true)},
		[]table.Cell{table.NumberCell(902)})
	return s
}

// joints get blank, repeated and foreign order numbers, odd types and rows that
// cannot be attached.
func (d *dirt) joints(s table.Sheet) table.Sheet {
	out := table.Sheet{Name: s.Name, Rows: s.Rows[:1:1]}
	for i, row := range s.Rows[1:] {
		row = append([]table.Cell(nil), row...)
		switch {
		case i%701 == 2:
			row[1] = table.Cell{}
		case i%809 == 3:
			row[1] = table.TextCell("001")
		case i == 5:
			row[5] = table.TextCell("bw")
		}
		out.Rows = append(out.Rows, row)
		if i == 7 {
			out.Rows = append(out.Rows, row)
		}
	}
	stray := func(tag string, n, dn table.Cell, tipo string) []table.Cell {
		return []table.Cell{{}, {}, n, table.TextCell(tag), dn, table.TextCell(tipo)}
	}
	out.Rows = append(out.Rows,
		stray("NO-EXISTE-001", table.NumberCell(1), table.NumberCell(2), "BW"),
		stray(string(d.w.Spools[0].Tag), table.NumberCell(98), table.TextCell("grande"), "BW"),
		stray(string(d.w.Spools[0].Tag), table.TextCell("tres"), table.NumberCell(2), "BW"))
	return out
}

// log gets rows of earlier generations: ISO times, words of their own, no ID.
func (d *dirt) log(s table.Sheet) table.Sheet {
	tag := string(d.w.Spools[1].Tag)
	old := func(id, at, tipo, tag string) []table.Cell {
		return texts([]string{id, at, tipo, tag, "93", "MR(93)", "ARM", "INICIAR", "2026-01-12", "{}", ""})
	}
	rows := [][]table.Cell{s.Rows[0],
		old("7d1f1c9e-7a52-4a5c-9f0e-2f6f3a1d0001", "2026-01-12T13:05:00Z", "INICIAR_ARM", tag),
		old("7d1f1c9e-7a52-4a5c-9f0e-2f6f3a1d0002", "2026-01-12T19:45:30Z", "COMPLETAR_ARM", tag),
		old("", "2026-01-13T12:00:00Z", "TOMAR_ARM", tag),
		old("7d1f1c9e-7a52-4a5c-9f0e-2f6f3a1d0004", "ayer", "COSA_RARA", "SPOOL-QUE-NO-ESTA"),
	}
	s.Rows = append(rows, s.Rows[1:]...)
	return s
}
