package csv

import (
	"bytes"
	"math/rand"
	"slices"
	"testing"
)

func TestSeparatorsAgree(t *testing.T) {
	random := rand.New(rand.NewSource(3))
	for words := range 9 {
		data := make([]byte, 64*words+1)
		for range 200 {
			for i := range data {
				data[i] = ",-+\n\x0b\x00\x80\xac\x8a\xff\"a"[random.Intn(12)]
			}
			fast, slow, plain := make([]uint64, words+1), make([]uint64, words+1), make([]uint64, words+1)
			separators(&fast[0], &data[0], words, repeatByte(','), repeatByte('\n'))
			separatorsByWords(&slow[0], &data[0], words, repeatByte(','), repeatByte('\n'))
			for i, c := range data[:64*words] {
				if c == ',' || c == '\n' {
					plain[i/64] |= 1 << (i % 64)
				}
			}
			if !slices.Equal(fast, plain) || !slices.Equal(slow, plain) {
				t.Fatalf("of %q\n%x\n%x\n%x", data, fast, slow, plain)
			}
		}
	}
}

func TestIndexEndsWithTheBlock(t *testing.T) {
	for _, end := range []int{0, 1, 63, 64, 65, 128, 200} {
		tokens := tokenizer{data: append(bytes.Repeat([]byte{'x'}, end), bytes.Repeat([]byte{','}, padding)...), end: end, delimiter: repeatByte(','), newline: repeatByte('\n')}
		tokens.index()
		if at := tokens.fieldEnd(0); at != end {
			t.Errorf("field ends at %d of %d", at, end)
		}
	}
}
