// Package store keeps the plant: one bbolt file, one goroutine that writes it,
// and a snapshot in memory that everybody reads.
//
// A command becomes durable as one journal record: command, event and a link
// of the hash chain. State is the fold of the journal. The rows of the spools
// bucket are a checkpoint of that fold, brought up to date by the same writer
// in later transactions; a start loads the checkpoint and replays the rest.
// docs/adr/ says why this shape was chosen over writing every row every time.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"envivo/plant"
)

// Schema is the version of the file's layout that this program writes.
const Schema = 1

// Options configure a store.
type Options struct {
	// Decide judges a command on what all commands before it left behind. It is
	// pure; a panic in it is answered as an internal error of that command.
	Decide func(plant.View, plant.Command, time.Time) (plant.Event, error)
	// Evolve applies an event to its spool (the zero Spool when the store does
	// not know the tag; a result without tag then means there is no spool).
	Evolve func(plant.Spool, plant.Event) plant.Spool
	// Rules are what the snapshot's derived facts are computed under.
	Rules   plant.Rules
	Now     func() time.Time
	NewUUID func() string
	// Env is stamped into a new file; a file of another environment is refused.
	// Empty accepts any file.
	Env string
	Log *slog.Logger
	// Queue is how many callers may wait (default 1024), Batch how many commands
	// one transaction takes at most (256).
	Queue, Batch int
	// Replay bounds how many events a start has to replay, roughly (16384).
	Replay int
	// MaxSize bounds the file in bytes; 0 means the disk does.
	MaxSize int
	// MustExist refuses to create a file that is not there.
	MustExist bool
	// Following names the primary that this store follows: then it refuses
	// commands, takes records (Follow) and keeps the epoch of the copy it began
	// with. Empty for a store of its own.
	Following string
	// Held opens the store for reading: commands are refused until Release.
	Held bool
	// Prove examines the copies that Backup and Check make, for a caller that
	// does so in another process; nil examines them here.
	Prove func(ctx context.Context, path string) (Report, error)
	// Faults are seeded mistakes and seams; nil outside tests.
	Faults *Faults
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		v   *int
		def int
	}{{&o.Queue, 1024}, {&o.Batch, 256}, {&o.Replay, 1 << 14}} {
		if *d.v <= 0 {
			*d.v = d.def
		}
	}
	if o.Faults == nil {
		o.Faults = &Faults{}
	}
	return o
}

// Bolt is the store on one bbolt file. All methods may be called concurrently.
type Bolt struct {
	o Options
	// db is the file in use; only the writer exchanges it (Compact).
	db    atomic.Pointer[bolt.DB]
	path  string
	meta  fileMeta
	queue chan *request
	// stop asks the writer to finish, finished says that it has.
	stop, finished chan struct{}
	stopOnce       sync.Once
	failed         chan error
	closed         func() error

	// now is what readers see; only the writer stores into it.
	now    atomic.Pointer[published]
	outbox outbox
	stats  counters
	// copying admits one copy at a time.
	copying sync.Mutex
	// compacting tells the writer to remember which rows it writes.
	compacting atomic.Bool
	// held refuses commands; see Options.Held.
	held atomic.Bool
	// retired are files from before a compaction that are being closed.
	retired sync.WaitGroup
}

// published is what readers see of one moment. It never changes.
type published struct {
	snap *plant.Snapshot
	// recent are the newest batches of events, oldest first.
	recent [][]plant.Event
	// wake is closed when a later moment is there.
	wake chan struct{}
}

// ErrClosed says that the store was closed or has stopped.
var ErrClosed = errors.New("the store is closed")

// Open opens or creates the store at path and starts its writer. It fails with
// ErrMissing, ErrLocked, ErrDamaged, ErrForeign, ErrEnv or ErrNewer.
func Open(path string, o Options) (*Bolt, error) {
	o = o.withDefaults()
	torn, err := ensure(path, o)
	if err != nil {
		return nil, err
	}
	db, err := openFile(path, false, o.MaxSize)
	if err != nil {
		return nil, err
	}
	b, err := start(db, path, torn, o)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return b, nil
}

