package store

import (
	"crypto/sha256"
	"time"

	"envivo/plant"
)

// rememberFor is how long an accepted command's ID is known: twice what is
// promised, so that no clock step of a day breaks the promise.
const rememberFor = 48 * time.Hour

// rememberEvents is how many of the newest events keep their command's ID however
// old they look: a clock that jumps ahead by weeks must not make the floor's
// latest commands forgotten, or a repeat would be carried out twice.
const rememberEvents = 8192

// idHash stands for a command's ID. The journal record has the ID itself.
type idHash [16]byte

func hashID(id plant.CommandID) idHash {
	h := sha256.Sum256([]byte(id))
	return idHash(h[:16])
}

// claim says that a command came to an event.
type claim struct {
	id  idHash
	seq plant.Seq
	at  time.Time
}

// claimed adds what an accepted command claims: its ID, and that of its batch.
func claimed(all []claim, id plant.CommandID, seq plant.Seq, at time.Time) []claim {
	if of := id.Whole(); of != "" {
		all = append(all, claim{hashID(of), seq, at})
	}
	return append(all, claim{hashID(id), seq, at})
}

// claims are the accepted commands of the last rememberFor and those among the
// last rememberEvents events. They are derived from the journal and owned by the
// writer.
type claims struct {
	byID  map[idHash]plant.Seq
	queue []claim // ascending Seq
}

func newClaims(all []claim) claims {
	c := claims{byID: make(map[idHash]plant.Seq, len(all))}
	for _, x := range all {
		c.add(x)
	}
	return c
}

func (c *claims) add(x claim) {
	c.byID[x.id] = x.seq
	c.queue = append(c.queue, x)
}

// expire forgets what is older than rememberFor and not among the last
// rememberEvents events up to last.
func (c *claims) expire(now time.Time, last plant.Seq) {
	n := 0
	for n < len(c.queue) && c.queue[n].seq+rememberEvents <= last && now.Sub(c.queue[n].at) > rememberFor {
		if c.byID[c.queue[n].id] == c.queue[n].seq {
			delete(c.byID, c.queue[n].id)
		}
		n++
	}
	c.queue = c.queue[n:]
}
