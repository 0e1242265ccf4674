package types

import (
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

// TestCountCharacters holds the count against the library's, for texts of every length and mixture.
func TestCountCharacters(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	letters := []rune("aZ09 ~éß߿ࠀ€\uffff𐀀😀")
	for range 5000 {
		text := make([]rune, r.IntN(40))
		for i := range text {
			text[i] = letters[r.IntN(len(letters))]
		}
		if got, want := CountCharacters(string(text)), utf8.RuneCountInString(string(text)); got != want {
			t.Fatalf("%q has %d characters, not %d", string(text), want, got)
		}
	}
}
