package join_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/exec/op/optest"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// wide makes rows whose last column is a long text, of which one key has a share.
func wide(r *rand.Rand, n int, domain int64, skew int, keys ...types.Type) optest.Table {
	t := table(r, n, domain, 12, append(append([]types.Type{}, keys...), types.Of(types.Int64), types.Of(types.Text))...)
	for i, row := range t.Rows {
		if i%4 < skew {
			copy(row, t.Rows[0][:len(keys)])
		}
		row[len(row)-1] = types.StringDatum(strings.Repeat("a long payload, ", 120) + fmt.Sprint(r.IntN(50)))
	}
	return t
}

func lines(columns []types.Type, rows []optest.Row) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		parts := make([]string, len(row))
		for c := range row {
			parts[c] = optest.Text(columns[c], row[c])
		}
		out[i] = strings.Join(parts, " | ")
	}
	sort.Strings(out)
	return out
}

// TestEveryKindInLittleMemory joins right sides several times as large as the memory, with and
// without a key that alone does not fit.
func TestEveryKindInLittleMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 9))
	long, text := types.Of(types.Int64), types.Of(types.Text)
	for _, keys := range [][]types.Type{{long}, {text, long}} {
		for _, kind := range allKinds {
			for _, skew := range []int{0, 2, 4} {
				c := &joinCase{kind: kind, left: wide(r, 60, 90, skew, keys...), right: wide(r, 2200, 90, skew, keys...), nullAware: kind == plan.Mark}
				for k := range keys {
					c.leftKeys, c.rightKeys = append(c.leftKeys, k), append(c.rightKeys, k)
					c.nullEqual = append(c.nullEqual, k > 0)
				}
				n := len(keys)
				if kind != plan.NullAwareAnti && kind != plan.Mark {
					c.residual = &[2]int{n, n}
				}
				if kind == plan.Single {
					c.right, c.residual = wide(r, 2200, 1<<40, 0, keys...), nil
					for i, row := range c.left.Rows {
						copy(row, c.right.Rows[i*7][:n])
					}
					c.right = unique(c.right, c.rightKeys)
				}
				switch left := n + 2; kind {
				case plan.Semi, plan.Anti, plan.NullAwareAnti:
					c.output = []int{0, n}
				case plan.Mark:
					c.output = []int{left + n + 2, n}
				default:
					c.output = []int{left, left + n, left + n + 1}
				}
				name := fmt.Sprintf("kind %d keys %v skew %d", kind, keys, skew)
				t.Run(name, func(t *testing.T) { little(t, name, c) })
			}
		}
	}
}

func little(t *testing.T, name string, c *joinCase) {
	t.Helper()
	tables := &optest.Tables{Tables: c.tables(), SplitRows: 100}
	const limit = 2 << 20
	e := optest.Environment(t, tables, nil)
	e.Pool = memory.NewRoot("query", limit)
	node := c.hash(tables)
	plan.Number(node)
	got, stats, err := optest.Execute(t.Context(), node, e)
	if err != nil {
		t.Fatalf("%s: %v %s", name, err, sqlerr.From(err).Detail)
	}
	if e.Pool.Used() != 0 {
		t.Fatalf("%s: %d bytes not returned", name, e.Pool.Used())
	}
	if files, _ := os.ReadDir(e.Spill.Directory); len(files) > 0 {
		t.Fatalf("%s: files left: %v", name, files)
	}
	if stats.ByID(0).Spilled.Load() == 0 && len(c.output) > 2 {
		t.Errorf("%s: nothing spilled, peak %d", name, e.Pool.Peak())
	}
	if e.Pool.Peak() > 2*limit {
		t.Errorf("%s: peak %d", name, e.Pool.Peak())
	}
	columns := c.schema().Types()
	want, have := lines(columns, c.answer()), lines(columns, got)
	if len(want) != len(have) {
		t.Fatalf("%s: %d rows, want %d", name, len(have), len(want))
	}
	for i := range want {
		if want[i] != have[i] {
			t.Fatalf("%s: row %d is\n%s, want\n%s", name, i, have[i], want[i])
		}
	}
}
