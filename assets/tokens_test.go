package assets

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// rgb is a colour in sRGB, each part 0 to 1.
type rgb [3]float64

func colour(t *testing.T, s string) rgb {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 24)
	if err != nil || len(s) != 7 {
		t.Fatalf("the colour %q is not #RRGGBB", s)
	}
	return rgb{float64(n>>16) / 255, float64(n>>8&255) / 255, float64(n&255) / 255}
}

// linear is the colour as light, without the display's curve.
func (c rgb) linear() rgb {
	for i, v := range c {
		if v <= 0.04045 {
			c[i] = v / 12.92
		} else {
			c[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return c
}

func luminance(c rgb) float64 {
	l := c.linear()
	return 0.2126*l[0] + 0.7152*l[1] + 0.0722*l[2]
}

// contrast is the ratio of WCAG, 1 to 21.
func contrast(a, b rgb) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

type matrix [3][3]float64

func (m matrix) of(c rgb) (out rgb) {
	for i := range m {
		for k, v := range c {
			out[i] += m[i][k] * v
		}
	}
	return out
}

// visions simulate the complete colour blindnesses (Machado and others, 2009)
// on linear light.
var visions = map[string]matrix{
	"normal": {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protan": {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deutan": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritan": {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// lab is CIELAB under D65 of a colour in linear light.
func lab(c rgb) (out rgb) {
	for i, v := range c {
		c[i] = min(1, max(0, v))
	}
	xyz := matrix{{0.4124564, 0.3575761, 0.1804375}, {0.2126729, 0.7151522, 0.0721750}, {0.0193339, 0.1191920, 0.9503041}}.of(c)
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x, y, z := f(xyz[0]/0.95047), f(xyz[1]), f(xyz[2]/1.08883)
	return rgb{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func distance(a, b rgb) float64 {
	sum := 0.0
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	return math.Sqrt(sum)
}

// themes are the tokens as shipped: light, dark by choice, dark by the system.
func themes(t *testing.T) (day, night, system map[string]string) {
	t.Helper()
	declaration := regexp.MustCompile(`(?m)^\s*--([a-z0-9-]+): (#[0-9A-F]{6});$`)
	block := func(head string) map[string]string {
		_, rest, ok := strings.Cut(Tokens(), head+" {")
		if !ok {
			t.Fatalf("tokens.css has no block %s", head)
		}
		body, _, _ := strings.Cut(rest, "}")
		out := map[string]string{}
		for _, m := range declaration.FindAllStringSubmatch(body, -1) {
			out[m[1]] = m[2]
		}
		if lines := strings.Count(body, ";"); lines != len(out) {
			t.Fatalf("the block %s has %d declarations, %d of them colours of their own line", head, lines, len(out))
		}
		return out
	}
	day, night, system = block(":root"), block(`[data-theme="noche"]`), block(`:root:not([data-theme="dia"])`)
	for name, v := range day {
		if _, ok := night[name]; !ok {
			night[name] = v
		}
		if _, ok := system[name]; !ok {
			system[name] = v
		}
	}
	return day, night, system
}

func TestTheDarkThemeIsTheSameByChoiceAndBySystem(t *testing.T) {
	_, night, system := themes(t)
	for name, want := range night {
		if got := system[name]; got != want {
			t.Errorf("--%s by the system = %s, want %s as by choice", name, got, want)
		}
	}
}

var states = []string{"blo", "rep", "rec", "apr", "ins", "cur", "par", "lis"}

func TestTextsAndEdgesHaveTheContrastTheyNeed(t *testing.T) {
	pairs := []struct {
		front, back string
		least       float64
	}{
		{"ink", "page", 7}, {"ink", "surface", 7}, {"ink", "sunk", 7}, {"ink2", "page", 7}, {"ink2", "surface", 7}, {"ink2", "sunk", 4.5},
		{"primary-ink", "primary", 7}, {"harm", "page", 7}, {"harm", "surface", 7}, {"notice-ink", "notice", 7},
		{"edge", "page", 3}, {"edge", "surface", 3}, {"focus", "focus-ink", 7}, {"surface", "ink", 7},
	}
	for _, e := range states {
		pairs = append(pairs, struct {
			front, back string
			least       float64
		}{"e-" + e + "-ink", "e-" + e, 4.5})
	}
	day, night, _ := themes(t)
	for theme, tokens := range map[string]map[string]string{"light": day, "dark": night} {
		for _, p := range pairs {
			if got := contrast(colour(t, tokens[p.front]), colour(t, tokens[p.back])); got < p.least {
				t.Errorf("%s: --%s on --%s has contrast %.2f, want at least %.1f", theme, p.front, p.back, got, p.least)
			}
		}
	}
	if got := contrast(colour(t, "#16191C"), colour(t, day["hatch"])); got < 7 {
		t.Errorf("the banner PRUEBA has contrast %.2f, want at least 7", got)
	}
}

func TestStatesDifferForEveryEye(t *testing.T) {
	day, _, _ := themes(t)
	for eye, m := range visions {
		least, pair := math.Inf(1), ""
		for i, a := range states {
			for _, b := range states[i+1:] {
				x, y := lab(m.of(colour(t, day["e-"+a]).linear())), lab(m.of(colour(t, day["e-"+b]).linear()))
				if d := distance(x, y); d < least {
					least, pair = d, a+" and "+b
				}
			}
		}
		t.Logf("%s vision: the closest fills are %s, %.1f apart", eye, pair, least)
		if least < 20 {
			t.Errorf("%s vision: the fills of %s are %.1f apart, want at least 20", eye, pair, least)
		}
	}
}

func TestAFaintFillHasAnOutline(t *testing.T) {
	css := string(read("app.css"))
	day, night, _ := themes(t)
	for _, e := range states {
		rule := regexp.MustCompile(`(?m)^\.e-` + e + ` \{.*border-color: var\(--(e-` + e + `-)?ink\)`)
		fill := colour(t, day["e-"+e])
		if contrast(fill, colour(t, day["surface"])) < 3 || contrast(fill, colour(t, day["page"])) < 3 {
			if !rule.MatchString(css) {
				t.Errorf("the chip of %s is below 3:1 on its surface and has no outline", e)
			}
		}
		dark := regexp.MustCompile(`(?m)^\[data-theme="noche"\] :is\(.*\.e-` + e + `\b.*\) \{ border-color: var\(--ink\)`)
		if contrast(fill, colour(t, night["surface"])) < 3 && !dark.MatchString(css) {
			t.Errorf("the chip of %s is below 3:1 on the dark surface and has no outline there", e)
		}
	}
}

func TestWhatIsTouchedIsBigEnough(t *testing.T) {
	css := string(read("app.css"))
	for selector, least := range map[string]float64{
		".pri": 112, ".tecla": 112, ".fila > a": 96, ".tenida > a": 96, ".ficha": 96, ".union": 96, ".seg": 72, ".boton": 64, ".opcion": 64,
		".yo-quien": 64, ".nav a": 64, ".casilla span": 72, ".cerrar": 64, ".datos a": 64, ".menu a": 72,
	} {
		rule := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(selector) + ` \{[^}]*?[ ;](?:min-height|height): ([0-9.]+)rem`)
		m := rule.FindStringSubmatch(css)
		if m == nil {
			t.Errorf("app.css gives %s no height", selector)
			continue
		}
		if got := pixels(t, m[1]); got < least {
			t.Errorf("%s is %.0f px high, want at least %.0f", selector, got, least)
		}
	}
	for _, m := range regexp.MustCompile(`font-size: ([0-9.]+)rem`).FindAllStringSubmatch(css, -1) {
		if got := pixels(t, m[1]); got < 16 {
			t.Errorf("a text of %.1f px; nothing may be under 16", got)
		}
	}
}

func pixels(t *testing.T, rem string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(rem, 64)
	if err != nil {
		t.Fatalf("the size %q: %v", rem, err)
	}
	return f * 16
}

func TestNothingComesFromOutside(t *testing.T) {
	outside := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9-]+\.[a-z]|@import|url\((["']?)data:`)
	for _, name := range []string{"tokens.css", "app.css", "app.js"} {
		if m := outside.FindString(string(read(name))); m != "" {
			t.Errorf("%s refers to %q; pages load nothing from the Internet", name, m)
		}
	}
	for _, word := range []string{"localStorage", "sessionStorage", "indexedDB", "eval(", "new Function"} {
		if strings.Contains(string(read("app.js")), word) {
			t.Errorf("app.js uses %s", word)
		}
	}
	if n := len(read("fuente/plex.woff2")); n > 120<<10 {
		t.Errorf("the typeface has %d bytes, want at most 120 kB", n)
	}
}

// Every sentence the script says is one the page gives it.
func TestTheScriptHoldsNoSentenceOfItsOwn(t *testing.T) {
	if m := regexp.MustCompile(`["'` + "`" + `][A-ZÁÉÍÓÚ¿¡][a-záéíóúñ]+ [a-záéíóúñ]+`).FindString(string(read("app.js"))); m != "" {
		t.Errorf("app.js holds the text %s", fmt.Sprint(m))
	}
}
