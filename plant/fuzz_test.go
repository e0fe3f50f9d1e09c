package plant

import (
	"testing"
	"unicode/utf8"
)

// FuzzParseEstadoDetalle reads any text without panicking, and reads back what
// it understood of a text of ours.
func FuzzParseEstadoDetalle(f *testing.F) {
	for _, s := range []string{"", "AB(12) trabajando ARM (ARM en progreso, SOLD pendiente)", "Disponible - ARM pausado, SOLD pendiente", TextoBloqueado, TextoAprobado,
		"RECHAZADO (Ciclo 2/3) - Pendiente reparación", "EN_REPARACION (Ciclo 1/3) - Ocupado: CD(34)", "REPARACION_PAUSADA (Ciclo 9999999999999/3)", "ciclo /3", "Ocupado: "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := ParseEstadoDetalle(s)
		if d.Ciclo > MaxCiclo {
			t.Errorf("cycle %d read from %q, want at most %d", d.Ciclo, s, MaxCiclo)
		}
		if utf8.ValidString(s) && d != ParseEstadoDetalle("  "+s+"\n") {
			t.Errorf("outer blanks change what %q means", s)
		}
	})
}

// FuzzFold folds any text to something that folds to itself.
func FuzzFold(f *testing.F) {
	for _, s := range []string{"Metrología", "ÁÑÜ", "MK-1300_ab c'1", "ß", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if once := FoldKey(s); FoldKey(once) != once {
			t.Errorf("folding %q twice gives %q, once %q", s, FoldKey(once), once)
		}
	})
}
