package ui

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"envivo/plant"
)

// Action is what the rules say about one act of one person on one spool.
type Action struct {
	Verb    plant.Verb
	Op      plant.Op
	Allowed bool
	Refusal *plant.Error
}

// SpoolSight is everything a spool's page shows: one spool as one person sees
// it.
type SpoolSight struct {
	Snap *plant.Snapshot
	Row  *plant.Row
	Now  time.Time
	// Me is who looks; the zero Worker for nobody.
	Me         plant.Worker
	Supervisor bool
	// List is the list beside the spool, nil for none.
	List    *Filter
	Actions []Action
	// Kept are the unions that were ticked when the tablet was last left.
	Kept []string
	// Events are the newest events about the spool, newest first.
	Events []plant.Event
}

// Can reports whether the rules allow an act for any operation.
func (v *SpoolSight) Can(verb plant.Verb) bool { return v.can(verb, plant.OpNone) }

func (v *SpoolSight) can(verb plant.Verb, op plant.Op) bool {
	return slices.ContainsFunc(v.Actions, func(a Action) bool {
		return a.Allowed && a.Verb == verb && (op == plant.OpNone || a.Op == plant.OpNone || a.Op == op)
	})
}

func (v *SpoolSight) spool() *plant.Spool { return v.Row.Spool }
func (v *SpoolSight) mine() bool {
	return v.Me.ID != 0 && v.spool().Hold.Worker.ID == v.Me.ID
}
func (v *SpoolSight) path(verb string) string {
	return SpoolPath(v.spool().Tag) + "/" + verb + besideQuery(v.List, url.Values{})
}

// at is the page's own address with more parameters by name and value.
func (v *SpoolSight) at(params ...string) string {
	return SpoolBeside(v.spool().Tag, v.List, params...)
}

// Act is what the lower edge of the page offers.
type Act struct {
	Kind ActKind
	// Ops are what TOMAR may be pressed for, one button each.
	Ops []plant.Op
	// Why says what cannot be done now and the way out.
	Why string
	// Waiting is since when it waits for inspection, zero for no such sentence.
	Waiting time.Time
	// Holder reports whether the holder, if here, may hand it over.
	Holder bool
	// Open are the unions that can be ticked, of Op; PD their inches.
	Op    plant.Op
	Open  int
	PD    plant.Inches
	Total int
}

// ActKind selects the buttons.
type ActKind uint8

// The kinds of primary act.
const (
	ActNone ActKind = iota
	ActIdentify
	ActTake
	ActFinish
	ActRelieve
	ActInspect
	ActRepair
)

// act chooses the primary act by what the rules allow (ui: one primary verb).
func (v *SpoolSight) act() Act {
	s := v.spool()
	op := s.Hold.Op
	switch {
	case v.mine() && (v.can(plant.Completar, op) || v.can(plant.Finalizar, op) || v.can(plant.Pausar, op)):
		open := openUnions(s, op, v.Snap.Rules())
		a := Act{Kind: ActFinish, Op: op, Open: len(open), Total: len(open)}
		for _, u := range open {
			a.PD += u.DN
		}
		return a
	case v.can(plant.Inspeccionar, plant.OpNone):
		return Act{Kind: ActInspect}
	case v.can(plant.Relevar, plant.OpNone):
		return Act{Kind: ActRelieve, Why: fmt.Sprintf("Queda a tu nombre; lo ya hecho sigue a nombre de %s.", Name(v.Snap, s.Hold.Worker))}
	}
	a := Act{Kind: ActNone}
	for _, o := range []plant.Op{plant.ARM, plant.SOLD} {
		if v.can(plant.Tomar, o) {
			a.Ops = append(a.Ops, o)
		}
	}
	switch {
	case len(a.Ops) > 0:
		a.Kind = ActTake
	case v.can(plant.Tomar, plant.REPARACION):
		a.Kind = ActRepair
	default:
		a.Why, a.Holder = v.why(), v.mayReceive()
		if v.Row.Estado == plant.PorInspeccionar && v.Me.ID != 0 {
			a.Waiting = s.ReadyAt
		}
		if v.Me.ID == 0 && v.worthIdentifying() {
			a.Kind = ActIdentify
		}
	}
	return a
}

func (v *SpoolSight) worthIdentifying() bool {
	switch v.Row.Estado {
	case plant.Bloqueado, plant.EstadoAprobado, plant.NoListo:
		return false
	}
	return true
}

// why is the sentence in place of a button.
func (v *SpoolSight) why() string {
	s := v.spool()
	switch v.Row.Estado {
	case plant.Bloqueado:
		if v.can(plant.Desbloquear, plant.OpNone) {
			return "BLOQUEADO: 3 rechazos seguidos."
		}
		return "BLOQUEADO: 3 rechazos seguidos. Lo debe desbloquear el supervisor."
	case plant.EstadoAprobado:
		return v.approved()
	case plant.PorInspeccionar:
		if v.Me.ID == 0 || !s.ReadyAt.IsZero() {
			return ""
		}
		return "Espera inspección. La hace alguien de Metrología."
	case plant.NoListo:
		return whyNotReady(v.Row)
	}
	if !s.Hold.Free() && !v.mine() {
		return fmt.Sprintf("Lo tiene **%s**%s. Elige otro o pídeselo.", Name(v.Snap, s.Hold.Worker), inOp(s.Hold.Op))
	}
	if v.Me.ID == 0 {
		return ""
	}
	return v.refusedTake()
}

