package ui

import (
	"fmt"
	"strconv"
	"strings"

	"envivo/plant"
)

// card is one figure of the page of figures.
type card struct {
	Key, Title string
	// Decide is what the figure helps to decide.
	Decide string
	Heads  []head
	Charts []chart
	Lines  []line
	Links  []figureLink
}

// head is a large number with its words.
type head struct{ N, Word, Note string }

// line is one named value with its share, 0 to 100.
type line struct {
	Word, Value, Note, Href string
	Share                   int
}

// figureLink leads to a spool.
type figureLink struct {
	Tag  plant.Tag
	Text string
	Look Look
}

// chart is a row of bars, one per day unless the bars have labels.
type chart struct {
	Name string
	Days []plant.Date
	Bars []bar
	// Goal is a line across, 0 for none.
	Goal int
	// Low charts take less height: several stand above each other.
	Low bool
}

// bar is one value; Bad is the part of it that is drawn as rejected.
type bar struct {
	N, Bad int
	Label  string
}

// The measures of a chart, in units of its view box.
const (
	chartWide = 588
	chartTop  = 24 // room for the values above the bars
)

func (c chart) tall() int {
	if c.Low {
		return 76
	}
	return 132
}

func (c chart) box() string { return fmt.Sprintf("0 0 %d %d", chartWide, chartTop+c.tall()+c.foot()) }

// foot is the room for the labels.
func (c chart) foot() int {
	if len(c.Days) > 0 {
		return 44
	}
	return 26
}

// empty reports whether there is nothing to draw.
func (c chart) empty() bool {
	for _, b := range c.Bars {
		if b.N > 0 {
			return false
		}
	}
	return true
}

func (c chart) most() int {
	most := max(1, c.Goal)
	for _, b := range c.Bars {
		most = max(most, b.N)
	}
	return most
}

// drawnBar is a bar with its place.
type drawnBar struct {
	X, Y, W, H  int
	BadY, BadH  int
	Mid         int
	Value       string
	Label, Sub  string
	Today, Rest bool
}

var weekdayLetters = [...]string{"D", "L", "M", "M", "J", "V", "S"}

func (c chart) bars() []drawnBar {
	slot := chartWide / max(1, len(c.Bars))
	most, base := c.most(), chartTop+c.tall()
	out := make([]drawnBar, 0, len(c.Bars))
	for i, b := range c.Bars {
		d := drawnBar{X: i*slot + slot/8, W: slot - slot/4, Mid: i*slot + slot/2, Label: b.Label}
		d.H = b.N * c.tall() / most
		if b.N > 0 {
			d.H = max(2, d.H)
			d.Value = Count(b.N)
		}
		d.BadH = b.Bad * c.tall() / most
		if b.Bad > 0 {
			d.BadH = max(2, d.BadH)
		}
		d.Y, d.BadY = base-d.H, base-d.BadH
		if i < len(c.Days) {
			t := c.Days[i].Start().In(plant.Zone())
			d.Label, d.Sub = weekdayLetters[t.Weekday()], strconv.Itoa(t.Day())
			d.Today = i == len(c.Days)-1
			d.Rest = t.Weekday() == 0
		}
		out = append(out, d)
	}
	return out
}

func (c chart) base() int  { return chartTop + c.tall() }
func (c chart) goalY() int { return c.base() - c.Goal*c.tall()/c.most() }

// Text is the chart in words, for those who do not see it.
func (c chart) text() string {
	var b strings.Builder
	b.WriteString(c.Name + ": ")
	for i, v := range c.Bars {
		if i > 0 {
			b.WriteString(", ")
		}
		label := v.Label
		if i < len(c.Days) {
			label = c.Days[i].String()
		}
		fmt.Fprintf(&b, "%s %d", label, v.N)
		if v.Bad > 0 {
			fmt.Fprintf(&b, " (%d rechazadas)", v.Bad)
		}
	}
	return b.String()
}
