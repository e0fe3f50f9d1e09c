package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"envivo/api"
	"envivo/assets"
	"envivo/camera"
	"envivo/fsm"
	"envivo/plant"
	"envivo/store"
	"envivo/ui"
	"envivo/ws"
)

const (
	// headerWithin and headerMax bound what a client may send before it has said
	// what it wants.
	headerWithin = 5 * time.Second
	headerMax    = 32 << 10
	// idleWithin keeps a tablet's connection between two visits.
	idleWithin = 3 * time.Minute
	// diskLeast is what must be free for the box to call itself ready: the file
	// grows in steps of 16 MiB, and a copy needs room as well.
	diskLeast = 64 << 20
)

// assemble wires the floor: the hub reads the store's tail, the API its
// snapshot, and pages and hub draw the same views.
func (f *floor) assemble() error {
	id := build()
	var server *api.Server // the hub asks for views only once it is there
	f.hub = ws.New(ws.Options{
		Source: f.store, Encode: api.EncodeEvent, EncodeSSE: api.EncodeSSE, Build: id, Now: f.now, Log: f.log,
		Owner: func(r *http.Request) string { return server.Owner(r) },
		Resolve: func(view string) (ws.Page, error) {
			page, err := server.LivePage(view)
			if err != nil {
				return nil, err
			}
			return asViewed(page), nil
		},
	})
	server, err := api.New(api.Options{
		Plant: prompt{f.store, commandWithin}, Permitted: permitted(f.engine),
		WS: http.HandlerFunc(f.hub.ServeWS), SSE: http.HandlerFunc(f.hub.ServeSSE), UI: http.HandlerFunc(f.hub.ServeViews),
		Assets: assets.Handler(), AssetsPrefix: assets.Prefix,
		Render: func(view string) ([]ui.Region, plant.Seq, string, error) { return rendered(f.hub.Views(), view) },
		Now:    f.now, NewUUID: uuid.NewString, Random: rand.Reader, Log: f.log,
		Open: f.cfg.Access == "open", Origins: f.cfg.CORSOrigins, TLS: f.cfg.TLS != "off", Trust: f.trust(), ReadCode: camera.Read,
		Host: f.knownHost(), WriteRate: f.cfg.Limits.WriteRate,
		Env: f.store.Env(), Build: id, Version: release,
		Sync:  f.exchange(),
		Ready: f.ready, ReadyNotes: f.readyNotes, Replica: f.offers(), Standby: f.banner(), Metrics: []func(io.Writer){f.roleMetrics, f.storeMetrics, f.hubMetrics, f.boxMetrics, f.hookMetrics, f.tlsMetrics, f.gate.metrics},
		Webhooks: f.webhookStates, Attempted: f.record.add, Refusals: f.record.since, Attempts: f.record.attempts, Diagnosis: f.diagnosis, Health: f.health, Care: f.care.lines, Settings: f.cfg.facts(), Address: f.outside(),
		Drafts: readKept(f.cfg.Data, draftsFile), Returned: readKept(f.cfg.Data, returnedFile), KeepReturned: f.keepReturned,
	})
	if err != nil {
		return err
	}
	f.api = server
	f.http = &http.Server{Handler: deadlines(server, f.now), ReadHeaderTimeout: headerWithin, IdleTimeout: idleWithin,
		MaxHeaderBytes: headerMax, ErrorLog: slog.NewLogLogger(f.log.Handler(), slog.LevelDebug)}
	return nil
}

// permitted gives the pages what the rules say, as the pages name it.
func permitted(e *fsm.Engine) func(plant.View, plant.Tag, plant.WorkerID, bool, time.Time) []ui.Action {
	return func(v plant.View, t plant.Tag, worker plant.WorkerID, supervisor bool, now time.Time) []ui.Action {
		found := e.Permitted(v, t, fsm.Asker{Worker: worker, Supervisor: supervisor, Door: plant.DoorPage}, now)
		out := make([]ui.Action, len(found))
		for i, a := range found {
			out[i] = ui.Action{Verb: a.Verb, Op: a.Op, Allowed: a.Allowed, Refusal: a.Refusal}
		}
		return out
	}
}

// asViewed is a page as the hub compares it. The bytes of the items are shared.
func asViewed(page api.Page) ws.Page {
	return func(s *plant.Snapshot, now time.Time) ([]ws.Region, error) {
		regions, err := page(s, now)
		out := make([]ws.Region, len(regions))
		for i, r := range regions {
			items := make([]ws.Item, len(r.Items))
			for k, it := range r.Items {
				items[k] = ws.Item{Key: it.Key, HTML: it.HTML}
			}
			out[i] = ws.Region{ID: r.ID, Items: items}
		}
		return out, err
	}
}

