package binder

import (
	"strings"
	"testing"

	"github.com/tarnlake/tarn/planner/parser/ast"
)

func TestPositionsCountCharacters(t *testing.T) {
	sql := strings.Repeat("aü€😀 ", 50)
	b := newBinder(t.Context(), &Env{SQL: sql})
	for at := range sql {
		if got, want := b.position(ast.Pos(at)), ast.Pos(at).CharPosition(sql); got != want {
			t.Fatalf("byte %d is character %d, want %d", at, got, want)
		}
	}
	if got := b.position(ast.Pos(len(sql) + 5)); got != ast.Pos(len(sql)).CharPosition(sql) {
		t.Errorf("beyond the end: %d", got)
	}
	if got := b.position(ast.NoPos); got != 0 {
		t.Errorf("no place: %d", got)
	}
}