func start(db *bolt.DB, path string, torn bool, o Options) (*Bolt, error) {
	meta, err := admit(db, o)
	if err == nil && torn {
		o.Log.Warn("the last transaction was cut off; its meta page is mended", "path", path)
		err = mend(db)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	l := &loader{evolve: o.Evolve, rules: o.Rules, epoch: meta.epoch, claimsSince: o.Now().Add(-rememberFor)}
	if err := l.load(db); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	b := &Bolt{
		o: o, path: path, meta: meta,
		queue: make(chan *request, o.Queue), stop: make(chan struct{}), finished: make(chan struct{}), failed: make(chan error, 1),
	}
	b.db.Store(db)
	b.held.Store(o.Held)
	b.closed = sync.OnceValue(func() error { b.retired.Wait(); return b.file().Close() })
	b.outbox.state = l.outbox
	b.now.Store(&published{snap: l.snap, wake: make(chan struct{})})
	w := newWriter(b, l)
	b.stats.seed(w)
	go w.run()
	o.Log.Info("store open", "seq", uint64(l.snap.Seq), "spools", l.snap.Len(), "replayed", l.replayed)
	return b, nil
}

// Do carries out one command. When it returns a receipt, the event is on disk
// and in every later Snapshot. A refusal is a *plant.Error and may rest on a
// neighbour's command; that one is on disk too by then.
//
// CodeBusy, CodeFull: nothing was stored. CodeUnknownOutcome: nobody knows,
// either because the disk failed or because ctx ended first (then the error
// wraps ctx's, and the command is as a rule carried out): repeat it under the
// same ID. An ID that was accepted in the last 24 hours gives its first
// receipt again; with another digest it is refused. A command without ID gets
// one invented, which cannot be repeated.
func (b *Bolt) Do(ctx context.Context, c plant.Command) (plant.Receipt, error) {
	r := newRequest([]plant.Command{c})
	b.submit(ctx, r, false)
	b.await(ctx, r)
	res := r.take(ctx)
	return res[0].Receipt, res[0].Err
}

// DoAll carries out commands in order, each on its own: an error of one does
// not stop the next. Groups up to Options.Batch share one transaction, larger
// ones take several. The results are in the order of the commands.
func (b *Bolt) DoAll(ctx context.Context, cmds []plant.Command) []plant.Result {
	out := make([]plant.Result, 0, len(cmds))
	for len(cmds) > 0 {
		n := min(len(cmds), b.o.Batch)
		r := newRequest(cmds[:n])
		b.submit(ctx, r, len(out) > 0) // having begun, wait for room rather than give up half way
		b.await(ctx, r)
		out = append(out, r.take(ctx)...)
		cmds = cmds[n:]
	}
	return out
}

// Pulse proves that the writer is at work: it returns nil once everything that
// was queued before has been dealt with. It writes nothing. It waits until ctx
// ends, also for room in the queue.
func (b *Bolt) Pulse(ctx context.Context) error {
	r := newRequest(nil)
	b.submit(ctx, r, true)
	b.await(ctx, r)
	select {
	case <-r.done:
	default:
		return fmt.Errorf("the writer does not answer: %w", ctx.Err())
	}
	select {
	case <-b.finished:
		return ErrClosed
	default:
		return ctx.Err()
	}
}

// submit queues a request, or settles it on the spot when it cannot be queued.
func (b *Bolt) submit(ctx context.Context, r *request, patient bool) {
	select {
	case <-b.finished:
		r.refuse(plant.CodeBusy, ErrClosed)
		return
	case <-b.stop:
		r.refuse(plant.CodeBusy, ErrClosed)
		return
	default:
	}
	if (b.o.Following != "" || b.held.Load()) && (len(r.cmds) > 0 || r.mark != nil) {
		refuseFollower(r, b.o.Following)
		return
	}
	if err := ctx.Err(); err != nil {
		r.refuse(plant.CodeBusy, err)
		return
	}
	select {
	case b.queue <- r:
		return
	default:
	}
	if !patient {
		r.refuse(plant.CodeBusy, nil)
		return
	}
	select {
	case b.queue <- r:
	case <-b.finished:
		r.refuse(plant.CodeBusy, ErrClosed)
	case <-ctx.Done():
		r.refuse(plant.CodeBusy, ctx.Err())
	}
}

// await returns when r is settled, when ctx ends, or when the writer has gone
// without touching r.
func (b *Bolt) await(ctx context.Context, r *request) {
	select {
	case <-r.done:
	case <-ctx.Done():
	case <-b.finished:
		select {
		case <-r.done:
		default: // queued too late: the writer left it in the queue
			r.refuse(plant.CodeBusy, ErrClosed)
		}
	}
}

// Release lets a store that was opened Held take commands.
func (b *Bolt) Release() { b.held.Store(false) }

// file is the database in use. Whoever reads it must be ready to find that it
// was closed after a compaction; view is.
func (b *Bolt) file() *bolt.DB { return b.db.Load() }

// Snapshot is the plant as of the last commit.
func (b *Bolt) Snapshot() *plant.Snapshot { return b.now.Load().snap }

// Epoch identifies this history; it changes with a restore.
func (b *Bolt) Epoch() string { return b.meta.epoch }

// Env is the environment stamped into the file.
func (b *Bolt) Env() string { return b.meta.env }

// Failed delivers one error when the writer had to stop because nobody knows
// what is on disk. The process should end and start again.
func (b *Bolt) Failed() <-chan error { return b.failed }

// Close carries out what is queued, brings the checkpoint up to date and closes
// the file. Commands that come later are answered CodeBusy, tails end with
// ErrClosed. Closing twice is harmless.
func (b *Bolt) Close() error {
	b.stopOnce.Do(func() { close(b.stop) })
	<-b.finished
	if err := b.closed(); err != nil {
		return fmt.Errorf("close %s: %w", b.path, err)
	}
	return nil
}
