package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func following(tag string) fields { return fields{"tag_spool": tag, "session_id": "s1"} }

func TestFollowedSpoolsAreAListOfTheirOwn(t *testing.T) {
	b := newBox(t)
	if r := b.get("/api/supervisor/list").want(t, "list", 200); strings.TrimSpace(r.Raw) != `{"items":[]}` {
		t.Errorf("the list of a new plant = %s", r.Raw)
	}
	first := b.post("/api/supervisor/list/add", following("s-1"), "Idempotency-Key", "a").want(t, "add", 200)
	item, _ := first.Body["item"].(map[string]any)
	if keys(item) != "added_at notes tag_spool updated_at" || item["tag_spool"] != "S-1" || item["added_at"] != item["updated_at"] {
		t.Errorf("add answers %s", first.Raw)
	}
	b.clock.Add(time.Minute)
	b.post("/api/supervisor/list/add", following("S-2")).want(t, "add another", 200)
	again := b.post("/api/supervisor/list/add", fields{"tag_spool": " S-1 ", "session_id": "s2", "notes": "urgente"}).want(t, "add again", 200)
	renewed, _ := again.Body["item"].(map[string]any)
	if renewed["added_at"] != item["added_at"] || renewed["updated_at"] == item["updated_at"] || renewed["notes"] != "urgente" {
		t.Errorf("add again answers %s, want the item renewed", again.Raw)
	}
	if r := b.post("/api/supervisor/list/add", following("s-1"), "Idempotency-Key", "a"); r.Raw != first.Raw {
		t.Errorf("add repeated under its key answers %s, want %s", r.Raw, first.Raw)
	}
	if got := b.get("/api/supervisor/list").items("items"); len(got) != 2 || got[0]["tag_spool"] != "S-1" || got[1]["tag_spool"] != "S-2" {
		t.Errorf("the list = %v, want S-1 and S-2 once each", got)
	}
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR of a followed spool", 200)
	gone := b.post("/api/supervisor/list/remove", following("s-1"), "Idempotency-Key", "r").want(t, "remove", 200)
	if gone.Body["removed"] != true || gone.text("tag_spool") != "S-1" || b.get("/api/occupation/status/S-1").Body["ocupado"] != true {
		t.Errorf("remove answers %s, want it removed and still held", gone.Raw)
	}
	if r := b.post("/api/supervisor/list/remove", following("s-1"), "Idempotency-Key", "r"); r.Raw != gone.Raw {
		t.Errorf("remove repeated under its key answers %s, want %s", r.Raw, gone.Raw)
	}
	if r := b.post("/api/supervisor/list/remove", following("S-9")).want(t, "remove what is not there", 200); r.Body["removed"] != false {
		t.Errorf("remove of nothing answers %s", r.Raw)
	}
	var kinds []string
	for _, e := range b.get("/api/supervisor/audit").items("events") {
		kinds = append(kinds, fmt.Sprint(e["event_type"], " ", e["tag_spool"], " ", e["session_id"]))
	}
	if got, want := strings.Join(kinds, ", "), "LIST_ADD S-1 s1, LIST_ADD S-2 s1, LIST_ADD S-1 s2, LIST_REMOVE S-1 s1"; got != want {
		t.Errorf("the audit tells %s, want %s", got, want)
	}
}

func TestTheListRefusesBlanks(t *testing.T) {
	b := newBox(t)
	for _, path := range []string{"/api/supervisor/list/add", "/api/supervisor/list/remove"} {
		for name, c := range map[string]struct {
			body   fields
			status int
		}{
			"a blank tag":        {fields{"tag_spool": "  ", "session_id": "s1"}, 400},
			"a blank session":    {fields{"tag_spool": "S-1", "session_id": ""}, 400},
			"no tag":             {fields{"session_id": "s1"}, 422},
			"no session":         {fields{"tag_spool": "S-1"}, 422},
			"a tag that is none": {fields{"tag_spool": strings.Repeat("x", 501), "session_id": "s1"}, 422},
			"a number":           {fields{"tag_spool": 5, "session_id": "s1"}, 422},
		} {
			r := b.post(path, c.body).want(t, path+" with "+name, c.status, "VALIDATION_ERROR")
			if r.text("message") == "" || c.status == 400 && r.text("detail") != r.text("message") {
				t.Errorf("%s with %s answers %s, want message and detail alike", path, name, r.Raw)
			}
		}
	}
	if r := b.get("/api/supervisor/list"); len(r.items("items")) != 0 {
		t.Errorf("refused additions are on the list: %s", r.Raw)
	}
}

