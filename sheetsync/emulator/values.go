package emulator

import (
	"encoding/json"
	"fmt"
	"net/url"
)

// maxText is how many characters a cell may hold.
const maxText = 50_000

// valueRange is a block of values as it travels.
type valueRange struct {
	Range          string  `json:"range"`
	MajorDimension string  `json:"majorDimension,omitempty"`
	Values         [][]any `json:"values,omitempty"`
}

// batchAnswer is the answer of values.batchGet.
type batchAnswer struct {
	SpreadsheetID string        `json:"spreadsheetId"`
	ValueRanges   []*valueRange `json:"valueRanges"`
}

// updateAnswer is the answer to one written range.
type updateAnswer struct {
	SpreadsheetID  string `json:"spreadsheetId"`
	UpdatedRange   string `json:"updatedRange,omitempty"`
	UpdatedRows    int    `json:"updatedRows,omitempty"`
	UpdatedColumns int    `json:"updatedColumns,omitempty"`
	UpdatedCells   int    `json:"updatedCells,omitempty"`
}

// view is how values are to be read.
type view struct {
	render  string
	dates   string
	columns bool
}

func viewOf(q url.Values) (view, error) {
	v := view{render: q.Get("valueRenderOption"), dates: q.Get("dateTimeRenderOption")}
	switch v.render {
	case "":
		v.render = "FORMATTED_VALUE"
	case "FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA":
	default:
		return v, invalid("Invalid value at 'value_render_option': %q", v.render)
	}
	switch v.dates {
	case "":
		v.dates = "SERIAL_NUMBER"
	case "SERIAL_NUMBER", "FORMATTED_STRING":
	default:
		return v, invalid("Invalid value at 'date_time_render_option': %q", v.dates)
	}
	columns, err := byColumns(q.Get("majorDimension"))
	v.columns = columns
	return v, err
}

func byColumns(dimension string) (bool, error) {
	switch dimension {
	case "", "ROWS", "DIMENSION_UNSPECIFIED":
		return false, nil
	case "COLUMNS":
		return true, nil
	}
	return false, invalid("Invalid value at 'major_dimension': %q", dimension)
}

// of is the value of a cell as this view shows it.
func (v view) of(c Cell) any {
	switch {
	case v.render == "FORMULA" && c.Formula != "":
		return c.Formula
	case v.render == "FORMATTED_VALUE":
		return c.Shown()
	case c.Kind == Number && v.dates == "FORMATTED_STRING" &&
		(c.Format == DateFormat || c.Format == DateTimeFormat || c.Format == TimeFormat):
		return c.Shown()
	case c.Kind == Empty:
		return ""
	}
	return c.Native()
}

// locate is the sheet and area of a range as a request names it.
func (b *Book) locate(text string) (*sheet, area, error) {
	a, err := parseA1(text)
	if err != nil {
		return nil, a, err
	}
	if a.sheet == "" {
		return b.sheets[0], a, nil
	}
	s := b.sheet(a.sheet)
	if s == nil {
		return nil, a, parseError(text)
	}
	return s, a, nil
}

// read is one range; trailing empty cells and rows are left out.
func (b *Book) read(text string, v view) (*valueRange, error) {
	s, a, err := b.locate(text)
	if err != nil {
		return nil, err
	}
	if a, err = a.fit(s); err != nil {
		return nil, err
	}
	out := &valueRange{Range: a.String(), MajorDimension: "ROWS"}
	outer, inner := [2]int{a.row0, a.row1}, [2]int{a.col0, a.col1}
	if v.columns {
		out.MajorDimension = "COLUMNS"
		outer, inner = inner, outer
	} else {
		outer[1] = max(outer[0], min(outer[1], len(s.rows)))
	}
	last := 0
	for i := outer[0]; i < outer[1]; i++ {
		line := b.line(s, v, i, inner)
		out.Values = append(out.Values, line)
		if len(line) > 0 {
			last = len(out.Values)
		}
	}
	out.Values = out.Values[:last]
	return out, nil
}

// line is one row, or one column, of a read.
func (b *Book) line(s *sheet, v view, i int, inner [2]int) []any {
	line, last := []any{}, 0
	for k := inner[0]; k < inner[1]; k++ {
		row, col := i, k
		if v.columns {
			row, col = k, i
		}
		c := b.shown(s, row, col)
		line = append(line, v.of(c))
		if !c.blank() {
			last = len(line)
		}
	}
	return line[:last]
}

func (b *Book) getValues(text string, q url.Values) (any, error) {
	v, err := viewOf(q)
	if err != nil {
		return nil, err
	}
	return b.read(text, v)
}

func (b *Book) batchGet(q url.Values) (any, error) {
	v, err := viewOf(q)
	if err != nil {
		return nil, err
	}
	out := &batchAnswer{SpreadsheetID: b.id}
	for _, text := range q["ranges"] {
		r, err := b.read(text, v)
		if err != nil {
			return nil, err
		}
		out.ValueRanges = append(out.ValueRanges, r)
	}
	return out, nil
}

// write is one checked range, ready to be applied.
type write struct {
	sheet   *sheet
	area    area
	values  [][]any
	columns bool
	typed   bool // parsed like the keyboard
}

// plan checks one range and its values; nothing is changed yet.
func (b *Book) plan(r *valueRange, option string) (*write, error) {
	w := &write{values: r.Values}
	switch option {
	case "RAW":
	case "USER_ENTERED":
		w.typed = true
	default:
		return nil, invalid("'valueInputOption' is required but not specified")
	}
	columns, err := byColumns(r.MajorDimension)
	if err != nil {
		return nil, err
	}
	s, a, err := b.locate(r.Range)
	if err != nil {
		return nil, err
	}
	rows, cols := len(r.Values), 0
	for i, line := range r.Values {
		cols = max(cols, len(line))
		for k, v := range line {
			if err := checkValue(v); err != nil {
				return nil, in(fmt.Sprintf("values[%d][%d]", i, k), err)
			}
		}
	}
	if columns {
		rows, cols = cols, rows
	}
	w.sheet, w.columns = s, columns
	w.area, err = a.hold(s, rows, cols)
	return w, err
}

