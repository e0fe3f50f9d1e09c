package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"envivo/plant"
)

// Telling is what a sentence about a refusal may need besides the refusal.
type Telling struct {
	Who People
	Now time.Time
	// Spool is the spool as it is now; nil when there is none.
	Spool *plant.Spool
	// Mine are the roles of who asked.
	Mine plant.Role
	// Code is the fault id to look up in the log.
	Code string
	// Motivo is why a supervisor ended the hold; empty when it is not known.
	Motivo string
}

// Refusal is the sentence for the screen: what happened, who and since when,
// what to do. **…** marks emphasis. Every code has one; a test walks them.
func Refusal(e *plant.Error, t Telling) string {
	if f := refusals[e.Code]; f != nil {
		return f(e, t)
	}
	return refusals[plant.CodeInternal](e, t)
}

type sentence func(e *plant.Error, t Telling) string

func fixed(s string) sentence { return func(*plant.Error, Telling) string { return s } }

// refusals is the screen's column of the catalogue; api/status.go holds the
// other one.
var refusals = map[plant.Code]sentence{
	plant.CodeInternal: func(_ *plant.Error, t Telling) string {
		return "Algo falló de nuestro lado. Revisa el spool antes de repetir. Código: " + orDash(t.Code)
	},
	plant.CodeInvalid: invalid,
	plant.CodeSpoolNotFound: func(e *plant.Error, _ Telling) string {
		return fmt.Sprintf("No hay ningún spool %s. Revisa el número o busca.", e.Tag)
	},
	plant.CodeWorkerNotFound: fixed("Ese trabajador no está activo."),
	plant.CodeRole:           wrongRole,
	plant.CodeBlocked:        fixed("BLOQUEADO: 3 rechazos seguidos. Lo debe desbloquear el supervisor."),
	plant.CodeDependency:     dependency,
	plant.CodeArmFirst:       fixed("Aún no se puede soldar: no hay uniones armadas."),
	plant.CodeOccupied:       occupied,
	plant.CodeNotHolder:      notHolder,
	plant.CodeTooEarly: func(e *plant.Error, _ Telling) string {
		if e.Until.IsZero() {
			return "Todavía no se puede relevar. Pide el traspaso o avisa al supervisor."
		}
		return fmt.Sprintf("Todavía no se puede relevar: vence a las %s. Pide el traspaso o avisa al supervisor.", plant.Clock(e.Until))
	},
	plant.CodeSupervisor: fixed("Eso lo hace el supervisor: ingresa el PIN."),
	plant.CodeDisplaced:  displaced,
	plant.CodeTransition: transition,
	plant.CodeUnchanged: func(e *plant.Error, _ Telling) string {
		return fmt.Sprintf("No había nada que cambiar en %s.", Short(e.Tag))
	},
	plant.CodeUndoLate: func(e *plant.Error, _ Telling) string {
		return fmt.Sprintf("Ya no se puede deshacer: pasaron 10 s o %s cambió.", Short(e.Tag))
	},
	plant.CodeStarted: func(e *plant.Error, t Telling) string {
		return fmt.Sprintf("%s ya está empezado%s.", OpWord(e.Op), byWhom(e, t))
	},
	plant.CodeDone: func(e *plant.Error, t Telling) string {
		if e.Verb == plant.Traspasar {
			return fmt.Sprintf("Con esas uniones %s queda terminado y no hay nada que traspasar. Usa TERMINAR.", OpWord(e.Op))
		}
		return fmt.Sprintf("%s ya está terminado%s.", OpWord(e.Op), byWhom(e, t))
	},
	plant.CodeNotStarted: fixed("Todavía no está empezado."),
	plant.CodeNotPending: fixed("No está pendiente."),
	plant.CodeNotAvailable: func(e *plant.Error, _ Telling) string {
		if e.Op == plant.METROLOGIA {
			return "La inspección no se toma: marca el resultado."
		}
		return fmt.Sprintf("%s no espera %s.", Short(e.Tag), strings.ToLower(OpWord(e.Op)))
	},
	plant.CodeVersion: version,
	plant.CodeRace: func(e *plant.Error, _ Telling) string {
		return fmt.Sprintf("Quedan %s por hacer y marcaste %d. Revisa la lista.", Plural(int(e.Want), "unión", "uniones"), e.Have)
	},
	plant.CodeUnion: func(e *plant.Error, _ Telling) string {
		switch len(e.Unions) {
		case 0:
			return "Marca las uniones que hiciste (o TODAS)."
		case 1:
			return fmt.Sprintf("La unión %d ya no está por hacer. Revisa la lista.", e.Unions[0])
		}
		return fmt.Sprintf("Las uniones %s ya no están por hacer. Revisa la lista.", Enumerate(e.Unions))
	},
	plant.CodeKeyReused: fixed("Este botón ya se usó para otra cosa. Revisa el spool y repite. No se guardó."),
	plant.CodeCorrupt: func(e *plant.Error, t Telling) string {
		return fmt.Sprintf("Este spool tiene un dato dañado (columna %s). Ya está en Sincronización. Código: %s", orDash(e.Missing), orDash(t.Code))
	},
	plant.CodeBusy:           fixed("Hay mucho trabajo a la vez: espera un momento y repite. No se guardó."),
	plant.CodeFull:           fixed("El servidor no tiene espacio para guardar, o su disco está protegido. Avisa al supervisor. No se guardó."),
	plant.CodeUnknownOutcome: fixed("El servidor se detuvo al guardar. Al volver, esta página dirá si se guardó."),
	plant.CodeStandby: func(e *plant.Error, _ Telling) string {
		if e.Primary == "" {
			return "El servidor acaba de arrancar y pregunta a su respaldo si sigue a cargo: espera un momento y repite. No se guardó."
		}
		return "Este equipo no registra, solo muestra. Trabaja en " + orDash(e.Primary) + ". No se guardó."
	},
	plant.CodeUnauthorized: fixed("Esta tablet no está registrada. Pide al supervisor."),
}

