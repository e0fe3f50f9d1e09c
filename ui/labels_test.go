package ui

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"rsc.io/qr"

	"envivo/plant"
)

func TestAPathDrawsExactlyTheModulesOfTheCode(t *testing.T) {
	for _, text := range []string{SpoolCode("MK-1346-TW-28082-010"), WorkerCode(93), CommandCode("RECHAZADO")} {
		want, err := qr.Encode(text, qr.Q)
		if err != nil {
			t.Fatalf("encode %s: %v", text, err)
		}
		got, err := qrOf(text)
		if err != nil {
			t.Fatalf("draw %s: %v", text, err)
		}
		drawn := map[[2]int]bool{}
		for _, run := range strings.Split(strings.TrimPrefix(got.Path, "M"), "M") {
			var x, y, n, back int
			if _, err := fmt.Sscanf(run, "%d %dh%dv1h-%dz", &x, &y, &n, &back); err != nil || n != back || n < 1 {
				t.Fatalf("the path of %s has the run %q: %v", text, run, err)
			}
			for i := range n {
				if drawn[[2]int{x + i, y}] {
					t.Errorf("%s draws the module %d,%d twice", text, x+i, y)
				}
				drawn[[2]int{x + i, y}] = true
			}
		}
		if got.Size != want.Size+2*quiet {
			t.Errorf("%s is %d modules wide, want %d and a border of %d", text, got.Size, want.Size, quiet)
		}
		for y := range want.Size {
			for x := range want.Size {
				if drawn[[2]int{x + quiet, y + quiet}] != want.Black(x, y) {
					t.Fatalf("%s: module %d,%d is drawn %v, want %v", text, x, y, !want.Black(x, y), want.Black(x, y))
				}
			}
		}
	}
}

func TestTheAddressSaysWhatIsPrinted(t *testing.T) {
	s := snapshot(spool("MK-1-010"), spool("MK-1-011"), spool("ZZ-9-001", func(s *plant.Spool) { s.Office.NV = "777" }))
	for _, c := range []struct {
		address string
		codes   []string
		says    string
	}{
		{"/imprimir", []string{SpoolCode("MK-1-010"), SpoolCode("MK-1-011"), SpoolCode("ZZ-9-001")}, "3 etiquetas"},
		{"/imprimir?q=mk1", []string{SpoolCode("MK-1-010"), SpoolCode("MK-1-011")}, "2 etiquetas"},
		{"/imprimir?nv=777", []string{SpoolCode("ZZ-9-001")}, "1 etiqueta"},
		{"/imprimir?tag=mk-1-011&tag=NADA", []string{SpoolCode("MK-1-011")}, "No hay ningún spool NADA."},
		{"/imprimir?q=nada", nil, "Ningún spool con ese filtro."},
		{"/imprimir?que=credenciales", []string{WorkerCode(ana.ID), WorkerCode(bruno.ID), WorkerCode(carla.ID), WorkerCode(elena.ID)}, "4 credenciales"},
		{"/imprimir?que=tarjetas&formato=rollo", []string{CommandCode("TERMINAR"), CommandCode("PAUSAR"), CommandCode("APROBADO"), CommandCode("RECHAZADO"),
			CommandCode("DESHACER"), CommandCode("SALIR")}, "6 tarjetas"},
	} {
		u, err := url.Parse(c.address)
		if err != nil {
			t.Fatalf("parse %s: %v", c.address, err)
		}
		l, err := NewLabelSheet(s, ParseLabels(u.Query()))
		if err != nil {
			t.Fatalf("draw the labels of %s: %v", c.address, err)
		}
		var b bytes.Buffer
		if err := LabelsPage(Frame{Now: noon}, l, nil).Render(t.Context(), &b); err != nil {
			t.Fatalf("draw %s: %v", c.address, err)
		}
		d := parse(t, b.Bytes())
		var codes []string
		for _, n := range d.all(".etiqueta") {
			code, _ := attr(n, "data-code")
			codes = append(codes, code)
		}
		if !slices.Equal(codes, c.codes) {
			t.Errorf("%s prints %v, want %v", c.address, codes, c.codes)
		}
		if !strings.Contains(b.String(), c.says) {
			t.Errorf("%s does not say %q", c.address, c.says)
		}
		if again := ParseLabels(mustQuery(t, l.Address())); again.Address() != l.Address() {
			t.Errorf("%s leads to %s, which reads as %s", c.address, l.Address(), again.Address())
		}
	}
}

func mustQuery(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatalf("parse %s: %v", address, err)
	}
	return u.Query()
}

func TestManyLabelsComeInPartsAndAllAreCounted(t *testing.T) {
	spools := make([]plant.Spool, 2*LabelsPerPage+5)
	for i := range spools {
		spools[i] = spool(fmt.Sprintf("MK-1-%04d", i))
	}
	s, seen := snapshot(spools...), map[string]bool{}
	for from := 0; from < len(spools); from += LabelsPerPage {
		l, err := NewLabelSheet(s, Labels{Kind: LabelSpools, From: from})
		if err != nil || l.Total != len(spools) {
			t.Fatalf("the part from %d counts %d of %d, %v", from, l.Total, len(spools), err)
		}
		for _, c := range l.Cards {
			seen[c.Key] = true
		}
	}
	if len(seen) != len(spools) {
		t.Errorf("the parts hold %d labels, want %d", len(seen), len(spools))
	}
}
