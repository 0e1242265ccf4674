package scan

import (
	"errors"
	"strings"
	"testing"
)

func TestNamesFoldAsEqualFold(t *testing.T) {
	words := []string{"id", "ID", "Id", "userId", "K", "k", "\u212a", "ſ", "s", "S", "straße", "STRASSE", "Ünï", "üNÏ", "\xff", "\xfe", "", "日本"}
	for _, a := range words {
		for _, b := range words {
			if strings.ToValidUTF8(a, "") != a || strings.ToValidUTF8(b, "") != b {
				continue
			}
			if got, want := folded(a) == folded(b), strings.EqualFold(a, b); got != want {
				t.Errorf("%q and %q: %v, should be %v", a, b, got, want)
			}
		}
	}
	list := []string{"a", "B", "b", "Cc", "a"}
	x := NewNames(len(list), func(i int) string { return list[i] })
	for name, want := range map[string]int{"a": 0, "A": -1, "B": 1, "b": 2, "cC": 3, "CC": 3, "d": -1} {
		if got := x.Find(name); got != want {
			t.Errorf("%q is found at %d, should be %d", name, got, want)
		}
	}
}

func TestBudgetEndsAtFirstError(t *testing.T) {
	full := errors.New("full")
	var reserved int64
	b := NewBudget(func(n int64) error {
		if reserved+n > 8<<20 {
			return full
		}
		reserved += n
		return nil
	})
	var taken int64
	for b.Take(100_000) == nil {
		taken += 100_000
	}
	if taken < 7<<20 || taken > 9<<20 || !errors.Is(b.Take(1), full) || !errors.Is(b.Err(), full) {
		t.Fatalf("took %d bytes of %d reserved, error %v", taken, reserved, b.Err())
	}
	if none := (*Budget)(nil); none.Take(1<<40) != nil || none.Err() != nil {
		t.Fatal("no budget counts")
	}
}