func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

func byWhom(e *plant.Error, t Telling) string {
	out := ""
	if name := Name(t.Who, e.Holder); name != "" {
		out = ": " + name
	}
	if !e.Since.IsZero() {
		out += ", " + Fecha(e.Since)
	}
	return out
}

func invalid(e *plant.Error, _ Telling) string {
	switch e.Missing {
	case "motivo":
		return "Falta el motivo."
	case "texto", "nota":
		return "Escribe la nota: de 1 a 500 caracteres."
	case "que":
		return "Elige qué está mal."
	case "fecha", "Fecha_Armado", "Fecha_Soldadura":
		return "La fecha no puede ser: revisa el día; con uniones sale de ellas."
	case "destino", "worker_destino":
		return "Falta quién lo recibe."
	case "":
		return "El pedido no se entiende. No se guardó."
	}
	return fmt.Sprintf("Falta un dato o está mal escrito: %s. No se guardó.", e.Missing)
}

func wrongRole(e *plant.Error, t Telling) string {
	must := map[plant.Op]string{
		plant.ARM:        "Armar es solo para Armador o Ayudante.",
		plant.SOLD:       "Soldar es solo para Soldador o Ayudante.",
		plant.METROLOGIA: "Inspeccionar es solo para Metrología.",
	}[e.Op]
	if must == "" {
		must = "Eso no es para tu rol."
	}
	has := e.Has
	if has == 0 {
		has = t.Mine
	}
	if has == 0 {
		return must
	}
	return must + " Tu rol: " + RoleWords(has) + "."
}

