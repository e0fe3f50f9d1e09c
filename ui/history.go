package ui

import (
	"fmt"
	"strings"
	"time"

	"envivo/plant"
)

// PageOfHistory is how many events the timeline shows at a time.
const PageOfHistory = 50

// Older is the part of the timeline before the newest page, and the way on.
type Older struct {
	// Before is set when an older part is shown instead of the newest.
	Before plant.Seq
	Items  []Item
	More   bool
	Next   plant.Seq
}

// moment is one entry of the timeline.
type moment struct {
	Key, Icon, Title, Who string
	At                    string
	Details               []string
}

func (v *SpoolSight) timeline() ([]Item, error) {
	return Timeline(v.Events, v.Snap)
}

// Timeline draws events, newest first.
func Timeline(events []plant.Event, who People) ([]Item, error) {
	var out []Item
	for _, e := range events {
		for _, m := range moments(e, who) {
			it, err := item(m.Key, momentEntry(m))
			if err != nil {
				return nil, err
			}
			out = append(out, it)
		}
	}
	if len(out) == 0 {
		it, err := item("vacio", message("vacio", "Todavía no hay nada registrado.", "", ""))
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

func moments(e plant.Event, who People) []moment {
	key := "s" + seqText(e.Seq)
	if e.Kind == plant.KindImportar {
		return imported(key, e, who)
	}
	t := titles[e.Kind]
	m := moment{Key: key, Icon: t.icon, Title: t.word, Who: Name(who, e.Worker), At: Fecha(e.At)}
	if m.Title == "" {
		m.Title = e.Kind.String()
	}
	if e.Worker.ID == 0 && (e.Device == plant.SheetDevice || e.Kind == plant.KindCorregir) {
		m.Who = "" // typed into the Sheet, nobody knows by whom; or about nobody in particular
	}
	if e.Kind == plant.KindCorregir && !fromSheet(e) {
		m.Title = "Corrección"
	}
	if t.op && e.Op != plant.OpNone {
		m.Title += " " + OpWord(e.Op)
	}
	if e.Kind == plant.KindInspeccion {
		m.Title, m.Icon = "Aprobado", "visto"
		if e.Resultado == plant.Rechazado {
			m.Title, m.Icon = rejectTitle(e), "cruz"
		}
	}
	if e.Kind == plant.KindPausar && len(e.Selected) > 0 {
		m.Title = "Guardó parte de " + OpWord(e.Op)
	}
	m.Details = details(e, who)
	return []moment{m}
}

// fromSheet reports whether an event is about what was typed into the Sheet.
func fromSheet(e plant.Event) bool {
	return e.Device == plant.SheetDevice || e.Door == plant.DoorSheet
}

func rejectTitle(e plant.Event) string {
	if e.Progress == nil || e.Progress.Ciclo == 0 {
		return "Rechazado"
	}
	return fmt.Sprintf("Rechazado %d de %d", e.Progress.Ciclo, plant.MaxCiclo)
}

type title struct {
	word, icon string
	op         bool
}

var titles = map[plant.Kind]title{
	plant.KindTomar:               {"Tomó", "punto", true},
	plant.KindPausar:              {"Dejó en pausa", "pausa", true},
	plant.KindCompletar:           {"Terminó", "visto", true},
	plant.KindCancelar:            {"Canceló la toma de", "deshacer", true},
	plant.KindRelevar:             {"Relevó en", "mano", true},
	plant.KindTraspasar:           {"Recibió por traspaso", "mano", true},
	plant.KindLiberar:             {"Liberado por el supervisor", "mano", false},
	plant.KindDesbloquear:         {"Desbloqueado por el supervisor", "candado", false},
	plant.KindTomarReparacion:     {"Tomó para reparar", "llave", false},
	plant.KindPausarReparacion:    {"Dejó la reparación en pausa", "pausa", false},
	plant.KindCompletarReparacion: {"Terminó la reparación", "visto", false},
	plant.KindCancelarReparacion:  {"Canceló la reparación", "deshacer", false},
	plant.KindDeshacer:            {"Deshizo lo anterior", "deshacer", false},
	plant.KindNota:                {"Nota", "nota", false},
	plant.KindUniones:             {"Cambió las uniones", "lista", false},
	plant.KindInspeccion:          {"Inspección", "lupa", false},
	plant.KindCorregir:            {"Corrección de la planilla", "lista", false},
}

// assigned reports whether a supervisor gave the spool to somebody.
func assigned(e plant.Event) bool {
	return (e.Kind == plant.KindTomar || e.Kind == plant.KindTomarReparacion) && e.Actor.Display == plant.SupervisorName
}

func details(e plant.Event, who People) []string {
	var out []string
	add := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	if from := Name(who, e.From); from != "" && e.From.ID != e.Worker.ID {
		add("Lo tenía %s", from)
	}
	if len(e.Selected) > 0 {
		word := "Uniones"
		if len(e.Selected) == 1 {
			word = "Unión"
		}
		by := ""
		if e.Kind == plant.KindTraspasar {
			by = " de " + Name(who, e.From)
		}
		add("%s %s%s · %s PD", word, Enumerate(e.Selected), by, PD(e.PD))
	}
	if e.Needed > 0 && len(e.Selected) > 0 {
		add("van %d de %d", e.Done, e.Needed)
	}
	if !e.HoldSince.IsZero() {
		add("lo tuvo %s", Lapse(e.At.Sub(e.HoldSince)))
	}
	if e.Ready {
		add("pasa a inspección")
	}
	if e.Motivo != "" {
		add("Motivo: %s", e.Motivo)
	}
	if e.Kind == plant.KindCorregir && !fromSheet(e) {
		out = append(out, corrected(e, who)...)
	} else if e.Texto != "" {
		add("%s", e.Texto)
	}
	if e.Actor.ID != 0 && e.Actor.ID != e.Worker.ID {
		add("lo registró %s", Name(who, e.Actor))
	}
	switch {
	case e.Kind == plant.KindDesbloquear && e.Device == plant.SheetDevice:
		add("a mano en la planilla")
	case e.Kind == plant.KindCorregir && fromSheet(e):
		add("aceptada por el supervisor")
	case e.Kind == plant.KindCorregir:
		add("hecha por el supervisor")
	case assigned(e):
		add("lo asignó el supervisor")
	case e.Supervisor && e.Actor.Display == plant.SupervisorName && e.Kind == plant.KindDeshacer:
		add("lo hizo el supervisor")
	case e.Supervisor && e.Kind != plant.KindLiberar && e.Kind != plant.KindDesbloquear:
		add("con sesión de supervisor")
	}
	return out
}

// imported draws what an import brought: rows of Metadata from before, and the
// arrival itself.
func imported(key string, e plant.Event, who People) []moment {
	var out []moment
	if e.Import != nil {
		for i := len(e.Import.History) - 1; i >= 0; i-- {
			out = append(out, oldMoment(fmt.Sprintf("%s-%d", key, i), e.Import.History[i], who))
		}
		if len(e.Import.History) > 0 && e.Import.Spool == nil && e.Import.Office == nil && e.Import.Notas == nil && len(e.Import.Unions) == 0 {
			return out
		}
	}
	arrival := moment{Key: key, Icon: "lista", Title: "La oficina actualizó los datos", At: Fecha(e.At)}
	if e.Import != nil && e.Import.Spool != nil {
		arrival.Title = "Llegó de la planilla"
	}
	return append([]moment{arrival}, out...)
}

var oldWords = map[string]string{"TOMAR": "Tomó", "INICIAR": "Tomó", "PAUSAR": "Dejó en pausa", "COMPLETAR": "Terminó", "CANCELAR": "Canceló"}

func oldMoment(key string, m plant.MetadataRow, who People) moment {
	word := oldWords[strings.ToUpper(m.Accion)]
	if word == "" {
		word = strings.ReplaceAll(m.EventoTipo, "_", " ")
	}
	out := moment{Key: key, Icon: "reloj", Title: strings.TrimSpace(word + " " + m.Operacion), Who: Name(who, plant.ParsePerson(m.WorkerNombre)), At: m.Timestamp}
	if !m.At.IsZero() && m.At != (time.Time{}) {
		out.At = Fecha(m.At)
	}
	if m.NUnion != "" {
		out.Details = append(out.Details, "Unión "+m.NUnion)
	}
	return out
}
