package emulator

import (
	"html/template"
	"net/http"
	"strconv"
)

// pageRows is how many rows the page shows at once.
const pageRows = 100

// pageView is what the page is made of.
type pageView struct {
	Title, Sheet   string
	Sheets         []string
	Columns        []string
	Rows           []pageRow
	First, Last    int
	Height, Width  int
	Previous, Next int // the first row of that page; 0 = none
	Calls          Minute
}

type pageRow struct {
	N     int
	Cells []pageCell
}

type pageCell struct {
	Text, Formula string
	Number        bool
}

var pageTemplate = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="es">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}} – {{.Sheet}}</title>
<style>
body{font:14px system-ui,sans-serif;margin:1rem;color:#1b1b1b;background:#fff}
nav a{display:inline-block;padding:.5rem .75rem;color:#0b4f8a}
nav a[aria-current]{font-weight:700;color:#1b1b1b}
div{overflow:auto;max-height:80vh}
table{border-collapse:collapse}
th,td{border:1px solid #b9b9b9;padding:.15rem .4rem;white-space:pre-line;vertical-align:top}
thead th,tbody th{background:#eee;font-weight:400;position:sticky}
thead th{top:0}
td.n{text-align:right}
</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p>Planilla simulada, solo lectura. Último minuto con llamadas: {{.Calls.Reads}} lecturas, {{.Calls.Writes}} escrituras.</p>
<nav aria-label="Hojas">{{range .Sheets}}<a href="?hoja={{.}}"{{if eq . $.Sheet}} aria-current="page"{{end}}>{{.}}</a>{{end}}</nav>
{{if .Sheet}}<p>{{.Sheet}}: filas {{.First}} a {{.Last}} de {{.Height}}, {{.Width}} columnas.
{{if .Previous}}<a href="?hoja={{.Sheet}}&amp;desde={{.Previous}}">Anteriores</a>{{end}}
{{if .Next}}<a href="?hoja={{.Sheet}}&amp;desde={{.Next}}">Siguientes</a>{{end}}</p>
<div tabindex="0"><table>
<thead><tr><th></th>{{range .Columns}}<th scope="col">{{.}}</th>{{end}}</tr></thead>
<tbody>{{range .Rows}}
<tr><th scope="row">{{.N}}</th>{{range .Cells}}<td{{if .Number}} class="n"{{end}}{{if .Formula}} title="{{.Formula}}"{{end}}>{{.Text}}</td>{{end}}</tr>{{end}}
</tbody></table></div>{{end}}
</body>
</html>
`))

// Page shows the first spreadsheet as it stands, a hundred rows at a time, to
// anybody who can reach it. Query: hoja names the sheet, desde the first row.
func (e *Emulator) Page() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, err := strconv.Atoi(r.FormValue("desde"))
		if err != nil || first < 1 {
			first = 1
		}
		v, ok := e.main.page(r.FormValue("hoja"), first)
		if !ok {
			http.Error(w, "No existe esa hoja.", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_ = pageTemplate.Execute(w, v) // the reader is gone if this fails
	})
}

// page is the view of one sheet; the first sheet if title is empty.
func (b *Book) page(title string, first int) (pageView, bool) {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	v := pageView{Title: b.title}
	if n := len(b.e.minutes); n > 0 {
		v.Calls = b.e.minutes[n-1]
	}
	for _, s := range b.sheets {
		v.Sheets = append(v.Sheets, s.title)
	}
	if title == "" && len(b.sheets) == 0 {
		return v, true
	}
	if title == "" {
		title = b.sheets[0].title
	}
	s := b.sheet(title)
	if s == nil {
		return v, false
	}
	first = min(first, s.height)
	v.Sheet, v.Height, v.Width = s.title, s.height, s.width
	v.First, v.Last = first, min(first+pageRows-1, s.height)
	if first > 1 {
		v.Previous = max(1, first-pageRows)
	}
	if v.Last < s.height {
		v.Next = v.Last + 1
	}
	for c := range s.width {
		v.Columns = append(v.Columns, Column(c))
	}
	for n := v.First; n <= v.Last; n++ {
		row := pageRow{N: n}
		for c := range s.width {
			cell := b.shown(s, n-1, c)
			row.Cells = append(row.Cells, pageCell{Text: cell.Shown(), Formula: cell.Formula, Number: cell.Kind == Number})
		}
		v.Rows = append(v.Rows, row)
	}
	return v, true
}
