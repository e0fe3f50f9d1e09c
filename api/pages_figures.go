package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"envivo/plant"
	"envivo/ui"
)

const (
	figuresPath = "/cifras"
	momentPath  = "/momento"
)

func (p *pages) liveFigures(view string) (Page, error) {
	if view != figuresPath {
		return nil, fmt.Errorf("view %q: its name is %q", view, figuresPath)
	}
	return func(s *plant.Snapshot, now time.Time) ([]ui.Region, error) {
		log, err := p.chronicle.figures(context.Background(), p.plant, s, plant.DateOf(now))
		if err != nil {
			return nil, err
		}
		return ui.Figures(s, log, now)
	}, nil
}

// cifras are the figures people act on.
func (p *pages) cifras(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, "Cifras", figuresPath, func(f ui.Frame) templ.Component {
		f.Wide = true
		snap := p.plant.Snapshot()
		return ui.FiguresPage(f, ui.GoalForm{ARM: int(ui.Goal(snap, plant.ARM) / 100), SOLD: int(ui.Goal(snap, plant.SOLD) / 100)})
	})
}

// meta sets the day's goals; only the supervisor does.
func (p *pages) meta(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, "arm", "sold")
	if err != nil {
		return p.rejected(w, r, err)
	}
	if !p.supervisor(r) {
		http.Redirect(w, r, "/entrar?volver="+url.QueryEscape(figuresPath), http.StatusSeeOther)
		return nil
	}
	for name, op := range map[string]plant.Op{"arm": plant.ARM, "sold": plant.SOLD} {
		text := strings.TrimSpace(form.Get(name))
		if n, err := strconv.Atoi(text); text != "" && (err != nil || n < 0 || n > ui.MaxGoal) {
			return p.rejected(w, r, fmt.Errorf("the goal of %s is %q", op, text))
		} else if n == 0 {
			text = ""
		}
		key := ui.SettingGoal + op.String()
		if p.plant.Snapshot().Setting(key) == text {
			continue
		}
		c := plant.Command{ID: plant.CommandID(p.newID()), Verb: plant.Ajustar, Supervisor: true, Device: p.device(r), Setting: &plant.Setting{Key: key, Value: text}}
		if _, err := p.plant.Do(r.Context(), c); err != nil {
			return fmt.Errorf("store the goal of %s: %w", op, err)
		}
	}
	http.Redirect(w, r, figuresPath, http.StatusSeeOther)
	return nil
}

// momentForm is how an address names a moment in the plant.
const momentForm = "2006-01-02T15:04"

func momentView(t time.Time) string {
	return momentPath + "?t=" + url.QueryEscape(t.In(plant.Zone()).Format(momentForm))
}

// parseMoment reads a moment of the plant, to the minute.
func parseMoment(s string) (time.Time, bool) {
	t, err := time.ParseInLocation(momentForm, s, plant.Zone())
	return t, err == nil && t.Year() > 2000 && t.Year() < 2200
}

func (p *pages) liveMoment(q url.Values, view string) (Page, error) {
	t, ok := parseMoment(q.Get("t"))
	if !ok || momentView(t) != view {
		return nil, fmt.Errorf("view %q: there is no such moment", view)
	}
	return func(s *plant.Snapshot, now time.Time) ([]ui.Region, error) {
		stints, err := p.chronicle.at(context.Background(), p.plant, s, t)
		if err != nil {
			return nil, err
		}
		return ui.Moment(s, stints, t)
	}, nil
}

// momento is the time machine: who had what at a moment. Without one it starts
// an hour ago.
func (p *pages) momento(w http.ResponseWriter, r *http.Request) error {
	text := r.URL.Query().Get("t")
	t, ok := parseMoment(text)
	now := p.now()
	if text == "" {
		http.Redirect(w, r, momentView(now.Add(-time.Hour)), http.StatusSeeOther)
		return nil
	}
	if !ok {
		return p.gone(w, r, "Ese momento no se entiende. Ejemplo: 2026-05-12T10:30.")
	}
	return p.show(w, r, "Quién tenía qué", momentView(t), func(f ui.Frame) templ.Component {
		f.Wide = true
		return ui.MomentPage(f, t)
	})
}
