package binder

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// BenchmarkBind binds all queries of a folder once an iteration, parsing left out.
func BenchmarkBind(b *testing.B) {
	for _, suite := range []string{"tpch", "tpcds"} {
		b.Run(suite, func(b *testing.B) {
			c := newTestCatalog()
			schema, err := os.ReadFile("testdata/schemas/" + suite + ".sql")
			if err != nil {
				b.Fatal(err)
			}
			if err := c.create(string(schema)); err != nil {
				b.Fatal(err)
			}
			registry := testRegistry()
			files, _ := filepath.Glob("../../bench/queries/" + suite + "/*.sql")
			var texts []string
			var trees []ast.Statement
			for _, f := range files {
				text, err := os.ReadFile(f)
				if err != nil {
					b.Fatal(err)
				}
				sql := strings.TrimSpace(string(text))
				s, err := parser.ParseOne(sql)
				if err != nil {
					b.Fatal(err)
				}
				texts, trees = append(texts, sql), append(trees, s)
			}
			b.ReportAllocs()
			for b.Loop() {
				for i, s := range trees {
					if _, err := Bind(context.Background(), s, testEnv(c, registry, texts[i])); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
