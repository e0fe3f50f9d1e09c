package ui

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"envivo/plant"
)

// noon is 12:00 of a working day in the plant.
var noon = time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)

var (
	ana    = plant.Worker{ID: 12, Nombre: "Ana", Apellido: "Bravo", Roles: plant.Armador, Activo: true}
	bruno  = plant.Worker{ID: 13, Nombre: "Bruno", Apellido: "Castro", Roles: plant.Armador | plant.Ayudante, Activo: true}
	carla  = plant.Worker{ID: 34, Nombre: "Carla", Apellido: "Díaz", Roles: plant.Soldador, Activo: true}
	elena  = plant.Worker{ID: 56, Nombre: "Elena", Apellido: "Fuentes", Roles: plant.Metrologia, Activo: true}
	felix  = plant.Worker{ID: 67, Nombre: "Félix", Apellido: "Gómez", Roles: plant.Armador}
	people = []plant.Worker{felix, elena, carla, bruno, ana}
)

// snapshot is a plant with the people above and these spools, in this order.
func snapshot(spools ...plant.Spool) *plant.Snapshot {
	c := plant.NewSnapshot(plant.DefaultRules(), "e1").Change()
	for _, w := range people {
		c.PutWorker(w)
	}
	for i := range spools {
		s := spools[i]
		s.Order, s.Version = int32(i+1), max(1, s.Version)
		c.PutSpool(&s)
	}
	return c.Done(plant.Seq(100), [32]byte{})
}

// spool has its material and four unions: 2" BW, ¾" SO, 1½" LET and 4" FW.
func spool(tag string, with ...func(*plant.Spool)) plant.Spool {
	s := plant.Spool{Tag: plant.Tag(tag), Office: plant.Office{NV: "0123", OT: "7", Materiales: plant.NewDate(2026, 1, 5)},
		Unions: []plant.Union{{N: 1, DN: 200, Tipo: "BW"}, {N: 2, DN: 75, Tipo: "SO"}, {N: 3, DN: 150, Tipo: "LET"}, {N: 4, DN: 400, Tipo: "FW"}}}
	for _, f := range with {
		f(&s)
	}
	return s
}

func bare(s *plant.Spool)       { s.Unions = nil }
func noMaterial(s *plant.Spool) { s.Office.Materiales = 0 }

// heldBy is a hold that began ago.
func heldBy(w plant.Worker, op plant.Op, ago time.Duration) func(*plant.Spool) {
	return func(s *plant.Spool) {
		s.Hold = plant.Hold{Worker: w.Person(), Op: op, Since: noon.Add(-ago)}
		work := &s.Arm
		if op == plant.SOLD {
			work = &s.Sold
		}
		if op == plant.REPARACION {
			s.Quality = plant.EnReparacion
			return
		}
		work.Phase, work.Worker = plant.EnProgreso, w.Person()
	}
}

// armed has the first n unions armed by Ana; all of them end ARM.
func armed(n int) func(*plant.Spool) {
	return func(s *plant.Spool) {
		s.Arm = plant.Work{Phase: plant.Pausado, Worker: ana.Person()}
		for i := range n {
			s.Unions[i].Arm = plant.JointWork{Worker: ana.Person(), Start: noon, End: noon}
		}
		if n == len(s.Unions) {
			s.Arm = plant.Work{Phase: plant.Completado, Worker: ana.Person(), Fecha: plant.NewDate(2026, 5, 12)}
		}
	}
}

// welded has everything done.
func welded(s *plant.Spool) {
	armed(len(s.Unions))(s)
	s.Sold = plant.Work{Phase: plant.Completado, Worker: carla.Person(), Fecha: plant.NewDate(2026, 5, 14)}
	for i := range s.Unions {
		if s.Unions[i].Tipo != "FW" {
			s.Unions[i].Sold = plant.JointWork{Worker: carla.Person(), Start: noon, End: noon}
		}
	}
	s.ReadyAt = noon.Add(-40 * time.Minute)
}

func quality(q plant.Quality, ciclo uint8) func(*plant.Spool) {
	return func(s *plant.Spool) {
		welded(s)
		s.Quality, s.Ciclo, s.Motivo, s.Inspector = q, ciclo, "Fuera de medida", elena.Person()
	}
}

