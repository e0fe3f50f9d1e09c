package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"envivo/sheetsync/emulator"
	"envivo/sheetsync/table"
)

// demoSheet is the simulated Google Sheet of a demo: the emulator of the service
// on a port of its own, reached by the real client.
type demoSheet struct {
	emulator *emulator.Emulator
	listen   net.Listener
	http     *http.Server
}

// demoSheetPath is where the demo shows what the Sheet holds.
const demoSheetPath = "/planilla"

// openDemoSheet starts the emulator and points the settings at it.
func openDemoSheet(s *sheetFlags, dir string, now func() time.Time) (*demoSheet, error) {
	e, err := emulator.New(emulator.Options{ID: "planilla-de-muestra", Title: "Planta de muestra", Now: now})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	base := "http://" + l.Addr().String()
	key, err := e.KeyFile(base)
	path := filepath.Join(dir, "clave-de-muestra.json")
	if err == nil {
		err = os.WriteFile(path, key, 0o600)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s.ID, s.Credentials, s.Endpoint = "planilla-de-muestra", path, base
	return &demoSheet{emulator: e, listen: l,
		http: &http.Server{Handler: e, ReadHeaderTimeout: headerWithin, ErrorLog: log.New(io.Discard, "", 0)}}, nil
}

// run serves the emulator until ctx ends.
func (d *demoSheet) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = d.http.Close() }) // the demo ends, nothing is lost
	defer stop()
	return served(d.http.Serve(d.listen))
}

// fill puts worksheets into the Sheet as the office would have them.
func (d *demoSheet) fill(b table.Book) {
	for _, s := range b.Sheets {
		rows := make([][]any, len(s.Rows))
		for i, line := range s.Rows {
			rows[i] = make([]any, len(line))
			for k, c := range line {
				rows[i][k] = typed(c)
			}
		}
		d.emulator.Book().Fill(s.Name, rows)
	}
}

// typed is a cell with the format people give it.
func typed(c table.Cell) any {
	out := emulator.Cell{Kind: emulator.Number, Num: c.Num}
	switch {
	case c.Kind != table.Number:
		return table.Value(c)
	case c.Style == table.Day:
		out.Format, out.Pattern = emulator.DateFormat, "dd-mm-yyyy"
	case c.Style == table.Instant:
		out.Format, out.Pattern = emulator.DateTimeFormat, "dd-mm-yyyy hh:mm:ss"
	case c.Style == table.Decimal:
		out.Format, out.Pattern = emulator.NumberFormat, "0.00"
	}
	return out
}

// under shows the Sheet's page below the demo's own address.
func (d *demoSheet) under(next http.Handler) http.Handler {
	page := d.emulator.Page()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == demoSheetPath {
			page.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ready is what a demo says about its Sheet.
func (d *demoSheet) ready() string {
	if d == nil {
		return ""
	}
	return fmt.Sprintf("Planilla de Google simulada: página %s; intercambio en /sync\n", demoSheetPath)
}
