package e2e

import "slices"

// This file is a second, slow and plain reading of the rule book: what one
// spool may go through. It was written from docs/rules.md alone and shares no
// line with the engine; model_property_test.go compares the two.

// mUnion is one joint: who armed and who welded it, 0 for nobody.
type mUnion struct {
	weld      bool
	arm, sold int
}

// mWork is ARM or SOLD of a spool.
type mWork struct {
	by   int  // who is written in the column
	done bool // the date is set
}

type mSpool struct {
	materials bool
	unions    []mUnion
	arm, sold mWork
	// quality: "", ok, rejected, repairing, repair paused, again, blocked
	quality string
	cycle   int
	holder  int
	op      string
	overdue bool
	last    int          // holder of the last ended hold
	gone    map[int]bool // displaced by relief or release, not back since
}

// mCmd is one request in the model's words.
type mCmd struct {
	verb   string
	op     string // "" when not named
	worker int
	to     int
	unions []int // numbers from 1; nil when not named
	over   string
	good   bool // APROBADO
	boss   bool
	motive string
}

// mRoles are the roles of the property test's people; 99 does not exist and
// 67 is not active.
var mRoles = map[int]string{1: "Armador", 2: "Armador", 3: "Soldador", 4: "Soldador", 5: "Ayudante", 6: "Metrologia", 7: "Pintura"}

func mMay(worker int, op string) bool {
	switch role := mRoles[worker]; op {
	case "ARM":
		return role == "Armador" || role == "Ayudante"
	case "SOLD":
		return role == "Soldador" || role == "Ayudante"
	case "METROLOGIA":
		return role == "Metrologia"
	}
	return true
}

func (s *mSpool) work(op string) *mWork {
	if op == "ARM" {
		return &s.arm
	}
	return &s.sold
}

func (s *mSpool) counts() (armed, toWeld, welded int) {
	for _, u := range s.unions {
		if u.arm != 0 {
			armed++
		}
		if u.weld {
			toWeld++
			if u.sold != 0 {
				welded++
			}
		}
	}
	return armed, toWeld, welded
}

// ready says whether the spool may be inspected, work considered alone.
func (s *mSpool) ready() bool {
	if len(s.unions) == 0 {
		return s.arm.done && s.sold.done
	}
	armed, toWeld, welded := s.counts()
	return armed == len(s.unions) && welded == toWeld
}

// finished says whether the operation has nothing left to do.
func (s *mSpool) finished(op string) bool {
	armed, toWeld, welded := s.counts()
	switch {
	case len(s.unions) == 0:
		return s.work(op).done
	case op == "ARM":
		return armed == len(s.unions)
	case toWeld == 0:
		return armed == len(s.unions)
	}
	return welded == toWeld
}

// apply answers whether the command is accepted and, when it is, changes s.
// The word is the reason, for the statuses the rule book pins down.
func (s *mSpool) apply(c mCmd) (ok bool, why string) {
	if mRoles[c.worker] == "" && c.verb != "liberar" && c.verb != "desbloquear" {
		return false, "worker"
	}
	if (c.verb == "liberar" || c.verb == "desbloquear") && !c.boss {
		return false, "boss"
	}
	if s.quality == "blocked" && c.verb != "desbloquear" {
		return false, ""
	}
	switch c.verb {
	case "tomar":
		return s.take(c)
	case "pausar", "completar", "cancelar", "finalizar":
		return s.owned(c)
	case "inspeccionar":
		return s.inspect(c)
	case "relevar":
		return s.relieve(c)
	case "traspasar":
		return s.hand(c)
	case "liberar":
		return s.release(c)
	case "desbloquear":
		if s.quality != "blocked" || c.motive == "" {
			return false, ""
		}
		s.quality, s.cycle = "rejected", 0
		return true, ""
	}
	panic("unknown verb " + c.verb)
}

func (s *mSpool) take(c mCmd) (bool, string) {
	if c.op == "METROLOGIA" || !mMay(c.worker, c.op) {
		return false, ""
	}
	if c.op == "REPARACION" {
		if s.quality != "rejected" && s.quality != "repair paused" {
			return false, ""
		}
		s.quality = "repairing"
		s.hold(c.worker, c.op)
		return true, ""
	}
	armed, _, _ := s.counts()
	switch {
	case !s.materials:
		return false, "dependency"
	case c.op == "SOLD" && len(s.unions) == 0 && !s.arm.done:
		return false, "dependency"
	case c.op == "SOLD" && len(s.unions) > 0 && armed == 0 && !s.arm.done:
		return false, "dependency"
	case s.holder != 0:
		return false, "occupied"
	case s.work(c.op).done || s.quality != "" || s.finished(c.op):
		return false, ""
	}
	s.hold(c.worker, c.op)
	s.work(c.op).by = c.worker
	return true, ""
}

func (s *mSpool) hold(worker int, op string) {
	s.holder, s.op, s.overdue = worker, op, false
	delete(s.gone, worker)
}

// free ends the hold; the work done stays.
func (s *mSpool) free() {
	s.last, s.holder, s.op, s.overdue = s.holder, 0, "", false
}