// every is one spool of every state, by tag.
func every() map[plant.Estado]plant.Spool {
	return map[plant.Estado]plant.Spool{
		plant.Bloqueado:         spool("E-BLO", quality(plant.BloqueadoQ, 3)),
		plant.Reparando:         spool("E-REP", quality(plant.EnReparacion, 1), heldBy(bruno, plant.REPARACION, 5*time.Minute)),
		plant.EnPausaReparacion: spool("E-RPA", quality(plant.ReparacionPausada, 2)),
		plant.EstadoRechazado:   spool("E-REC", quality(plant.RechazadoQ, 1)),
		plant.EstadoAprobado:    spool("E-APR", quality(plant.AprobadoQ, 0)),
		plant.PorInspeccionar:   spool("E-INS", welded),
		plant.EnCursoARM:        spool("E-ARM", heldBy(ana, plant.ARM, 85*time.Minute)),
		plant.EnCursoSOLD:       spool("E-SOL", armed(4), heldBy(carla, plant.SOLD, 10*time.Minute)),
		plant.EnCurso:           spool("E-CUR", heldBy(bruno, plant.OpNone, time.Minute)),
		plant.Parcial:           spool("E-PAR", armed(2)),
		plant.ListoARM:          spool("E-LAR"),
		plant.ListoSOLD:         spool("E-LSO", armed(4)),
		plant.NoListo:           spool("E-NOL", noMaterial),
	}
}

func everySpool() []plant.Spool {
	all := every()
	out := make([]plant.Spool, 0, len(all))
	for _, e := range plant.Estados() {
		out = append(out, all[e])
	}
	return out
}

// may are permissions as the rules would give them.
func may(list ...any) []Action {
	var out []Action
	for i := 0; i+1 < len(list); i += 2 {
		out = append(out, Action{Verb: list[i].(plant.Verb), Op: list[i+1].(plant.Op), Allowed: true})
	}
	return out
}

// sight is a spool of a snapshot as somebody sees it.
func sight(t *testing.T, s *plant.Snapshot, tag string, me plant.Worker, actions ...Action) *SpoolSight {
	t.Helper()
	row, ok := s.Row(plant.Tag(tag))
	if !ok {
		t.Fatalf("there is no spool %s", tag)
	}
	return &SpoolSight{Snap: s, Row: row, Now: noon, Me: me, Actions: actions}
}

// dom is parsed HTML.
type dom struct{ n *html.Node }

func parse(t *testing.T, raw []byte) dom {
	t.Helper()
	n, err := html.Parse(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("parse HTML: %v", err)
	}
	return dom{n}
}

func component(t *testing.T, c templ.Component) dom {
	t.Helper()
	raw, err := Bytes(c)
	if err != nil {
		t.Fatalf("draw: %v", err)
	}
	return parse(t, raw)
}

// region is what a region shows, drawn at noon.
func region(t *testing.T, regions []Region, id string) dom {
	t.Helper()
	for _, r := range regions {
		if r.ID == id {
			return parse(t, FillTimes(joinItems(r), noon))
		}
	}
	t.Fatalf("there is no region %s", id)
	return dom{}
}

func joinItems(r Region) []byte {
	var out []byte
	for _, it := range r.Items {
		out = append(out, it.HTML...)
	}
	return out
}

