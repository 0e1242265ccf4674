package sqlerr

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"orders", "events", "customers", ""}
	for name, want := range map[string]string{"order": "orders", "orers": "orders", "evnts": "events", "xyz": "", "custmers": "customers", "o": "", "öders": "orders"} {
		if got := Nearest(name, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}
