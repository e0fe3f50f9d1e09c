package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"envivo/plant"
)

// HeadCode is a chain's head as people read and compare it: "8.412-7K3M-Q2XA",
// the number of the last event and 40 bits of its link.
func HeadCode(seq plant.Seq, head [32]byte) string {
	var n uint64
	for _, b := range head[:5] {
		n = n<<8 | uint64(b)
	}
	var code [8]byte
	for i := range code {
		code[7-i] = codeLetters[n>>(5*i)&31]
	}
	return Count(int(seq)) + "-" + string(code[:4]) + "-" + string(code[4:])
}

// ParseHeadCode reads the event's number out of a code that somebody typed, and
// the code as HeadCode writes it.
func ParseHeadCode(text string) (seq plant.Seq, code string, ok bool) {
	code = strings.ToUpper(strings.TrimSpace(text))
	number, _, ok := strings.Cut(code, "-")
	n, err := strconv.ParseUint(strings.ReplaceAll(number, ".", ""), 10, 63)
	return plant.Seq(n), code, ok && err == nil && n > 0
}

// What the health page says about copies, the drill, the chain and the standby.
const (
	TextCopiesOff  = "Las copias automáticas están apagadas."
	TextCopiesNone = "Todavía no hay ninguna copia."
	TextNoMedium   = "Ninguna copia en otro disco. Si este disco muere se pierde todo: configura --backup-copy, o copia una a un USB con envivo backup."
	TextHookPaused = "En pausa: este almacén es una copia restaurada. Para avisar desde aquí: envivo webhook resume."
	TextDrillNone  = "Todavía no se ha ensayado una restauración."
)

// Standby is how far a box that follows another one is.
type Standby struct {
	Primary string
	Behind  uint64
	// Silent is how long the primary has not answered; 0 while it does.
	Silent time.Duration
	// Retired says that the box follows nobody: it was the plant's server until
	// the one at Primary took its place.
	Retired bool
}

func (s Standby) label() string {
	if s.Retired {
		return "Servidor anterior"
	}
	return "Equipo de respaldo"
}

func (s Standby) word() string {
	if s.Retired {
		return "SERVIDOR ANTERIOR"
	}
	return "RESPALDO"
}

func (s Standby) title() string {
	if s.Retired {
		return s.word() + " — no registra"
	}
	return s.word() + " — solo lectura"
}

// Text says how current the box is.
func (s Standby) Text() string {
	switch {
	case s.Retired:
		return "otro equipo tomó su lugar"
	case s.Silent > 0:
		return "sin respuesta del principal hace " + Lapse(s.Silent)
	case s.Behind > 0:
		return "le faltan " + Plural(int(s.Behind), "evento", "eventos")
	}
	return "al día"
}

// CopiesText tells how old the newest copy is and how many are kept.
func CopiesText(age time.Duration, kept int) string {
	return "La última copia comprobada es de hace " + Lapse(age) + "; se guardan " + Count(kept) + "."
}

// MediumText tells where the newest copy on another disk is.
func MediumText(folder, file string, age time.Duration) string {
	return "Copia en " + folder + " (" + file + ") de hace " + Lapse(age) + "."
}

// MediumTrouble tells why nothing gets to the other disk.
func MediumTrouble(folder, why string, since time.Duration, last string) string {
	out := "No se puede copiar a " + folder + " desde hace " + Lapse(since) + ": " + why + "."
	if last == "" {
		return out + " Nunca hubo una copia ahí."
	}
	return out + " " + last
}

// MediumOld tells that the copy on the other disk has become old.
func MediumOld(said string) string { return said + " Ya es vieja: haz otra." }

// DrillText tells of a restore drill that went well.
func DrillText(file string, events int, took, age time.Duration) string {
	return "Restaurada " + file + " hace " + Lapse(age) + ": " + Plural(events, "evento", "eventos") + ", " +
		strings.ReplaceAll(fmt.Sprintf("%.1f s", took.Seconds()), ".", ",") + "."
}

// DrillTrouble tells of one that failed.
func DrillTrouble(file, why string) string {
	return "No se pudo restaurar " + file + ": " + why + ". Haz una copia nueva y prueba con envivo check."
}

// DrillSkipped tells of one that was not made, and of the last good one.
func DrillSkipped(why string, good time.Duration) string {
	if good < 0 {
		return "Sin ensayo: " + why + "."
	}
	return "Sin ensayo: " + why + ". El último bueno fue hace " + Lapse(good) + "."
}

// ChainText tells the head of the record.
func ChainText(code string) string { return "El registro termina en " + code + "." }

// Why no command can be carried out now, behind "no se puede registrar:".
const (
	TextUnreadyQueue   = "hay demasiadas órdenes en espera"
	TextUnreadyLeaving = "el servidor se está deteniendo"
	TextUnreadyAsking  = "el servidor acaba de arrancar y pregunta a su respaldo si sigue a cargo"
)

// UnreadyDisk is the same for a full disk; free is in bytes.
func UnreadyDisk(free uint64) string {
	return "el disco está lleno: quedan " + strconv.FormatUint(free>>20, 10) + " MiB"
}

// MediumWhy is the Spanish of the reasons the program itself gives; the system's
// own words stay as they are.
func MediumWhy(why string) string {
	switch {
	case strings.Contains(why, "same disk"):
		return "está en el mismo disco que el almacén (¿falta conectar el medio?)"
	case strings.Contains(why, "not connected"):
		return "la carpeta no está (¿falta conectar el medio?)"
	case strings.Contains(why, "does not answer"):
		return "el medio no responde"
	case strings.Contains(why, "other bytes"):
		return "el medio devuelve otros datos que los escritos: cámbialo"
	case strings.Contains(why, "no space"):
		return "el medio está lleno"
	case strings.Contains(why, "permission denied"):
		return "la cuenta del servidor no puede escribir ahí (chown)"
	case strings.Contains(why, "free disk"):
		return "queda poco disco libre"
	}
	return why
}

// StandbyOf is a standby's line about itself.
func StandbyOf(s Standby) string {
	if s.Retired {
		return "Este equipo era el servidor; ahora se trabaja en " + s.Primary + ". Apágalo, o vacía su carpeta y úsalo de respaldo."
	}
	return "Este equipo sigue a " + s.Primary + ": " + s.Text() + "."
}

// StandbyTrouble is why a standby gets nothing from its primary.
func StandbyTrouble(why string) string {
	if strings.Contains(why, "too large") {
		why = "lo que envía es demasiado grande, o no cabe en el disco de este equipo (" + why + ")"
	}
	return "No recibe del servidor: " + why + "."
}

// StandbyAt is a primary's line about a standby.
func StandbyAt(name string, seq int, age time.Duration) string {
	return name + " confirmó hasta el evento " + Count(seq) + " hace " + Lapse(age) + "."
}

// OldAlive warns of two servers that both take commands.
func OldAlive(primary string) string {
	return "El servidor anterior (" + primary + ") responde: apágalo. Lo que se registre allá no está aquí."
}

// OldRetired tells that the server before this one came back and was told.
func OldRetired(primary string) string {
	return "El servidor anterior (" + primary + ") volvió y ya no registra: sus páginas mandan aquí. Apágalo, o vacía su carpeta y úsalo de respaldo."
}