func checkValue(v any) error {
	switch v := v.(type) {
	case nil, bool, float64:
		return nil
	case string:
		if len(v) > maxText && len([]rune(v)) > maxText {
			return invalid("Your input contains more than the maximum of %d characters in a single cell.", maxText)
		}
		return nil
	case []any:
		return invalid("list_value")
	}
	return invalid("struct_value")
}

// apply writes the values: null leaves a cell alone, "" empties it, formats stay.
func (b *Book) apply(w *write, year int) updateAnswer {
	out := updateAnswer{SpreadsheetID: b.id}
	rows, cols := map[int]bool{}, map[int]bool{}
	b.changes++
	for i, line := range w.values {
		for k, v := range line {
			if v == nil {
				continue
			}
			row, col := w.area.row0+i, w.area.col0+k
			if w.columns {
				row, col = w.area.row0+k, w.area.col0+i
			}
			c := w.sheet.at(row, col)
			if text, ok := v.(string); ok && w.typed {
				c = enter(c, text, year)
			} else {
				c = c.value(cellOf(v))
			}
			w.sheet.set(row, col, c)
			rows[row], cols[col] = true, true
			out.UpdatedCells++
		}
	}
	out.UpdatedRange = w.area.String()
	out.UpdatedRows, out.UpdatedColumns = len(rows), len(cols)
	return out
}

func (b *Book) update(text string, q url.Values, body []byte) (any, error) {
	var r valueRange
	if err := decode(body, &r); err != nil {
		return nil, err
	}
	if r.Range == "" {
		r.Range = text
	}
	if r.Range != text {
		return nil, invalid("Requested writing within range [%s], but the request body names [%s]", text, r.Range)
	}
	w, err := b.plan(&r, q.Get("valueInputOption"))
	if err != nil {
		return nil, err
	}
	return b.apply(w, b.e.now().Year()), nil
}

// batchWrite writes all ranges or, if any of them is wrong, none.
func (b *Book) batchWrite(body []byte) (any, error) {
	var in batchWriteRequest
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	writes, err := b.planAll(&in)
	if err != nil {
		return nil, err
	}
	type totals struct {
		SpreadsheetID       string         `json:"spreadsheetId"`
		TotalUpdatedRows    int            `json:"totalUpdatedRows"`
		TotalUpdatedColumns int            `json:"totalUpdatedColumns"`
		TotalUpdatedCells   int            `json:"totalUpdatedCells"`
		TotalUpdatedSheets  int            `json:"totalUpdatedSheets"`
		Responses           []updateAnswer `json:"responses"`
	}
	out := totals{SpreadsheetID: b.id}
	sheets := map[*sheet]bool{}
	for _, w := range writes {
		a := b.apply(w, b.e.now().Year())
		out.TotalUpdatedRows += a.UpdatedRows
		out.TotalUpdatedColumns += a.UpdatedColumns
		out.TotalUpdatedCells += a.UpdatedCells
		out.Responses = append(out.Responses, a)
		sheets[w.sheet] = true
	}
	out.TotalUpdatedSheets = len(sheets)
	return out, nil
}

type batchWriteRequest struct {
	ValueInputOption string        `json:"valueInputOption"`
	Data             []*valueRange `json:"data"`
}

func (b *Book) planAll(req *batchWriteRequest) ([]*write, error) {
	var writes []*write
	for i, r := range req.Data {
		part := fmt.Sprintf("data[%d]", i)
		if r == nil {
			return nil, invalid("Invalid %s: empty", part)
		}
		w, err := b.plan(r, req.ValueInputOption)
		if err != nil {
			return nil, in(part, err)
		}
		writes = append(writes, w)
	}
	return writes, nil
}

// clearRanges empties cells and keeps their formats.
func (b *Book) clearRanges(texts []string) ([]string, error) {
	sheets, areas := make([]*sheet, len(texts)), make([]area, len(texts))
	var cleared []string
	for i, text := range texts {
		s, a, err := b.locate(text)
		if err != nil {
			return nil, err
		}
		if a, err = a.fit(s); err != nil {
			return nil, err
		}
		sheets[i], areas[i] = s, a
		cleared = append(cleared, a.String())
	}
	b.changes++
	for i, a := range areas {
		each(sheets[i], a, func(c Cell) Cell { return c.value(Cell{}) })
	}
	return cleared, nil
}

// each changes the cells of an area.
func each(s *sheet, a area, change func(Cell) Cell) {
	for r := a.row0; r < a.row1; r++ {
		for c := a.col0; c < a.col1; c++ {
			s.set(r, c, change(s.at(r, c)))
		}
	}
}

func (b *Book) clear(text string) (any, error) {
	cleared, err := b.clearRanges([]string{text})
	if err != nil {
		return nil, err
	}
	return map[string]any{"spreadsheetId": b.id, "clearedRange": cleared[0]}, nil
}

func (b *Book) batchClear(body []byte) (any, error) {
	var req struct {
		Ranges []string `json:"ranges"`
	}
	if err := decode(body, &req); err != nil {
		return nil, err
	}
	cleared, err := b.clearRanges(req.Ranges)
	if err != nil {
		return nil, err
	}
	return map[string]any{"spreadsheetId": b.id, "clearedRanges": cleared}, nil
}

// decode reads the JSON of a request.
func decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return invalid("Invalid JSON payload received. %v", err)
	}
	return nil
}