// refusedTake tells why nobody with these roles may take the free spool: the
// refusal of the work it waits for.
func (v *SpoolSight) refusedTake() string {
	want := plant.ARM
	if v.spool().Arm.Phase == plant.Completado {
		want = plant.SOLD
	}
	if q := v.spool().Quality; q == plant.RechazadoQ || q == plant.ReparacionPausada {
		want = plant.REPARACION
	}
	for _, a := range v.Actions {
		if a.Verb == plant.Tomar && a.Op == want && a.Refusal != nil {
			return Refusal(a.Refusal, Telling{Who: v.Snap, Now: v.Now, Spool: v.spool(), Mine: v.Me.Roles})
		}
	}
	return ""
}

// mayReceive reports whether it is held by another and this person's trade could
// go on with it.
func (v *SpoolSight) mayReceive() bool {
	h := v.spool().Hold
	return v.Me.ID != 0 && !h.Free() && !v.mine() && slices.ContainsFunc(v.Actions, func(a Action) bool {
		return a.Verb == plant.Tomar && a.Op == h.Op && a.Refusal != nil && a.Refusal.Code == plant.CodeOccupied
	})
}

func (v *SpoolSight) approved() string {
	s := v.spool()
	out := "Aprobado"
	if n := Name(v.Snap, s.Inspector); n != "" {
		out += " por **" + n + "**"
	}
	if s.FechaQC != 0 {
		out += " el " + s.FechaQC.String()
	}
	return out + ". No queda nada por hacer."
}

// openUnions are the unions whose op is still to be done and can be done now
// (rules §6.5 step 4).
func openUnions(s *plant.Spool, op plant.Op, r plant.Rules) []plant.Union {
	legacy := s.ArmBeforeTracking()
	return slices.DeleteFunc(slices.Clone(s.Unions), func(u plant.Union) bool {
		switch op {
		case plant.ARM:
			return u.Arm.Done()
		case plant.SOLD:
			return u.Sold.Done() || !r.Welded[u.Tipo] || !u.Arm.Done() && !legacy
		}
		return true
	})
}

// unionView is one tile.
type unionView struct {
	U         plant.Union
	Who       People
	Op        plant.Op
	Tickable  bool
	NeedsSold bool
	MissArm   bool
}

func (v *SpoolSight) unions() []unionView {
	s, rules := v.spool(), v.Snap.Rules()
	open := map[int]bool{}
	if v.mine() {
		for _, u := range openUnions(s, s.Hold.Op, rules) {
			open[u.N] = true
		}
	}
	out := make([]unionView, 0, len(s.Unions))
	for _, u := range s.Unions {
		needs := rules.Welded[u.Tipo]
		out = append(out, unionView{U: u, Who: v.Snap, Op: s.Hold.Op, Tickable: open[u.N], NeedsSold: needs,
			MissArm: v.mine() && s.Hold.Op == plant.SOLD && needs && !u.Arm.Done() && !s.ArmBeforeTracking()})
	}
	return out
}

// olderItems is the way to events before the newest ones, empty for none. It
// comes to a page that stays open while its history outgrows one page.
func (v *SpoolSight) olderItems() ([]Item, error) {
	n := len(v.Events)
	if n < PageOfHistory || v.Events[n-1].PrevTag == 0 {
		return nil, nil
	}
	it, err := item("mas", olderLink(v, v.Events[n-1].Seq))
	return []Item{it}, err
}

// Regions of a spool's page: cabeza, uniones, linea, antes, accion.
func (v *SpoolSight) Regions() ([]Region, error) {
	head, err := item("cabeza", spoolHead(v))
	if err != nil {
		return nil, err
	}
	unions, err := v.unionItems()
	if err != nil {
		return nil, err
	}
	line, err := v.timeline()
	if err != nil {
		return nil, err
	}
	before, err := v.olderItems()
	if err != nil {
		return nil, err
	}
	act, err := item("accion", actBar(v, v.act()))
	if err != nil {
		return nil, err
	}
	return []Region{{ID: "cabeza", Items: []Item{head}}, {ID: "uniones", Items: unions}, {ID: "linea", Items: line}, {ID: "antes", Items: before}, {ID: "accion", Items: []Item{act}}}, nil
}

func (v *SpoolSight) unionItems() ([]Item, error) {
	views := v.unions()
	if len(views) == 0 {
		it, err := item("sin", noUnions())
		return []Item{it}, err
	}
	out := make([]Item, 0, len(views)+1)
	tickable := 0
	for _, u := range views {
		if u.Tickable {
			tickable++
		}
	}
	bar, err := item("barra", unionBar(v, tickable))
	if err != nil {
		return nil, err
	}
	out = append(out, bar)
	for _, u := range views {
		it, err := item(fmt.Sprintf("u%d", u.U.N), unionTile(u))
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// Say is the one sentence a dialog left open shows when the spool changes.
func (v *SpoolSight) Say() string {
	s := v.spool()
	if s.Hold.Free() {
		return fmt.Sprintf("Mientras mirabas, %s cambió: %s.", Short(s.Tag), strings.ToLower(ChipOf(v.Row).Text()))
	}
	return fmt.Sprintf("Mientras mirabas, %s cambió: lo tiene %s%s.", Short(s.Tag), Name(v.Snap, s.Hold.Worker), inOp(s.Hold.Op))
}

// nowText is why a spool leaves a list: who has taken it, else what it is now.
func nowText(who People, r *plant.Row) string {
	if r.Spool.Hold.Free() {
		return ChipOf(r).Text()
	}
	return "Lo tomó " + Name(who, r.Spool.Hold.Worker)
}

// Version is the revision the page shows.
func (v *SpoolSight) Version() string { return fmt.Sprint(v.spool().Version) }
