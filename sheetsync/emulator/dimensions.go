package emulator

import (
	"encoding/json"
	"fmt"
)

func (b *Book) appendDimension(raw json.RawMessage) (any, error) {
	var req struct {
		SheetID   int64  `json:"sheetId"`
		Dimension string `json:"dimension"`
		Length    int    `json:"length"`
	}
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	k, err := b.block(dimensionRange{SheetID: req.SheetID, Dimension: req.Dimension})
	if err != nil {
		return nil, err
	}
	if req.Length < 1 {
		return nil, invalid("length must be greater than 0")
	}
	if k.tooMany(req.Length) {
		return nil, errCells
	}
	if k.d == byRow {
		k.sheet.height += req.Length
	} else {
		k.sheet.width += req.Length
	}
	return nil, nil
}

// tooMany reports whether n more lines would go over the limit by themselves.
func (k block) tooMany(n int) bool {
	other := k.sheet.height
	if k.d == byRow {
		other = k.sheet.width
	}
	return n > maxCells/other
}

func (b *Book) insertDimension(raw json.RawMessage) (any, error) {
	var req struct {
		Range dimensionRange `json:"range"`
	}
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	k, err := b.block(req.Range)
	if err != nil {
		return nil, err
	}
	if k.start > k.size {
		return nil, invalid("range.startIndex[%d] is too large. Must be less than or equal to %d", k.start, k.size)
	}
	if k.tooMany(k.end - k.start) {
		return nil, errCells
	}
	b.insertLines(k.sheet, k.d, k.start, k.end-k.start)
	return nil, nil
}

func (b *Book) deleteDimension(raw json.RawMessage) (any, error) {
	var req struct {
		Range dimensionRange `json:"range"`
	}
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	k, err := b.block(req.Range)
	if err != nil {
		return nil, err
	}
	if k.start >= k.size {
		return nil, invalid("Cannot delete a %s that doesn't exist. Tried to delete index %d but there are only %d.",
			map[dimension]string{byRow: "row", byColumn: "column"}[k.d], k.start, k.size)
	}
	k.end = min(k.end, k.size)
	if k.start == 0 && k.end == k.size {
		return nil, invalid("You can't delete all the %s on the sheet.",
			map[dimension]string{byRow: "rows", byColumn: "columns"}[k.d])
	}
	b.removeLines(k.sheet, k.d, k.start, k.end)
	return nil, nil
}

func (b *Book) moveDimension(raw json.RawMessage) (any, error) {
	var req struct {
		Source           dimensionRange `json:"source"`
		DestinationIndex int            `json:"destinationIndex"`
	}
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	k, err := b.block(req.Source)
	if err != nil {
		return nil, err
	}
	if k.end > k.size || req.DestinationIndex < 0 || req.DestinationIndex > k.size {
		return nil, invalid("The source or the destination lies outside of the %d lines of the sheet.", k.size)
	}
	b.moveLines(k.sheet, k.d, [2]int{k.start, k.end}, req.DestinationIndex)
	return nil, nil
}

func (b *Book) sortRange(raw json.RawMessage) (any, error) {
	var req struct {
		Range     gridRange `json:"range"`
		SortSpecs []struct {
			DimensionIndex int    `json:"dimensionIndex"`
			SortOrder      string `json:"sortOrder"`
		} `json:"sortSpecs"`
	}
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	s, a, err := b.area(req.Range)
	if err != nil {
		return nil, err
	}
	var keys []order
	for i, spec := range req.SortSpecs {
		if spec.DimensionIndex < a.col0 || spec.DimensionIndex >= a.col1 {
			return nil, invalid("sortSpecs[%d].dimensionIndex %d is outside of the range", i, spec.DimensionIndex)
		}
		keys = append(keys, order{col: spec.DimensionIndex, down: spec.SortOrder == "DESCENDING"})
	}
	b.sortRows(s, a, keys)
	return nil, nil
}

