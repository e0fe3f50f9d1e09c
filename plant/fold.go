package plant

import (
	"strings"
	"unicode"
)

// foldPairs maps accented and ligature letters of the Latin blocks to plain
// ones: what compatibility decomposition plus dropping the marks would give,
// and the few letters that decomposition leaves alone.
var foldPairs = func() map[rune]string {
	m := map[rune]string{'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'ħ': "h", 'ı': "i", 'ł': "l", 'þ': "th", 'ŧ': "t",
		'ª': "a", 'º': "o", '¹': "1", '²': "2", '³': "3", 'ĳ': "ij", 'ŀ': "l", 'ŉ': "n", 'ſ': "s", '\u00a0': " "}
	for base, letters := range map[string]string{
		"a": "àáâãäåāăą", "c": "çćĉċč", "d": "ď", "e": "èéêëēĕėęě", "g": "ĝğġģ", "h": "ĥ", "i": "ìíîïĩīĭį", "j": "ĵ",
		"k": "ķ", "l": "ĺļľ", "n": "ñńņň", "o": "òóôõöōŏő", "r": "ŕŗř", "s": "śŝşš", "t": "ţť", "u": "ùúûüũūŭůűų",
		"w": "ŵ", "y": "ýÿŷ", "z": "źżž",
	} {
		for _, r := range letters {
			m[r] = base
		}
	}
	return m
}()

// Fold lower-cases s and drops accents, so that texts can be compared the way
// people read them. Blanks and punctuation stay.
func Fold(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.ToLower(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		r = unicode.ToLower(r)
		if plain, ok := foldPairs[r]; ok {
			b.WriteString(plain)
			continue
		}
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// FoldKey is Fold without blanks, '_', '-', '/' and quotes: the form in which
// headers are compared (rules §2.7) and search texts are looked up.
func FoldKey(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("_-/'?", r) {
			return -1
		}
		return r
	}, Fold(s))
}
