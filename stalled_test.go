package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"envivo/api"
	"envivo/plant"
	"envivo/store"
)

// TestAStalledDiskIsAnsweredInTime: who gave a command to a disk that did not come
// back waited until the deadline of the connection, and then was cut off without a
// word. Now the client is told in time that nobody knows, and the key tells
// afterwards.
func TestAStalledDiskIsAnsweredInTime(t *testing.T) {
	stalled, release := make(chan bool, 8), make(chan bool)
	rules, o := engine(plant.DefaultRules(), time.Now, slog.New(slog.DiscardHandler))
	o.Faults = &store.Faults{}
	st, err := store.Open(filepath.Join(t.TempDir(), store.FileName), o)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	back := sync.OnceFunc(func() { close(release) })
	defer back()
	for _, c := range []plant.Command{
		{Verb: plant.Importar, Import: &plant.Import{Worker: &plant.Worker{ID: 12, Nombre: "Ana", Apellido: "Bravo", Roles: plant.Armador, Activo: true}}},
		{Verb: plant.Importar, Import: &plant.Import{Spool: &plant.Spool{Tag: "S-1", Order: 1, Office: plant.Office{NV: "1", Materiales: plant.NewDate(2026, 1, 5)}}}},
	} {
		if _, err := st.Do(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	o.Faults.Commit = func(commit func() error) error {
		stalled <- true
		<-release
		return commit()
	}
	server, err := api.New(api.Options{Plant: prompt{st, 300 * time.Millisecond}, Permitted: permitted(rules), Now: time.Now, NewUUID: uuid.NewString, Random: rand.Reader,
		Log: slog.New(slog.DiscardHandler), Open: true, Env: "prueba"})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(deadlines(server, time.Now))
	defer s.Close()
	tomar := func() (int, map[string]any) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/occupation/tomar", strings.NewReader(`{"tag_spool":"S-1","worker_id":12,"operacion":"ARM"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Idempotency-Key", "uno")
		resp, err := s.Client().Do(req)
		if err != nil {
			t.Fatalf("the client is told nothing: %v", err)
		}
		defer resp.Body.Close()
		var body map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
			t.Fatalf("the answer is cut: %v", err)
		}
		return resp.StatusCode, body
	}
	status, body := tomar()
	<-stalled
	if status != 503 || body["error"] != "SHEETS_UPDATE_ERROR" {
		t.Errorf("on a stalled disk: %d %v, want 503 and that nobody knows", status, body)
	}
	back()
	if left := answerWithin - bodyWithin - commandWithin; left < 10*time.Second {
		t.Errorf("a slow body and a stalled disk leave %v for the answer", left)
	}
	if status, body = tomar(); status != 200 || st.Snapshot().Seq != 3 {
		t.Errorf("the same key once the disk is back: %d %v, %d events, want 200 and 3", status, body, st.Snapshot().Seq)
	}
}
