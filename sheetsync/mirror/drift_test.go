package mirror

import (
	"strings"
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/emulator"
	"envivo/sheetsync/table"
)

// started is an office whose Sheet was read, with some work in it.
func started(t *testing.T, s sheetOf) *office {
	t.Helper()
	x := small(t, s)
	x.pass(time.Minute)
	x.take("MK-002", 91, plant.ARM)
	x.pass(30 * time.Second)
	x.agrees()
	if t.Failed() {
		t.FailNow()
	}
	return x
}

// works shows that the floor goes on: two spools are taken, the second when some
// time has passed.
func (x *office) works(first, second plant.Tag, d time.Duration) {
	x.t.Helper()
	x.take(first, 92, plant.ARM)
	x.pass(d)
	x.take(second, 93, plant.ARM)
	x.pass(10 * time.Second)
}

// wantAlert checks that one alert is up whose text holds all words.
func (x *office) wantAlert(kind, sheet string, words ...string) {
	x.t.Helper()
	for _, a := range x.m.Status().Alerts {
		if a.Kind != kind || a.Sheet != sheet {
			continue
		}
		for _, w := range words {
			if !strings.Contains(a.Text+" "+a.Column, w) {
				x.t.Errorf("alert %q lacks %q", a.Text, w)
			}
		}
		return
	}
	x.t.Errorf("alerts = %+v, want one of kind %q for %q", x.m.Status().Alerts, kind, sheet)
}

func (x *office) wantCalm() {
	x.t.Helper()
	if s := x.m.Status(); len(s.Alerts)+len(s.Proposals)+len(s.Parked) > 0 || s.Mode != UpToDate {
		x.t.Errorf("mode %s, alerts %+v, propuestas %+v, parked %+v, want none", s.Mode, s.Alerts, s.Proposals, s.Parked)
	}
}

// audited reports whether a note of the audit holds all words.
func (x *office) audited(words ...string) bool {
	for _, n := range x.m.Status().Audit {
		all := true
		for _, w := range words {
			all = all && strings.Contains(n.Text, w)
		}
		if all {
			return true
		}
	}
	return false
}

func TestWhatAPersonHasToMendIsSaidAndEndsByItself(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*office) (mend func())
		want  []string
	}{
		{"the key is revoked", func(x *office) func() { x.e.Revoke(true); return func() { x.e.Revoke(false) } }, []string{"Google no acepta"}},
		{"not shared", inject(emulator.DenyAccess), []string{"compart"}},
		{"the API is off", inject(emulator.DisableService), []string{"API de Google Sheets", "desactivada"}},
		{"the file is gone", inject(emulator.HideFile), []string{"--sheet-id", "papelera"}},
		{"quota", inject(emulator.ExceedQuota), []string{"cuota"}},
		{"no network", func(x *office) func() { x.e.Outage(true); return func() { x.e.Outage(false) } }, []string{"Sin conexión"}},
		{"500", inject(emulator.Fail), []string{"Sin conexión"}},
		{"pages instead of answers", inject(emulator.PageAnswer), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := started(t, sheetOf{spools: 8, joints: 2})
			before := x.foreign()
			mend := tt.spoil(x)
			x.works("MK-004", "MK-006", 5*time.Minute)
			x.wantAlert("google", "", tt.want...)
			s := x.m.Status()
			if s.Mode != Stopped || s.Backlog < 2 || s.Oldest.IsZero() {
				t.Errorf("mode %q, backlog %d, oldest %v, want it stopped with two changes waiting", s.Mode, s.Backlog, s.Oldest)
			}
			if n := x.st.Snapshot().Len(); n != 8 {
				t.Errorf("the floor has %d spools, want 8", n)
			}
			mend()
			x.pass(4 * time.Minute)
			x.proved(before)
			x.wantCalm()
		})
	}
}

func inject(a emulator.Action) func(*office) func() {
	return func(x *office) func() { return x.e.Inject(emulator.Fault{When: emulator.API, Act: a}) }
}

func TestOddAnswersChangeNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		act  emulator.Action
	}{{"empty", emulator.EmptyAnswer}, {"half", emulator.HalfAnswer}, {"cut", emulator.CutAnswer}, {"page", emulator.PageAnswer}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := started(t, sheetOf{spools: 40, joints: 2})
			before, log := x.foreign(), x.dump("Metadata")
			remove := x.e.Inject(emulator.Fault{When: emulator.On(emulator.BatchGetValues), Act: tt.act})
			seq := x.st.Snapshot().Seq
			x.pass(5 * time.Minute)
			snap := x.st.Snapshot()
			if snap.Seq != seq {
				t.Errorf("%d events came of odd answers, want none", snap.Seq-seq)
			}
			if len(x.m.Status().Alerts) == 0 {
				t.Error("no alert, want one")
			}
			if got := x.dump("Metadata"); got != log {
				t.Errorf("Metadata changed while answers were odd:\n%s\nwant\n%s", got, log)
			}
			x.works("MK-004", "MK-006", time.Minute)
			remove()
			x.pass(4 * time.Minute)
			x.proved(before)
			x.wantCalm()
		})
	}
}

// dump is a worksheet as text, row by row.
func (x *office) dump(title string) string {
	rows, _ := x.b.Dump(title)
	var b strings.Builder
	for _, r := range rows {
		line := ""
		for _, c := range r {
			line += c.Shown() + "|"
		}
		if strings.Trim(line, "|") != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func TestAWorksheetThatGoesAwayIsNamedAndComesBack(t *testing.T) {
	tests := []struct {
		sheet     string
		direction string
	}{
		{"Operaciones", "spools"}, {"Metadata", "registro"}, {"Trabajadores", "personas"}, {"Roles", "personas"},
	}
	for _, tt := range tests {
		t.Run(tt.sheet, func(t *testing.T) {
			t.Parallel()
			x := started(t, sheetOf{spools: 8, joints: 2})
			before := x.foreign()
			check(t, x.b.RenameSheet(tt.sheet, "Copia vieja"))
			x.works("MK-004", "MK-006", 3*time.Minute)
			x.wantAlert("hoja", tt.sheet, tt.sheet, tt.direction)
			if tt.sheet != "Operaciones" {
				if got := x.cell("Operaciones", "MK-004", "Ocupado_Por"); got.Text != "AB(92)" {
					t.Errorf("without %s, Ocupado_Por = %q, want AB(92): the other directions go on", tt.sheet, got.Text)
				}
			}
			check(t, x.b.RenameSheet("Copia vieja", tt.sheet))
			x.pass(3 * time.Minute)
			x.proved(before)
			x.wantCalm()
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAWorksheetMadeAnewIsFilledAgain(t *testing.T) {
	x := started(t, sheetOf{spools: 8, joints: 2})
	before := x.foreign()
	rows, _ := x.b.Dump("Metadata")
	check(t, x.b.DeleteSheet("Metadata"))
	x.works("MK-004", "MK-006", 2*time.Minute)
	x.wantAlert("hoja", "Metadata", "Metadata")
	head := make([]any, len(rows[0]))
	for i, c := range rows[0] {
		head[i] = c.Text
	}
	x.b.Fill("Metadata", [][]any{head})
	x.pass(25 * time.Minute)
	x.agrees()
	x.untouched(before)
}

func TestHeadersThatAreGoneOrTwiceStopOneDirectionAndSayWhich(t *testing.T) {
	tests := []struct{ name, sheet, column, text, want string }{
		{"deleted", "Operaciones", "Armador", "", "falta la columna Armador"},
		{"renamed", "Operaciones", "Ocupado_Por", "Quién", "falta la columna Ocupado_Por"},
		{"tag", "Operaciones", "TAG_SPOOL", "Código", "falta la columna TAG_SPOOL"},
		{"twice", "Operaciones", "FLAG", " ARMADOR", "Armador está dos veces"},
		{"twice with accents", "Operaciones", "FLAG", "fecha qc METROLOGIA", "Fecha_QC_Metrología está dos veces"},
		{"log", "Metadata", "Accion", "Acto", "falta la columna Accion"},
		{"log twice", "Metadata", "N_UNION", "id", "ID está dos veces"},
		{"people", "Trabajadores", "Activo", "Vigente", "falta la columna Activo"},
		{"roles", "Roles", "Rol", "", "falta la columna Rol"},
		{"unions", "Uniones", "DN_UNION", "", "falta la columna DN_UNION"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := started(t, sheetOf{spools: 8, joints: 2})
			before := x.foreign()
			rows, _ := x.b.Dump(tt.sheet)
			cell := letters(columnOf(rows[0], tt.column)) + "1"
			check(t, x.b.SetCell(tt.sheet, cell, tt.text))
			content := x.dump(tt.sheet)
			x.works("MK-004", "MK-006", 3*time.Minute)
			x.wantAlert("columna", tt.sheet, tt.sheet, tt.want)
			if got := x.dump(tt.sheet); got != content {
				t.Errorf("%s was written without its column:\n%s\nwant\n%s", tt.sheet, got, content)
			}
			check(t, x.b.SetCell(tt.sheet, cell, tt.column))
			x.pass(3 * time.Minute)
			x.proved(before)
			x.wantCalm()
		})
	}
}

// letters names a column, counted from 0.
func letters(col int) string {
	if col < 26 {
		return string(rune('A' + col))
	}
	return letters(col/26-1) + letters(col%26)
}

func TestHeadersInOtherSpellingsAreTheSameColumns(t *testing.T) {
	x := started(t, sheetOf{spools: 8, joints: 2})
	before := x.foreign()
	for column, text := range map[string]string{"Fecha_QC_Metrología": "FECHA QC METROLOGIA", "Ocupado_Por": "  ocupado por ", "TAG_SPOOL": "TAG_SPOOL / CODIGO_BARRA",
		"Soldador": "SOLDADOR", "Estado_Detalle": "Estado detalle"} {
		rows, _ := x.b.Dump("Operaciones")
		check(t, x.b.SetCell("Operaciones", letters(columnOf(rows[0], column))+"1", text))
	}
	x.works("MK-004", "MK-006", time.Minute)
	rows, _ := x.b.Dump("Operaciones")
	check(t, x.b.SetCell("Operaciones", letters(columnOf(rows[0], "TAG_SPOOL / CODIGO_BARRA"))+"1", "TAG_SPOOL"))
	x.pass(time.Minute)
	if got := x.cell("Operaciones", "MK-004", "Ocupado_Por"); got.Text != "AB(92)" {
		t.Errorf("Ocupado_Por = %q, want AB(92)", got.Text)
	}
	x.agrees()
	x.wantCalm()
	if len(x.foreign()) != len(before) {
		t.Errorf("%d foreign cells, want %d", len(x.foreign()), len(before))
	}
}

// between edits the book between a reading and the write that follows it.
func (x *office) between(edit func()) {
	x.e.Inject(emulator.Fault{Name: "edit", When: emulator.On(emulator.BatchUpdateValues), Times: 1, Before: func(emulator.Call) { edit() }})
}

// edits of the book that an office makes while the mirror is at work.
func officeEdits(b *emulator.Book) map[string]func() error {
	return map[string]func() error{
		"sorted":            func() error { return b.SortBy("Operaciones", "TAG_SPOOL", true) },
		"row inserted":      func() error { return b.InsertRows("Operaciones", 3, 1) },
		"three inserted":    func() error { return b.InsertRows("Operaciones", 2, 3) },
		"row deleted":       func() error { return b.DeleteRows("Operaciones", 2, 1) },
		"row moved":         func() error { return b.MoveRow("Operaciones", 9, 3) },
		"row doubled":       func() error { return b.DuplicateRow("Operaciones", 5) },
		"log sorted":        func() error { return b.SortBy("Metadata", "ID", false) },
		"log row inserted":  func() error { return b.InsertRows("Metadata", 2, 1) },
		"log row deleted":   func() error { return b.DeleteRows("Metadata", 2, 1) },
		"log row below":     func() error { return b.AppendRow("Metadata", "nota de la oficina") },
		"joints sorted":     func() error { return b.SortBy("Uniones", "TAG_SPOOL", true) },
		"joint row above":   func() error { return b.InsertRows("Uniones", 2, 1) },
		"column appended":   func() error { return b.InsertColumn("Operaciones", "Estado_Detalle", "Extra") },
		"column moved":      func() error { return b.MoveColumn("Operaciones", "Estado_Detalle", "Cliente") },
		"column moved left": func() error { return b.MoveColumn("Operaciones", "FLAG", "Armador") },
		"foreign column":    func() error { return b.InsertColumn("Operaciones", "Fecha_Armado", "MatSys") },
		"new spool above": func() error {
			if err := b.InsertRows("Operaciones", 3, 1); err != nil {
				return err
			}
			return b.SetCell("Operaciones", "E3", "MK-500")
		},
	}
}

func TestEditsBetweenTheReadingAndTheWriteAreNoticedAndRepaired(t *testing.T) {
	for name := range officeEdits(nil) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := started(t, sheetOf{spools: 12, joints: 2})
			before := x.foreign()
			x.between(func() {
				if err := officeEdits(x.b)[name](); err != nil {
					t.Error(err)
				}
			})
			x.take("MK-004", 92, plant.ARM)
			x.take("MK-003", 93, plant.ARM)
			x.do(plant.Command{Verb: plant.Anotar, Tag: "MK-007", Worker: 93, Texto: "soporte"})
			x.do(plant.Command{Verb: plant.Completar, Tag: "MK-002", Worker: 91, Op: plant.ARM, Door: plant.DoorPage})
			x.pass(15 * time.Second)
			if got := x.m.Status().Proposals; len(got) > 0 {
				t.Errorf("propuestas after the misplaced write = %+v, want none: nobody edited", got)
			}
			x.pass(3 * time.Minute)
			if name == "row deleted" { // MK-001 is the office's to delete
				x.wantMissing("MK-001")
				return
			}
			x.agrees()
			x.inPlace(before)
			if got := x.m.Status().Proposals; len(got) > 0 {
				t.Errorf("propuestas at the end = %+v, want none", got)
			}
		})
	}
}

func (x *office) wantMissing(tags ...plant.Tag) {
	x.t.Helper()
	if got := x.m.Status().Missing; len(got) != len(tags) || got[0] != tags[0] {
		x.t.Errorf("missing spools = %v, want %v", got, tags)
	}
}

// inPlace checks that what the office wrote stands where it wrote it, beside the
// TAG of its spool, and that a row that is no spool's holds nothing of ours.
func (x *office) inPlace(before map[string]emulator.Cell) {
	x.t.Helper()
	after := x.foreign()
	for key, was := range before {
		if strings.HasPrefix(key, "row ") {
			continue
		}
		if now := after[key]; was.Formula == "" && now.Formula == "" && (now.Text != was.Text || now.Num != was.Num) {
			x.t.Errorf("foreign cell %q = %+v, want %+v", strings.ReplaceAll(key, "\x00", " "), now, was)
		}
	}
	rows, _ := x.b.Dump("Operaciones")
	key := columnOf(rows[0], "TAG_SPOOL")
	for n, r := range rows[1:] {
		if key < len(r) && r[key].Text != "" {
			continue
		}
		for i, c := range r {
			if c.Kind != emulator.Empty && c.Text != "" {
				x.t.Errorf("row %d has no TAG and %q in %s, want nothing", n+2, c.Shown(), rows[0][i].Text)
			}
		}
	}
}

func TestAMisplacedWriteIsToldInTheAudit(t *testing.T) {
	x := started(t, sheetOf{spools: 12, joints: 2})
	x.between(func() { check(t, x.b.SortBy("Operaciones", "TAG_SPOOL", true)) })
	x.take("MK-004", 92, plant.ARM)
	x.pass(time.Minute)
	if !x.audited("Operaciones", "movieron") {
		t.Errorf("audit = %+v, want the misplaced write in it", x.m.Status().Audit)
	}
	x.agrees()
	x.wantCalm()
}

func TestAReplacedColumnOfOursIsFollowed(t *testing.T) {
	for _, name := range []string{"Notas", "Estado_Detalle", "Ocupado_Por", "version", "Pulgadas_ARM"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := started(t, sheetOf{spools: 8, joints: 2})
			x.do(plant.Command{Verb: plant.Anotar, Tag: "MK-004", Worker: 93, Texto: "primera"})
			x.pass(30 * time.Second)
			check(t, x.b.DeleteColumn("Operaciones", name))
			x.works("MK-004", "MK-006", time.Minute)
			check(t, x.b.InsertColumn("Operaciones", "Peso", name))
			x.pass(3 * time.Minute)
			if p := x.m.Status().Proposals; len(p) > 0 {
				t.Logf("a column that was emptied became %d propuestas", len(p))
				for _, one := range p {
					_ = x.m.Reject(t.Context(), one.ID, "t-1")
				}
				x.pass(time.Minute)
			}
			x.agrees()
		})
	}
}

