package parser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// FuzzParse wants of any text: no panic, an error of ours with a position inside the text, and of
// what is accepted, a printed form that gives the same tree.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/clients/*.sql", "testdata/engines/*.sql"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			for _, text := range readCorpus(f, file) {
				f.Add(text)
			}
		}
	}
	golden, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range goldenInputs(string(golden)) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := Parse(text)
		if err != nil {
			checkError(t, text, err)
			return
		}
		for _, statement := range list {
			start, end := statement.Span()
			if start < 0 || end <= start || int(end) > len(text) {
				t.Errorf("span %d:%d of %d bytes", start, end, len(text))
			}
			checkRoundTrip(t, statement)
		}
	})
}

func checkError(t *testing.T, text string, err error) {
	t.Helper()
	e := sqlerr.From(err)
	if e.Code == sqlerr.InternalError {
		t.Errorf("internal error: %v", err)
	}
	if e.Position < 0 || e.Position > len([]rune(text))+1 {
		t.Errorf("position %d of %d characters: %v", e.Position, len(text), err)
	}
	if e.Position == 0 && strings.HasPrefix(e.Message, "syntax error") {
		t.Errorf("no position: %v", err)
	}
}
