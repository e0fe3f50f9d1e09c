package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"envivo/plant"
)

// Board is one view of the screen on the plant's wall.
type Board struct {
	// Key is the view's name in the address: /tv?vista=quien.
	Key, Title string
	draw       func(*plant.Snapshot, time.Time) ([]Region, error)
}

// boards are the views in the order in which they take turns.
var boards = [...]Board{
	{"quien", "Quién tiene qué", boardHeld},
	{"filas", "Filas", boardQueues},
	{"hoy", "Hoy", boardToday},
	{"alertas", "Alertas", boardAlerts},
}

// Boards lists the views of the wall, in the order in which they take turns.
func Boards() []Board { return slices.Clone(boards[:]) }

// pinned are the views a screen shows: one, or all when the key is empty; none
// for an unknown key.
func pinned(key string) []Board {
	if key == "" {
		return boards[:]
	}
	for i, b := range boards {
		if b.Key == key {
			return boards[i : i+1]
		}
	}
	return nil
}

// KnownBoard reports whether key names a view of the wall.
func KnownBoard(key string) bool { return key != "" && pinned(key) != nil }

// TV are the regions of the wall: of one view, or of all when key is empty.
func TV(s *plant.Snapshot, key string, now time.Time) ([]Region, error) {
	var out []Region
	for _, b := range pinned(key) {
		regions, err := b.draw(s, now)
		if err != nil {
			return nil, fmt.Errorf("board %s: %w", b.Key, err)
		}
		out = append(out, regions...)
	}
	return out, nil
}

// boardRegions are the two regions of a view: a sentence under its title and
// its rows.
func boardRegions(key, sentence string, rows []Item) ([]Region, error) {
	sum, err := item("resumen", boardSentence(sentence))
	if err != nil {
		return nil, err
	}
	return []Region{{ID: "tv-" + key + "-resumen", Items: []Item{sum}}, {ID: "tv-" + key, Items: rows}}, nil
}

// boardRow is one spool on the wall.
type boardRow struct {
	Row  *plant.Row
	Tail string
	// Top stands above the tail; with initials it is a person's name.
	Ini, Top string
	Chip     Look
	// Since is what the age counts from; Late marks a hold that is vencida
	// since then.
	Since time.Time
	Late  bool
}

// longName is from how many letters on a name needs the whole width of its row:
// its letters stay legible from five metres, the chip goes to the second line.
const longName = 19

