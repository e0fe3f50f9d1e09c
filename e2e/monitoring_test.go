package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var metricName = regexp.MustCompile(`\b(?:envivo|process|go)_[a-z0-9_]+`)

// named are the metrics that expressions mention, each once.
func named(exprs []string) []string {
	var out []string
	for _, e := range exprs {
		out = append(out, metricName.FindAllString(e, -1)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// balanced reports whether every bracket of an expression is closed in order.
func balanced(e string) bool {
	var open []rune
	pair := map[rune]rune{')': '(', ']': '[', '}': '{'}
	for _, c := range e {
		switch c {
		case '(', '[', '{':
			open = append(open, c)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != pair[c] {
				return false
			}
			open = open[:len(open)-1]
		}
	}
	return len(open) == 0
}

// TestMonitoringFilesNameMetricsThatExist reads the dashboard and the alert
// rules as they are handed out, and scrapes the built binary: a metric that was
// renamed makes a dashboard silently empty.
func TestMonitoringFilesNameMetricsThatExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "monitoring", "grafana.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatalf("the dashboard is no JSON: %v", err)
	}
	var exprs []string
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			exprs = append(exprs, target.Expr)
		}
	}
	rules, err := os.ReadFile(filepath.Join(root, "docs", "monitoring", "alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	alerts := regexp.MustCompile(`(?m)^ {8}expr: '([^'\n]+)'$`).FindAllStringSubmatch(string(rules), -1)
	if len(alerts) != strings.Count(string(rules), "- alert: ") || len(alerts) < 5 {
		t.Errorf("%d expressions for %d alerts", len(alerts), strings.Count(string(rules), "- alert: "))
	}
	for _, a := range alerts {
		exprs = append(exprs, a[1])
	}
	for _, e := range exprs {
		if !balanced(e) {
			t.Errorf("the brackets of %s do not match", e)
		}
	}
	s := serve(t, newPlant(t, 3, 0))
	s.post("/api/occupation/tomar", take("SIN-MATERIAL-001", fitterA, "ARM")) // so that there is a refusal to count
	s.post("/api/occupation/tomar", take(spoolTag(1), fitterA, "ARM")).want(t, "TOMAR", 200)
	if err := os.MkdirAll(filepath.Join(s.data, "backups"), 0o700); err != nil {
		t.Fatal(err)
	}
	envivo(t, "backup", "--data", s.data, "--out", filepath.Join(s.data, "backups", "plant-20260101T000000Z.db"))
	scrape := s.get("/metrics").Raw
	all := named(exprs)
	if len(all) < 20 {
		t.Fatalf("only %v are named; the test would prove nothing", all)
	}
	for _, name := range all {
		if !regexp.MustCompile(`(?m)^` + name + `[{ ]`).MatchString(scrape) {
			t.Errorf("%s is named and not measured", name)
		}
	}
}

// TestAFaultIsFoundFromTheExportAlone plants one: a fitter says that a spool
// cannot be taken. Whoever has only the exported file sees who, what, which
// device, when, why and under which trace; and no secret.
func TestAFaultIsFoundFromTheExportAlone(t *testing.T) {
	data := newPlant(t, 3, 0)
	s := serve(t, data)
	admin := strings.Fields(envivo(t, "token", "new", "--data", data, "--name", "oficina", "--scope", "admin"))[0]
	s.post("/api/occupation/tomar", take("SIN-MATERIAL-001", fitterA, "ARM")).want(t, "TOMAR without material", 400)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/admin/diagnostico", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+admin)
	r, err := do(req)
	if err != nil || r.Status != http.StatusOK {
		t.Fatalf("the export = %d, %v", r.Status, err)
	}
	z, err := zip.NewReader(bytes.NewReader([]byte(r.Raw)), int64(len(r.Raw)))
	if err != nil {
		t.Fatalf("the export is no zip: %v", err)
	}
	parts := map[string]string{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		parts[f.Name] = string(text)
		for _, secret := range []string{admin, "argon2id"} {
			if strings.Contains(parts[f.Name], secret) {
				t.Errorf("%s holds a secret", f.Name)
			}
		}
	}
	for name, want := range map[string]string{"version.txt": "schema", "equipo.json": `"epoch"`, "config.txt": data, "health.txt": "Disco", "metrics.txt": "envivo_store_seq", "log.txt": "refused", "eventos.jsonl": "", "actos.jsonl": ""} {
		if text, ok := parts[name]; !ok || !strings.Contains(text, want) {
			t.Errorf("%s lacks %q: %.200s", name, want, text)
		}
	}
	var line struct {
		Code, Why, Verb, Tag, Device, Trace string
		Worker                              int
	}
	if err := json.Unmarshal([]byte(strings.TrimSpace(parts["rechazos.jsonl"])), &line); err != nil {
		t.Fatalf("the refusals: %v in %q", err, parts["rechazos.jsonl"])
	}
	if line.Code != "DEPENDENCIAS_NO_SATISFECHAS" || line.Why != "Fecha_Materiales" || line.Verb != "TOMAR" || line.Tag != "SIN-MATERIAL-001" || line.Worker != fitterA || line.Device == "" || line.Trace == "" {
		t.Errorf("the planted fault reads %+v", line)
	}
}
