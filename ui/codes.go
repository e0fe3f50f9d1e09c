package ui

import (
	"hash/fnv"
	"strconv"
	"strings"

	"envivo/plant"
)

// CodeKind is what a printed code stands for.
type CodeKind uint8

// The kinds of codes, by their first letter: S, W, C, D.
const (
	CodeNone CodeKind = iota
	CodeSpool
	CodeWorker
	CodeCommand
	CodeDevice
)

// Code is a printed code that was read. ID is what follows the letter, without
// the check character.
type Code struct {
	Kind CodeKind
	ID   string
}

const (
	base36    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	codeKinds = "SWCD"
	// spoolDigits is the length of a spool's id in a code.
	spoolDigits = 8
)

// checkCharacter is the check character of ISO 7064 MOD 37,36 over A-Z0-9.
func checkCharacter(s string) byte {
	p := 36
	for i := 0; i < len(s); i++ {
		p = (p + strings.IndexByte(base36, s[i])) % 36
		if p == 0 {
			p = 36
		}
		p = p * 2 % 37
	}
	return base36[(37-p)%36]
}

func code(kind byte, id string) string {
	s := string(kind) + id
	return s + string(checkCharacter(s))
}

// SpoolID is the spool's id in codes. It follows from the tag alone, so labels
// stay good when the box is filled anew; two tags of one plant may share an id
// (about one plant in a million), which a scan shows to choose from.
func SpoolID(t plant.Tag) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.ToUpper(string(t)))) // a hash does not fail
	n := h.Sum64()
	n ^= n >> 29 // FNV's low digits alone are poor
	var out [spoolDigits]byte
	for i := range out {
		out[i] = base36[n%36]
		n /= 36
	}
	return string(out[:])
}

// SpoolCode is what a spool's label carries.
func SpoolCode(t plant.Tag) string { return code('S', SpoolID(t)) }

// WorkerCode is what a badge carries.
func WorkerCode(w plant.WorkerID) string { return code('W', strconv.Itoa(int(w))) }

// CommandCode is what the card of a command carries.
func CommandCode(word string) string { return code('C', word) }

// ParseCode reads one of our codes: letters and digits with a good check
// character. Case does not matter.
func ParseCode(text string) (Code, bool) {
	s := strings.ToUpper(strings.TrimSpace(text))
	if len(s) < 3 || strings.Trim(s, base36) != "" {
		return Code{}, false
	}
	body := s[:len(s)-1]
	kind := CodeKind(1 + strings.IndexByte(codeKinds, s[0]))
	if kind == CodeNone || checkCharacter(body) != s[len(s)-1] {
		return Code{}, false
	}
	return Code{Kind: kind, ID: body[1:]}, true
}

// CardCommands are the commands that have a card, in the order they are
// printed.
var CardCommands = [...]string{"TERMINAR", "PAUSAR", "APROBADO", "RECHAZADO", "DESHACER", "SALIR"}

// FindSpools are the spools a scanned text may mean: by our code, and by the
// printed tag with any separators. More than one is rare and for the person to
// choose from.
func FindSpools(s *plant.Snapshot, text string) []*plant.Row {
	c, coded := ParseCode(text)
	id := ""
	if coded && c.Kind == CodeSpool && len(c.ID) == spoolDigits {
		id = c.ID
	}
	key := plant.FoldKey(text)
	if key == "" {
		return nil
	}
	var out []*plant.Row
	for r := range s.Rows() {
		tag, _, _ := strings.Cut(r.Search, "\n")
		if tag == key || id != "" && SpoolID(r.Spool.Tag) == id {
			out = append(out, r)
		}
	}
	return out
}
