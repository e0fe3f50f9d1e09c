// Package standby keeps a second store in step with a primary: it fetches a
// consistent copy once and then the journal's records, byte for byte, each
// verified against the chain and on disk before it asks for more. What it knows
// of the primary decides whether it may be promoted (ADR 12).
package standby

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"envivo/plant"
)

// The addresses on a server. They need an admin token.
const (
	CopyPath    = "/api/replica/copy"
	RecordsPath = "/api/replica/records"
	RetirePath  = "/api/replica/retire"
	// SuccessorPath needs none: what it tells is proven.
	SuccessorPath = "/api/replica/successor"
)

// Answer is what the primary says to a request for records after an event.
type Answer struct {
	Epoch string    `json:"epoch"`
	Seq   plant.Seq `json:"seq"`
	Head  string    `json:"head"`
	// Records are the journal's, as they are stored, in base64.
	Records [][]byte `json:"records"`
}

const (
	// maxAnswer bounds one answer, in bytes. A primary sends some 4 MiB of records,
	// or a single one that is larger: what one command wrote.
	maxAnswer = 64 << 20
	// firstPause and lastPause lie between two tries when the primary is silent.
	firstPause = 500 * time.Millisecond
	lastPause  = 15 * time.Second
)

// ErrAnother says that the primary has another history than this store: it was
// restored, or this store has something that it lacks.
var ErrAnother = errors.New("the primary has another history")

// ErrTooLarge says that the primary sends more than it ever does, or more than there
// is room for: its copy must be as long as it says, and fit.
var ErrTooLarge = errors.New("what the primary sends is too large")

// Store is what a follower needs of its store.
type Store interface {
	Snapshot() *plant.Snapshot
	Follow(ctx context.Context, after plant.Seq, records [][]byte) error
}

// Options configure a Follower or a Fetch; all are required.
type Options struct {
	// Primary is the base address, such as http://planta:8080.
	Primary string
	// Address is where this standby answers; the primary remembers it, to ask there
	// after a restart whether it is still the plant's server. Empty tells nothing.
	Address string
	// Token gives the admin token; it is asked for each time, so that a renewed
	// file counts.
	Token func() (string, error)
	Send  func(*http.Request) (*http.Response, error)
	// Wait returns after a time, or with ctx's error.
	Wait func(ctx context.Context, d time.Duration) error
	Now  func() time.Time
	Log  *slog.Logger
}

// State is what a follower knows.
type State struct {
	// Applied is the last event on this disk; Told the last one that the primary
	// spoke of; Contact when it last answered.
	Applied, Told plant.Seq
	Contact       time.Time
	// Trouble is why the last try failed, empty while all is well.
	Trouble string
}

// Behind is how many events are missing here for all that is known.
func (s State) Behind() uint64 { return uint64(max(s.Told, s.Applied) - s.Applied) }

// Follower keeps one store in step.
type Follower struct {
	o     Options
	store Store

	mu    sync.Mutex
	state State
}

// NewFollower makes a Follower that remembers what it was told in an earlier
// life; Run starts it.
func NewFollower(o Options, s Store, told plant.Seq, contact time.Time) *Follower {
	return &Follower{o: o, store: s, state: State{Told: told, Contact: contact}}
}

// State is what the follower knows now.
func (f *Follower) State() State {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.state
	s.Applied = f.store.Snapshot().Seq
	return s
}

// Run follows until ctx ends (nil), the primary turns out to have another
// history (ErrAnother), or the store fails.
func (f *Follower) Run(ctx context.Context) error {
	for pause := firstPause; ctx.Err() == nil; {
		err := f.turn(ctx)
		switch {
		case err == nil:
			pause = firstPause
			continue
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrAnother), errors.Is(err, errStore):
			return err
		}
		f.mu.Lock()
		news := f.state.Trouble == ""
		f.state.Trouble = err.Error()
		f.mu.Unlock()
		if news {
			f.o.Log.Warn("standby: the primary", "err", err)
		}
		if f.o.Wait(ctx, pause) != nil {
			return nil
		}
		pause = min(2*pause, lastPause)
	}
	return nil
}

// errStore marks an error of the store here.
var errStore = errors.New("the standby's store")

// turn asks once for records and takes them. The primary answers when there is
// news, or after a while without.
func (f *Follower) turn(ctx context.Context) error {
	snap := f.store.Snapshot()
	a, err := f.ask(ctx, snap)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.state.Told, f.state.Contact, f.state.Trouble = a.Seq, f.o.Now(), ""
	f.mu.Unlock()
	if len(a.Records) == 0 {
		return nil
	}
	if err := f.store.Follow(ctx, snap.Seq, a.Records); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: %w", errStore, err)
	}
	return nil
}

func (f *Follower) ask(ctx context.Context, snap *plant.Snapshot) (Answer, error) {
	var a Answer
	q := url.Values{"after": {strconv.FormatUint(uint64(snap.Seq), 10)}, "epoch": {snap.Epoch}, "link": {hex.EncodeToString(snap.Head[:])}}
	if f.o.Address != "" {
		q.Set("address", f.o.Address)
	}
	resp, err := f.o.get(ctx, RecordsPath+"?"+q.Encode())
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusConflict:
		return a, ErrAnother
	default:
		return a, said(resp)
	}
	body := &io.LimitedReader{R: resp.Body, N: maxAnswer + 1}
	if err := json.NewDecoder(body).Decode(&a); err != nil {
		if body.N == 0 {
			err = fmt.Errorf("%w: more than %d bytes", ErrTooLarge, maxAnswer)
		}
		return a, fmt.Errorf("read the primary's answer: %w", err)
	}
	if a.Epoch != snap.Epoch {
		return a, ErrAnother
	}
	return a, nil
}

