package statement

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// listing is the rows of a SHOW or DESCRIBE.
type listing struct {
	columns types.Schema
	rows    [][]types.Datum
}

func (l *listing) add(values ...types.Datum) { l.rows = append(l.rows, values) }

func (l *listing) addTexts(values ...string) {
	row := make([]types.Datum, len(values))
	for i, v := range values {
		row[i] = types.StringDatum(v)
	}
	l.rows = append(l.rows, row)
}

func (l *listing) result() *session.Result {
	return &session.Result{Source: engine.Rows(l.columns, l.rows)}
}

// field is a nullable column.
func field(name string, kind types.Kind) types.Field {
	return types.Field{Name: name, Type: types.Of(kind), Nullable: true}
}

// textOrNull gives NULL for "".
func textOrNull(s string) types.Datum {
	if s == "" {
		return types.NullDatum()
	}
	return types.StringDatum(s)
}

// filtered applies SHOW's LIKE to the first column, and its WHERE, ORDER BY and LIMIT to all.
func (r *run) filtered(ctx context.Context, st *ast.Show, l *listing) (*session.Result, error) {
	if st.Like != nil {
		match, err := r.pattern(*st.Like, st.Escape)
		if err != nil {
			return nil, err
		}
		var kept [][]types.Datum
		for _, row := range l.rows {
			if match(row[0].Str) {
				kept = append(kept, row)
			}
		}
		l.rows = kept
	}
	if st.Where == nil && len(st.OrderBy) == 0 && st.Limit == nil {
		return l.result(), nil
	}
	source, err := r.selection(ctx, l, st)
	if err != nil {
		return nil, err
	}
	return &session.Result{Source: source}, nil
}

// selection runs SELECT * FROM the listing with SHOW's clauses.
func (r *run) selection(ctx context.Context, l *listing, st *ast.Show) (vec.Source, error) {
	if r.config.Input == nil {
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "WHERE, ORDER BY and LIMIT of SHOW are not supported here")
	}
	table, release := r.config.Input.Table("listing", l.columns, engine.Rows(l.columns, l.rows))
	bound, err := r.tx.BindQuery(ctx, engine.QueryText{SQL: r.sql, Statement: listingQuery(st), Given: map[string]*connectors.Table{"listing": table}})
	if err != nil {
		release()
		return nil, err
	}
	running, err := bound.Run(ctx, nil)
	if err != nil {
		release()
		return nil, err
	}
	return &released{running, release}, nil
}

func listingQuery(st *ast.Show) *ast.Select {
	at := st.Pos
	from := &ast.TableRef{Pos: at, Name: ast.Name{Pos: at, Parts: []string{"", "listing"}}}
	core := &ast.SelectCore{Pos: at, Targets: []ast.Target{{Pos: at, Expr: &ast.Star{Pos: at}}}, From: []ast.FromItem{from}, Where: st.Where}
	return &ast.Select{Query: &ast.Query{Pos: at, Body: core, OrderBy: st.OrderBy, Limit: st.Limit}}
}

// released calls release after the plan has ended.
type released struct {
	vec.Source
	release func()
}

// Close ends the plan.
func (s *released) Close() error {
	err := s.Source.Close()
	s.release()
	return err
}

// pattern makes a test of a LIKE pattern; Hive's * and | are understood where there is no %.
func (r *run) pattern(like, escape string) (func(string) bool, error) {
	if len(escape) > 1 {
		return nil, sqlerr.New(sqlerr.InvalidEscapeSequence, "invalid escape string").WithHint("Escape string must be empty or one character.")
	}
	if escape == "" {
		escape = `\`
	}
	if !strings.ContainsAny(like, "%") && strings.ContainsAny(like, "*|") {
		alternatives := strings.Split(like, "|")
		return func(s string) bool {
			for _, a := range alternatives {
				if matches(s, strings.ReplaceAll(strings.ReplaceAll(a, "_", `\_`), "*", "%"), '\\') {
					return true
				}
			}
			return false
		}, nil
	}
	return func(s string) bool { return matches(s, like, escape[0]) }, nil
}

// matches is LIKE for short names.
func matches(s, pattern string, escape byte) bool {
	for len(pattern) > 0 {
		switch c := pattern[0]; {
		case c == '%':
			for at := 0; at <= len(s); at++ {
				if matches(s[at:], pattern[1:], escape) {
					return true
				}
			}
			return false
		case c == '_':
			if s == "" {
				return false
			}
			_, size := utf8.DecodeRuneInString(s)
			s, pattern = s[size:], pattern[1:]
		default:
			if c == escape && len(pattern) > 1 {
				pattern = pattern[1:]
			}
			if s == "" || s[0] != pattern[0] {
				return false
			}
			s, pattern = s[1:], pattern[1:]
		}
	}
	return s == ""
}
