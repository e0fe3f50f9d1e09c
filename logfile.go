package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// logBytes is the size at which a log file is put aside.
const logBytes = 10 << 20

// logFile is a log that never grows without end: at max bytes PATH becomes
// PATH.1, that PATH.2, and so on up to PATH.keep; the oldest goes. It is for
// boxes without a journal of their own. mu guards f and size.
type logFile struct {
	path string
	max  int64
	keep int

	mu   sync.Mutex
	f    *os.File
	size int64
}

func openLogFile(path string, limit int64, keep int) (*logFile, error) {
	l := &logFile{path: path, max: limit, keep: keep}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("log file: %w", err)
	}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("log file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("log file: %w", err), f.Close())
	}
	l.f, l.size = f, info.Size()
	return nil
}

// Write is one line of the log. When the file cannot be turned, the old one
// goes on: a log that is too long is better than none.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return 0, os.ErrClosed
	}
	if l.size > 0 && l.size+int64(len(p)) > l.max {
		if err := l.turn(); l.f == nil {
			return 0, err
		} else if err != nil {
			fmt.Fprintf(l.f, "level=WARN msg=\"the log file cannot be turned\" err=%q\n", err)
			l.size = 0 // try again one file later, not at every line
		}
	}
	n, err := l.f.Write(p)
	l.size += int64(n)
	return n, err
}

// turn closes the file before it is renamed: Windows renames no open file. Should
// the renaming fail, the same file is continued.
func (l *logFile) turn() error {
	err := l.f.Close()
	for n := l.keep - 1; n >= 0 && err == nil; n-- {
		from := l.path
		if n > 0 {
			from = fmt.Sprintf("%s.%d", l.path, n)
		}
		if err = os.Rename(from, fmt.Sprintf("%s.%d", l.path, n+1)); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	if openErr := l.open(); openErr != nil {
		l.f = nil
		return errors.Join(err, openErr)
	}
	return err
}

// Close ends the log.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	err := l.f.Close()
	l.f = nil
	return err
}

// writer is where the log goes: stderr, which systemd keeps, or a file.
func (l Logging) writer(stderr io.Writer) (io.Writer, func() error, error) {
	if l.LogFile == "" {
		return stderr, func() error { return nil }, nil
	}
	f, err := openLogFile(l.LogFile, logBytes, l.LogKeep)
	if err != nil {
		return nil, nil, err
	}
	return f, f.Close, nil
}
