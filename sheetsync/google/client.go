// Package google is the spreadsheet as the program uses it: few calls, typed
// cells, explicit ranges, every error classified. It repeats nothing by itself
// and keeps no state but a count of its calls.
package google

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"google.golang.org/api/drive/v3"
	"google.golang.org/api/option"
	"google.golang.org/api/sheets/v4"
	htransport "google.golang.org/api/transport/http"

	"envivo/sheetsync/table"
)

// callWithin bounds one call; the service itself gives up after 180 s.
const callWithin = 60 * time.Second

// Options say whose spreadsheet it is.
type Options struct {
	// ID is the spreadsheet's id, the long word of its address.
	ID string
	// Key is the text of a service-account key file.
	Key []byte
	// Endpoint is the base address of the API; empty means Google's.
	Endpoint string
	Now      func() time.Time
	Log      *slog.Logger
}

// Client makes calls. It may be used by several goroutines.
type Client struct {
	o       Options
	account Account
	most    bounds

	mu     sync.Mutex // guards the rest
	sheets *sheets.Service
	drive  *drive.Service
	calls  []time.Time // of the last minute, oldest first
	total  int64
}

// New checks the key. It does not call anybody: whether the key works is seen at
// the first call.
func New(ctx context.Context, o Options) (*Client, error) {
	if o.ID == "" || strings.ContainsAny(o.ID, "/?# ") {
		return nil, fmt.Errorf("%q is no spreadsheet id", o.ID)
	}
	account, err := ReadKey(o.Key, o.Endpoint != "")
	if err != nil {
		return nil, err
	}
	c := &Client{o: o, account: account, most: largest}
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// connect makes services without a token; each fetches one at its first call.
func (c *Client) connect(ctx context.Context) error {
	var forSheets, forDrive []option.ClientOption
	if c.o.Endpoint != "" {
		base := strings.TrimSuffix(c.o.Endpoint, "/")
		forSheets = append(forSheets, option.WithEndpoint(base))
		forDrive = append(forDrive, option.WithEndpoint(base+"/drive/v3/"))
	}
	speaks, err := c.speaking(ctx, sheets.SpreadsheetsScope)
	if err != nil {
		return fmt.Errorf("prepare the Sheets client: %w", err)
	}
	cells, err := sheets.NewService(ctx, append(forSheets, speaks)...)
	if err != nil {
		return fmt.Errorf("prepare the Sheets client: %w", err)
	}
	if speaks, err = c.speaking(ctx, drive.DriveFileScope); err != nil {
		return fmt.Errorf("prepare the Drive client: %w", err)
	}
	files, err := drive.NewService(ctx, append(forDrive, speaks)...)
	if err != nil {
		return fmt.Errorf("prepare the Drive client: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sheets, c.drive = cells, files
	return nil
}

// speaking is the library's client for a scope, with bounds on what it takes.
func (c *Client) speaking(ctx context.Context, scope string) (option.ClientOption, error) {
	client, _, err := htransport.NewClient(ctx, option.WithAuthCredentialsJSON(option.ServiceAccount, c.o.Key), option.WithScopes(scope))
	if err != nil {
		return nil, err
	}
	client.Transport = bounded{client.Transport, c.most}
	return option.WithHTTPClient(client), nil
}

func (c *Client) services() (*sheets.Service, *drive.Service) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sheets, c.drive
}

// Account is who the client speaks for.
func (c *Client) Account() Account { return c.account }

// Calls is how many calls were made in the last minute, failed ones and
// retries included, requests for tokens not.
func (c *Client) Calls() int {
	now := c.o.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(now)
	return len(c.calls)
}

// Total is how many calls were made since the start.
func (c *Client) Total() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

func (c *Client) forget(now time.Time) {
	n := 0
	for n < len(c.calls) && now.Sub(c.calls[n]) >= time.Minute {
		n++
	}
	c.calls = c.calls[n:]
}

func (c *Client) count(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(at)
	c.calls = append(c.calls, at)
	c.total++
}

// do makes one call.
func (c *Client) do(ctx context.Context, op string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	start := c.o.Now()
	c.count(start)
	tries := 0
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaderField: func(key string, _ []string) {
		if !strings.EqualFold(key, "Authorization") {
			return // requests for tokens carry none
		}
		if tries++; tries > 1 { // the library repeats a reading when a connection breaks
			c.count(c.o.Now())
		}
	}})
	err := classify(op, f(ctx))
	if refusedToken(err) && c.connect(context.WithoutCancel(ctx)) == nil {
		// Nothing was applied. The library would keep the token until its hour is over.
		err = classify(op, f(ctx))
	}
	level := slog.LevelDebug
	if err != nil {
		level = slog.LevelInfo
	}
	c.o.Log.Log(ctx, level, "sheet call", "op", op, "dur", c.o.Now().Sub(start), "class", ClassOf(err), "err", err)
	return err
}