func TestATagTwiceIsTheFirstRowOnly(t *testing.T) {
	x := started(t, sheetOf{spools: 8, joints: 2})
	check(t, x.b.DuplicateRow("Operaciones", 5)) // MK-004
	x.take("MK-004", 92, plant.ARM)
	x.pass(time.Minute)
	rows, _ := x.b.Dump("Operaciones")
	col := columnOf(rows[0], "Ocupado_Por")
	if rows[4][col].Text != "AB(92)" || rows[5][col].Text != "" {
		t.Errorf("Ocupado_Por of the two rows = %q and %q, want AB(92) and nothing", rows[4][col].Text, rows[5][col].Text)
	}
	x.agrees()
	check(t, x.b.DeleteRows("Operaciones", 5, 1))
	x.pass(time.Minute)
	if p := x.m.Status().Proposals; len(p) > 0 {
		t.Errorf("the copy's cells became propuestas %+v while the spool is taken, want none", p)
	}
	x.agrees()
}

func TestFormatsThatSomebodyChangedHideNothing(t *testing.T) {
	formats := map[string]struct {
		f       emulator.Format
		pattern string
	}{
		"date": {emulator.DateFormat, "dd-mm-yyyy"}, "currency": {emulator.CurrencyFormat, `"$"#,##0`}, "text": {emulator.TextFormat, "@"},
	}
	for name, f := range formats {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := started(t, sheetOf{spools: 8, joints: 2})
			for _, c := range owned {
				check(t, x.b.FormatColumn("Operaciones", c, f.f, f.pattern))
			}
			for _, c := range table.Columns(table.Metadata) {
				check(t, x.b.FormatColumn("Metadata", c, f.f, f.pattern))
			}
			x.do(plant.Command{Verb: plant.Completar, Tag: "MK-002", Worker: 91, Op: plant.ARM, Door: plant.DoorPage})
			x.take("MK-001", 92, plant.ARM)
			x.pass(time.Minute)
			x.clock.advance(20 * time.Minute)
			x.do(plant.Command{Verb: plant.Finalizar, Tag: "MK-001", Worker: 92, Op: plant.ARM, Unions: []int{1}, Door: plant.DoorPage})
			x.m.Now()
			x.pass(time.Minute)
			x.m.Now()
			x.pass(time.Minute)
			x.agrees()
			x.wantCalm()
			if got := x.cell("Operaciones", "MK-001", "Uniones_ARM_Completadas"); got.Shown() != "1" {
				t.Errorf("Uniones_ARM_Completadas shows %q, want 1", got.Shown())
			}
		})
	}
}

