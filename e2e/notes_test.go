package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestANoteTakesTwoTouches writes a note on a free spool with nobody identified
// (S-32) while another tablet shows that spool.
func TestANoteTakesTwoTouches(t *testing.T) {
	t.Parallel()
	s := serve(t, sevenPlant(t))
	first := browser(t)
	writer, reader := newEye(t, first, s, t.TempDir(), 601, 962), newEye(t, first, s, t.TempDir(), 1280, 800)
	for _, e := range []*eye{writer, reader} {
		open(t, e.tab, s.url+"/spools/"+sevenTag)
		live(t, e.tab)
	}
	p := &tablet{t: t, tab: writer.tab, s: s}
	p.cmd("ESCRIBIR_NOTA")
	until(t, p.tab, "there is no field for the note", `!!document.querySelector('dialog #texto')`)
	eval[bool](t, p.tab, `(document.querySelector('#texto').value = 'Falta un soporte en la línea', true)`)
	p.tap("GUARDAR NOTA", `document.querySelector('dialog [data-cmd="NOTA"]')`).said("Nota guardada").spent("NOTA, nobody identified", 2)
	until(t, reader.tab, "the note never came to the other tablet", `document.querySelector('[data-region="linea"]').innerText.includes('Falta un soporte en la línea')`)
	r := s.get(fmt.Sprintf("/api/spool/%s/notas", sevenTag))
	date, text, _ := strings.Cut(fmt.Sprint(r.Body["nota"]), ": ")
	if text != "Falta un soporte en la línea" || len(date) != len("20261126") {
		t.Errorf("the note is kept as %q, want it dated by the box (rules §11.9)", r.Body["nota"])
	}
}
