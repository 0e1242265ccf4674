package parser

import (
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// FuzzRewrite runs the step before PostgreSQL's grammar on any text: every offset of what the
// grammar reads must map into the user's text, in order, and verbatim stretches onto equal bytes.
func FuzzRewrite(f *testing.F) {
	for _, seed := range []string{
		"select TRY_CAST(a AS array(varchar(3))), transform(x, (a, b) -> a + b), `q` <=> 1 from 'f/*.parquet' t",
		"select * from a left semi join b on a.x = b.x group by all qualify row_number() over (partition by a) = 1",
		"INSERT OVERWRITE t PARTITION (ds = '2018-01-01', h) SELECT interval -'1' day, a DIV b, c RLIKE 'x'",
		"select * from t for version as of 3 join u for timestamp as of now() on true limit 5", "select map(varchar, row(a int, b decimal(3,1))) 'x'",
		"select lag(a) ignore nulls over w, listagg(a, ',' on overflow truncate '…' with count) within group (order by b) from t",
	} {
		f.Add(seed)
	}
	for _, seed := range postgresTexts(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkText(text) != nil {
			return
		}
		tokens, err := lexer.Scan(text)
		if err != nil || checkDepth(text, tokens) != nil || len(tokens) < 2 { // no statement is no text to rewrite
			return
		}
		r, err := rewrite(text, tokens, "", "")
		if err != nil {
			if sqlerr.CodeOf(err) == sqlerr.InternalError {
				t.Fatal(err)
			}
			return
		}
		last := ast.Pos(0)
		for at := range len(r.text) {
			origin := r.origin(int32(at))
			if origin < last || int(origin) > len(text) {
				t.Fatalf("byte %d of %q comes from %d, the one before from %d", at, r.text, origin, last)
			}
			last = origin
		}
		for i, s := range r.segments {
			end := len(r.text)
			if i+1 < len(r.segments) {
				end = r.segments[i+1].at
			}
			if s.verbatim && r.text[s.at:end] != text[s.origin:s.origin+end-s.at] {
				t.Fatalf("%q stands for %q", r.text[s.at:end], text[s.origin:])
			}
		}
	})
}