func TestRowsThatTheOfficeDeletesAndBringsBack(t *testing.T) {
	x := started(t, sheetOf{spools: 12, joints: 2})
	rows, _ := x.b.Dump("Operaciones")
	line := make([]any, len(rows[0]))
	for i, c := range rows[4] { // MK-004
		if c.Kind != emulator.Empty {
			line[i] = c
		}
	}
	check(t, x.b.DeleteRows("Operaciones", 5, 1))
	x.pass(time.Minute)
	x.wantMissing("MK-004")
	x.take("MK-004", 92, plant.ARM)
	x.pass(time.Minute)
	s := x.m.Status()
	if len(s.Parked) != 1 || s.Parked[0].Tag != "MK-004" || !strings.Contains(s.Parked[0].Why, "fila") {
		t.Errorf("parked = %+v, want the event of MK-004 with its reason", s.Parked)
	}
	x.take("MK-006", 93, plant.ARM)
	x.pass(time.Minute)
	if got := x.cell("Operaciones", "MK-006", "Ocupado_Por"); got.Text != "AB(93)" {
		t.Errorf("Ocupado_Por of MK-006 = %q, want AB(93): the rest goes on", got.Text)
	}
	x.reopen()
	check(t, x.b.AppendRow("Operaciones", line...))
	x.pass(2 * time.Minute)
	x.agrees()
	x.wantCalm()
}
