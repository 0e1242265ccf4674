package csv

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// A long record of an encoding that gives little at a time takes memory for its length, not for the
// square of it.
func TestLongRecordInParts(t *testing.T) {
	text := "1," + strings.Repeat("\u00e9", 4<<20) + "\n2,b\n"
	store, object := place(t, "long.csv", inUTF16(text, binary.LittleEndian, true))
	format := DefaultFormat()
	format.Encoding = UTF16
	pool := memory.NewRoot("test", 1<<30)
	reader, err := NewReader(store, object, format, ReadOptions{Columns: kinds(t, "int text"), Fields: 2, Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rows := 0
	for {
		batch, err := reader.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if batch == nil {
			break
		}
		rows += batch.Rows()
	}
	runtime.ReadMemStats(&after)
	reader.Close()
	if took := after.TotalAlloc - before.TotalAlloc; rows != 2 || took > 100<<20 {
		t.Errorf("%d rows, %d bytes allocated for a record of 8 MB", rows, took)
	}
	if pool.Used() != 0 {
		t.Errorf("%d bytes stay reserved", pool.Used())
	}
}

// What is read to guess where records begin counts as memory.
func TestGuessesOfLongRecordsCount(t *testing.T) {
	store, object := place(t, "line.csv", "a,b\n1,"+strings.Repeat("y", 40<<20)+"\n")
	pool := memory.NewRoot("test", 12<<20)
	reader, err := NewReader(store, object, DefaultFormat(), ReadOptions{Columns: kinds(t, "text text"), Fields: 2, Pool: pool,
		Split: Split{Offset: 1 << 20, Length: 1 << 20, Guessed: true}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Next(t.Context()); sqlerr.CodeOf(err) != sqlerr.OutOfMemory {
		t.Errorf("a record of 40 MB with 12 MB of memory gives %v", err)
	}
	reader.Close()
	if pool.Used() != 0 {
		t.Errorf("%d bytes stay reserved", pool.Used())
	}
}
