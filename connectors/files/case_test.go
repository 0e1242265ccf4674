package files_test

import (
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/types"
)

// Columns of one file that differ by letter case stay two; those of two files are one.
func TestUnionByCase(t *testing.T) {
	s := newShelf(t)
	s.parquet("case/a.parquet", schema("ID", types.Int64, "Id", types.Int64, "id", types.Int64), []any{1, 2, 3})
	if got := s.rows(s.table("read_parquet", "case/a.parquet")); strings.Join(got, ";") != "1|2|3" {
		t.Errorf("three columns give %q", got)
	}
	s.parquet("two/a.parquet", schema("Id", types.Int64), []any{1})
	s.parquet("two/b.parquet", schema("ID", types.Int64), []any{2})
	if got := s.rows(s.table("read_parquet", "two/*.parquet", "union_by_name", true)); strings.Join(got, ";") != "1;2" {
		t.Errorf("two files give %q", got)
	}
}
