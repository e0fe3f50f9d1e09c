package emulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// grid is the size of a worksheet as it travels.
type grid struct {
	RowCount       *int `json:"rowCount,omitempty"`
	ColumnCount    *int `json:"columnCount,omitempty"`
	FrozenRowCount *int `json:"frozenRowCount,omitempty"`
}

// properties are a worksheet as it travels.
type properties struct {
	SheetID        *int64  `json:"sheetId,omitempty"`
	Title          *string `json:"title,omitempty"`
	Index          *int    `json:"index,omitempty"`
	SheetType      string  `json:"sheetType,omitempty"`
	GridProperties *grid   `json:"gridProperties,omitempty"`
}

func (b *Book) properties(s *sheet) properties {
	index := slices.Index(b.sheets, s)
	p := properties{SheetID: &s.id, Title: &s.title, Index: &index, SheetType: "GRID",
		GridProperties: &grid{RowCount: &s.height, ColumnCount: &s.width}}
	if s.frozen > 0 {
		p.GridProperties.FrozenRowCount = &s.frozen
	}
	return p
}

// get answers spreadsheets.get. Cell contents are read with the values calls.
func (b *Book) get() any {
	type sheetAnswer struct {
		Properties properties `json:"properties"`
	}
	var list []sheetAnswer
	for _, s := range b.sheets {
		list = append(list, sheetAnswer{b.properties(s)})
	}
	return map[string]any{
		"spreadsheetId": b.id,
		"properties": map[string]any{"title": b.title, "locale": "es_CL", "timeZone": "America/Santiago",
			"autoRecalc": "ON_CHANGE"},
		"sheets":            list,
		"developerMetadata": b.metadata,
		"spreadsheetUrl":    "https://docs.google.com/spreadsheets/d/" + b.id + "/edit",
	}
}

// gridRange is an area as it travels in structure requests.
type gridRange struct {
	SheetID          int64 `json:"sheetId"`
	StartRowIndex    int   `json:"startRowIndex"`
	EndRowIndex      *int  `json:"endRowIndex"`
	StartColumnIndex int   `json:"startColumnIndex"`
	EndColumnIndex   *int  `json:"endColumnIndex"`
}

func (b *Book) area(r gridRange) (*sheet, area, error) {
	s := b.byID(r.SheetID)
	if s == nil {
		return nil, area{}, noSheet(r.SheetID)
	}
	a := area{row0: r.StartRowIndex, col0: r.StartColumnIndex, row1: open, col1: open}
	if r.EndRowIndex != nil {
		a.row1 = *r.EndRowIndex
	}
	if r.EndColumnIndex != nil {
		a.col1 = *r.EndColumnIndex
	}
	if a.row0 < 0 || a.col0 < 0 || a.row1 != open && a.row1 <= a.row0 || a.col1 != open && a.col1 <= a.col0 {
		return nil, a, invalid("GridRange is empty or negative")
	}
	a, err := a.fit(s)
	return s, a, err
}

func noSheet(id int64) error { return invalid("No sheet with id: %d", id) }

// dimensionRange is a block of rows or columns as it travels.
type dimensionRange struct {
	SheetID    int64  `json:"sheetId"`
	Dimension  string `json:"dimension"`
	StartIndex int    `json:"startIndex"`
	EndIndex   *int   `json:"endIndex"`
}

// block is a checked dimensionRange.
type block struct {
	sheet      *sheet
	d          dimension
	start, end int
	size       int // of the grid that way
}

func (b *Book) block(r dimensionRange) (block, error) {
	s := b.byID(r.SheetID)
	if s == nil {
		return block{}, noSheet(r.SheetID)
	}
	k := block{sheet: s, start: r.StartIndex}
	switch r.Dimension {
	case "ROWS":
		k.d, k.size = byRow, s.height
	case "COLUMNS":
		k.d, k.size = byColumn, s.width
	default:
		return k, invalid("No dimension specified.")
	}
	k.end = k.size
	if r.EndIndex != nil {
		k.end = *r.EndIndex
	}
	if k.start < 0 || k.end <= k.start {
		return k, invalid("range: startIndex %d must be less than endIndex %d", k.start, k.end)
	}
	return k, nil
}

