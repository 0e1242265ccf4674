package csv

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// readSplits reads one split after the other.
func readSplits(store objstore.Store, object objstore.Object, format Format, splitter *Splitter, columns []ColumnRequest, fields int) (rows [][]string, err error) {
	for {
		split, more, err := splitter.Next(context.Background())
		if err != nil || !more {
			return rows, err
		}
		reader, err := NewReader(store, object, format, ReadOptions{Columns: columns, Fields: fields, Split: split, BatchSize: 7})
		if err != nil {
			return nil, err
		}
		part, err := drain(reader, columns)
		if err != nil {
			return nil, err
		}
		rows = append(rows, part...)
	}
}

func TestGuessedSplitsGiveEveryRecordOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	wrong := 0
	const files = 60
	for range files {
		fields := 2 + r.IntN(4)
		rows, text := randomCSV(r, 100+r.IntN(400), fields)
		store, object := place(t, "f.csv", text)
		columns := kinds(t, strings.TrimSpace(strings.Repeat("text ", fields)))
		format := DefaultFormat()
		format.Null = nil
		splitter, err := NewSplitter(store, object, format, 500+r.Int64N(3000))
		if err != nil {
			t.Fatal(err)
		}
		got, err := readSplits(store, object, format, splitter, columns, fields)
		switch {
		case err != nil:
			if wrong++; sqlerr.From(err).Hint != "Read it with parallel => false." {
				t.Fatal(err)
			}
		case !reflect.DeepEqual(got, rows):
			t.Fatalf("read %d rows, want %d", len(got), len(rows))
		}
	}
	if wrong > files/10 { // quotes and line breaks stand in every record here
		t.Errorf("%d of %d files are not cut rightly", wrong, files)
	}
}

// A text that looks like records from a line in it on, beyond the guesser's window: the guess is wrong,
// and found to be.
func TestWrongGuessIsFound(t *testing.T) {
	text := "1,\"" + strings.Repeat("\n7,seven", 20_000) + "\"\n2,b\n"
	store, object := place(t, "f.csv", text)
	columns := kinds(t, "int text")
	splitter, err := NewSplitter(store, object, DefaultFormat(), 50_000)
	if err != nil {
		t.Fatal(err)
	}
	_, err = readSplits(store, object, DefaultFormat(), splitter, columns, 2)
	if err == nil || !strings.Contains(err.Error(), "cannot tell where records begin near byte") {
		t.Fatal(err)
	}
	serial, unknown, err := ParseFormat(DefaultFormat(), map[string]string{"parallel": "false"})
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	for _, format := range []Format{serial, {Delimiter: ',', Quote: '"', Escape: '"', Newline: '\n', Multiline: true}} {
		splitter, err := NewSplitter(store, object, format, 50_000)
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := readSplits(store, object, format, splitter, columns, 2); err != nil || len(rows) != 2 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
	}
}

func TestGuessedSplitsAllowRecordsOfOtherLengths(t *testing.T) {
	var b strings.Builder
	records := 0
	for i := range 4000 {
		switch {
		case i%7 == 0:
			fmt.Fprintf(&b, "%d\r\n", i)
		case i%11 == 0:
			fmt.Fprintf(&b, "%d,a,b\r\n", i)
		case i%13 == 0:
			b.WriteString("\r\n")
		default:
			records++
			fmt.Fprintf(&b, "%d,\"x\"\r\n", i)
		}
	}
	store, object := place(t, "f.csv", b.String())
	format := DefaultFormat()
	format.IgnoreErrors = true
	for target := int64(300); target < 20_000; target = target*3/2 + 1 {
		splitter, err := NewSplitter(store, object, format, target)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := readSplits(store, object, format, splitter, kinds(t, "int text"), 2)
		if err != nil || len(rows) != records {
			t.Fatalf("%d rows in splits of %d bytes, want %d; %v", len(rows), target, records, err)
		}
	}
}

func TestErrorsOfGuessedSplitsNameTheLine(t *testing.T) {
	text := strings.Repeat("1,\"a\nb\"\n", 500) + "x,y\n" + strings.Repeat("1,a\n", 500)
	store, object := place(t, "f.csv", text)
	splitter, err := NewSplitter(store, object, DefaultFormat(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	_, err = readSplits(store, object, DefaultFormat(), splitter, []ColumnRequest{{Field: 0, Type: types.Of(types.Int64), Name: "n"}}, 2)
	if err == nil || !strings.Contains(sqlerr.From(err).Where, `line 1001, column n: "x"`) && !strings.Contains(err.Error(), "line 1001") {
		t.Fatalf("%+v", err)
	}
}