func event(id, kind string) fields {
	return fields{"id": id, "session_id": "s1", "event_type": kind, "timestamp": "2026-01-05T10:00:00Z", "detalle": fields{"tag": id}}
}

func TestAuditEventsAreKeptOnceByTheirID(t *testing.T) {
	b := newBox(t)
	batch := func(key string, events ...fields) reply {
		return b.post("/api/supervisor/audit/batch", fields{"events": append([]fields{}, events...)}, "Idempotency-Key", key)
	}
	first := batch("1", event("a", "SESSION_START"), event("b", "NAVIGATE"), event("a", "SESSION_START")).want(t, "batch", 200)
	if first.num("written") != 2 || first.num("duplicates") != 1 || first.num("total") != 3 || first.num("seq") != int(b.seq()) {
		t.Errorf("batch answers %s, want 2 written of 3", first.Raw)
	}
	b.clock.Add(time.Hour)
	if r := batch("2", event("b", "NAVIGATE"), event("c", "MODAL_OPEN")); r.num("written") != 1 || r.num("duplicates") != 1 {
		t.Errorf("a batch with a known event answers %s, want 1 written", r.Raw)
	}
	before := b.seq()
	if r := batch("3", event("a", "SESSION_START")).want(t, "a batch of known events", 200); r.num("written") != 0 || b.seq() != before {
		t.Errorf("a batch of known events answers %s and commits %d events, want none", r.Raw, b.seq()-before)
	}
	if r := batch("1", event("a", "SESSION_START"), event("b", "NAVIGATE"), event("a", "SESSION_START")); r.Raw != first.Raw {
		t.Errorf("the batch repeated answers %s, want %s", r.Raw, first.Raw)
	}
	ids := func(path string) (out string) {
		for _, e := range b.get(path).want(t, path, 200).items("events") {
			out += fmt.Sprint(e["id"])
		}
		return out
	}
	if got := ids("/api/supervisor/audit"); got != "abc" {
		t.Errorf("the audit lists %q, want abc", got)
	}
	since := b.clock.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	if got := ids("/api/supervisor/audit?since=" + since); got != "c" {
		t.Errorf("the audit since the last hour lists %q, want c", got)
	}
	b.get("/api/supervisor/audit?since=ayer").want(t, "an unreadable since", 422, "VALIDATION_ERROR")
	if r := b.get("/api/events?after=0&limit=5000"); strings.Contains(r.Raw, "AJUSTE") {
		t.Error("settings are streamed")
	}
}

func TestTheSameBatchManyTimesAtOnceIsKeptOnce(t *testing.T) {
	b := newBox(t)
	var at sync.WaitGroup
	var written atomic.Int64
	for i := range 16 {
		at.Go(func() {
			r := b.post("/api/supervisor/audit/batch", fields{"events": []fields{event("same", "NAVIGATE"), event(fmt.Sprint(i), "NAVIGATE")}})
			written.Add(int64(r.num("written")))
		})
	}
	at.Wait()
	if got := b.get("/api/supervisor/audit").num("total"); got != 17 || written.Load() != 17 {
		t.Errorf("%d events are listed and %d were said to be written, want 17: the common one once and one of each", got, written.Load())
	}
}

