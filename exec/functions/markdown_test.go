package functions_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/internal/fn"
)

var update = flag.Bool("update", false, "rewrite docs/functions.md")

func TestDocumentIsCurrent(t *testing.T) {
	const path = "../../docs/functions.md"
	var want bytes.Buffer
	if err := functions.WriteMarkdown(&want, functions.Registry()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(have, want.Bytes()) {
		t.Fatalf("docs/functions.md does not show the registry (%v): run make docs", err)
	}
}

func TestEveryRowIsDocumented(t *testing.T) {
	for _, o := range functions.Registry().All() {
		if strings.HasPrefix(o.Name, "$") {
			continue
		}
		if o.Category == "" || !strings.HasSuffix(o.Doc, ".") || !strings.Contains(o.Example, " → ") && o.Category != "system" {
			t.Errorf("%s: category %q, doc %q, example %q", functions.Signature(&o), o.Category, o.Doc, o.Example)
		}
	}
}

// Every example of a scalar or table function gives what it says; those of the system category depend
// on the catalog and the session.
func TestExamplesHold(t *testing.T) {
	e := newEngine("UTC")
	tried := map[string]bool{}
	count := 0
	for _, o := range functions.Registry().All() {
		expression, want, found := strings.Cut(o.Example, " → ")
		switch o.Impl.(type) {
		case fn.Scalar, fn.Table:
		default:
			continue
		}
		if !found || o.Volatility == fn.Volatile || tried[o.Example] || o.Category == "system" {
			continue
		}
		tried[o.Example] = true
		count++
		rows, err := e.query("SELECT " + expression)
		for i := range rows {
			switch rows[i] {
			case "t":
				rows[i] = "true"
			case "f":
				rows[i] = "false"
			}
			rows[i] = strings.ReplaceAll(rows[i], "|", " ")
		}
		got := strings.Join(rows, " ")
		if err != nil || got != want && strings.Trim(got, " ") != strings.Trim(want, " '") {
			t.Errorf("%s: %s gives %q, %v", o.Name, o.Example, got, err)
		}
	}
	if count < 300 {
		t.Errorf("only %d examples", count)
	}
}
