package plant

import (
	"strconv"
	"strings"
)

// UnionID is the id of a union in the API (rules §11.1): {OT}+{N} when OT is
// present and used by this spool alone, else {TAG}+{N}.
func (s *Snapshot) UnionID(sp *Spool, n int) string {
	key := string(sp.Tag)
	if ot := strings.TrimSpace(sp.Office.OT); ot != "" && !s.sharedOT(ot) {
		key = ot
	}
	return key + "+" + strconv.Itoa(n)
}

// ParseUnionID reads an id of one of the spool's unions, in either form.
// Whether the spool has a union of that number is not its business.
func (s *Spool) ParseUnionID(id string) (n int, ok bool) {
	id = strings.TrimSpace(id)
	i := strings.LastIndexByte(id, '+')
	if i < 0 {
		return 0, false
	}
	key := id[:i]
	ot := strings.TrimSpace(s.Office.OT)
	if !strings.EqualFold(key, string(s.Tag)) && (ot == "" || !strings.EqualFold(key, ot)) {
		return 0, false
	}
	n, err := strconv.Atoi(id[i+1:])
	return n, err == nil && n > 0
}
