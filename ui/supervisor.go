package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"envivo/plant"
)

// SupervisorPath is the supervisor's page.
const SupervisorPath = "/supervisor"

// MotiveShiftEnd is the reason of a release at the end of the shift.
const MotiveShiftEnd = "Cierre de turno"

// SweepField names the choice about a spool; its value is the choice and whose
// hold it was about, so that a hold that changed meanwhile is left alone.
func SweepField(t plant.Tag) string { return "q-" + string(t) }

// The choices at the end of the shift: what stays with its holder is not sent.
const (
	SweepStays  = "sigue"
	SweepPause  = "pausar"
	SweepFinish = "terminar"
)

func sweepValue(choice string, h plant.Hold) string { return choice + " " + h.Token }

// ParseSweep reads a choice: what to do, and with which hold.
func ParseSweep(value string) (choice, token string) {
	choice, token, _ = strings.Cut(value, " ")
	return choice, token
}

// Desk are the regions of the supervisor's page: cuenta, turno, bloqueados,
// seguidos, asignar. Each list of spools draws a window, as lists do.
func Desk(s *plant.Snapshot, f Filter, now time.Time) ([]Region, error) {
	held := heldRows(s)
	slices.SortStableFunc(held, func(a, b *plant.Row) int {
		return cmp.Or(cmp.Compare(plant.Fold(Name(s, a.Spool.Hold.Worker)), plant.Fold(Name(s, b.Spool.Hold.Worker))), a.Spool.Hold.Since.Compare(b.Spool.Hold.Since))
	})
	blocked, followed := slices.Collect(s.In(plant.Bloqueado)), Followed(s)
	tails := deskTails(f, tagsIn(held), tagsIn(blocked), followed)
	viewOf := func(r *plant.Row) rowView {
		v := rowOf(s, r, now)
		v.Tail = tails[r.Spool.Tag]
		return v
	}
	sweep, err := deskList(f, held, nothing(TextNoHeld, "", ""), func(r *plant.Row) (Item, error) {
		return item(string(r.Spool.Tag), sweepRow(viewOf(r)))
	})
	if err != nil {
		return nil, err
	}
	locked, err := deskList(f, blocked, nothing("No hay spools bloqueados.", "", ""), func(r *plant.Row) (Item, error) {
		return item(string(r.Spool.Tag), blockedRow(viewOf(r)))
	})
	if err != nil {
		return nil, err
	}
	none := nothing("No sigues ningún spool. Agrégalos desde Más, en la página de cada uno, o desde una lista filtrada.", "/spools", "Buscar")
	watched, err := deskList(f, followed, none, func(t plant.Tag) (Item, error) {
		v := followedView{Tag: t, Tail: tails[t]}
		if r, ok := s.Row(t); ok {
			row := viewOf(r)
			v.Row = &row
		}
		return item(string(t), followedRow(v))
	})
	if err != nil {
		return nil, err
	}
	count, err := item("cuenta", sweepCount(len(held)))
	if err != nil {
		return nil, err
	}
	assign, err := assignItems(s)
	if err != nil {
		return nil, err
	}
	return []Region{{ID: "cuenta", Items: []Item{count}}, {ID: "turno", Items: sweep}, {ID: "bloqueados", Items: locked}, {ID: "seguidos", Items: watched}, {ID: "asignar", Items: assign}}, nil
}

// deskTails tell apart what the lists of the page draw.
func deskTails(f Filter, lists ...[]plant.Tag) map[plant.Tag]string {
	var tags []plant.Tag
	for _, l := range lists {
		tags = append(tags, windowed(f, l)...)
	}
	out := make(map[plant.Tag]string, len(tags))
	for i, tail := range Tails(tags) {
		out[tags[i]] = tail
	}
	return out
}

// deskList draws the first of a list's rows and, below them, the way to the
// others.
func deskList[T any](f Filter, all []T, none func() (Item, error), draw func(T) (Item, error)) ([]Item, error) {
	if len(all) == 0 {
		it, err := none()
		return []Item{it}, err
	}
	shown := windowed(f, all)
	out := make([]Item, 0, len(shown)+1)
	for _, one := range shown {
		it, err := draw(one)
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	if len(shown) < len(all) {
		it, err := item("mas", moreBelow(f, extent{Total: len(all), Shown: len(shown)}))
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// assignItems are the people spools can be assigned to, by name.
func assignItems(s *plant.Snapshot) ([]Item, error) {
	list := slices.DeleteFunc(s.Workers(), func(w plant.Worker) bool {
		return !w.Activo || w.Roles&(plant.Armador|plant.Soldador|plant.Ayudante) == 0
	})
	slices.SortStableFunc(list, func(a, b plant.Worker) int {
		return cmp.Or(cmp.Compare(plant.Fold(a.FullName()), plant.Fold(b.FullName())), cmp.Compare(a.ID, b.ID))
	})
	out := make([]Item, 0, len(list))
	for _, w := range list {
		it, err := item(id(w.ID), assignTile(w, len(s.Held(w.ID))))
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	if len(out) == 0 {
		it, err := item("vacio", message("vacio", "No hay armadores, soldadores ni ayudantes activos.", "", ""))
		return []Item{it}, err
	}
	return out, nil
}

// followedView is a spool of the list; Row is nil when it has left the plant.
type followedView struct {
	Tag  plant.Tag
	Tail string
	Row  *rowView
}

func (v *SpoolSight) followed() bool { return slices.Contains(Followed(v.Snap), v.spool().Tag) }

func followVerb(v *SpoolSight) string {
	if v.followed() {
		return "quitar"
	}
	return "poner"
}

func followWord(v *SpoolSight) string {
	if v.followed() {
		return "Dejar de seguir"
	}
	return "Agregar a la lista"
}

// SweepSaid is the outcome of the shift's end in one sentence and the refusals
// after it.
func SweepSaid(paused, finished int, refused []string) string {
	var parts []string
	if paused > 0 {
		parts = append(parts, fmt.Sprintf("%d en pausa", paused))
	}
	if finished > 0 {
		parts = append(parts, strconv.Itoa(finished)+map[bool]string{true: " terminado", false: " terminados"}[finished == 1])
	}
	if len(parts) == 0 && len(refused) == 0 {
		return "No había nada que cerrar: todos siguen mañana."
	}
	text := "Cierre de turno"
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	text += "."
	if len(refused) > 0 {
		text += " No se pudo: " + strings.Join(refused, " ")
	}
	return text
}
