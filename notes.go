package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"envivo/durable"
)

// Notes are small JSON files beside the copies. They say what was proven when;
// losing one costs a repetition, never data.
const (
	// noteProof is what the newest automatic copy was found to contain.
	noteProof = "ultima.json"
	// noteMedium is the last copy known to lie on a second medium.
	noteMedium = "segundo-medio.json"
	// noteDrill is how the last restore drill went.
	noteDrill = "ensayo.json"
)

// writeNote replaces a note in one step, durably.
func writeNote(dir, name string, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return durable.Replace(filepath.Join(dir, name), 0o600, func(w io.Writer) error {
		_, err := w.Write(append(b, '\n'))
		return err
	})
}

// readNote fills v from a note; ok is false when there is none that can be read.
func readNote(dir, name string, v any) (ok bool) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	return err == nil && json.Unmarshal(b, v) == nil
}
