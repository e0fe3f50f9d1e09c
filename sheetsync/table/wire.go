package table

import (
	"encoding/json"
	"fmt"
)

// Value is a cell on its way into the Sheet: nothing but a number, a boolean or
// a text; an empty text clears the cell.
func Value(c Cell) any {
	switch c.Kind {
	case Text:
		return c.Text
	case Number:
		return c.Num
	case Bool:
		return c.Num != 0
	}
	return ""
}

// FromValues are rows as the Sheet answers them. An answer with anything but
// texts, numbers and booleans is not a table.
func FromValues(rows [][]any) ([][]Cell, error) {
	out := make([][]Cell, len(rows))
	for i, row := range rows {
		if len(row) == 0 {
			continue
		}
		cells := make([]Cell, len(row))
		for k, v := range row {
			switch v := v.(type) {
			case nil:
			case string:
				cells[k] = TextCell(v)
			case float64:
				cells[k] = NumberCell(v)
			case bool:
				cells[k] = BoolCell(v)
			case json.Number:
				f, err := v.Float64()
				if err != nil {
					return nil, fmt.Errorf("row %d of the answer: %w", i+1, err)
				}
				cells[k] = NumberCell(f)
			default:
				return nil, fmt.Errorf("row %d of the answer holds a %T", i+1, v)
			}
		}
		out[i] = cells
	}
	return out, nil
}

// Letters names a column the way spreadsheets do; 0 is A.
func Letters(i int) string { return columnLetters(i) }