// rendered is the newest state of a view as the pages embed it.
func rendered(v *ws.Views, view string) ([]ui.Region, plant.Seq, string, error) {
	r, err := v.Render(view)
	if err != nil {
		return nil, 0, "", err
	}
	out := make([]ui.Region, len(r.Regions))
	for i, region := range r.Regions {
		items := make([]ui.Item, len(region.Items))
		for k, it := range region.Items {
			items[k] = ui.Item{Key: it.Key, HTML: it.HTML}
		}
		out[i] = ui.Region{ID: region.ID, Items: items}
	}
	return out, r.Seq, r.Rev, nil
}

// ready says why commands cannot be carried out, nil when they can. A person
// reads it: on the administration page, in /readyz and in what tells of health.
func (f *floor) ready() error {
	if f.role.asking.Load() {
		return errors.New(ui.TextUnreadyAsking)
	}
	if s := f.store.Stats(); s.Queued >= s.QueueLimit {
		return errors.New(ui.TextUnreadyQueue)
	}
	free, _, err := diskSpace(f.cfg.Data)
	if err == nil && free < diskLeast {
		return errors.New(ui.UnreadyDisk(free))
	}
	return nil
}

// gauge is one line of the metrics page.
type gauge struct {
	name  string
	value float64
}

func writeGauges(w io.Writer, all []gauge) {
	for _, g := range all {
		fmt.Fprintf(w, "%s %g\n", g.name, g.value)
	}
}

func (f *floor) storeMetrics(w io.Writer) {
	s := f.store.Stats()
	writeGauges(w, []gauge{
		{"envivo_store_seq", float64(s.Seq)},
		{"envivo_store_queue_length", float64(s.Queued)},
		{"envivo_store_queue_limit", float64(s.QueueLimit)},
		{"envivo_store_commits_total", float64(s.Commits)},
		{"envivo_store_events_total", float64(s.Events)},
		{"envivo_store_commit_seconds_total", s.CommitTime.Seconds()},
		{"envivo_store_last_commit_seconds", s.LastCommit.Seconds()},
		{"envivo_store_last_batch_events", float64(s.LastBatch)},
		{"envivo_store_disk_full_total", float64(s.Full)},
		{"envivo_store_replay_events", float64(s.Replay)},
		{"envivo_store_receipts", float64(s.Receipts)},
		{"envivo_store_file_bytes", float64(s.FileSize)},
		{"envivo_store_freelist_bytes", float64(s.FreelistBytes)},
		{"envivo_outbox_pending_events", float64(s.Seq - s.Cursor)},
		{"envivo_outbox_parked_events", float64(s.Parked)},
	})
}

func (f *floor) hubMetrics(w io.Writer) {
	s := f.hub.Stats()
	writeGauges(w, []gauge{
		{`envivo_sockets{kind="events"}`, float64(s.Events)},
		{`envivo_sockets{kind="views"}`, float64(s.ViewSockets)},
		{`envivo_sockets{kind="sse"}`, float64(s.SSE)},
		{"envivo_socket_lanes", float64(s.Lanes)},
		{"envivo_socket_resets_total", float64(s.Resets)},
		{"envivo_socket_slow_cuts_total", float64(s.SlowCuts)},
		{"envivo_views", float64(s.Views)},
		{"envivo_view_renders_total", float64(s.Renders)},
		{"envivo_view_render_errors_total", float64(s.RenderErrors)},
		{"envivo_publish_last_seconds", s.LastPublish.Seconds()},
	})
}

func (f *floor) boxMetrics(w io.Writer) {
	var all []gauge
	if f.api != nil {
		ahead, devices := f.api.ClockAhead()
		all = append(all, gauge{"envivo_clock_behind_devices_seconds", ahead.Seconds()}, gauge{"envivo_clock_devices", float64(devices)},
			gauge{"envivo_record_lost_total", float64(f.record.refusals.Lost() + f.record.acts.Lost())})
	}
	if free, total, err := diskSpace(f.cfg.Data); err == nil {
		all = append(all, gauge{"envivo_disk_free_bytes", float64(free)}, gauge{"envivo_disk_bytes", float64(total)})
	}
	writeGauges(w, all)
	f.safety.metrics(w)
}

// backupsFolder is where automatic copies go.
func (w *Where) backupsFolder() string { return filepath.Join(w.Data, "backups") }

// engine makes the rules and the options of a store that runs them.
func engine(r plant.Rules, now func() time.Time, log *slog.Logger) (*fsm.Engine, store.Options) {
	e := fsm.New(r)
	return e, store.Options{Decide: e.Decide, Evolve: fsm.Evolve, Rules: r, Now: now, NewUUID: uuid.NewString, Log: log}
}
