package plant

import (
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // the plant's zone must be known on a bare box
)

// Date is a calendar day of the plant as the Sheet's serial number: days since
// 30-12-1899. 0 is "no date".
type Date int32

var serialEpoch = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)

// Zone is America/Santiago, the only zone in which a time is ever shown or
// written into a cell (rules §2.1). It is applied here and nowhere else.
var Zone = sync.OnceValue(func() *time.Location {
	l, err := time.LoadLocation("America/Santiago")
	if err != nil {
		panic("plant: zone data is embedded yet missing: " + err.Error())
	}
	return l
})

// DateOf is the plant's calendar day at an instant.
func DateOf(t time.Time) Date {
	y, m, d := t.In(Zone()).Date()
	return NewDate(y, m, d)
}

// NewDate is the day with the given civil date.
func NewDate(y int, m time.Month, d int) Date {
	return Date(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Sub(serialEpoch) / (24 * time.Hour))
}

func (d Date) civil() time.Time { return serialEpoch.AddDate(0, 0, int(d)) }

// String is DD-MM-YYYY, empty for no date.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	return d.civil().Format("02-01-2006")
}

// ISO is YYYY-MM-DD, empty for no date.
func (d Date) ISO() string {
	if d == 0 {
		return ""
	}
	return d.civil().Format("2006-01-02")
}

// Compact is YYYYMMDD, empty for no date.
func (d Date) Compact() string {
	if d == 0 {
		return ""
	}
	return d.civil().Format("20060102")
}

// Start is the first instant of the day in the plant. Summer time begins at
// midnight there, so that once a year the day starts at 01:00.
func (d Date) Start() time.Time {
	c := d.civil()
	t := time.Date(c.Year(), c.Month(), c.Day(), 0, 0, 0, 0, Zone())
	if t.Day() != c.Day() {
		t = t.Add(time.Hour)
	}
	return t
}

// SheetTime is DD-MM-YYYY HH:MM:SS in plant time, empty for the zero time.
func SheetTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(Zone()).Format("02-01-2006 15:04:05")
}

// Clock is HH:MM in plant time.
func Clock(t time.Time) string { return t.In(Zone()).Format("15:04") }

// ISOTime is RFC 3339 with the plant's offset, empty for the zero time.
func ISOTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(Zone()).Format(time.RFC3339)
}

// Inches is a diameter or a sum of diameters in hundredths of an inch, so that
// ½, ¾ and sums of them are exact.
type Inches int32

// Float is the value in inches.
func (i Inches) Float() float64 { return float64(i) / 100 }

// String is the value with a decimal point and at most two decimals: 2, 0.75.
func (i Inches) String() string {
	neg := ""
	if i < 0 {
		neg, i = "-", -i
	}
	switch {
	case i%100 == 0:
		return fmt.Sprintf("%s%d", neg, i/100)
	case i%10 == 0:
		return fmt.Sprintf("%s%d.%d", neg, i/100, i%100/10)
	}
	return fmt.Sprintf("%s%d.%02d", neg, i/100, i%100)
}
