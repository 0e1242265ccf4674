package lexer

import (
	"strings"
	"testing"
)

// TestOperators has the tokens as PostgreSQL's own lexer cuts them.
func TestOperators(t *testing.T) {
	for text, want := range map[string]string{
		"a+++b":     "a + + + b",
		"a*-b":      "a * - b",
		"a*-+*b":    "a *-+* b",
		"a@-b":      "a @- b",
		"a-@-+b":    "a -@-+ b",
		"a<=-b":     "a <= - b",
		"a+-/*c*/b": "a + - b",
		"a+--c":     "a +",
		"a!=-1":     "a !=- 1",
		"a||-b":     "a ||- b",
	} {
		tokens, err := Scan(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, token := range tokens[:len(tokens)-1] {
			got = append(got, text[token.Start:token.End])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

// TestManySigns ends at all only when it does not look at every sign again for each of them.
func TestManySigns(t *testing.T) {
	tokens, err := Scan("SELECT " + strings.Repeat("+-", 500_000) + "1")
	if err != nil || len(tokens) != 1_000_003 {
		t.Fatalf("%d tokens, %v", len(tokens), err)
	}
}
