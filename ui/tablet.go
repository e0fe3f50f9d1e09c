package ui

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The kinds of a tablet: a shared one lets the person go, a personal one never,
// a wall screen shows and accepts nothing.
const (
	TabletShared   = "compartida"
	TabletPersonal = "personal"
	TabletTV       = "tv"
)

// TabletSettings are what a tablet is set to once.
type TabletSettings struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Trade is the role whose people the picker shows first; empty for none.
	Trade string `json:"trade,omitempty"`
	// Scale is dedos, guantes or gruesos; Volume is no, normal or fuerte.
	Scale  string `json:"scale"`
	Volume string `json:"volume"`
}

// tabletName is the longest name of a tablet, in characters.
const tabletName = 40

// option is one word of a setting, as forms send it and as people read it.
type option struct{ value, word, hint string }

func tabletKinds() []option {
	return []option{{TabletShared, "Compartida", "la persona sale tras 30 s sin tocar"},
		{TabletPersonal, "Personal", "nadie sale solo"}, {TabletTV, "TV", "solo muestra"}}
}

func tabletScales() []option {
	return []option{{"dedos", "Dedos", ""}, {"guantes", "Guantes", ""}, {"gruesos", "Guantes gruesos", ""}}
}

func tabletVolumes() []option {
	return []option{{"no", "Sin sonido", ""}, {"normal", "Normal", ""}, {"fuerte", "Fuerte", ""}}
}

func tabletTrades() []option {
	out := []option{{"", "Ninguno", ""}}
	for _, r := range roleTabs {
		out = append(out, option{r.Names()[0], RoleWord(r.Names()[0]), ""})
	}
	return out
}

func among(options []option, value string) bool {
	for _, o := range options {
		if o.value == value {
			return true
		}
	}
	return false
}

func wordOf(options []option, value string) string {
	for _, o := range options {
		if o.value == value {
			return o.word
		}
	}
	return value
}

// Filled gives the usual value to what is empty, and a name without blanks
// around it.
func (t TabletSettings) Filled() TabletSettings {
	or := func(s *string, usual string) {
		if *s == "" {
			*s = usual
		}
	}
	t.Name = strings.Join(strings.Fields(t.Name), " ")
	or(&t.Kind, TabletShared)
	or(&t.Scale, "dedos")
	or(&t.Volume, "normal")
	return t
}

// Fault names the field that is wrong, as forms send it; empty when all is well.
func (t TabletSettings) Fault() string {
	strange := func(r rune) bool { return !unicode.IsPrint(r) }
	switch {
	case t.Name == "", t.Name != strings.Join(strings.Fields(t.Name), " "), utf8.RuneCountInString(t.Name) > tabletName, strings.ContainsFunc(t.Name, strange):
		return "nombre"
	case !among(tabletKinds(), t.Kind):
		return "tipo"
	case !among(tabletTrades(), t.Trade):
		return "oficio"
	case !among(tabletScales(), t.Scale):
		return "escala"
	case !among(tabletVolumes(), t.Volume):
		return "volumen"
	}
	return ""
}

// TV reports whether the tablet is a wall screen.
func (t TabletSettings) TV() bool { return t.Kind == TabletTV }

// Words are the settings in one line.
func (t TabletSettings) Words() string {
	out := []string{wordOf(tabletKinds(), t.Kind)}
	if t.Trade != "" {
		out = append(out, RoleWord(t.Trade))
	}
	out = append(out, wordOf(tabletScales(), t.Scale))
	if t.Volume == "no" {
		out = append(out, "sin sonido")
	}
	return strings.Join(out, " · ")
}

// DeviceCode is what a tablet's label carries.
func DeviceCode(id string) string { return code('D', id) }
