package ui

import (
	"strings"

	"envivo/plant"
)

// Tails are the ends by which tags that are shown together can be told apart:
// the tail, and as many segments before it as two alike need. A tag shown twice
// is not alike itself.
func Tails(tags []plant.Tag) []string {
	out, alike := make([]string, len(tags)), make([]int, len(tags))
	for i, t := range tags {
		_, out[i] = SplitTag(t)
		alike[i] = i
	}
	for range 8 { // no tag has more segments that matter
		// Tags that end alike had the same tail before, so only those that just
		// grew can still look like each other.
		owner := make(map[string]int32, len(alike))
		for _, i := range alike {
			if first, ok := owner[out[i]]; !ok {
				owner[out[i]] = int32(i)
			} else if first >= 0 && tags[first] != tags[i] {
				owner[out[i]] = -1
			}
		}
		grown := alike[:0]
		for _, i := range alike {
			if owner[out[i]] < 0 && len(out[i]) < len(tags[i]) {
				head := strings.TrimSuffix(string(tags[i][:len(tags[i])-len(out[i])]), "-")
				out[i] = string(tags[i])[strings.LastIndexByte(head, '-')+1:]
				grown = append(grown, i)
			}
		}
		if alike = grown; len(alike) == 0 {
			break
		}
	}
	return out
}

// tellApart gives the rows that one page shows together their tails.
func tellApart(lists ...[]rowView) {
	var tags []plant.Tag
	for _, l := range lists {
		for i := range l {
			tags = append(tags, l[i].Row.Spool.Tag)
		}
	}
	tails := Tails(tags)
	for _, l := range lists {
		for i := range l {
			l[i].Tail = tails[i]
		}
		tails = tails[len(l):]
	}
}

func tagsIn(rows []*plant.Row) []plant.Tag {
	out := make([]plant.Tag, len(rows))
	for i, r := range rows {
		out[i] = r.Spool.Tag
	}
	return out
}

// tagParts are the three sizes of a tag: the rest, what only tells its tail from
// another on the page, and the tail. An empty end is the tag's own tail.
func tagParts(t plant.Tag, end string) (rest, more, tail string) {
	rest, tail = SplitTag(t)
	if n := len(end) - len(tail); n > 0 {
		more, rest = rest[len(rest)-n:], rest[:len(rest)-n]
	}
	return rest, more, tail
}
