package querylog

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Entry is one statement that has ended.
type Entry struct {
	ID                  string    `json:"id"`
	PID                 int32     `json:"pid"`
	User                string    `json:"user"`
	Database            string    `json:"database"`
	Application         string    `json:"application,omitempty"`
	Client              string    `json:"client,omitempty"`
	SQL                 string    `json:"sql"`
	Started             time.Time `json:"started"`
	Ended               time.Time `json:"ended"`
	Code                string    `json:"code,omitempty"` // SQLSTATE of its error
	Message             string    `json:"message,omitempty"`
	RowsRead, BytesRead int64
	ResultRows          int64
	PeakMemory, Spilled int64
	CPU                 time.Duration
}

const (
	// kept is how many entries stay in memory.
	kept = 1000
	// fileBytes is how large the file becomes before it is set aside.
	fileBytes = 16 << 20
	// mostText bounds the text of one entry.
	mostText = 64 << 10
)

// Log is safe for concurrent use.
type Log struct {
	mu      sync.Mutex
	entries []Entry // oldest first once turned by next
	next    int     // where the next goes when kept are there
	file    io.WriteCloser
	path    string
	size    int64
	torn    bool // the file's last line has no end
}

// Open reads the log of a directory, which is made.
func Open(directory string) (*Log, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.IOError, "could not create the query log's directory")
	}
	l := &Log{path: filepath.Join(directory, "queries.jsonl")}
	for _, path := range []string{l.aside(), l.path} {
		if err := l.read(path); err != nil {
			return nil, err
		}
	}
	return l, l.open()
}

func (l *Log) aside() string { return strings.TrimSuffix(l.path, ".jsonl") + ".1.jsonl" }

func (l *Log) read(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return sqlerr.Wrap(err, sqlerr.IOError, "could not read the query log")
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8*mostText)
	for lines.Scan() {
		var e Entry
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			l.remember(e)
		}
	}
	return nil
}

func (l *Log) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return sqlerr.Wrap(err, sqlerr.IOError, "could not open the query log")
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return sqlerr.Wrap(err, sqlerr.IOError, "could not open the query log")
	}
	l.file, l.size, l.torn = f, info.Size(), false
	if l.size > 0 {
		last := []byte{'\n'}
		_, err := f.ReadAt(last, l.size-1)
		l.torn = err != nil || last[0] != '\n'
	}
	return nil
}

func (l *Log) remember(e Entry) {
	if len(l.entries) < kept {
		l.entries = append(l.entries, e)
		return
	}
	l.entries[l.next] = e
	l.next = (l.next + 1) % kept
}

// Add notes a statement. What cannot be written to disk stays in memory only.
func (l *Log) Add(e Entry) {
	e.SQL = hidePasswords(e.SQL)
	if len(e.SQL) > mostText {
		e.SQL = strings.ToValidUTF8(e.SQL[:mostText], "") + "..."
	}
	line, err := json.Marshal(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remember(e)
	if err != nil || l.file == nil {
		return
	}
	if l.torn { // else this line would be lost with the one that it joins
		line = append([]byte{'\n'}, line...)
	}
	n, err := l.file.Write(append(line, '\n'))
	if n > 0 {
		l.torn = err != nil
	}
	if l.size += int64(n); l.size > fileBytes {
		l.file.Close()
		l.file = nil
		if os.Rename(l.path, l.aside()) == nil {
			_ = l.open()
		}
	}
}

// List gives the entries in memory, those that ended last at the end.
func (l *Log) List() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Concat(l.entries[l.next:], l.entries[:l.next])
}

// Close ends writing.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// hidePasswords blanks the literals of a statement that speaks of a password.
func hidePasswords(sql string) string {
	if !strings.Contains(strings.ToLower(sql), "password") {
		return sql
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(sql, "'")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("'***'")
		_, sql, found = strings.Cut(rest, "'")
		for found && strings.HasPrefix(sql, "'") { // a doubled quote
			_, sql, found = strings.Cut(sql[1:], "'")
		}
		if !found {
			return b.String()
		}
	}
}
