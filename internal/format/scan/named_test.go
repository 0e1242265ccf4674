package scan

import "testing"

func TestNames(t *testing.T) {
	own := func(s string) string { return s }
	for _, c := range []struct {
		fields []string
		name   string
		want   int
	}{
		{[]string{"a", "B", "b"}, "b", 2},
		{[]string{"a", "B"}, "b", 1},
		{[]string{"a", "B", "b"}, "A", 0},
		{[]string{"Bb", "bB"}, "bb", -1},
		{[]string{"Bb", "bB", "bb"}, "bb", 2},
		{nil, "a", -1},
	} {
		if got := NewNames(len(c.fields), func(i int) string { return c.fields[i] }).Find(c.name); got != c.want {
			t.Errorf("%q in %q: %d", c.name, c.fields, got)
		}
	}
	for _, c := range []struct {
		members       []string
		name          string
		at, all, want int
	}{
		{[]string{"x", "y"}, "y", 0, 2, 1},
		{[]string{"x", "y"}, "y", 1, 2, 1},
		{[]string{"y", "y"}, "y", 1, 2, 1},
		{[]string{"x", "y"}, "", 1, 2, 1},
		{[]string{"x", "y"}, "", 1, 3, -1},
		{[]string{"X", "Y", "y"}, "y", 5, 6, 2},
		{[]string{"Yy", "yY"}, "yy", 1, 2, 0},
		{[]string{"x"}, "z", 0, 1, -1},
	} {
		if got := MemberNamed(c.members, own, c.name, c.at, c.all); got != c.want {
			t.Errorf("%q, %d of %d, in %q: %d", c.name, c.at, c.all, c.members, got)
		}
	}
}
