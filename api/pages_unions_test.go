package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"golang.org/x/net/html"

	"envivo/plant"
)

// unionsOf is "1 2 BW, 2 0.75 SO" of a spool.
func (b *box) unionsOf(tag string) string {
	b.t.Helper()
	s, ok := b.store.Snapshot().Spool(plant.Tag(tag))
	if !ok {
		b.t.Fatalf("there is no spool %s", tag)
	}
	out := ""
	for _, u := range s.Unions {
		out += fmt.Sprintf("%d %s %s, ", u.N, u.DN, u.Tipo)
	}
	return out
}

func TestUnionsAreEditedInPartsAndWorkedOnesStay(t *testing.T) {
	b := newBox(t)
	p := b.tablet()
	if r := p.send(http.MethodGet, "/spools/S-1/uniones", nil); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/?volver=%2Fspools%2FS-1%2Funiones" {
		t.Fatalf("nobody edits unions: %d to %s", r.StatusCode, r.Header.Get("Location"))
	}
	p.identify("12").open("/spools/S-1/uniones", http.StatusOK).says("Sin uniones registradas")
	p.open("/spools/S-1/uniones?cuantas=3", http.StatusOK)
	p.press("GUARDAR_UNIONES", url.Values{"dn1": {"1½"}, "tipo1": {"BW"}, "dn3": {`3/4"`}, "tipo3": {"FW"}}).says("Uniones guardadas en S-1.")
	if got := b.unionsOf("S-1"); got != "1 1.5 BW, 3 0.75 FW, " {
		t.Errorf("the unions are %s", got)
	}
	form := func(more ...string) url.Values {
		out := url.Values{"dn1": {"1½"}, "tipo1": {"BW"}, "dn3": {"¾"}, "tipo3": {"FW"}}
		for i := 0; i+1 < len(more); i += 2 {
			out.Set(more[i], more[i+1])
		}
		return out
	}
	for _, c := range []struct{ field, value, says string }{
		{"dn1", "dos", "El diámetro de la unión 1 no se entiende"},
		{"dn1", "51", "El diámetro de la unión 1 no se entiende"},
		{"tipo3", "", "Falta el tipo de la unión 3."},
		{"dn3", "", "El diámetro de la unión 3 no se entiende"},
		{"dn9", "2", "No había nada que cambiar"},
	} {
		p.open("/spools/S-1/uniones?cuantas=4", http.StatusOK).press("GUARDAR_UNIONES", form(c.field, c.value)).says(c.says)
	}
	p.open("/spools/S-1/uniones", http.StatusOK).press("GUARDAR_UNIONES", form("union", "3")).says("Vas a borrar la unión 3.")
	if got := b.unionsOf("S-1"); got != "1 1.5 BW, 3 0.75 FW, " {
		t.Errorf("before the second word the unions are %s", got)
	}
	p.press("BORRAR", form("union", "3")).says("Uniones guardadas en S-1.")
	if got := b.unionsOf("S-1"); got != "1 1.5 BW, " {
		t.Errorf("after the second word the unions are %s", got)
	}
}

func TestUnionsWithWorkAreShownAndKept(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	p := b.tablet().identify("12").open("/spools/U-1", http.StatusOK)
	p.press("GUARDAR", url.Values{"union": {"2"}}).says("Guardada 1 de 3")
	p.open("/spools/U-1/uniones?cuantas=4", http.StatusOK).says("ARM AB(12): ya no se edita")
	stale := p.fields(p.find(byID("f-uniones")))
	fill := url.Values{"dn1": {"3"}, "tipo1": {"BW"}, "dn3": {"4"}, "tipo3": {"FW"}, "dn4": {"6,5"}, "tipo4": {"LET"}}
	p.press("GUARDAR_UNIONES", fill).says("Uniones guardadas")
	if got := b.unionsOf("U-1"); got != "1 3 BW, 2 0.75 SO, 3 4 FW, 4 6.5 LET, " {
		t.Errorf("the unions are %s", got)
	}
	for k, v := range fill {
		stale[k] = v
	}
	stale.Set("orden", "otra")
	stale.Set("dn1", "5")
	p.fill("/spools/U-1/uniones", stale).says("cambió mientras mirabas")
}

func byID(id string) func(*html.Node) bool {
	return func(n *html.Node) bool { return value(n, "id") == id }
}