// change is one kind of request of spreadsheets.batchUpdate.
type change func(b *Book, raw json.RawMessage) (reply any, err error)

// changes are the requests the emulator knows.
func changes() map[string]change {
	return map[string]change{
		"addSheet":              (*Book).addSheet,
		"deleteSheet":           (*Book).deleteSheet,
		"duplicateSheet":        (*Book).duplicateSheet,
		"updateSheetProperties": (*Book).updateProperties,
		"appendDimension":       (*Book).appendDimension,
		"insertDimension":       (*Book).insertDimension,
		"deleteDimension":       (*Book).deleteDimension,
		"moveDimension":         (*Book).moveDimension,
		"sortRange":             (*Book).sortRange,
		"repeatCell":            (*Book).repeatCell,
		"updateCells":           (*Book).updateCells,

		"createDeveloperMetadata": (*Book).createMetadata,
		"updateDeveloperMetadata": (*Book).updateMetadata,
	}
}

// batchUpdate applies the requests in order, all or none.
func (b *Book) batchUpdate(body []byte) (any, error) {
	var req struct {
		Requests []map[string]json.RawMessage `json:"requests"`
	}
	if err := decode(body, &req); err != nil {
		return nil, err
	}
	if len(req.Requests) == 0 {
		return nil, invalid("Must specify at least one request.")
	}
	saved, lastID, kept := make([]*sheet, len(b.sheets)), b.lastID, slices.Clone(b.metadata)
	for i, s := range b.sheets {
		saved[i] = s.clone()
	}
	known, replies := changes(), []any{}
	for i, r := range req.Requests {
		names := slices.Sorted(maps.Keys(r))
		if len(names) != 1 || known[names[0]] == nil {
			b.remake(saved, lastID)
			b.metadata = kept
			return nil, invalid("Invalid JSON payload received. Unknown name %q at 'requests[%d]': Cannot find field.",
				strings.Join(names, ","), i)
		}
		reply, err := known[names[0]](b, r[names[0]])
		if err == nil && b.cells() > maxCells {
			err = errCells
		}
		if err != nil {
			b.remake(saved, lastID)
			b.metadata = kept
			return nil, in(fmt.Sprintf("requests[%d].%s", i, names[0]), err)
		}
		if reply == nil {
			reply = struct{}{}
		} else {
			reply = map[string]any{names[0]: reply}
		}
		replies = append(replies, reply)
	}
	b.changes++
	return map[string]any{"spreadsheetId": b.id, "replies": replies}, nil
}

// fresh is a new sheet with the next free title and identifier, unless asked for.
func (b *Book) fresh(p properties) (*sheet, error) {
	title := fmt.Sprintf("Hoja %d", len(b.sheets)+1)
	if p.Title != nil && *p.Title != "" {
		title = *p.Title
	}
	if b.sheet(title) != nil {
		return nil, invalid("A sheet with the name %q already exists. Please enter another name.", title)
	}
	id := b.freeID()
	if p.SheetID != nil {
		if b.byID(*p.SheetID) != nil {
			return nil, invalid("Sheet with id %d already exists.", *p.SheetID)
		}
		id = *p.SheetID
	}
	return &sheet{id: id, title: title, height: 1000, width: 26}, nil
}

func (b *Book) freeID() int64 {
	for b.byID(b.lastID) != nil {
		b.lastID++
	}
	return b.lastID
}

// place puts a sheet where its properties say, else last.
func (b *Book) place(s *sheet, index *int) {
	at := len(b.sheets)
	if index != nil {
		at = min(max(*index, 0), at)
	}
	b.sheets = slices.Insert(b.sheets, at, s)
}

