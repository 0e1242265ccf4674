package kernel

import (
	"os/exec"
	"regexp"
	"testing"
)

// A helper that grows past the inliner's budget makes every kernel built on it several times slower
// without any test failing, so the compiler itself is asked.
func TestLoopHelpersInline(t *testing.T) {
	out, err := exec.Command("go", "build", "-gcflags=-m=2", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	inlined := map[string]bool{}
	for _, m := range regexp.MustCompile(`can inline (\w+)(\[\S+)? with cost`).FindAllSubmatch(out, -1) {
		inlined[string(m[1])] = true
	}
	for _, m := range regexp.MustCompile(`cannot inline (\w+)(?:\[\S+)?: function too complex`).FindAllSubmatch(out, -1) {
		if isHelper(string(m[1])) {
			t.Errorf("%s has grown past the inliner's budget", m[1])
		}
	}
	for _, name := range []string{"pick", "pickAt", "pick2", "pick2At"} {
		if !inlined[name] {
			t.Errorf("the compiler did not report %s as inlinable", name)
		}
	}
}

func isHelper(name string) bool {
	switch name {
	case "Map", "MapAt", "Zip", "ZipAt", "pick", "pickAt", "pick2", "pick2At":
		return true
	}
	return false
}