// cellData is a cell as it travels in structure requests.
type cellData struct {
	UserEnteredValue *struct {
		NumberValue  *float64 `json:"numberValue"`
		StringValue  *string  `json:"stringValue"`
		BoolValue    *bool    `json:"boolValue"`
		FormulaValue *string  `json:"formulaValue"`
	} `json:"userEnteredValue"`
	UserEnteredFormat *struct {
		NumberFormat *struct {
			Type    Format `json:"type"`
			Pattern string `json:"pattern"`
		} `json:"numberFormat"`
	} `json:"userEnteredFormat"`
}

// onto is c with the parts of d that the mask names. Other parts of a format than
// the number format are accepted and forgotten.
func (d cellData) onto(c Cell, m mask) Cell {
	out := c
	if m.has("userEnteredFormat") && m.under("userEnteredFormat").has("numberFormat") {
		out.Format, out.Pattern = Automatic, ""
		if f := d.UserEnteredFormat; f != nil && f.NumberFormat != nil {
			out.Format, out.Pattern = f.NumberFormat.Type, f.NumberFormat.Pattern
		}
	}
	if !m.has("userEnteredValue") {
		return out
	}
	value := Cell{}
	if v := d.UserEnteredValue; v != nil {
		switch {
		case v.NumberValue != nil:
			value = numCell(*v.NumberValue)
		case v.StringValue != nil:
			value = cellOf(*v.StringValue)
		case v.BoolValue != nil:
			value = boolCell(*v.BoolValue)
		case v.FormulaValue != nil:
			value = Cell{Kind: ErrorValue, Text: "#ERROR!", Formula: *v.FormulaValue}
		}
	}
	return out.value(value)
}

func (d cellData) check() error {
	if d.UserEnteredFormat == nil || d.UserEnteredFormat.NumberFormat == nil {
		return nil
	}
	switch t := d.UserEnteredFormat.NumberFormat.Type; t {
	case DateFormat, DateTimeFormat, TimeFormat, NumberFormat, PercentFormat, CurrencyFormat, TextFormat, "SCIENTIFIC":
		return nil
	default:
		return invalid("Invalid value at 'user_entered_format.number_format.type': %q", string(t))
	}
}

func (b *Book) repeatCell(raw json.RawMessage) (any, error) {
	var req struct {
		Range  gridRange `json:"range"`
		Cell   cellData  `json:"cell"`
		Fields string    `json:"fields"`
	}
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	s, a, err := b.area(req.Range)
	if err != nil {
		return nil, err
	}
	m := parseMask(req.Fields)
	if len(m) == 0 {
		return nil, invalid("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)")
	}
	if err := req.Cell.check(); err != nil {
		return nil, err
	}
	each(s, a, func(c Cell) Cell { return req.Cell.onto(c, m) })
	return nil, nil
}

// updateCells writes rows of cells from a start on; an empty cell in the request
// empties what the mask names.
func (b *Book) updateCells(raw json.RawMessage) (any, error) {
	var req struct {
		Rows []struct {
			Values []cellData `json:"values"`
		} `json:"rows"`
		Fields string `json:"fields"`
		Start  *struct {
			SheetID     int64 `json:"sheetId"`
			RowIndex    int   `json:"rowIndex"`
			ColumnIndex int   `json:"columnIndex"`
		} `json:"start"`
		Range *gridRange `json:"range"`
	}
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	var where gridRange
	switch {
	case req.Range != nil:
		where = *req.Range
	case req.Start != nil:
		where = gridRange{SheetID: req.Start.SheetID, StartRowIndex: req.Start.RowIndex,
			StartColumnIndex: req.Start.ColumnIndex}
	default:
		return nil, invalid("One of start or range must be given.")
	}
	s, a, err := b.area(where)
	if err != nil {
		return nil, err
	}
	m := parseMask(req.Fields)
	for i, row := range req.Rows {
		if a.row0+i >= a.row1 || a.col0+len(row.Values) > a.col1 {
			return nil, invalid("Attempting to write column: %d, row: %d beyond the last requested row of: %d",
				a.col0+len(row.Values)-1, a.row0+i, a.row1-1)
		}
		for k, d := range row.Values {
			if err := d.check(); err != nil {
				return nil, in(fmt.Sprintf("rows[%d].values[%d]", i, k), err)
			}
			s.set(a.row0+i, a.col0+k, d.onto(s.at(a.row0+i, a.col0+k), m))
		}
	}
	return nil, nil
}