func keys(r Region) []string {
	var out []string
	for _, it := range r.Items {
		out = append(out, it.Key)
	}
	return out
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// all finds the elements that a simple selector names: tag, .class, [attr],
// [attr=value], alone or joined as in a.boton[href=/x].
func (d dom) all(selector string) []*html.Node {
	var out []*html.Node
	match := matcher(selector)
	for n := range d.n.Descendants() {
		if n.Type == html.ElementNode && match(n) {
			out = append(out, n)
		}
	}
	return out
}

func (d dom) has(selector string) bool { return len(d.all(selector)) > 0 }

// one is the only element of a selector.
func (d dom) one(t *testing.T, selector string) *html.Node {
	t.Helper()
	found := d.all(selector)
	if len(found) != 1 {
		t.Fatalf("%d elements are %s, want 1 in:\n%s", len(found), selector, text(d.n))
	}
	return found[0]
}

func matcher(selector string) func(*html.Node) bool {
	var tests []func(*html.Node) bool
	rest := selector
	for rest != "" {
		end := strings.IndexAny(rest[1:], ".[") + 1
		if rest[0] == '[' {
			end = strings.IndexByte(rest, ']') + 1
		}
		if end <= 0 {
			end = len(rest)
		}
		tests, rest = append(tests, partMatcher(rest[:end])), rest[end:]
	}
	return func(n *html.Node) bool {
		return !slices.ContainsFunc(tests, func(f func(*html.Node) bool) bool { return !f(n) })
	}
}

func partMatcher(part string) func(*html.Node) bool {
	switch part[0] {
	case '.':
		return func(n *html.Node) bool {
			class, _ := attr(n, "class")
			return slices.Contains(strings.Fields(class), part[1:])
		}
	case '[':
		name, want, exact := strings.Cut(strings.Trim(part, "[]"), "=")
		return func(n *html.Node) bool {
			v, ok := attr(n, name)
			return ok && (!exact || v == want)
		}
	}
	return func(n *html.Node) bool { return n.Data == part }
}

// text is what an element says, blanks folded.
func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode && c.Parent.Data != "script" && c.Parent.Data != "symbol" {
			b.WriteString(c.Data)
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// says fails the test unless the text of an element holds every word.
func says(t *testing.T, what string, n *html.Node, words ...string) {
	t.Helper()
	for _, w := range words {
		if got := text(n); !strings.Contains(got, w) {
			t.Errorf("%s says %q, want %q in it", what, got, w)
		}
	}
}

// pages are all pages over a plant with every state, as bytes.
func pages(t *testing.T) map[string][]byte {
	t.Helper()
	s := snapshot(everySpool()...)
	f := Frame{Title: "T", Now: noon, Build: "b1", Env: "prueba", Me: &ana, Here: "/x", View: "/x", Supervisor: true,
		Notice: &Notice{OK: true, Text: "Tomado: …**010**.", Next: "Sigue: SOLD", Undo: 9, UndoTag: "E-ARM", UndoUntil: noon.Add(5 * time.Second)}}
	nobody := Frame{Title: "T", Now: noon, Notice: &Notice{Text: "No.", Link: "/entrar", LinkText: "PIN"}}
	out := map[string][]byte{}
	add := func(name string, c templ.Component, regions ...Region) {
		parts, err := Parts(t.Context(), c)
		if err != nil {
			t.Fatalf("draw %s: %v", name, err)
		}
		for _, p := range parts {
			out[name] = append(out[name], p.Text...)
			for _, r := range regions {
				if p.Region != "" && r.ID == p.Region {
					out[name] = append(out[name], FillTimes(joinItems(r), noon)...)
				}
			}
		}
	}
	list := func(name string, draw func(*plant.Snapshot, Filter, time.Time) ([]Region, error), c templ.Component, flt Filter) {
		regions, err := draw(s, flt, noon)
		if err != nil {
			t.Fatalf("draw the regions of %s: %v", name, err)
		}
		add(name, c, regions...)
	}
	flt := Filter{Path: "/spools", Q: "e", NV: "0123"}
	list("inicio", Start, StartPage(nobody, "/mis", []plant.Worker{ana}), Filter{Path: "/"})
	list("quien", Held, HeldPage(f), Filter{Path: "/quien"})
	list("spools", NewRows().Spools, SpoolsPage(f, flt), flt)
	list("mis", Mine, MinePage(f), Filter{Path: "/mis", Me: ana.ID})
	list("listos", Ready, ReadyPage(f, Filter{Path: "/listos"}), Filter{Path: "/listos", Me: ana.ID})
	list("metrologia", Inspection, QueuePage(f, "Metrología"), Filter{Path: "/metrologia"})
	list("reparacion", Repair, QueuePage(f, "Reparación"), Filter{Path: "/reparacion"})
	add("menu", MenuPage(f))
	boardPages(t, s, f, add)
	for name, v := range syncSights() {
		regions, err := v.Regions()
		if err != nil {
			t.Fatalf("draw the exchange, %s: %v", name, err)
		}
		add("sync "+name, SyncPage(f, v), regions...)
	}
	add("entrar", LoginPage(nobody, PinPad{Back: "/quien", Said: PinLeft(3), Digits: 4}))
	add("falla", ErrorPage(f, TextNotLoaded, "x", "id-1"))
	add("no está", MissingPage(nobody, "x"))
	sheets := f
	sheets.Sheet = SalesOrders(flt, []SalesOrder{{"0123", 4}})
	add("nv", MenuPage(sheets))
	for e, sp := range every() {
		for name, c := range spoolPages(t, f, s, string(sp.Tag)) {
			v := c.sight
			regions, err := v.Regions()
			if err != nil {
				t.Fatalf("draw %s: %v", sp.Tag, err)
			}
			add(fmt.Sprintf("%s %s", e, name), c.page, regions...)
		}
	}
	return out
}

type spoolCase struct {
	sight *SpoolSight
	page  templ.Component
}

// spoolPages are one spool's page with each of its dialogs.
func spoolPages(t *testing.T, f Frame, s *plant.Snapshot, tag string) map[string]spoolCase {
	t.Helper()
	all := may(plant.Tomar, plant.ARM, plant.Tomar, plant.SOLD, plant.Tomar, plant.REPARACION, plant.Traspasar, plant.OpNone, plant.Cancelar, plant.OpNone,
		plant.Liberar, plant.OpNone, plant.Desbloquear, plant.OpNone)
	v := sight(t, s, tag, ana, all...)
	form := SheetForm{CommandID: "c1", Receivers: []plant.Worker{bruno}, Said: "Falta el motivo."}
	out := map[string]spoolCase{}
	for name, sheet := range map[string]templ.Component{"": nil, "mas": More(v), "nota": Note(v, form), "rechazado": Reject(v, form),
		"traspasar": HandOver(v, form), "liberar": Release(v, form), "desbloquear": Unblock(v, form), "cancelar": Cancel(v, form)} {
		f.Sheet, f.Footer = sheet, SpoolFooter()
		out[name] = spoolCase{v, SpoolPage(f, v, "c2", Older{Before: 60, More: true, Next: 5})}
	}
	return out
}