// Fetch writes a copy of the primary's store to w, if it fits into room, in bytes;
// the primary has to say how large it is. Who receives it checks it.
func Fetch(ctx context.Context, o Options, room int64, w io.Writer) error {
	resp, err := o.get(ctx, CopyPath)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch size := resp.ContentLength; {
	case resp.StatusCode != http.StatusOK:
		return said(resp)
	case size < 0:
		return errors.New("the primary does not say how large its copy is")
	case size > room:
		return fmt.Errorf("%w: a copy of %d MiB, there is room for %d MiB", ErrTooLarge, size>>20, max(0, room)>>20)
	}
	n, err := io.Copy(w, io.LimitReader(resp.Body, resp.ContentLength))
	if err != nil {
		return fmt.Errorf("read the copy: %w", err)
	}
	if n != resp.ContentLength {
		return fmt.Errorf("the copy was cut off after %d of %d bytes", n, resp.ContentLength)
	}
	return nil
}

func (o *Options) get(ctx context.Context, path string) (*http.Response, error) {
	return o.ask(ctx, http.MethodGet, path)
}

func (o *Options) ask(ctx context.Context, method, path string) (*http.Response, error) {
	token, err := o.Token()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(o.Primary, "/")+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	return o.Send(req)
}

// said is the primary's refusal.
func said(resp *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("the primary answers %s", resp.Status)
	}
	var e struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(b, &e) == nil && e.Message != "" {
		return fmt.Errorf("the primary answers %s: %s", resp.Status, e.Message)
	}
	return fmt.Errorf("the primary answers %s", resp.Status)
}

// Found is what answers at a primary's address.
type Found struct {
	// Alive says that somebody answers. Any answer counts: a server in trouble is
	// a server.
	Alive bool
	// Epoch is the history it serves, empty when it does not say.
	Epoch string
	// Follows is whose events it only shows, empty for a server that takes
	// commands.
	Follows string
}

// Knock asks who answers at the primary's address. It sends no secret.
func Knock(ctx context.Context, o Options) Found {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(o.Primary, "/")+"/api/health", nil)
	if err != nil {
		return Found{}
	}
	resp, err := o.Send(req)
	if err != nil {
		return Found{}
	}
	defer resp.Body.Close()
	var h struct {
		Details struct {
			Epoch   string `json:"epoch"`
			Follows string `json:"sigue_a"`
		} `json:"details"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&h) // whatever it is, it answered
	return Found{Alive: true, Epoch: h.Details.Epoch, Follows: h.Details.Follows}
}

// Retire tells a primary that another box, at the address by, has taken its
// place; it takes no commands from then on. It does so only if epoch is its own.
func Retire(ctx context.Context, o Options, epoch, by string) error {
	resp, err := o.ask(ctx, http.MethodPost, RetirePath+"?"+url.Values{"epoch": {epoch}, "address": {by}}.Encode())
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return said(resp)
	}
	return nil
}

// Succession is what a standby that was promoted says to the primary it took over
// from: where the work goes on, and the proof that it has that primary's history.
type Succession struct {
	Address string `json:"address"`
	Proof   string `json:"proof"`
}

// ProofOf shows that whoever made it has the history with a link of the chain at
// the event that was asked for, and says that the one at the address took over. A
// link is known to those alone who have the store.
func ProofOf(link [32]byte, epoch, nonce, address string) string {
	mac := hmac.New(sha256.New, link[:])
	fmt.Fprintf(mac, "envivo_sucesor\n%s\n%s\n%s", epoch, nonce, address)
	return hex.EncodeToString(mac.Sum(nil))
}

// Succeeded asks a standby whether it took this server's place; by is then where
// the work goes on, else empty. No secret is sent and none is believed: only who
// has this server's history at the event can say so. An error means no answer.
func Succeeded(ctx context.Context, o Options, epoch string, at plant.Seq, link [32]byte, nonce string) (by string, err error) {
	q := url.Values{"epoch": {epoch}, "at": {strconv.FormatUint(uint64(at), 10)}, "nonce": {nonce}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(o.Primary, "/")+SuccessorPath+"?"+q.Encode(), nil)
	if err != nil {
		return "", err
	}
	resp, err := o.Send(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var s Succession
	if resp.StatusCode != http.StatusOK || json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&s) != nil {
		return "", nil
	}
	if !hmac.Equal([]byte(s.Proof), []byte(ProofOf(link, epoch, nonce, s.Address))) {
		return "", nil
	}
	return s.Address, nil
}

// Promotion says why a standby must not be promoted; nil when it may.
func Promotion(s State, alive bool) error {
	switch {
	case alive:
		return errors.New("the primary answers: stop it first")
	case s.Contact.IsZero():
		return errors.New("the primary has never answered this standby")
	case s.Behind() > 0:
		return fmt.Errorf("this standby lacks %d of the events that the primary spoke of (it has %d)", s.Behind(), s.Applied)
	}
	return nil
}
