package parser

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// TestSplicedTokens makes statements out of pieces of others, which reaches deeper than random
// bytes: each must parse or fail with an error of ours, and what parses must survive printing.
// SPLICE_ROUNDS asks for more of them.
func TestSplicedTokens(t *testing.T) {
	rounds := 5000
	if text := os.Getenv("SPLICE_ROUNDS"); text != "" {
		rounds, _ = strconv.Atoi(text)
	}
	var texts []string
	golden, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	texts = append(texts, goldenInputs(string(golden))...)
	files, err := filepath.Glob("testdata/*/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, text := range readCorpus(t, file) {
			if len(text) < 1000 {
				texts = append(texts, text)
			}
		}
	}
	var pieces [][]string
	for _, text := range texts {
		tokens, err := lexer.Scan(text)
		if err != nil {
			continue
		}
		words := make([]string, 0, len(tokens))
		for _, token := range tokens[:len(tokens)-1] {
			words = append(words, tokenText(text, token))
		}
		if len(words) > 0 {
			pieces = append(pieces, words)
		}
	}
	seed := uint64(rounds)
	random := rand.New(rand.NewPCG(seed, 1))
	accepted := 0
	for range rounds {
		text := splice(random, pieces)
		list, err := Parse(text)
		if err != nil {
			checkError(t, text, err)
		} else {
			accepted++
		}
		for _, statement := range list {
			checkRoundTrip(t, statement)
		}
		if t.Failed() {
			t.Fatalf("%s", text)
		}
	}
	if accepted < rounds/20 {
		t.Errorf("only %d of %d texts parse", accepted, rounds)
	}
}

// splice replaces, removes or inserts a few short stretches of a statement.
func splice(random *rand.Rand, pieces [][]string) string {
	pick := func() []string { return pieces[random.IntN(len(pieces))] }
	words := append([]string(nil), pick()...)
	for range 1 + random.IntN(3) {
		donor := pick()
		from := random.IntN(len(donor))
		stretch := donor[from:min(len(donor), from+random.IntN(4))]
		at := random.IntN(len(words) + 1)
		end := min(len(words), at+random.IntN(3))
		words = append(append(append([]string(nil), words[:at]...), stretch...), words[end:]...)
	}
	return strings.Join(words, " ")
}
