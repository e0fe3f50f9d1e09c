package api

import (
	"strconv"
	"time"
	"unicode/utf8"

	"envivo/plant"
)

// This file appends JSON by hand for the answers that are asked for most. Each
// appender writes what encoding/json writes for the struct of the same name; a
// test compares the two.

const hexDigits = "0123456789abcdef"

// appendText appends s as a JSON string. Broken UTF-8 becomes U+FFFD.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && n == 1:
				b = append(append(b, s[from:i]...), `\ufffd`...)
				from = i + n
			case r == '\u2028' || r == '\u2029': // line ends in scripts of old browsers
				b = append(append(b, s[from:i]...), `\u202`...)
				b = append(b, hexDigits[r&0xf])
				from = i + n
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[from:i]...)
		b = appendEscape(b, c)
		i++
		from = i
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}

// appendTextOrNull appends null for an empty text.
func appendTextOrNull(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendText(b, s)
}

// appendKey appends a comma and a key.
func appendKey(b []byte, key string) []byte {
	return append(append(append(b, ',', '"'), key...), '"', ':')
}

func appendTextField(b []byte, key, s string) []byte {
	return appendText(appendKey(b, key), s)
}

func appendUintField(b []byte, key string, n uint64) []byte {
	return strconv.AppendUint(appendKey(b, key), n, 10)
}

func appendIntField(b []byte, key string, n int) []byte {
	return strconv.AppendInt(appendKey(b, key), int64(n), 10)
}

// appendISO appends an instant as RFC 3339 with the plant's offset and
// milliseconds.
func appendISO(b []byte, t time.Time) []byte {
	return append(t.In(plant.Zone()).AppendFormat(append(b, '"'), "2006-01-02T15:04:05.000Z07:00"), '"')
}

// Inches are inches with at most two decimals as a JSON number.
type Inches plant.Inches

// MarshalJSON writes 2, 0.75.
func (i Inches) MarshalJSON() ([]byte, error) { return []byte(plant.Inches(i).String()), nil }
