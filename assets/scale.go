package assets

import (
	"regexp"
	"strconv"
)

// scales are the sizes of a tablet's targets besides the usual one, by the name
// the page carries in data-escala; app.css gives the same factors to --escala.
var scales = [...]struct {
	name   string
	factor float64
}{{"guantes", 1.25}, {"gruesos", 1.5}}

var breakpoint = regexp.MustCompile(`\((min|max)-(width|height): ([0-9.]+)em\)`)

// scaled is the style sheet for letters and targets that are factor times as
// large: a media query knows nothing of the page's own scale, so its widths and
// heights grow with it, as they do for a reader with large letters.
func scaled(css []byte, factor float64) []byte {
	return breakpoint.ReplaceAllFunc(css, func(m []byte) []byte {
		part := breakpoint.FindSubmatch(m)
		em, err := strconv.ParseFloat(string(part[3]), 64)
		if err != nil {
			panic("assets: no number in " + string(m)) // the sheet is embedded
		}
		return []byte("(" + string(part[1]) + "-" + string(part[2]) + ": " + strconv.FormatFloat(em*factor, 'f', -1, 64) + "em)")
	})
}

// Sheet is the plain name of the style sheet for a scale: app.css, or the one
// for guantes or gruesos.
func Sheet(scale string) string {
	for _, s := range scales {
		if s.name == scale {
			return "app-" + scale + ".css"
		}
	}
	return "app.css"
}
