package ui

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"envivo/plant"
)

// MostFollowedAtOnce bounds the rows of a list that one touch follows; with more
// the list offers it only once a filter made it smaller.
const MostFollowedAtOnce = 300

// FollowedAtOnce is what came of following a list's rows: how many were added,
// were there already, and could not be added.
type FollowedAtOnce struct{ Added, There, Failed int }

// Text tells it in one sentence.
func (o FollowedAtOnce) Text() string {
	text := "Ya seguías estos spools."
	if o.Added > 0 {
		text = "Agregados a la lista: " + Plural(o.Added, "spool", "spools") + "."
		if o.There > 0 {
			text += " " + Plural(o.There, "ya estaba", "ya estaban") + "."
		}
	}
	if o.Failed > 0 {
		text += " No se guardaron " + Count(o.Failed) + ": toca otra vez."
	}
	return text
}

// The other answers about following many.
const (
	TextFollowTooMany = "Son más de 300 spools: filtra primero. No se guardó nada."
	TextFollowFull    = "La lista de seguidos admite 2.000 spools y no caben todos. No se guardó nada."
	TextFollowNothing = "En esta lista ya no queda nada que seguir."
	TextFollowLate    = "Ya no se puede deshacer: pasaron 10 s o la lista cambió."
)

// Unfollowed tells what came of the undo.
func Unfollowed(n int) string {
	if n == 1 {
		return "Deshecho: 1 spool ya no está en la lista."
	}
	return "Deshecho: " + Count(n) + " spools ya no están en la lista."
}

// ListRows are all rows of the list at an address, in its own order.
func ListRows(s *plant.Snapshot, f Filter, now time.Time) []*plant.Row { return besideList(s, f, now) }

// Followed are the tags on the supervisors' list, longest followed first.
func Followed(s *plant.Snapshot) []plant.Tag {
	type entry struct {
		Tag   plant.Tag `json:"tag_spool"`
		Added string    `json:"added_at"`
	}
	var list []entry
	for _, key := range s.Settings(plant.SettingFollowed) {
		var e entry
		if json.Unmarshal([]byte(s.Setting(key)), &e) == nil && e.Tag != "" {
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b entry) int { return strings.Compare(a.Added, b.Added) })
	out := make([]plant.Tag, len(list))
	for i, e := range list {
		out[i] = e.Tag
	}
	return out
}

// followable is how many of a list's rows one touch would begin to follow: 0
// when all are followed, and when they are too many for one touch.
func followable(s *plant.Snapshot, rows []*plant.Row) int {
	n := 0
	for _, r := range rows {
		if s.Setting(plant.FollowKey(r.Spool.Tag)) != "" {
			continue
		}
		if n++; n > MostFollowedAtOnce {
			return 0
		}
	}
	return n
}

func followThese(n int) string {
	if n == 1 {
		return "Seguir este"
	}
	return "Seguir estos " + Count(n)
}
