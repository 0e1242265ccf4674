package querylog

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestEntriesOutliveTheServer(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "log")
	l, err := Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	for i := range kept + 5 {
		l.Add(Entry{ID: fmt.Sprint(i), SQL: "SELECT 1", Started: now, Ended: now.Add(time.Second), ResultRows: 1, CPU: time.Millisecond})
	}
	l.Add(Entry{ID: "user", SQL: "ALTER USER a PASSWORD 'it''s secret' VALID UNTIL 'x'"})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(directory, "queries.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, `{"id":"torn`)
	f.Close()
	if l, err = Open(directory); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := l.List()
	if len(got) != kept || got[0].ID != "6" || got[0].Ended.Sub(now) != time.Second || got[kept-2].ID != fmt.Sprint(kept+4) {
		t.Errorf("%d entries from %+v to %+v", len(got), got[0], got[len(got)-1])
	}
	l.Add(Entry{ID: "after a torn line"})
	if again, err := Open(directory); err != nil || again.List()[kept-1].ID != "after a torn line" {
		t.Errorf("%+v, %v", again.List()[kept-1], err)
	}
	if last := got[kept-1]; last.SQL != "ALTER USER a PASSWORD '***' VALID UNTIL '***'" {
		t.Errorf("%q", last.SQL)
	}
}

func TestLargeLogsAreSetAside(t *testing.T) {
	directory := t.TempDir()
	l, err := Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	long := make([]byte, 2*mostText)
	for i := range long {
		long[i] = 'x'
	}
	for range fileBytes/mostText + 10 {
		l.Add(Entry{SQL: string(long)})
	}
	if len(l.List()[0].SQL) != mostText+3 {
		t.Error(len(l.List()[0].SQL))
	}
	for _, name := range []string{"queries.jsonl", "queries.1.jsonl"} {
		if info, err := os.Stat(filepath.Join(directory, name)); err != nil || info.Size() == 0 || info.Size() > fileBytes+2*mostText {
			t.Error(name, info, err)
		}
	}
}

// fullDisk takes some bytes and then no more until room is made.
type fullDisk struct {
	io.WriteCloser
	room int
}

func (d *fullDisk) Write(b []byte) (int, error) {
	n := min(len(b), d.room)
	d.room -= n
	if n == len(b) {
		return d.WriteCloser.Write(b)
	}
	if n > 0 {
		n, _ = d.WriteCloser.Write(b[:n])
	}
	return n, syscall.ENOSPC
}

func TestShortWritesLoseOneEntryOnly(t *testing.T) {
	directory := t.TempDir()
	l, err := Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	disk := &fullDisk{WriteCloser: l.file, room: 300}
	l.file = disk
	for _, id := range []string{"whole", "torn", "refused"} {
		l.Add(Entry{ID: id, SQL: strings.Repeat("x", 40)})
	}
	if disk.room != 0 {
		t.Fatal("nothing was torn", disk.room)
	}
	disk.room = 1 << 20
	for _, id := range []string{"after", "last"} {
		l.Add(Entry{ID: id})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = Open(directory); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var ids []string
	for _, e := range l.List() {
		ids = append(ids, e.ID)
	}
	if got := strings.Join(ids, " "); got != "whole after last" {
		t.Error(got)
	}
}
