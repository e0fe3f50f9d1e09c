package ui

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"envivo/plant"
)

// LabelKind is what the print page shows.
type LabelKind string

// The kinds of sheets, as addresses name them.
const (
	LabelSpools  LabelKind = "etiquetas"
	LabelBadges  LabelKind = "credenciales"
	LabelCommand LabelKind = "tarjetas"
)

// LabelsPerPage is how many labels one page of the preview holds: ten sheets
// of 24.
const LabelsPerPage = 240

// Labels is what somebody wants to print.
type Labels struct {
	Kind LabelKind
	// Roll prints one label a page instead of A4 sheets.
	Roll   bool
	Filter Filter
	// Tags, when there are any, stand in place of the filter.
	Tags []plant.Tag
	// From is the first label shown, from 0.
	From int
}

// ParseLabels reads the address of the print page. Unknown words fall back to
// spool labels on A4.
func ParseLabels(q url.Values) Labels {
	l := Labels{Kind: LabelSpools, Roll: q.Get("formato") == "rollo", Filter: ParseFilter("/imprimir", q)}
	if k := LabelKind(q.Get("que")); k == LabelBadges || k == LabelCommand {
		l.Kind = k
	}
	for _, t := range q["tag"] {
		l.Tags = append(l.Tags, plant.Tag(t))
	}
	if n, err := strconv.Atoi(q.Get("desde")); err == nil && n > 0 {
		l.From = n
	}
	return l
}

// Address is the page's canonical address.
func (l Labels) Address() string {
	q := url.Values{"que": {string(l.Kind)}}
	if l.Roll {
		q.Set("formato", "rollo")
	}
	for _, t := range l.Tags {
		q.Add("tag", string(t))
	}
	if l.Filter.Q != "" {
		q.Set("q", l.Filter.Q)
	}
	if l.Filter.NV != "" {
		q.Set("nv", l.Filter.NV)
	}
	if l.Filter.ByEstado {
		q.Set("estado", l.Filter.Estado.String())
	}
	if l.From > 0 {
		q.Set("desde", strconv.Itoa(l.From))
	}
	return "/imprimir?" + q.Encode()
}

func (l Labels) as(k LabelKind) Labels {
	l.Kind, l.From = k, 0
	return l
}

func (l Labels) on(roll bool) Labels {
	l.Roll = roll
	return l
}

func (l Labels) from(n int) Labels {
	l.From = n
	return l
}

// label is one card to print: Code in the QR and below it in letters.
type label struct {
	Key, Code string
	QR        symbol
	Row       *plant.Row
	Worker    *plant.Worker
	Word      string
}

// sheet is what a kind of label looks like on paper.
func (l Labels) sheet() string {
	class := "hojas " + string(l.Kind)
	if l.Roll {
		class += " rollo"
	}
	return class
}

// Sheet are the labels of one page of the preview; total counts all of them.
type LabelSheet struct {
	Labels
	Cards []label
	Total int
	// Missing are tags asked for that no spool has.
	Missing []string
}

// NewLabelSheet draws the labels that are asked for.
func NewLabelSheet(s *plant.Snapshot, l Labels) (LabelSheet, error) {
	out := LabelSheet{Labels: l}
	var all []label
	switch l.Kind {
	case LabelBadges:
		for _, w := range active(s) {
			all = append(all, label{Key: "w" + id(w.ID), Code: WorkerCode(w.ID), Worker: &w})
		}
	case LabelCommand:
		for _, word := range CardCommands {
			all = append(all, label{Key: word, Code: CommandCode(word), Word: word})
		}
	case LabelSpools:
		for _, r := range out.spools(s) {
			all = append(all, label{Key: string(r.Spool.Tag), Code: SpoolCode(r.Spool.Tag), Row: r})
		}
	}
	out.Total = len(all)
	if l.From >= out.Total {
		out.From = 0
	}
	out.Cards = slices.Clone(all[out.From:min(out.From+LabelsPerPage, out.Total)])
	for i := range out.Cards {
		var err error
		if out.Cards[i].QR, err = qrOf(out.Cards[i].Code); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (l *LabelSheet) spools(s *plant.Snapshot) []*plant.Row {
	if len(l.Tags) == 0 {
		rows, _ := l.Filter.Matching(s)
		return rows
	}
	var rows []*plant.Row
	for _, t := range l.Tags {
		if r, ok := s.Row(t); ok {
			rows = append(rows, r)
		} else {
			l.Missing = append(l.Missing, string(t))
		}
	}
	return rows
}

// Count is "12 etiquetas", and which of them are shown when not all are.
func (l LabelSheet) Count() string {
	words := map[LabelKind][2]string{LabelSpools: {"etiqueta", "etiquetas"}, LabelBadges: {"credencial", "credenciales"}, LabelCommand: {"tarjeta", "tarjetas"}}[l.Kind]
	text := Plural(l.Total, words[0], words[1])
	if len(l.Cards) < l.Total {
		text += ": se muestran de la " + Count(l.From+1) + " a la " + Count(l.From+len(l.Cards))
	}
	return text
}

// cardHint says what a command card does, below its word.
func cardHint(word string) string {
	return map[string]string{
		"TERMINAR": "lo marcado, o todo lo que falta", "PAUSAR": "queda libre para otro", "APROBADO": "inspección del spool en pantalla",
		"RECHAZADO": "abre motivo y uniones", "DESHACER": "lo último, hasta 10 s", "SALIR": "deja la tablet libre",
	}[word]
}

func cardIcon(word string) string {
	return map[string]string{"TERMINAR": "visto", "PAUSAR": "pausa", "APROBADO": "visto", "RECHAZADO": "cruz", "DESHACER": "deshacer", "SALIR": "der"}[word]
}

func missingTags(tags []string) string {
	if len(tags) == 1 {
		return "No hay ningún spool " + tags[0] + "."
	}
	return "No hay spools con estos números: " + strings.Join(tags, ", ") + "."
}
