package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"envivo/plant"
)

// BrakesPath is the page "Qué nos frena".
const BrakesPath = "/supervisor/frenos"

// BrakeDays is how many days are counted, today included, and how many before
// them they are compared with.
const BrakeDays = 7

// Refused is one act that the rules refused.
type Refused struct {
	At time.Time
	// Code is the stable code (rules §9.1), Why what tells those with one code
	// apart, Op the operation's name.
	Code, Why, Op string
	Tag           plant.Tag
}

// brake is one reason why acts were refused.
type brake struct {
	Key, Word string
	// Do is what to decide or to do about it.
	Do string
	// Orders lists the NVs of the spools rather than the spools.
	Orders bool
	Href   string
	Link   string
}

// The reasons, in no particular order.
var (
	brakeMaterials = brake{Key: "materiales", Word: "Faltan materiales", Do: "qué materiales apurar en bodega: primero las NV que más se intentaron.", Orders: true}
	brakeArm       = brake{Key: "arm", Word: "Falta terminar antes", Do: "a qué spools mandar armadores primero: alguien ya los espera para seguir."}
	brakeHeld      = brake{Key: "tomado", Word: "Lo tenía otra persona", Do: "qué tomas traspasar o liberar; si se repite, repartir los spools antes del turno.", Href: "/quien?vencidas=1", Link: "Ver vencidas"}
	brakeNotHolder = brake{Key: "ajeno", Word: "No era de quien lo registraba", Do: "a quién recordarle que se identifique antes de tocar."}
	brakeRole      = brake{Key: "rol", Word: "El rol no correspondía", Do: "si falta gente de ese oficio en el turno, o corregir el rol en la hoja Trabajadores."}
	brakeBlocked   = brake{Key: "bloqueado", Word: "Estaba bloqueado", Do: "qué spools desbloquear o devolver a ingeniería.", Href: SupervisorPath, Link: "Ver bloqueados"}
	brakeBoss      = brake{Key: "supervisor", Word: "Hacía falta el supervisor", Do: "si el supervisor debe pasar más seguido por esa estación."}
	brakeState     = brake{Key: "estado", Word: "Ya estaba hecho o no tocaba", Do: "qué estación no mira el tablero antes de ir: acercarle una pantalla."}
	brakeMoved     = brake{Key: "cambio", Word: "Cambió mientras lo miraban", Do: "nada si son pocos; si suben, dos personas trabajan el mismo spool."}
	brakeUnknown   = brake{Key: "codigo", Word: "TAG o persona desconocidos", Do: "qué etiquetas y credenciales reimprimir, y si falta gente en la hoja Trabajadores.", Href: "/imprimir", Link: "Imprimir"}
	brakeBox       = brake{Key: "servidor", Word: "El servidor no pudo guardar", Do: "avisar a quien administra el servidor: no es culpa de la gente."}
	brakeForm      = brake{Key: "datos", Word: "Pedido incompleto", Do: "qué motivo, unión o fecha olvida la gente: explicarlo en la charla."}
)

// brakeOf is the reason of a refusal.
func brakeOf(r Refused) brake {
	switch r.Code {
	case "DEPENDENCIAS_NO_SATISFECHAS":
		if r.Why == "Fecha_Materiales" {
			return brakeMaterials
		}
		return brakeArm
	case "ARM_PREREQUISITE":
		return brakeArm
	case "SPOOL_OCCUPIED":
		return brakeHeld
	case "LOCK_EXPIRED":
		return brakeNotHolder
	case "ROL_NO_AUTORIZADO":
		return brakeRole
	case "SPOOL_BLOQUEADO":
		return brakeBlocked
	case "NO_AUTORIZADO":
		switch r.Why {
		case "not-holder":
			return brakeNotHolder
		case "too-early":
			return brakeHeld
		}
		return brakeBoss
	case "VERSION_CONFLICT", "RACE_CONDITION":
		return brakeMoved
	case "SPOOL_NO_ENCONTRADO", "WORKER_NO_ENCONTRADO":
		return brakeUnknown
	case "VALIDATION_ERROR", "IDEMPOTENCY_KEY_REUSED":
		return brakeForm
	case "INTERNAL_SERVER_ERROR", "SHEETS_UPDATE_ERROR", "SHEETS_CONNECTION_ERROR", "SPOOL_DATA_CORRUPT":
		return brakeBox
	}
	return brakeState
}

// braked gathers one reason.
type braked struct {
	brake
	now, before int
	spools      map[plant.Tag]int
	ops         map[string]int
	hours       [24]int
}

// brakesShown is how many reasons have a card; worstShown how many spools, NVs
// or operations a card names.
const (
	brakesShown = 6
	worstShown  = 5
)

// brakes are the cards of the page: all refusals of the week, then one per
// reason, the most frequent first. list may hold older refusals and is in any
// order.
func brakes(s *plant.Snapshot, list []Refused, now time.Time) []card {
	today := plant.DateOf(now)
	from, before := (today - BrakeDays + 1).Start(), (today - 2*BrakeDays + 1).Start()
	by := map[string]*braked{}
	all := &braked{}
	days := make([]bar, BrakeDays)
	for _, r := range list {
		if r.At.Before(before) {
			continue
		}
		b := brakeOf(r)
		g := by[b.Key]
		if g == nil {
			g = &braked{brake: b, spools: map[plant.Tag]int{}, ops: map[string]int{}}
			by[b.Key] = g
		}
		if r.At.Before(from) {
			all.before++
			g.before++
			continue
		}
		all.now++
		g.add(r)
		all.hours[r.At.In(plant.Zone()).Hour()]++
		if i := int(plant.DateOf(r.At)-today) + BrakeDays - 1; i >= 0 && i < BrakeDays {
			days[i].N++
		}
	}
	reasons := make([]*braked, 0, len(by))
	for _, g := range by {
		if g.now > 0 {
			reasons = append(reasons, g)
		}
	}
	slices.SortFunc(reasons, func(a, b *braked) int { return cmp.Or(b.now-a.now, cmp.Compare(a.Key, b.Key)) })
	out := []card{allBrakes(all, reasons, days, today)}
	for _, g := range reasons[:min(len(reasons), brakesShown)] {
		out = append(out, g.card(s, all.now))
	}
	return out
}