func (b *Book) addSheet(raw json.RawMessage) (any, error) {
	var req struct {
		Properties properties `json:"properties"`
	}
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	s, err := b.fresh(req.Properties)
	if err != nil {
		return nil, err
	}
	if g := req.Properties.GridProperties; g != nil {
		if err := resized(s, g); err != nil {
			return nil, err
		}
	}
	b.place(s, req.Properties.Index)
	return map[string]any{"properties": b.properties(s)}, nil
}

// resized applies grid properties to a sheet.
func resized(s *sheet, g *grid) error {
	height, width := s.height, s.width
	if g.RowCount != nil {
		height = *g.RowCount
	}
	if g.ColumnCount != nil {
		width = *g.ColumnCount
	}
	if g.FrozenRowCount != nil {
		s.frozen = *g.FrozenRowCount
	}
	switch {
	case height < 1:
		return invalid("You can't delete all the rows on the sheet.")
	case width < 1:
		return invalid("You can't delete all the columns on the sheet.")
	case s.frozen >= height:
		return invalid("You can't freeze all visible rows on the sheet.")
	case height*width > maxCells:
		return errCells
	}
	s.resize(height, width)
	return nil
}

func (b *Book) deleteSheet(raw json.RawMessage) (any, error) {
	var req struct {
		SheetID int64 `json:"sheetId"`
	}
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	s := b.byID(req.SheetID)
	if s == nil {
		return nil, noSheet(req.SheetID)
	}
	if len(b.sheets) == 1 {
		return nil, invalid("You can't remove all the sheets in a document.")
	}
	b.sheets = slices.DeleteFunc(b.sheets, func(t *sheet) bool { return t == s })
	return nil, nil
}

func (b *Book) duplicateSheet(raw json.RawMessage) (any, error) {
	var req struct {
		SourceSheetID    int64   `json:"sourceSheetId"`
		InsertSheetIndex *int    `json:"insertSheetIndex"`
		NewSheetID       *int64  `json:"newSheetId"`
		NewSheetName     *string `json:"newSheetName"`
	}
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	source := b.byID(req.SourceSheetID)
	if source == nil {
		return nil, noSheet(req.SourceSheetID)
	}
	if req.NewSheetName == nil {
		name := "Copia de " + source.title
		req.NewSheetName = &name
	}
	s, err := b.fresh(properties{SheetID: req.NewSheetID, Title: req.NewSheetName})
	if err != nil {
		return nil, err
	}
	c := source.clone()
	c.id, c.title = s.id, s.title
	b.place(c, req.InsertSheetIndex)
	return map[string]any{"properties": b.properties(c)}, nil
}

func (b *Book) updateProperties(raw json.RawMessage) (any, error) {
	var req struct {
		Properties properties `json:"properties"`
		Fields     string     `json:"fields"`
	}
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	p := req.Properties
	if p.SheetID == nil {
		p.SheetID = new(int64) // a missing id is the first sheet's, zero
	}
	s := b.byID(*p.SheetID)
	if s == nil {
		return nil, noSheet(*p.SheetID)
	}
	m := parseMask(req.Fields)
	if len(m) == 0 {
		return nil, invalid("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)")
	}
	if m.has("title") && p.Title != nil {
		if t := b.sheet(*p.Title); *p.Title == "" || t != nil && t != s {
			return nil, invalid("A sheet with the name %q already exists. Please enter another name.", *p.Title)
		}
		b.rename(s, *p.Title)
	}
	if m.has("index") && p.Index != nil {
		b.sheets = slices.DeleteFunc(b.sheets, func(t *sheet) bool { return t == s })
		b.place(s, p.Index)
	}
	if g := p.GridProperties; m.has("gridProperties") && g != nil {
		return nil, resized(s, masked(*g, m.under("gridProperties")))
	}
	return nil, nil
}

// masked keeps the grid properties that the mask names.
func masked(g grid, m mask) *grid {
	if !m.has("rowCount") {
		g.RowCount = nil
	}
	if !m.has("columnCount") {
		g.ColumnCount = nil
	}
	if !m.has("frozenRowCount") {
		g.FrozenRowCount = nil
	}
	return &g
}
