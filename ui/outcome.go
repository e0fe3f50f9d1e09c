package ui

import (
	"fmt"
	"strings"

	"envivo/plant"
)

// Outcome is the sentence about a committed event for the person who acted. It
// is told from the event alone, so that it cannot promise what was not stored.
func Outcome(e plant.Event, who People) string {
	short := Short(e.Tag)
	holder, from := Name(who, e.Worker), Name(who, e.From)
	switch e.Kind {
	case plant.KindTomar, plant.KindTomarReparacion:
		if assigned(e) {
			return fmt.Sprintf("Asignado: %s. Queda a nombre de %s desde las %s.", short, holder, plant.Clock(e.At))
		}
		return fmt.Sprintf("Tomado: %s. Queda a tu nombre desde las %s.", short, plant.Clock(e.At))
	case plant.KindRelevar:
		return fmt.Sprintf("Relevaste a %s. %s queda a tu nombre; lo ya hecho sigue a nombre de %s.", from, short, from)
	case plant.KindTraspasar:
		text := fmt.Sprintf("%s pasó de %s a %s a las %s.", short, from, holder, plant.Clock(e.At))
		if n := len(e.Selected); n > 0 {
			text += fmt.Sprintf(" %s = %s PD a nombre de %s.", Plural(n, "unión hecha", "uniones hechas"), PD(e.PD), from)
		}
		return text
	case plant.KindPausar:
		return paused(e)
	case plant.KindCompletar:
		return finished(e)
	case plant.KindCancelar, plant.KindCancelarReparacion:
		return fmt.Sprintf("Toma cancelada: %s quedó libre.", short)
	case plant.KindLiberar:
		return fmt.Sprintf("Liberado: %s. Lo tenía %s; lo ya hecho sigue a su nombre.", short, orDash(from))
	case plant.KindDesbloquear:
		return fmt.Sprintf("Desbloqueado: %s. Pasa a reparación.", short)
	case plant.KindInspeccion:
		return verdict(e)
	case plant.KindPausarReparacion:
		return fmt.Sprintf("Reparación **en pausa**: %s queda libre para otro.", short)
	case plant.KindCompletarReparacion:
		return fmt.Sprintf("Reparación terminada: %s vuelve a inspección.", short)
	case plant.KindDeshacer:
		return fmt.Sprintf("Deshecho: %s quedó como antes.", short)
	case plant.KindNota:
		return fmt.Sprintf("Nota guardada en %s.", short)
	case plant.KindCorregir:
		if !fromSheet(e) {
			return fmt.Sprintf("Corregido: %s. Lo anterior queda en la historia.", short)
		}
		return fmt.Sprintf("Corrección aceptada en %s.", short)
	case plant.KindUniones:
		return fmt.Sprintf("Uniones guardadas en %s.", short)
	}
	return fmt.Sprintf("Guardado: %s.", short)
}

func paused(e plant.Event) string {
	if len(e.Selected) == 0 {
		return fmt.Sprintf("%s queda **en pausa**, libre para otro.", Short(e.Tag))
	}
	word := "Guardadas"
	if len(e.Selected) == 1 {
		word = "Guardada"
	}
	if e.Needed == 0 {
		return fmt.Sprintf("%s %s = %s PD. Queda **en pausa**, libre para otro.", word, Plural(len(e.Selected), "unión", "uniones"), PD(e.PD))
	}
	return fmt.Sprintf("%s %d de %d uniones = %s PD. Queda **en pausa**, libre para otro.", word, len(e.Selected), e.Needed, PD(e.PD))
}

func finished(e plant.Event) string {
	if len(e.Selected) == 0 {
		return fmt.Sprintf("Terminado %s: %s.", OpWord(e.Op), Short(e.Tag))
	}
	return fmt.Sprintf("Terminado %s: %s, %s PD.", OpWord(e.Op), Plural(len(e.Selected), "unión", "uniones"), PD(e.PD))
}

func verdict(e plant.Event) string {
	if e.Resultado == plant.Aprobado {
		return fmt.Sprintf("Aprobado: %s.", Short(e.Tag))
	}
	ciclo := uint8(0)
	if e.Progress != nil {
		ciclo = e.Progress.Ciclo
	}
	if ciclo >= plant.MaxCiclo {
		return fmt.Sprintf("Rechazado, %d de %d. Quedó BLOQUEADO: avisa al supervisor.", ciclo, plant.MaxCiclo)
	}
	return fmt.Sprintf("Rechazado, %d de %d. Pasa a reparación.", ciclo, plant.MaxCiclo)
}

// NextStep is the card after an act: what follows and for whom; empty when
// nothing does.
func NextStep(r *plant.Row) string {
	switch r.Estado {
	case plant.ListoARM:
		return "Sigue: ARM"
	case plant.ListoSOLD:
		return "Sigue: SOLD"
	case plant.PorInspeccionar:
		return "Sigue: Metrología"
	case plant.EstadoRechazado, plant.EnPausaReparacion:
		return "Sigue: Reparación"
	case plant.EstadoAprobado:
		return "Nada más que hacer: está aprobado"
	case plant.Parcial:
		switch {
		case r.Spool.Arm.Phase != plant.Completado:
			return "Sigue: lo que falta de ARM"
		case r.Spool.Sold.Phase != plant.Completado:
			return "Sigue: lo que falta de SOLD"
		}
	}
	return ""
}

// Undoable reports whether the page offers DESHACER after an event.
func Undoable(k plant.Kind) bool {
	switch k {
	case plant.KindTomar, plant.KindPausar, plant.KindCompletar, plant.KindRelevar, plant.KindInspeccion,
		plant.KindTomarReparacion, plant.KindPausarReparacion, plant.KindCompletarReparacion:
		return true
	}
	return false
}

// Strong splits a sentence at its **…** marks; odd pieces are emphasised.
func Strong(s string) []string { return strings.Split(s, "**") }
