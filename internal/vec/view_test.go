package vec_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/vec"
)

// AllASCII never says true of strings that are not, and says true of those that lie side by side.
func TestAllASCII(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	sure := 0
	for round := range 20_000 {
		var text []byte
		var views []vec.View
		odd := round%2 == 1
		rows, ascii := 1+random.IntN(40), true
		strange := random.IntN(rows)
		for i := range rows {
			s := strings.Repeat("a", random.IntN(60))
			if odd && i == strange && len(s) > 0 {
				at := random.IntN(len(s))
				s, ascii = s[:at]+"é"+s[at:], false
			}
			at := len(text)
			text = append(append(text, s...), make([]byte, 16)...) // what ViewAt may read
			views = append(views, vec.ViewAt(text, at, len(s), 0))
			text = text[:at+len(s)]
			if round%3 == 0 {
				text = append(text, 7, 0, 0, 0) // the length of the next one, as Parquet has it
			}
		}
		got := vec.AllASCII(views, [][]byte{text})
		if got && !ascii {
			t.Fatalf("%q is not ASCII", text)
		}
		if got {
			sure++
		}
	}
	if sure < 8_000 {
		t.Errorf("sure of only %d of 10000", sure)
	}
	long := []byte(strings.Repeat("x", 100) + "é")
	if vec.AllASCII([]vec.View{vec.LongView(long[:20], 0, 0), vec.LongView(long[:20], 1, 0)}, [][]byte{long[:20], long}) {
		t.Error("it knows two buffers")
	}
	if !vec.AllASCII(nil, nil) || !vec.AllASCII([]vec.View{vec.InlineView([]byte("abc"))}, nil) || vec.AllASCII([]vec.View{vec.InlineView([]byte("abcdefgé"))}, nil) {
		t.Error("inline")
	}
}
