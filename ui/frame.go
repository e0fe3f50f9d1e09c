package ui

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"envivo/plant"
)

// Frame is what surrounds every page.
type Frame struct {
	Title string
	// View names the live view whose regions the page embeds; empty for a page
	// that does not follow the plant.
	View  string
	Seq   plant.Seq
	Rev   string
	Epoch string
	Build string
	Now   time.Time
	// Head is the end of the plant's record when the page was drawn (HeadCode).
	Head string
	// Standby is set on a box that only shows what another one does.
	Standby *Standby
	// Env is the environment's name when it is not production.
	Env string
	// Me is who is identified on this screen; nil for nobody.
	Me         *plant.Worker
	Supervisor bool
	// Here is the page's own address, to come back to.
	Here   string
	Active string
	Notice *Notice
	// Sheet is the dialog opened over the page, nil for none.
	Sheet templ.Component
	// Footer replaces the navigation at the lower edge.
	Footer templ.Component
	// Beside is the list beside an open spool, nil for none.
	Beside templ.Component
	// Rest is after how many seconds without a touch the person leaves a shared
	// tablet; 0 for never.
	Rest int
	// Tablet is what the tablet is set to, Enrolled whether its record says so.
	Tablet   TabletSettings
	Enrolled bool
	// Stranger is a device that may not read: its page tells nothing of the plant.
	Stranger bool
	// AnyoneActs warns a supervisor that the plant is open to its network.
	AnyoneActs bool
	Wide       bool
	// CommandID is for what a supervisor can do on a list.
	CommandID string
	// TLS is set when the box serves HTTPS.
	TLS bool
	// Camera is set when the browser may give the page its camera.
	Camera bool
	// HasCamera is what the tablet's script found, "si" or "no"; empty while it
	// has not looked.
	HasCamera string
	// Reread makes the script ask for the page's state now and then; for a page
	// that shows more than the plant and so follows no view.
	Reread bool
	// SyncAlerts counts the faults of the exchange with the Sheet when the page
	// was drawn.
	SyncAlerts int
}

// Notice is the outcome of this person's last act.
type Notice struct {
	OK   bool
	Text string
	// Next is the card "Sigue: …" after a success.
	Next string
	// Undo offers DESHACER of an event until a moment.
	Undo      plant.Seq
	UndoTag   plant.Tag
	UndoUntil time.Time
	UndoBy    plant.WorkerID
	CommandID string
	// Unfollow names the rows that began to be followed at once, to undo it until
	// UndoUntil.
	Unfollow string
	// Link and LinkText lead out of a refusal.
	Link, LinkText string
	// Until is how long the other half of a pair of scans is awaited.
	Until time.Time
	// Warn shows the notice in amber: nothing is wrong, nothing was done.
	Warn bool
	// Signal is what the tablet sounds: tomado, terminado, visto, no.
	Signal string
	// Fresh is set when the outcome belongs to the page it is shown on.
	Fresh bool
}

// UndoOpen reports whether DESHACER can still be offered at now.
func (n *Notice) UndoOpen(now time.Time) bool { return n.Undo != 0 && now.Before(n.UndoUntil) }

// scale and volume are what the style and the script go by, empty for the usual.
func (f Frame) scale() string {
	if f.Tablet.Scale == "dedos" {
		return ""
	}
	return f.Tablet.Scale
}

func (f Frame) volume() string {
	if f.Tablet.Volume == "normal" {
		return ""
	}
	return f.Tablet.Volume
}

func (f Frame) seq() string { return strconv.FormatUint(uint64(f.Seq), 10) }
func (f Frame) now() string { return strconv.FormatInt(f.Now.UnixMilli(), 10) }

// A hole is where a page takes a region. Text is escaped everywhere, so none
// can contain one.
func hole(id string) string { return "<!--hueco:" + id + "-->" }

var (
	holeOpen = []byte("<!--hueco:")
	holeEnd  = []byte("-->")
)

// Part is a run of a page's bytes: either text of its own or a region.
type Part struct {
	Text   []byte
	Region string // not empty: the region that belongs here
}

// Parts draws a page and parts it at its regions, so that a region's bytes,
// shared by all readers, need not be copied or packed for each.
func Parts(ctx context.Context, page templ.Component) ([]Part, error) {
	var buf bytes.Buffer
	if err := page.Render(ctx, &buf); err != nil {
		return nil, fmt.Errorf("draw page: %w", err)
	}
	var out []Part
	rest := buf.Bytes()
	for {
		i := bytes.Index(rest, holeOpen)
		if i < 0 {
			return append(out, Part{Text: rest}), nil
		}
		end := bytes.Index(rest[i:], holeEnd)
		if end < 0 {
			return nil, fmt.Errorf("draw page: a region's place is not closed")
		}
		out = append(out, Part{Text: rest[:i]}, Part{Region: string(rest[i+len(holeOpen) : i+end])})
		rest = rest[i+end+len(holeEnd):]
	}
}

// Bytes is the HTML of one component.
func Bytes(c templ.Component) ([]byte, error) {
	var buf bytes.Buffer
	if err := c.Render(context.Background(), &buf); err != nil {
		return nil, fmt.Errorf("draw component: %w", err)
	}
	return buf.Bytes(), nil
}

// items draws one keyed element.
func item(key string, c templ.Component) (Item, error) {
	html, err := Bytes(c)
	if err != nil {
		return Item{}, fmt.Errorf("draw %s: %w", key, err)
	}
	return Item{Key: key, HTML: html}, nil
}

func unix(t time.Time) string    { return strconv.FormatInt(t.Unix(), 10) }
func id(w plant.WorkerID) string { return strconv.Itoa(int(w)) }

func seqText(s plant.Seq) string  { return strconv.FormatUint(uint64(s), 10) }
func millis(t time.Time) string   { return strconv.FormatInt(t.UnixMilli(), 10) }
func escapeQuery(s string) string { return url.QueryEscape(s) }

func noticeKind(n Notice) string {
	if n.OK || n.Warn {
		return "bien"
	}
	return "mal"
}

func noticeIcon(n Notice) string {
	if n.OK {
		return "visto"
	}
	return "cruz"
}