func boardItems(rows []boardRow, empty string) ([]Item, error) {
	if len(rows) == 0 {
		it, err := item("vacio", message("vacio", empty, "", ""))
		return []Item{it}, err
	}
	tags := make([]plant.Tag, len(rows))
	for i, r := range rows {
		tags[i] = r.Row.Spool.Tag
	}
	tails := Tails(tags)
	out := make([]Item, 0, len(rows))
	for i, r := range rows {
		r.Tail = tails[i]
		it, err := item(string(tags[i]), boardLine(r))
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// boardHeld is who has what: a row per spool, by name, so that places stay.
func boardHeld(s *plant.Snapshot, now time.Time) ([]Region, error) {
	ttl := s.Rules().TTL
	var rows []boardRow
	people := map[string]bool{}
	for _, r := range heldRows(s) {
		h := r.Spool.Hold
		b := boardRow{Row: r, Ini: Initials(h.Worker), Top: Name(s, h.Worker), Chip: heldLook(r), Since: h.Since}
		if h.Overdue(now, ttl) {
			b.Late, b.Since = true, h.Since.Add(ttl)
		}
		people[deskKey(h.Worker)] = true
		rows = append(rows, b)
	}
	slices.SortStableFunc(rows, func(a, b boardRow) int {
		x, y := a.Row.Spool.Hold, b.Row.Spool.Hold
		return cmp.Or(cmp.Compare(plant.Fold(a.Top), plant.Fold(b.Top)), cmp.Compare(x.Worker.ID, y.Worker.ID), x.Since.Compare(y.Since))
	})
	items, err := boardItems(rows, TextNoHeld)
	if err != nil {
		return nil, err
	}
	return boardRegions("quien", Plural(len(rows), "spool en curso", "spools en curso")+" · "+Plural(len(people), "persona", "personas"), items)
}

// heldLook is the operation a spool is held for, short enough for the wall.
func heldLook(r *plant.Row) Look {
	l := LookOf(r.Estado)
	if w := OpWord(r.Spool.Hold.Op); w != "" {
		l.Word = w
	}
	return l
}

// stage is one queue between two hands.
type stage struct {
	Key, Word string
	Look      Look
	N, Held   int
	Oldest    time.Time
	PD        plant.Inches
	// Share is N of the longest queue, 0 to 100.
	Share int
}

// The stages in the order of the work.
const (
	stageARM = iota
	stageSOLD
	stageInspect
	stageRepair
	stageBlocked
	stageEnd
)

// queueOf is the stage a free spool waits in, and since when; ok is false when
// it waits for nothing the floor can do.
func queueOf(r *plant.Row, rules plant.Rules) (n int, since time.Time, ok bool) {
	s := r.Spool
	switch r.Estado {
	case plant.ListoARM:
		return stageARM, s.Office.Materiales.Start(), true
	case plant.ListoSOLD:
		return stageSOLD, s.FinishedAt(plant.ARM), true
	case plant.Parcial:
		if s.Complete(plant.ARM, rules) {
			return stageSOLD, later(s.FinishedAt(plant.ARM), lastJoint(s, plant.SOLD)), true
		}
		return stageARM, later(s.Office.Materiales.Start(), lastJoint(s, plant.ARM)), true
	case plant.PorInspeccionar:
		return stageInspect, s.ReadyAt, true
	case plant.EstadoRechazado, plant.EnPausaReparacion:
		return stageRepair, s.RejectedAt, true
	case plant.Bloqueado:
		return stageBlocked, s.RejectedAt, true
	}
	return 0, time.Time{}, false
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func lastJoint(s *plant.Spool, op plant.Op) time.Time {
	w, _ := s.LastDone(op)
	return w.End
}

// stages counts what waits and what is in hands, by stage.
func stages(s *plant.Snapshot) [stageEnd]stage {
	out := [stageEnd]stage{
		{Key: "arm", Word: "ARM", Look: LookOf(plant.ListoARM)},
		{Key: "sold", Word: "SOLD", Look: LookOf(plant.ListoSOLD)},
		{Key: "met", Word: "Metrología", Look: LookOf(plant.PorInspeccionar)},
		{Key: "rep", Word: "Reparación", Look: LookOf(plant.EstadoRechazado)},
		{Key: "blo", Word: "Bloqueados", Look: LookOf(plant.Bloqueado)},
	}
	for r := range s.Rows() {
		if h := r.Spool.Hold; !h.Free() {
			if i, ok := map[plant.Op]int{plant.ARM: stageARM, plant.SOLD: stageSOLD, plant.REPARACION: stageRepair}[h.Op]; ok {
				out[i].Held++
			}
			continue
		}
		i, since, ok := queueOf(r, s.Rules())
		if !ok {
			continue
		}
		q := &out[i]
		q.N++
		q.PD += waitingPD(r, i)
		if !since.IsZero() && (q.Oldest.IsZero() || since.Before(q.Oldest)) {
			q.Oldest = since
		}
	}
	most := 1
	for _, q := range out {
		most = max(most, q.N)
	}
	for i := range out {
		out[i].Share = out[i].N * 100 / most
	}
	return out
}

// waitingPD are the inches still to do in the stage; for the stages after
// welding those of the whole spool.
func waitingPD(r *plant.Row, stage int) plant.Inches {
	t := r.Tally
	switch stage {
	case stageARM:
		return t.PDTotal - t.PDArmed
	case stageSOLD:
		return max(0, t.PDWeld-t.PDSold)
	}
	return t.PDTotal
}

// boardQueues is what waits between ARM and approval.
func boardQueues(s *plant.Snapshot, _ time.Time) ([]Region, error) {
	list := stages(s)
	var rows []Item
	total := 0
	for _, q := range list {
		total += q.N
		it, err := item(q.Key, boardStage(q))
		if err != nil {
			return nil, err
		}
		rows = append(rows, it)
	}
	return boardRegions("filas", Plural(total, "spool espera", "spools esperan"), rows)
}

// SettingGoal begins the keys of the goals: meta/ARM is the inches of a day.
const SettingGoal = "meta/"

// MaxGoal is the largest goal of a day, in whole inches.
const MaxGoal = 100_000

// Goal is the day's goal of a trade, 0 for none.
func Goal(s *plant.Snapshot, op plant.Op) plant.Inches {
	n, err := strconv.Atoi(s.Setting(SettingGoal + op.String()))
	if err != nil || n <= 0 || n > MaxGoal {
		return 0
	}
	return plant.Inches(n * 100)
}

// tradeDay is what one trade did on a day.
type tradeDay struct {
	Op     plant.Op
	PD     plant.Inches
	Joints int
	Spools int
	Goal   plant.Inches
}

// Percent of the goal, at most 100; 0 without one.
func (t tradeDay) percent() int {
	if t.Goal == 0 {
		return 0
	}
	return int(min(100, int64(t.PD)*100/int64(t.Goal)))
}

// today is what was done on one day of the plant.
type today struct {
	Trades                    [2]tradeDay
	Ready, Approved, Rejected int
}

func dayOf(s *plant.Snapshot, day plant.Date) today {
	out := today{Trades: [2]tradeDay{{Op: plant.ARM, Goal: Goal(s, plant.ARM)}, {Op: plant.SOLD, Goal: Goal(s, plant.SOLD)}}}
	from, to := day.Start(), (day + 1).Start()
	within := func(t time.Time) bool { return !t.Before(from) && t.Before(to) }
	for r := range s.Rows() {
		sp := r.Spool
		for i := range out.Trades {
			t := &out.Trades[i]
			if sp.Work(t.Op).Fecha == day {
				t.Spools++
			}
			for k := range sp.Unions {
				if w := sp.Unions[k].Part(t.Op); w.Done() && within(w.End) {
					t.Joints++
					t.PD += sp.Unions[k].DN
				}
			}
		}
		if within(sp.ReadyAt) {
			out.Ready++
		}
		if sp.FechaQC == day && sp.Quality == plant.AprobadoQ {
			out.Approved++
		}
		if within(sp.RejectedAt) {
			out.Rejected++
		}
	}
	return out
}

// boardToday is the day so far.
func boardToday(s *plant.Snapshot, now time.Time) ([]Region, error) {
	d := dayOf(s, plant.DateOf(now))
	var rows []Item
	for _, t := range d.Trades {
		it, err := item(t.Op.String(), boardTrade(t))
		if err != nil {
			return nil, err
		}
		rows = append(rows, it)
	}
	for _, c := range []struct {
		key, word string
		look      Look
		n         int
	}{
		{"term", "Listos para inspección", LookOf(plant.PorInspeccionar), d.Ready},
		{"apr", "Aprobados", LookOf(plant.EstadoAprobado), d.Approved},
		{"rech", "Rechazados", LookOf(plant.EstadoRechazado), d.Rejected},
	} {
		it, err := item(c.key, boardCount(c.key, c.word, c.look, c.n))
		if err != nil {
			return nil, err
		}
		rows = append(rows, it)
	}
	return boardRegions("hoy", DayWords(plant.DateOf(now)), rows)
}

var (
	weekdays = [...]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"}
	months   = [...]string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"}
)

// DayWords is a day as people say it: jueves 26 de noviembre.
func DayWords(d plant.Date) string {
	t := d.Start().In(plant.Zone())
	return fmt.Sprintf("%s %d de %s", weekdays[t.Weekday()], t.Day(), months[t.Month()-1])
}

// sentenceCase begins a text with a capital.
func sentenceCase(s string) string {
	s = strings.TrimSpace(s)
	_, n := utf8.DecodeRuneInString(s)
	return plant.Initial(s) + s[n:]
}

// boardAlerts is what somebody must act on: blocked, vencidas, rejected.
func boardAlerts(s *plant.Snapshot, now time.Time) ([]Region, error) {
	ttl := s.Rules().TTL
	var late, blocked, rejected []boardRow
	for _, r := range heldRows(s) {
		if h := r.Spool.Hold; h.Overdue(now, ttl) {
			late = append(late, boardRow{Row: r, Chip: heldLook(r), Top: Name(s, h.Worker), Ini: Initials(h.Worker), Since: h.Since.Add(ttl), Late: true})
		}
	}
	for r := range s.In(plant.Bloqueado) {
		blocked = append(blocked, rejectedRow(r))
	}
	for r := range s.In(plant.EstadoRechazado) {
		rejected = append(rejected, rejectedRow(r))
	}
	all := make([]boardRow, 0, len(late)+len(blocked)+len(rejected))
	for _, list := range [][]boardRow{blocked, late, rejected} {
		slices.SortStableFunc(list, byAge)
		all = append(all, list...)
	}
	items, err := boardItems(all, "Sin alertas: nada bloqueado, vencido ni rechazado.")
	if err != nil {
		return nil, err
	}
	return boardRegions("alertas", fmt.Sprintf("%s · %s · %s", Plural(len(blocked), "bloqueado", "bloqueados"),
		Plural(len(late), "toma vencida", "tomas vencidas"), Plural(len(rejected), "rechazado", "rechazados")), items)
}

// rejectedRow says why a spool was rejected and how long ago. Of a rejection
// older than the log the Sheet tells the day at most.
func rejectedRow(r *plant.Row) boardRow {
	out := boardRow{Row: r, Chip: ChipOf(r), Top: sentenceCase(r.Spool.Motivo), Since: r.Spool.RejectedAt}
	if out.Top == "" {
		out.Top = "Sin motivo anotado"
	}
	if out.Since.IsZero() && r.Spool.FechaQC != 0 {
		out.Since = r.Spool.FechaQC.Start()
	}
	return out
}

// byAge puts the oldest first and those of unknown age last.
func byAge(a, b boardRow) int {
	switch {
	case a.Since.IsZero() == b.Since.IsZero():
		return a.Since.Compare(b.Since)
	case a.Since.IsZero():
		return 1
	}
	return -1
}