func TestAuditBatchesHaveLimits(t *testing.T) {
	b := newBox(t)
	var many []fields
	for i := range 101 {
		many = append(many, event(fmt.Sprint(i), "NAVIGATE"))
	}
	b.post("/api/supervisor/audit/batch", fields{"events": many[:100]}).want(t, "100 events", 200)
	long := event("x", "NAVIGATE")
	long["detalle"] = strings.Repeat("x", 3000)
	for name, events := range map[string]any{
		"missing": nil, "none": []fields{}, "101": many, "a text": "x", "an event that is a number": []int{1}, "null": []any{nil}, "no id": []fields{change(event("x", "NAVIGATE"), "id", nil)},
		"no session": []fields{change(event("x", "NAVIGATE"), "session_id", " ")}, "a strange type": []fields{event("x", "PINTAR")}, "a long event": []fields{long},
	} {
		r := b.post("/api/supervisor/audit/batch", fields{"events": events}).want(t, "events: "+name, 422, "VALIDATION_ERROR")
		if len(r.items("detail")) == 0 {
			t.Errorf("events: %s: %s has no list of faults", name, r.Raw)
		}
	}
}

func TestTheAuditForgetsTheOldestBatchOnly(t *testing.T) {
	b := newBox(t)
	for i := range 257 {
		b.post("/api/supervisor/audit/batch", fields{"events": []fields{event(fmt.Sprint("e", i), "NAVIGATE")}}).want(t, "batch", 200)
	}
	got := b.get("/api/supervisor/audit").items("events")
	if len(got) != 256 || got[0]["id"] != "e1" || got[255]["id"] != "e256" {
		t.Errorf("%d events from %v, want 256 from e1", len(got), got[0]["id"])
	}
}

func TestOldListsAreKeptOnce(t *testing.T) {
	b := newBox(t)
	body := fields{"snapshot_id": "lista 1", "raw": `[{"tag":"S-1"}]`, "user_agent": "x"}
	first := b.post("/api/supervisor/legacy-snapshot", body, "Idempotency-Key", "k").want(t, "snapshot", 200)
	if first.Body["written"] != true || first.text("snapshot_id") != "lista 1" {
		t.Errorf("snapshot answers %s, want it written", first.Raw)
	}
	if r := b.post("/api/supervisor/legacy-snapshot", change(body, "raw", "[]")).want(t, "snapshot again", 200); r.Body["written"] != false {
		t.Errorf("snapshot of a known id answers %s, want written: false", r.Raw)
	}
	if r := b.post("/api/supervisor/legacy-snapshot", body, "Idempotency-Key", "k"); r.Raw != first.Raw {
		t.Errorf("snapshot under its key answers %s, want %s", r.Raw, first.Raw)
	}
	snap := b.store.Snapshot()
	var kept struct{ Raw string }
	if err := json.Unmarshal([]byte(snap.Setting(snap.Settings("lista-antigua/")[0])), &kept); err != nil || kept.Raw != body["raw"] {
		t.Errorf("kept %q, %v; want the list as it was sent", kept.Raw, err)
	}
	for name, body := range map[string]fields{"no id": change(body, "snapshot_id", nil), "a blank id": change(body, "snapshot_id", " "), "no raw": change(body, "raw", nil), "too large": change(body, "raw", strings.Repeat("x", 70000))} {
		b.post("/api/supervisor/legacy-snapshot", body).want(t, "snapshot: "+name, 422, "VALIDATION_ERROR")
	}
}

func TestOnlySharedSettingsAreEverybodys(t *testing.T) {
	b := newBox(t, enrolled)
	read, act := []string{"Authorization", "Bearer " + b.token("read")}, []string{"Authorization", "Bearer " + b.token("act")}
	b.get("/api/supervisor/list").want(t, "the list without a token", 403)
	b.get("/api/supervisor/list", read...).want(t, "the list for readers", 200)
	b.post("/api/supervisor/list/add", following("S-1"), read...).want(t, "add by a reader", 403, "NO_AUTORIZADO")
	b.post("/api/supervisor/list/add", following("S-1"), act...).want(t, "add", 200)
}
