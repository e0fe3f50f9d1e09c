package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"envivo/plant"
)

const (
	maxAudit = 100
	// auditSlots are the batches that can be read back; the log of events keeps
	// all of them.
	auditSlots = 256
	// maxAuditEvent bounds one event, in bytes.
	maxAuditEvent = 2 << 10
)

// auditKinds are what a v5 front end reports (rules §11.8).
var auditKinds = []string{"SESSION_START", "SESSION_END", "LIST_ADD", "LIST_REMOVE", "LIST_MIGRATE", "LIST_MIGRATE_PARTIAL", "MODAL_OPEN", "MODAL_CLOSE", "NAVIGATE"}

// auditHead is what an event must say; the rest is kept as it came.
type auditHead struct {
	ID        string `json:"id"`
	SessionID string `json:"session_id"`
	Kind      string `json:"event_type"`
}

// auditBatch is one setting: what was reported at once.
type auditBatch struct {
	N          int               `json:"n"`
	Received   time.Time         `json:"received_at"`
	Duplicates int               `json:"duplicates"`
	Events     []json.RawMessage `json:"events"`
}

func auditKey(n int) string { return fmt.Sprintf("%s%03d", plant.SettingAudit, n%auditSlots) }

// audits are the batches that can be read back, oldest first.
func audits(snap *plant.Snapshot) ([]auditBatch, error) {
	var out []auditBatch
	for _, key := range snap.Settings(plant.SettingAudit) {
		var b auditBatch
		if err := json.Unmarshal([]byte(snap.Setting(key)), &b); err != nil {
			return nil, fmt.Errorf("read setting %s: %w", key, err)
		}
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b auditBatch) int { return a.N - b.N })
	return out, nil
}

type auditBody struct {
	Events []json.RawMessage `json:"events"`

	ids []string
}

func (b *auditBody) check(k *checker) {
	switch {
	case b.Events == nil:
		k.missing("events")
	case len(b.Events) == 0 || len(b.Events) > maxAudit:
		k.bad("events", "events debe traer entre 1 y 100 elementos.", len(b.Events))
	default:
		for _, raw := range b.Events {
			b.checkEvent(k, raw)
		}
	}
}

func (b *auditBody) checkEvent(k *checker, raw json.RawMessage) {
	var h auditHead
	err := json.Unmarshal(raw, &h)
	b.ids = append(b.ids, h.ID)
	switch {
	case err != nil || string(raw) == "null":
		k.bad("events", "events trae un elemento que no es un evento.", clip(string(raw)))
	case len(raw) > maxAuditEvent:
		k.bad("events", "Un evento puede tener 2 KiB como máximo.", len(raw))
	case strings.TrimSpace(h.ID) == "" || utf8.RuneCountInString(h.ID) > maxWord:
		k.bad("id", "Cada evento necesita un id.", h.ID)
	case strings.TrimSpace(h.SessionID) == "":
		k.bad("session_id", "Cada evento necesita un session_id.", h.SessionID)
	case !slices.Contains(auditKinds, h.Kind):
		k.bad("event_type", "event_type debe ser "+strings.Join(auditKinds, ", ")+".", h.Kind)
	}
}

func (b *auditBody) says(out []byte) []byte {
	for _, raw := range b.Events {
		out = append(appendKey(out, "event"), raw...)
	}
	return out
}

type auditAnswer struct {
	Success    bool      `json:"success"`
	Written    int       `json:"written"`
	Duplicates int       `json:"duplicates"`
	Total      int       `json:"total"`
	Seq        plant.Seq `json:"seq"`
}

// auditBatch takes what a front end reports, each event once by its id.
func (s *Server) auditBatch(c *call) (any, error) {
	var b auditBody
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	s.auditing.Lock() // the next slot is nobody else's
	defer s.auditing.Unlock()
	x, err := s.nextAudit(&b)
	if err != nil {
		return nil, err
	}
	seq, value, err := s.store(c, &b, x)
	switch {
	case errors.Is(err, plant.ErrUnchanged):
		return &auditAnswer{Success: true, Duplicates: len(b.Events), Total: len(b.Events), Seq: seq}, nil
	case err != nil:
		return nil, err
	}
	var kept auditBatch
	if err := json.Unmarshal([]byte(value), &kept); err != nil {
		return nil, fmt.Errorf("read setting %s: %w", x.Key, err)
	}
	return &auditAnswer{Success: true, Written: len(kept.Events), Duplicates: kept.Duplicates, Total: len(b.Events), Seq: seq}, nil
}

// nextAudit is the setting that keeps what is new; when nothing is, one that
// changes nothing.
func (s *Server) nextAudit(b *auditBody) (plant.Setting, error) {
	snap := s.o.Plant.Snapshot()
	before, err := audits(snap)
	if err != nil {
		return plant.Setting{}, err
	}
	seen := map[string]bool{}
	next := auditBatch{Received: s.o.Now().UTC()}
	for _, old := range before {
		next.N = old.N + 1
		for _, raw := range old.Events {
			var h auditHead
			if err := json.Unmarshal(raw, &h); err == nil {
				seen[h.ID] = true
			}
		}
	}
	for i, id := range b.ids {
		if seen[id] {
			next.Duplicates++
			continue
		}
		seen[id] = true
		next.Events = append(next.Events, b.Events[i])
	}
	if len(next.Events) == 0 {
		key := auditKey(next.N - 1)
		return plant.Setting{Key: key, Value: snap.Setting(key)}, nil
	}
	return plant.Setting{Key: auditKey(next.N), Value: encode(next)}, nil
}

// report is what the box itself writes into that log about a change of the
// list. The change is durable already; a report that cannot be written is only
// told.
func (s *Server) report(c *call, kind, session string, tag plant.Tag, seq plant.Seq) {
	id := fmt.Sprintf("lista-%d", seq)
	raw := encode(map[string]any{"id": id, "session_id": session, "event_type": kind, "tag_spool": tag, "timestamp": plant.ISOTime(s.o.Now())})
	s.auditing.Lock()
	defer s.auditing.Unlock()
	x, err := s.nextAudit(&auditBody{Events: []json.RawMessage{json.RawMessage(raw)}, ids: []string{id}})
	if err == nil {
		_, err = s.o.Plant.Do(context.WithoutCancel(c.r.Context()), plant.Command{Verb: plant.Ajustar, Setting: &x, Device: c.grant.device})
	}
	if err != nil && !errors.Is(err, plant.ErrUnchanged) {
		s.o.Log.Warn("report a change of the list", "kind", kind, "tag", string(tag), "err", err)
	}
}

type auditPage struct {
	Events []json.RawMessage `json:"events"`
	Total  int               `json:"total"`
}

// auditLog lists what was reported, oldest first; since counts by arrival.
func (s *Server) auditLog(c *call) (any, error) {
	var since time.Time
	if v := c.r.URL.Query().Get("since"); v != "" {
		var ok bool
		if since, ok = parseInstant(v); !ok {
			return nil, invalid("query", "since", "value_error", "El parámetro since debe ser una fecha ISO.", v)
		}
	}
	batches, err := audits(s.o.Plant.Snapshot())
	if err != nil {
		return nil, err
	}
	out := auditPage{Events: []json.RawMessage{}}
	for _, b := range batches {
		if !b.Received.Before(since) {
			out.Events = append(out.Events, b.Events...)
		}
	}
	out.Total = len(out.Events)
	return out, nil
}
