package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"envivo/plant"
)

// DossierPath is the address of a spool's dossier.
func DossierPath(t plant.Tag) string { return SpoolPath(t) + "/dossier" }

// Dossier are the regions of everything known about a spool; events are its
// whole history, in any order.
func Dossier(s *plant.Snapshot, r *plant.Row, events []plant.Event) ([]Region, error) {
	events = slices.Clone(events)
	slices.SortFunc(events, func(a, b plant.Event) int { return cmp.Compare(b.Seq, a.Seq) })
	sessions := plant.AllSessions(events)
	head, err := item("datos", dossierHead(s, r, inspector(r.Spool, sessions)))
	if err != nil {
		return nil, err
	}
	joints, err := item("uniones", dossierJoints(s, r.Spool))
	if err != nil {
		return nil, err
	}
	stints, err := item("tomas", dossierStints(s, sessions))
	if err != nil {
		return nil, err
	}
	history, err := Timeline(events, s)
	if err != nil {
		return nil, err
	}
	slices.Reverse(history) // on paper a story is read from its beginning
	code, err := item("codigo", dossierCode(historyCode(r.Spool.Tag, events)))
	if err != nil {
		return nil, err
	}
	return []Region{{ID: "datos", Items: []Item{head}}, {ID: "uniones", Items: []Item{joints}}, {ID: "tomas", Items: []Item{stints}},
		{ID: "historia", Items: history}, {ID: "codigo", Items: []Item{code}}}, nil
}

// historyCode is the check code of a spool's history, newest event first.
func historyCode(t plant.Tag, events []plant.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "dossier 1\n%q\n", t)
	for i := range events {
		e := &events[i]
		fmt.Fprintf(&b, "%s %d %s %s %d %q %q\n", e.ID, e.At.UnixMilli(), e.Kind, e.Op, e.Worker.ID, e.After, e.Texto)
	}
	return checkCode(b.String())
}

// workText is who did an operation and when it was finished.
func workText(who People, w plant.Work) string {
	name := nameOrDash(who, w.Worker)
	switch w.Phase {
	case plant.Pendiente:
		return "pendiente"
	case plant.Completado:
		if w.Fecha == 0 {
			return name
		}
		return name + ", " + w.Fecha.String()
	}
	return w.Phase.Word() + ", " + name
}

// inspector is who gave the last verdict: as the spool says it, else as the
// history does, which remembers those from before the store.
func inspector(s *plant.Spool, sessions []plant.Session) plant.Person {
	who := s.Inspector
	for _, x := range sessions {
		if s.Inspector.None() && x.Op == plant.METROLOGIA {
			who = x.Worker
		}
	}
	return who
}

func inspectionText(who People, r *plant.Row, by plant.Person) string {
	s := r.Spool
	switch s.Quality {
	case plant.AprobadoQ:
		out := "aprobado"
		if n := Name(who, by); n != "" {
			out += " por " + n
		}
		if s.FechaQC != 0 {
			out += ", " + s.FechaQC.String()
		}
		return out
	case plant.SinVeredicto:
		return "pendiente"
	}
	return fmt.Sprintf("%s · rechazo %d de %d", LookOf(r.Estado).Text(), s.Ciclo, plant.MaxCiclo)
}
