package parser

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

var update = flag.Bool("update", false, "write the trees into testdata/golden.txt")

// goldenInputs gives the statements of the golden file, whose blocks are a text, a line "----" and
// what is expected, with an empty line behind.
func goldenInputs(file string) []string {
	var list []string
	for _, block := range strings.Split(strings.TrimSpace(file), "\n\n") {
		text, _, _ := strings.Cut(strings.TrimSpace(block), "\n----")
		list = append(list, text)
	}
	return list
}

// TestGoldenTrees compares trees with positions (@) and their printed form with testdata/golden.txt.
func TestGoldenTrees(t *testing.T) {
	data, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, text := range goldenInputs(string(data)) {
		fmt.Fprintf(&out, "%s\n----\n%s\n", text, goldenResult(t, text))
	}
	if *update {
		if err := os.WriteFile("testdata/golden.txt", []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, want := strings.Split(out.String(), "\n"), strings.Split(string(data), "\n")
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("line %d:\n got %s\nwant %s", i+1, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
}

func goldenResult(t *testing.T, text string) string {
	list, err := Parse(text)
	if err != nil {
		e := sqlerr.From(err)
		result := fmt.Sprintf("error %s at %d: %s\n", e.Code, e.Position, e.Message)
		if e.Hint != "" {
			result += "hint: " + e.Hint + "\n"
		}
		return result
	}
	var out strings.Builder
	for _, statement := range list {
		checkRoundTrip(t, statement)
		fmt.Fprintf(&out, "%s\n%s\n", ast.Format(statement), dumpWithPositions(statement))
	}
	return out.String()
}