func (b *braked) add(r Refused) {
	b.now++
	b.hours[r.At.In(plant.Zone()).Hour()]++
	if r.Tag != "" {
		b.spools[r.Tag]++
	}
	if r.Op != "" {
		b.ops[r.Op]++
	}
}

// allBrakes is the card of the whole week.
func allBrakes(all *braked, reasons []*braked, days []bar, today plant.Date) card {
	c := card{Key: "semana", Title: "La semana", Decide: "qué freno quitar primero: el de arriba es el que más veces paró a alguien.",
		Heads:  []head{{N: Count(all.now), Word: "veces no se pudo", Note: trend(all.now, all.before)}},
		Charts: []chart{{Name: "Por día", Bars: days, Low: true}, {Name: "Por hora", Bars: hourBars(all.hours), Low: true}}}
	for i := range days {
		c.Charts[0].Days = append(c.Charts[0].Days, today-BrakeDays+1+plant.Date(i))
	}
	for _, g := range reasons {
		c.Lines = append(c.Lines, line{Word: g.Word, Value: Count(g.now), Share: g.now * 100 / max(1, all.now),
			Note: strconv.Itoa(g.now*100/max(1, all.now)) + " % · " + trend(g.now, g.before), Href: "#f-freno-" + g.Key})
	}
	return c
}

// hourBars are the working hours with something in them, two hours a bar.
func hourBars(hours [24]int) []bar {
	out := make([]bar, 12)
	for h, n := range hours {
		out[h/2].N += n
		out[h/2].Label = strconv.Itoa(h / 2 * 2)
	}
	return out
}

// trend compares a week with the one before.
func trend(now, before int) string {
	switch {
	case before == 0 && now == 0:
		return "como la semana anterior: ninguna"
	case before == 0:
		return "la semana anterior, ninguna"
	case now == before:
		return "igual que la semana anterior"
	case now > before:
		return fmt.Sprintf("▲ la semana anterior, %s", Count(before))
	}
	return fmt.Sprintf("▼ la semana anterior, %s", Count(before))
}

func (b *braked) card(s *plant.Snapshot, all int) card {
	c := card{Key: "freno-" + b.Key, Title: b.Word, Decide: b.Do,
		Heads:  []head{{N: Count(b.now), Word: strconv.Itoa(b.now*100/max(1, all)) + " % de todo", Note: trend(b.now, b.before)}},
		Charts: []chart{{Name: "A qué hora", Bars: hourBars(b.hours), Low: true}}}
	if b.Href != "" {
		c.Lines = append(c.Lines, line{Word: b.Link, Href: b.Href})
	}
	if ops := worst(b.ops); len(ops) > 0 {
		for _, w := range ops {
			op, _ := plant.ParseOp(w.Key)
			c.Lines = append(c.Lines, line{Word: cmp.Or(OpWord(op), w.Key), Value: Count(w.N), Share: w.N * 100 / b.now})
		}
	}
	if b.Orders {
		c.Lines = append(c.Lines, b.orders(s)...)
		return c
	}
	for _, w := range worst(b.spools) {
		l := line{Word: string(w.Key), Value: Count(w.N), Share: w.N * 100 / b.now}
		if _, ok := s.Row(w.Key); ok {
			l.Href = SpoolPath(w.Key)
		}
		c.Lines = append(c.Lines, l)
	}
	return c
}

// orders are the NVs whose spools were tried most, with how many lack material
// now.
func (b *braked) orders(s *plant.Snapshot) []line {
	tried, lack := map[string]int{}, map[string]int{}
	for t, n := range b.spools {
		if r, ok := s.Row(t); ok && r.Spool.Office.NV != "" {
			tried[r.Spool.Office.NV] += n
		}
	}
	for r := range s.In(plant.NoListo) {
		if r.Spool.Office.Materiales == 0 {
			lack[r.Spool.Office.NV]++
		}
	}
	var out []line
	for _, w := range worst(tried) {
		out = append(out, line{Word: NVText(w.Key), Value: Count(w.N), Share: w.N * 100 / b.now, Href: Filter{Path: "/spools", NV: w.Key}.Address(),
			Note: Plural(lack[w.Key], "spool sin materiales hoy", "spools sin materiales hoy")})
	}
	return out
}

// counted is a key with its count.
type counted[K cmp.Ordered] struct {
	Key K
	N   int
}

// worst are the most frequent keys.
func worst[K cmp.Ordered](n map[K]int) []counted[K] {
	out := make([]counted[K], 0, len(n))
	for k, v := range n {
		out = append(out, counted[K]{k, v})
	}
	slices.SortFunc(out, func(a, b counted[K]) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Key, b.Key)) })
	return out[:min(len(out), worstShown)]
}