func refusedToken(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusUnauthorized
}

// Tab is one worksheet.
type Tab struct {
	ID         int64
	Title      string
	Rows, Cols int // of the grid
}

// Layout is the spreadsheet without its cells.
type Layout struct {
	Title, Locale, Zone string
	Tabs                []Tab
	// Stamp is the environment the spreadsheet belongs to; empty when it was never
	// stamped.
	Stamp string
}

// stampKey is the key of developer metadata that holds the environment. It is
// outside the cells; nobody sees or deletes it by accident.
const stampKey = "envivo.env"

// Layout reads titles and grid sizes.
func (c *Client) Layout(ctx context.Context) (Layout, error) {
	var out Layout
	err := c.do(ctx, "spreadsheets.get", func(ctx context.Context) error {
		service, _ := c.services()
		s, err := service.Spreadsheets.Get(c.o.ID).Context(ctx).
			Fields("properties(title,locale,timeZone)", "sheets(properties(sheetId,title,gridProperties(rowCount,columnCount)))", "developerMetadata(metadataKey,metadataValue)").Do()
		if err != nil {
			return err
		}
		if s.Properties == nil {
			return errors.New("the answer has no properties")
		}
		out = Layout{Title: s.Properties.Title, Locale: s.Properties.Locale, Zone: s.Properties.TimeZone}
		for _, d := range s.DeveloperMetadata {
			if d != nil && d.MetadataKey == stampKey && out.Stamp == "" {
				out.Stamp = d.MetadataValue
			}
		}
		for _, t := range s.Sheets {
			if t == nil || t.Properties == nil || t.Properties.GridProperties == nil {
				continue // a chart on a sheet of its own
			}
			g := t.Properties.GridProperties
			out.Tabs = append(out.Tabs, Tab{ID: t.Properties.SheetId, Title: t.Properties.Title, Rows: int(g.RowCount), Cols: int(g.ColumnCount)})
		}
		return nil
	})
	return out, err
}

// Read reads ranges as the cells hold them: numbers as numbers, dates as serial
// numbers. One result per range, in their order; rows end at their last cell
// that holds something.
func (c *Client) Read(ctx context.Context, ranges ...string) ([][][]table.Cell, error) {
	return c.read(ctx, ranges, "UNFORMATTED_VALUE")
}

// Formulas reads ranges with formulas as their text.
func (c *Client) Formulas(ctx context.Context, ranges ...string) ([][][]table.Cell, error) {
	return c.read(ctx, ranges, "FORMULA")
}

// Shown reads ranges as people see them.
func (c *Client) Shown(ctx context.Context, ranges ...string) ([][][]table.Cell, error) {
	return c.read(ctx, ranges, "FORMATTED_VALUE")
}

