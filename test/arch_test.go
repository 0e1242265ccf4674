package test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/tarnlake/tarn/"

// layers holds the house plan: a package may import packages of lower layers only. The longest
// matching prefix counts.
var layers = map[string]int{
	"internal/sqlerr": 0, "internal/types": 0, "internal/memory": 0, "internal/config": 0,
	"internal/slots": 0, "internal/refusal": 0,
	"internal/vec":  1,
	"internal/expr": 2, "internal/fn": 2, "internal/objstore": 2, "internal/format": 2,
	"internal/partition": 2, "internal/colstats": 2,
	"connectors": 3, "internal/plan": 3, "internal/rpc": 3, "internal/gossip": 3,
	"catalog": 4, "connectors/lake": 4, "connectors/tpch": 4, "connectors/system": 4, "connectors/memory": 4,
	"connectors/pgcatalog": 4, "connectors/files": 4, "connectors/input": 4,
	"planner": 5, "exec": 5,
	"coordinator": 6, "worker": 6,
	"cmd": 7,
}

// sideways lists the imports within one layer that are allowed; equal first elements of a path
// (planner, exec, catalog, a connector, coordinator, worker) are always one house.
var sideways = map[string][]string{
	"internal/format": {"internal/objstore"}, "internal/plan": {"connectors"}, "internal/rpc": {"internal/plan", "connectors"},
	"connectors/lake": {"connectors/files"},
}

// lowest packages depend on each other only so.
var ground = map[string][]string{
	"internal/types":  {"internal/sqlerr"},
	"internal/memory": {"internal/sqlerr"},
	"internal/config": {"internal/sqlerr", "internal/memory"},
	"internal/slots":  {"internal/sqlerr"},
}

func TestArchImportsPointDownward(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		if entry.IsDir() {
			if strings.HasPrefix(entry.Name(), ".") && name != "." || name == "test" || name == "bench" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		files++
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imported := range parsed.Imports {
			target, _ := strconv.Unquote(imported.Path.Value)
			if inside, found := strings.CutPrefix(target, module); found {
				if reason := forbidden(filepath.ToSlash(filepath.Dir(name)), inside); reason != "" {
					t.Errorf("%s imports %s: %s", name, inside, reason)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatal("no Go files found below " + root)
	}
}

func forbidden(from, to string) string {
	fromRoom, fromLayer, ok := room(from)
	if !ok {
		return "the importing package has no layer in test/arch_test.go"
	}
	toRoom, toLayer, ok := room(to)
	if !ok {
		return "the imported package has no layer in test/arch_test.go"
	}
	switch {
	case fromRoom == toRoom || toLayer < fromLayer:
		return workerSide(from, to)
	case slices.Contains(sideways[fromRoom], toRoom):
		return ""
	case fromLayer == 0:
		for _, allowed := range ground[fromRoom] {
			if allowed == toRoom {
				return ""
			}
		}
	}
	return "layer " + strconv.Itoa(fromLayer) + " may not import layer " + strconv.Itoa(toLayer)
}

// workerSide keeps the catalog and the planner out of what runs on workers.
func workerSide(from, to string) string {
	if (strings.HasPrefix(from, "exec") || strings.HasPrefix(from, "worker")) &&
		(strings.HasPrefix(to, "catalog") || strings.HasPrefix(to, "planner")) {
		return "a fragment carries all that workers need"
	}
	return ""
}

func room(path string) (string, int, bool) {
	for p := path; ; {
		if layer, ok := layers[p]; ok {
			return p, layer, true
		}
		cut := strings.LastIndexByte(p, '/')
		if cut < 0 {
			return "", 0, false
		}
		p = p[:cut]
	}
}

func TestArchTableRefuses(t *testing.T) {
	for _, c := range []struct {
		from, to string
		allowed  bool
	}{
		{"exec/op", "internal/vec", true}, {"exec/op", "planner/logical", false}, {"exec/op", "catalog", false},
		{"internal/vec", "internal/types", true}, {"internal/types", "internal/vec", false},
		{"internal/plan", "connectors", true}, {"connectors", "internal/plan", false},
		{"connectors/lake", "catalog", false}, {"coordinator/pgwire", "worker/task", false},
		{"worker/task", "catalog", false}, {"internal/format/parquet", "internal/objstore", true},
		{"internal/expr", "internal/fn", false}, {"planner/binder", "planner/parser/ast", true},
	} {
		if reason := forbidden(c.from, c.to); (reason == "") != c.allowed {
			t.Errorf("%s → %s: %q", c.from, c.to, reason)
		}
	}
}
