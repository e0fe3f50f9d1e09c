package store

import bolt "go.etcd.io/bbolt"

// Faults are mistakes that can be switched on, and places to stop at, so that
// tests can prove they would notice. The zero value is a sound store.
type Faults struct {
	AnswerBeforeCommit bool // say yes before the disk did
	PublishAfterAnswer bool // answer before the snapshot shows the change
	WakeBeforePublish  bool // tails may see an event that the snapshot lacks
	SkipOutbox         bool // new events count as delivered
	EarlyRefusal       bool // refuse on grounds of a neighbour that is not durable
	ForgetReceipts     bool // do not remember which command came to which event
	DropLink           bool // leave the previous link out of the chain

	// Steps replace the migrations from one schema to the next.
	Steps map[uint32]func(*bolt.Tx) error

	// At is called by the writer at each seam; nil is no seam.
	At func(Seam)
	// Commit surrounds every transaction of the writer: it may fail without
	// calling commit (not done) or after it (done but reported failed).
	Commit func(commit func() error) error
}

// Seam is a place in the writer's course.
type Seam uint8

// The seams, in the order in which a batch passes them.
const (
	BeforeCommit Seam = iota
	BeforePublish
	BeforeAnswer
	AfterAnswer
)

func (f *Faults) at(s Seam) {
	if f.At != nil {
		f.At(s)
	}
}

func (f *Faults) commit(run func() error) error {
	if f.Commit == nil {
		return run()
	}
	return f.Commit(run)
}