func (c *Client) read(ctx context.Context, ranges []string, render string) ([][][]table.Cell, error) {
	var out [][][]table.Cell
	err := c.do(ctx, "values.batchGet", func(ctx context.Context) error {
		service, _ := c.services()
		r, err := service.Spreadsheets.Values.BatchGet(c.o.ID).Context(ctx).Ranges(ranges...).ValueRenderOption(render).
			DateTimeRenderOption("SERIAL_NUMBER").Fields("valueRanges(range,values)").Do()
		if err != nil {
			return err
		}
		if len(r.ValueRanges) != len(ranges) {
			return fmt.Errorf("%d ranges in the answer, want %d", len(r.ValueRanges), len(ranges))
		}
		read := make([][][]table.Cell, len(ranges))
		for i, v := range r.ValueRanges {
			if v == nil {
				return fmt.Errorf("range %d of the answer is nothing", i+1)
			}
			if read[i], err = table.FromValues(v.Values); err != nil {
				return err
			}
		}
		out = read
		return nil
	})
	return out, err
}

// Block is a rectangle to be written. A nil value leaves a cell alone, an empty
// text clears it.
type Block struct {
	Range string
	Rows  [][]any
}

// Write writes blocks in one call, which is applied whole or not at all. Values
// are taken as they are: no text becomes a formula, a date or a number.
func (c *Client) Write(ctx context.Context, blocks ...Block) error {
	return c.write(ctx, "RAW", blocks)
}

// Enter writes blocks as if somebody typed them: texts that begin with = become
// formulas. It is for formulas that were read from the same sheet and for nothing
// else.
func (c *Client) Enter(ctx context.Context, blocks ...Block) error {
	return c.write(ctx, "USER_ENTERED", blocks)
}

func (c *Client) write(ctx context.Context, how string, blocks []Block) error {
	if len(blocks) == 0 {
		return nil
	}
	data := make([]*sheets.ValueRange, len(blocks))
	for i, b := range blocks {
		data[i] = &sheets.ValueRange{Range: b.Range, Values: b.Rows}
	}
	return c.do(ctx, "values.batchUpdate", func(ctx context.Context) error {
		service, _ := c.services()
		_, err := service.Spreadsheets.Values.BatchUpdate(c.o.ID, &sheets.BatchUpdateValuesRequest{ValueInputOption: how, Data: data}).
			Context(ctx).Fields("totalUpdatedCells").Do()
		return err
	})
}

// Grow adds rows and columns at the end of a worksheet. It is not idempotent:
// after an unknown outcome the layout has to be read before it is repeated.
func (c *Client) Grow(ctx context.Context, t Tab, rows, cols int) error {
	var all []*sheets.Request
	add := func(dimension string, n int) {
		if n > 0 {
			all = append(all, &sheets.Request{AppendDimension: &sheets.AppendDimensionRequest{
				SheetId: t.ID, Dimension: dimension, Length: int64(n), ForceSendFields: []string{"SheetId"}}})
		}
	}
	add("ROWS", rows)
	add("COLUMNS", cols)
	return c.change(ctx, all)
}

// DropColumns deletes n columns from the one counted from 0.
func (c *Client) DropColumns(ctx context.Context, t Tab, from, n int) error {
	return c.drop(ctx, t, "COLUMNS", from, n)
}

// DropRows deletes n rows from the one counted from 0.
func (c *Client) DropRows(ctx context.Context, t Tab, from, n int) error {
	return c.drop(ctx, t, "ROWS", from, n)
}

func (c *Client) drop(ctx context.Context, t Tab, dimension string, from, n int) error {
	return c.change(ctx, []*sheets.Request{{DeleteDimension: &sheets.DeleteDimensionRequest{Range: &sheets.DimensionRange{
		SheetId: t.ID, Dimension: dimension, StartIndex: int64(from), EndIndex: int64(from + n), ForceSendFields: []string{"SheetId", "StartIndex"}}}}})
}

// Format says how the cells of a column below row 1 are shown. Col counts from 0.
type Format struct {
	Tab   Tab
	Col   int
	Style table.Style
}