func dependency(e *plant.Error, t Telling) string {
	open := unarmed(t.Spool)
	switch {
	case e.Missing == "Fecha_Materiales":
		return "Falta registrar la llegada de materiales. Avisa a tu supervisor."
	case e.Op == plant.SOLD && t.Spool != nil && len(t.Spool.Unions) > 0 && len(open) < len(t.Spool.Unions) && len(open) > 0:
		return missingUnions("armar", open)
	case e.Op == plant.SOLD && t.Spool != nil && len(t.Spool.Unions) > 0:
		return "Aún no se puede soldar: no hay uniones armadas."
	case e.Op == plant.SOLD:
		return "Aún no se puede soldar: falta armar."
	case e.Op == plant.METROLOGIA && strings.Contains(e.Missing, "SOLD"):
		return "Todavía no se puede inspeccionar: falta terminar SOLD."
	case e.Op == plant.METROLOGIA:
		return "Todavía no se puede inspeccionar: falta terminar ARM."
	}
	return fmt.Sprintf("Falta algo antes de %s: %s.", OpWord(e.Op), orDash(e.Missing))
}

func missingUnions(verb string, n []int) string {
	if len(n) == 1 {
		return fmt.Sprintf("Falta por %s la unión %d.", verb, n[0])
	}
	return fmt.Sprintf("Faltan por %s las uniones %s.", verb, Enumerate(n))
}

func unarmed(s *plant.Spool) []int {
	if s == nil {
		return nil
	}
	var out []int
	for _, u := range s.Unions {
		if !u.Arm.Done() {
			out = append(out, u.N)
		}
	}
	return out
}

// justNow is how young a hold must be for its loser to be told of a race.
const justNow = 5 * time.Second

func occupied(e *plant.Error, t Telling) string {
	age := t.Now.Sub(e.Since)
	name := Name(t.Who, e.Holder)
	switch {
	case e.Holder.ID != 0 && e.Holder.ID == e.Worker.ID:
		return fmt.Sprintf("Ya lo tienes tú desde %s.", Desde(e.Since, t.Now))
	case !e.Until.IsZero() && !t.Now.Before(e.Until):
		return fmt.Sprintf("**%s** lo tiene hace %s: toma vencida. Puedes relevar.", name, Lapse(age))
	case !e.Since.IsZero() && age < justNow:
		return fmt.Sprintf("**%s** lo tomó recién (hace %d s). No quedó a tu nombre.", name, max(1, int(age/time.Second)))
	}
	return fmt.Sprintf("Lo tiene **%s**%s desde %s. Elige otro o pídeselo.", name, inOp(e.HeldFor), Desde(e.Since, t.Now))
}

func inOp(o plant.Op) string {
	if o == plant.OpNone {
		return ""
	}
	return " (" + OpWord(o) + ")"
}

func notHolder(e *plant.Error, t Telling) string {
	name := Name(t.Who, e.Holder)
	switch {
	case t.Spool != nil && t.Spool.Hold.Free() && name != "":
		return fmt.Sprintf("%s está libre: la última toma fue de %s. Primero tómalo.", Short(e.Tag), name)
	case name == "":
		return fmt.Sprintf("No tienes %s. Primero tómalo.", Short(e.Tag))
	}
	return fmt.Sprintf("Lo tiene **%s**: solo quien lo tiene puede pausarlo o terminarlo. Si no está, avisa al supervisor.", name)
}

func displaced(e *plant.Error, t Telling) string {
	at := ""
	if !e.Since.IsZero() {
		at = " a " + Desde(e.Since, t.Now)
		if strings.HasPrefix(at, " a el") {
			at = strings.Replace(at, " a el", " el", 1)
		}
	}
	if e.How == plant.KindLiberar && t.Motivo != "" {
		return fmt.Sprintf("El supervisor liberó %s%s. Motivo: %s", Short(e.Tag), at, t.Motivo)
	}
	if e.How == plant.KindLiberar {
		return fmt.Sprintf("El supervisor liberó %s%s. Tus uniones siguen a tu nombre.", Short(e.Tag), at)
	}
	return fmt.Sprintf("**%s** te relevó en %s%s. Tus uniones siguen a tu nombre.", Name(t.Who, e.By), Short(e.Tag), at)
}

