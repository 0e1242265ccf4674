package objstore

import (
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestLocate(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	l, err := NewLocalLocator(first, second)
	if err != nil {
		t.Fatal(err)
	}
	for location, want := range map[string]string{
		first + "/a/b.csv": "a/b.csv", "file://" + second + "/x%2Fy/": "x%2Fy/", first + "/a/../b": "b", first + "//a/./*.csv": "a/*.csv",
		first: "", second + "/": "",
	} {
		store, key, err := l.Locate(location)
		if err != nil || key != want || store == nil {
			t.Errorf("%s: %q, %v; want %q", location, key, err, want)
		}
	}
	for location, code := range map[string]sqlerr.Code{
		"/etc/passwd": sqlerr.InsufficientPrivilege, first + "/../x": sqlerr.InsufficientPrivilege, first + "x": sqlerr.InsufficientPrivilege,
		"s3://b/k": sqlerr.FeatureNotSupported, "file://host/x": sqlerr.InvalidParameterValue, "": sqlerr.InvalidParameterValue, "relative": sqlerr.InsufficientPrivilege,
	} {
		if _, key, err := l.Locate(location); sqlerr.CodeOf(err) != code {
			t.Errorf("%s: %q, %v; want %s", location, key, err, code)
		}
	}
	for _, c := range []struct{ key, path, want string }{{"", "a", "a"}, {"t", "a", "t/a"}, {"t/", "a", "t/a"}, {"t", "", "t/"}, {"", "", ""}} {
		if got := Below(c.key, c.path); got != c.want {
			t.Errorf("%q below %q: %q", c.path, c.key, got)
		}
	}
}