// Format sets number formats, in one call.
func (c *Client) Format(ctx context.Context, formats ...Format) error {
	all := make([]*sheets.Request, 0, len(formats))
	for _, f := range formats {
		all = append(all, &sheets.Request{RepeatCell: &sheets.RepeatCellRequest{
			Range: &sheets.GridRange{SheetId: f.Tab.ID, StartRowIndex: 1, StartColumnIndex: int64(f.Col), EndColumnIndex: int64(f.Col) + 1,
				ForceSendFields: []string{"SheetId", "StartColumnIndex"}},
			Cell:   &sheets.CellData{UserEnteredFormat: &sheets.CellFormat{NumberFormat: numberFormat(f.Style)}},
			Fields: "userEnteredFormat.numberFormat",
		}})
	}
	return c.change(ctx, all)
}

func numberFormat(s table.Style) *sheets.NumberFormat {
	switch s {
	case table.Day:
		return &sheets.NumberFormat{Type: "DATE", Pattern: "dd-mm-yyyy"}
	case table.Instant:
		return &sheets.NumberFormat{Type: "DATE_TIME", Pattern: "dd-mm-yyyy hh:mm:ss"}
	case table.Decimal:
		return &sheets.NumberFormat{Type: "NUMBER", Pattern: "0.00"}
	}
	return &sheets.NumberFormat{Type: "NUMBER", Pattern: "0"}
}

// Stamp makes the spreadsheet belong to an environment; again says that it
// belonged to another before. Repeating it is harmless.
func (c *Client) Stamp(ctx context.Context, env string, again bool) error {
	d := &sheets.DeveloperMetadata{MetadataKey: stampKey, MetadataValue: env, Visibility: "DOCUMENT", Location: &sheets.DeveloperMetadataLocation{Spreadsheet: true}}
	if again {
		filter := &sheets.DataFilter{DeveloperMetadataLookup: &sheets.DeveloperMetadataLookup{MetadataKey: stampKey}}
		return c.change(ctx, []*sheets.Request{{UpdateDeveloperMetadata: &sheets.UpdateDeveloperMetadataRequest{
			DataFilters: []*sheets.DataFilter{filter}, DeveloperMetadata: &sheets.DeveloperMetadata{MetadataValue: env}, Fields: "metadataValue"}}})
	}
	return c.change(ctx, []*sheets.Request{{CreateDeveloperMetadata: &sheets.CreateDeveloperMetadataRequest{DeveloperMetadata: d}}})
}

func (c *Client) change(ctx context.Context, all []*sheets.Request) error {
	if len(all) == 0 {
		return nil
	}
	return c.do(ctx, "spreadsheets.batchUpdate", func(ctx context.Context) error {
		service, _ := c.services()
		_, err := service.Spreadsheets.BatchUpdate(c.o.ID, &sheets.BatchUpdateSpreadsheetRequest{Requests: all}).
			Context(ctx).Fields("spreadsheetId").Do()
		return err
	})
}

// Copy makes a copy of the whole file in Drive and returns its id; folder may be
// empty. It is not idempotent: a copy may exist after an unknown outcome.
func (c *Client) Copy(ctx context.Context, title, folder string) (id string, err error) {
	file := &drive.File{Name: title}
	if folder != "" {
		file.Parents = []string{folder}
	}
	err = c.do(ctx, "files.copy", func(ctx context.Context) error {
		_, service := c.services()
		f, err := service.Files.Copy(c.o.ID, file).SupportsAllDrives(true).Context(ctx).Fields("id").Do()
		if err == nil {
			id = f.Id
		}
		return err
	})
	return id, err
}

// A1 names a rectangle of a worksheet. Rows count from 1, columns from 0, both
// ends are included; a last row of 0 leaves the end open.
func A1(tab string, row0, col0, row1, col1 int) string {
	s := fmt.Sprintf("'%s'!%s%d:%s", strings.ReplaceAll(tab, "'", "''"), table.Letters(col0), row0, table.Letters(col1))
	if row1 > 0 {
		s += fmt.Sprint(row1)
	}
	return s
}