func transition(e *plant.Error, t Telling) string {
	s := t.Spool
	switch {
	case s == nil:
		return "Eso no se puede ahora. Revisa el spool y repite."
	case !s.Hold.Free() && s.Hold.Worker.ID == e.Worker.ID && e.Worker.ID != 0:
		return fmt.Sprintf("Tienes %s para %s, no para eso. Revisa y repite.", Short(e.Tag), OpWord(s.Hold.Op))
	case s.Work(e.Op).Phase == plant.Pausado || s.Quality == plant.ReparacionPausada:
		return fmt.Sprintf("%s está en pausa: primero tómalo.", Short(e.Tag))
	case s.Hold.Free():
		return fmt.Sprintf("%s está libre: primero tómalo.", Short(e.Tag))
	}
	return fmt.Sprintf("Eso no se puede ahora en %s. Revisa y repite.", Short(e.Tag))
}

func version(e *plant.Error, t Telling) string {
	if t.Spool != nil && !t.Spool.Hold.Free() {
		return fmt.Sprintf("%s cambió mientras mirabas: ahora lo tiene **%s**. Revisa y repite.", Short(e.Tag), Name(t.Who, t.Spool.Hold.Worker))
	}
	return fmt.Sprintf("%s cambió mientras mirabas: ahora está libre. Revisa y repite.", Short(e.Tag))
}

// Sentences of the page itself.
const (
	TextStale     = "Sin conexión: no se guardó nada. Espera a que vuelva o avisa al supervisor."
	TextLost      = "Enviado, falta la confirmación. No lo repitas."
	TextUnknown   = "Todavía no sabemos si se guardó. Al volver la conexión esta página lo dirá."
	TextNotSaved  = "No llegó: no se guardó. Hazlo de nuevo."
	TextRestart   = "El servidor se está reiniciando"
	TextNoMine    = "No tienes spools. Mira los listos para ti."
	TextNoReady   = "No hay spools listos para tu rol en este momento."
	TextNoHeld    = "Nadie tiene spools en este momento."
	TextNoUnions  = "Sin uniones registradas"
	TextNoInspect = "No hay spools por inspeccionar."
	TextNoRepair  = "No hay spools rechazados ni en reparación."
	TextBlocked   = "Lo debe desbloquear el supervisor"
	TextNotLoaded = "No se pudo cargar."
	TextRetry     = "Reintentar"
	TextPinWrong  = "PIN incorrecto."
	TextPinNone   = "Todavía no hay un PIN de supervisor en este servidor. Lo crea el administrador."
	TextIdentify  = "Para registrar, primero dinos quién eres."
	TextNoSheet   = "Esta planta trabaja sin hoja de cálculo: todo queda en el servidor."
	TextSyncFirst = "Leyendo la hoja por primera vez. En planta se trabaja igual."
	TextSyncNow   = "Pedido: la hoja se lee y se escribe ahora. Mira la hora de la última lectura."
	TextSyncPIN   = "Eso lo hace el supervisor: ingresa el PIN."
	TextSyncGone  = "Esa entrada ya no está: alguien la resolvió o la hoja cambió. Revisa la lista."
	TextSyncMoved = "La celda o el spool cambió mientras mirabas. Revisa los dos valores y repite."
	TextRejected  = "Propuesta rechazada: se vuelve a escribir lo nuestro en la hoja."
	TextTooFast   = "Llegaron demasiados pedidos seguidos de esta tablet. No se guardó: espera un momento y repite."
	TextHost      = "Este servidor no responde por ese nombre. Entra con su dirección IP, o pide al administrador que agregue el nombre con --host."
	TextForeign   = "El pedido no se entiende: trae un dato que esta página no manda. No se guardó."
)

// PinWait is the answer to a PIN while its lock lasts, in whole minutes.
func PinWait(wait time.Duration) string {
	n := int((wait + time.Minute - 1) / time.Minute)
	return "Espera " + Plural(max(n, 1), "minuto", "minutos") + " o pide ayuda al supervisor."
}

// PinLeft is the answer to a wrong PIN.
func PinLeft(left int) string {
	switch {
	case left <= 0:
		return "Espera 1 minuto o pide ayuda al supervisor."
	case left == 1:
		return TextPinWrong + " Queda 1 intento."
	}
	return TextPinWrong + " Quedan " + strconv.Itoa(left) + " intentos."
}
