package table

// Problem says what was wrong with a cell. The zero Problem means nothing was.
type Problem struct {
	// Reason is a sentence for the person who keeps the worksheet.
	Reason string
	// Repaired means the value returned is good all the same.
	Repaired bool
}

// OK reports that nothing was wrong.
func (p Problem) OK() bool { return p.Reason == "" }

// Bad reports that the cell could not be read.
func (p Problem) Bad() bool { return p.Reason != "" && !p.Repaired }

func bad(reason string) Problem      { return Problem{Reason: reason} }
func repaired(reason string) Problem { return Problem{Reason: reason, Repaired: true} }

// Action is what was done about a finding.
type Action string

// The actions. A quarantined cell or row is set aside and named; everything
// else of its row is used.
const (
	Repaired    Action = "repaired"
	Quarantined Action = "quarantined"
	Noted       Action = "noted" // nothing to do, but worth knowing
)

// Finding is one remark about a worksheet. Row counts from 1, the header.
type Finding struct {
	Sheet  string `json:"sheet"`
	Row    int    `json:"row"`
	Column string `json:"column"`
	Value  string `json:"value"`
	Reason string `json:"reason"`
	Action Action `json:"action"`
}

func (p Problem) finding(sheet string, row int, column string, c Cell) Finding {
	a := Quarantined
	if p.Repaired {
		a = Repaired
	}
	return Finding{Sheet: sheet, Row: row, Column: column, Value: short(c.String()), Reason: p.Reason, Action: a}
}

// short keeps findings readable when a cell holds a novel.
func short(s string) string {
	const most = 120
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// What can be wrong with a cell.
const (
	notADate      = "no es una fecha conocida"
	noSuchDay     = "ese día no existe en el calendario"
	dateRange     = "la fecha está fuera de los años 1990 a 2100"
	dateHadTime   = "traía hora; se usó el día"
	dateOddShape  = "forma de fecha poco usual; se leyó con el día primero"
	dashForEmpty  = "sin letras ni números; se tomó como vacía"
	boolForDate   = "una casilla no es una fecha"
	notATime      = "no es una fecha y hora conocida"
	timeGap       = "esa hora no existió por el cambio de hora; se usó una hora más tarde"
	notAnInteger  = "no es un número entero"
	notANumber    = "no es un número"
	numberRange   = "el número está fuera de rango"
	roundedDN     = "se redondeó a centésimas de pulgada"
	notABool      = "no es verdadero ni falso"
	oddBool       = "se leyó como verdadero o falso"
	notAWorker    = "no es un trabajador"
	formulaError  = "la fórmula de la celda está rota"
	boolForText   = "una casilla no es un texto"
	cleanedText   = "tenía caracteres invisibles; se quitaron"
	textForCount  = "la cantidad no es un número; se calcula de las uniones"
	countDiffers  = "la cantidad no calza con las uniones; se calcula de ellas"
	headerTwice   = "columna repetida; vale la primera"
	headerMissing = "falta la columna; se tomó como vacía"
)
