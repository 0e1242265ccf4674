package build_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/plan"
)

// TestEveryPlanNodeIsBuilt reads the plan package's source: each struct that embeds Header must occur
// in the builder's switch and in its names.
func TestEveryPlanNodeIsBuilt(t *testing.T) {
	source, err := os.ReadFile("build.go")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "../../internal/plan/node.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		structure, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, field := range structure.Fields.List {
			if name, ok := field.Type.(*ast.Ident); ok && name.Name == "Header" && field.Names == nil {
				found++
				if n := strings.Count(string(source), "case *plan."+spec.Name.Name+":"); n != 2 {
					t.Errorf("plan node %s occurs in %d of 2 switches", spec.Name.Name, n)
				}
			}
		}
		return true
	})
	if kinds := len(plan.NodeKinds()); found != kinds {
		t.Fatalf("%d plan nodes found, and the codec knows %d", found, kinds)
	}
}
