package ui

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"envivo/plant"
)

// Region is a part of a page that follows the plant: an ordered list of keyed
// elements. Pages embed regions and the live stream patches them, so both come
// from the same bytes.
type Region struct {
	ID    string
	Items []Item
}

// Item is one element of a region. HTML has exactly one root element, which
// carries data-k with Key.
type Item struct {
	Key  string
	HTML []byte
}

// Times that pass are left out of the live HTML, so that a region changes only
// when the plant does. The markup is an empty element
//
//	<time data-elapsed="1747000000"></time>               how long since
//	<time data-elapsed="1747000000" data-f="desde"></time> since when
//
// which FillTimes fills on the server and assets/app.js in the browser.
var (
	elapsedMark = []byte(` data-elapsed="`)
	desdeMark   = []byte(` data-f="desde"`)
	emptyEnd    = []byte(`></time>`)
)

// FillTimes writes the passing times into html as they read at now.
func FillTimes(html []byte, now time.Time) []byte {
	if !bytes.Contains(html, elapsedMark) {
		return html
	}
	out := make([]byte, 0, len(html)+256)
	for {
		i := bytes.Index(html, elapsedMark)
		if i < 0 {
			return append(out, html...)
		}
		i += len(elapsedMark)
		end := bytes.Index(html[i:], emptyEnd)
		quote := bytes.IndexByte(html[i:], '"')
		if end < 0 || quote < 0 || quote > end {
			out, html = append(out, html[:i]...), html[i:]
			continue
		}
		out = append(out, html[:i+end+1]...)
		if unix, err := strconv.ParseInt(string(html[i:i+quote]), 10, 64); err == nil {
			at := time.Unix(unix, 0)
			if bytes.Contains(html[i:i+end], desdeMark) {
				out = append(out, Desde(at, now)...)
			} else {
				out = append(out, Lapse(now.Sub(at))...)
			}
		}
		html = html[i+end+1:]
	}
}

// Desde is "las 09:42" for an hour of today in the plant, else with its day:
// "el 12-05-2026 a las 09:42".
func Desde(at, now time.Time) string {
	if plant.DateOf(at) == plant.DateOf(now) {
		return "las " + plant.Clock(at)
	}
	return "el " + plant.DateOf(at).String() + " a las " + plant.Clock(at)
}

// Lapse is a duration as people say it: "25 min", "1 h 25 min", "3 días 4 h".
func Lapse(d time.Duration) string {
	minutes := int(d / time.Minute)
	switch hours := minutes / 60; {
	case minutes < 1:
		return "menos de 1 min"
	case hours < 1:
		return fmt.Sprintf("%d min", minutes)
	case hours < 48:
		return fmt.Sprintf("%d h %d min", hours, minutes%60)
	default:
		return fmt.Sprintf("%d días %d h", hours/24, hours%24)
	}
}