// owned are the verbs of the one who has the spool.
func (s *mSpool) owned(c mCmd) (bool, string) {
	paused := s.quality == "repair paused" && (c.op == "REPARACION") ||
		s.quality == "" && (c.op == "ARM" || c.op == "SOLD") && s.work(c.op).by != 0 && !s.work(c.op).done
	switch {
	case s.holder == 0 && c.verb == "cancelar" && paused && mMay(c.worker, c.op):
		return s.cancel(c.op), ""
	case s.holder != c.worker && s.gone[c.worker]:
		return false, "gone"
	case s.holder != 0 && s.holder != c.worker:
		return false, "stranger"
	case s.holder == 0 && c.verb != "cancelar" && s.last != 0 && s.last != c.worker:
		return false, "stranger"
	case s.holder == 0 || c.op != "" && c.op != s.op:
		return false, ""
	}
	op := s.op
	if op == "REPARACION" {
		return s.repair(c)
	}
	switch c.verb {
	case "cancelar":
		return s.cancel(op), ""
	case "pausar":
		s.credit(op, c)
	case "completar":
		if len(s.unions) == 0 {
			s.work(op).done = true
			s.work(op).by = c.worker
		}
	case "finalizar":
		if done, ok := s.finalize(op, c); done {
			return ok, ""
		}
	}
	s.close(op, c.worker)
	return true, ""
}

// repair is a held spool in repair.
func (s *mSpool) repair(c mCmd) (bool, string) {
	switch {
	case c.verb == "pausar" || c.verb == "finalizar" && c.over == "PAUSAR":
		s.quality = "repair paused"
	case c.verb == "cancelar" || c.verb == "finalizar" && len(c.unions) == 0 && c.over == "":
		s.quality = "rejected"
	default:
		s.quality = "again"
	}
	s.free()
	return true, ""
}

// finalize answers done when the verdict is final already.
func (s *mSpool) finalize(op string, c mCmd) (done, ok bool) {
	if c.over == "" && len(c.unions) == 0 {
		return true, s.cancel(op)
	}
	if len(s.unions) == 0 {
		if c.over != "PAUSAR" {
			s.work(op).done, s.work(op).by = true, c.worker
		}
		return false, true
	}
	switch c.over {
	case "COMPLETAR":
		c.unions = s.open(op)
	case "PAUSAR":
		c.unions = nil
	}
	for _, n := range c.unions {
		if !slices.Contains(s.open(op), n) {
			return true, false
		}
	}
	s.credit(op, c)
	return false, true
}

// open lists the numbers that can be selected.
func (s *mSpool) open(op string) []int {
	var out []int
	for i, u := range s.unions {
		if op == "ARM" && u.arm == 0 || op == "SOLD" && u.weld && u.arm != 0 && u.sold == 0 {
			out = append(out, i+1)
		}
	}
	return out
}

func (s *mSpool) credit(op string, c mCmd) {
	for _, n := range c.unions {
		if op == "ARM" {
			s.unions[n-1].arm = c.worker
		} else {
			s.unions[n-1].sold = c.worker
		}
	}
}

// close frees the spool and writes the date when the joints say so.
func (s *mSpool) close(op string, worker int) {
	if len(s.unions) > 0 && s.finished(op) && !(op == "SOLD" && s.onlyFit()) {
		s.work(op).done = true
	}
	s.free()
}

func (s *mSpool) onlyFit() bool { _, toWeld, _ := s.counts(); return toWeld == 0 }

// cancel takes the operation back; joints done stay with their authors.
func (s *mSpool) cancel(op string) bool {
	if op == "REPARACION" {
		s.quality = "rejected"
	} else if !s.work(op).done {
		s.work(op).by = 0
	}
	if s.holder != 0 {
		s.free()
	}
	return true
}

func (s *mSpool) inspect(c mCmd) (bool, string) {
	switch {
	case !mMay(c.worker, "METROLOGIA"):
		return false, ""
	case !s.ready() || s.quality != "" && s.quality != "again":
		return false, ""
	case s.holder != 0:
		return false, "occupied"
	}
	if c.good {
		s.quality, s.cycle = "ok", 0
		return true, ""
	}
	s.cycle++
	s.quality = "rejected"
	if s.cycle == 3 {
		s.quality = "blocked"
	}
	return true, ""
}

func (s *mSpool) relieve(c mCmd) (bool, string) {
	if s.holder == 0 || s.holder == c.worker || !s.overdue || !mMay(c.worker, s.op) {
		return false, ""
	}
	s.gone[s.holder] = true
	op := s.op
	s.last = s.holder
	s.hold(c.worker, op)
	if op != "REPARACION" {
		s.work(op).by = c.worker
	}
	return true, ""
}

func (s *mSpool) hand(c mCmd) (bool, string) {
	if s.holder != c.worker || c.to == c.worker || mRoles[c.to] == "" || !mMay(c.to, s.op) {
		return false, ""
	}
	s.last = s.holder
	op := s.op
	s.hold(c.to, op)
	if op != "REPARACION" {
		s.work(op).by = c.to
	}
	return true, ""
}

func (s *mSpool) release(c mCmd) (bool, string) {
	if s.holder == 0 || c.motive == "" {
		return false, ""
	}
	s.gone[s.holder] = true
	if s.op == "REPARACION" {
		s.quality = "repair paused"
	}
	s.free()
	return true, ""
}
