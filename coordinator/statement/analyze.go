package statement

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/lake"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// analyze is ANALYZE: it reads the tables' columns and stores sketches of their distinct values.
// Row counts, NULLs and bounds are known from the files' own statistics.
func (r *run) analyze(ctx context.Context, st *ast.Analyze) error {
	if len(st.Tables) == 0 {
		for _, s := range r.tx.Schemas() {
			for _, t := range r.tx.Definitions(s.Name) {
				if err := r.analyzeTable(ctx, t, nil); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for _, target := range st.Tables {
		t, _, err := r.existing(ctx, "relation", target.Name)
		if err != nil {
			return err
		}
		if t.Kind == connectors.View {
			r.warn(sqlerr.Warning, fmt.Sprintf("skipping %q --- cannot analyze views", t.Name), "")
			continue
		}
		if err := r.analyzeTable(ctx, t, target.Columns); err != nil {
			return err
		}
	}
	return nil
}

// analyzeTable stores sketches of a table's columns, of all if wanted is empty.
func (r *run) analyzeTable(ctx context.Context, t *catalog.Table, wanted []ast.Identifier) error {
	if t.Kind == connectors.View || t.Kind == connectors.Temporary {
		return nil
	}
	collectors, err := r.collectors(t, wanted)
	if err != nil || len(collectors) == 0 {
		return err
	}
	names := make([]string, len(collectors))
	for i, c := range collectors {
		at := slices.IndexFunc(t.Columns, func(column catalog.Column) bool { return column.ID == c.ID })
		names[i] = ast.QuoteName(t.Columns[at].Name)
	}
	text := fmt.Sprintf("SELECT %s FROM %s.%s", strings.Join(names, ", "), ast.QuoteName(r.tx.SchemaName(t)), ast.QuoteName(t.Name))
	statement, err := parser.ParseOne(text)
	if err != nil {
		return err
	}
	bound, err := r.tx.BindQuery(ctx, engine.QueryText{SQL: text, Statement: statement})
	if err != nil {
		return err
	}
	err = bound.Each(ctx, nil, func(b *vec.Batch) error {
		for i := range collectors {
			collectors[i].Add(&b.Cols[i], b.Sel)
		}
		return nil
	})
	if err != nil {
		return err
	}
	sketches := colstats.Sketches{}
	for i := range collectors {
		sketches[collectors[i].ID] = &collectors[i].Sketch
	}
	return r.tx.SetSketches(t.ID, sketches.Pack())
}

// collectors makes one for each column wanted, but for partition columns, whose values are known.
func (r *run) collectors(t *catalog.Table, wanted []ast.Identifier) ([]colstats.Collector, error) {
	var out []colstats.Collector
	add := func(c catalog.Column) {
		switch c.Type.Kind {
		case types.Array, types.Map, types.Row:
		default:
			if !slices.Contains(t.Partition, c.ID) {
				out = append(out, colstats.Collector{ID: c.ID, Type: c.Type})
			}
		}
	}
	for _, name := range wanted {
		at := t.ColumnByName(name.Name)
		if at < 0 {
			return nil, r.fail(name.Pos, sqlerr.UndefinedColumn, "column %q of relation %q does not exist", name.Name, t.Name)
		}
	}
	// Sketches replace each other as a whole, so a list of columns does not leave others out.
	for _, c := range t.Columns {
		add(c)
	}
	return out, nil
}

// vacuum is VACUUM: files that no snapshot needs are deleted, and partitions past their retention go.
func (r *run) vacuum(ctx context.Context, st *ast.Vacuum) error {
	if r.config.Lake == nil {
		return r.unsupported(st.Pos, "VACUUM")
	}
	options, err := r.vacuumOptions(st)
	if err != nil {
		return err
	}
	ids := []int64{0}
	if len(st.Tables) > 0 {
		ids = nil
	}
	for _, target := range st.Tables {
		t, _, err := r.table(ctx, target.Name)
		if err != nil {
			return err
		}
		ids = append(ids, t.ID)
	}
	var count int
	for _, id := range ids {
		if err := r.expirePartitions(ctx, id); err != nil {
			return err
		}
		options.Table = id
		done, err := r.config.Lake.Vacuum(ctx, r.config.Catalog, options)
		if err != nil {
			return err
		}
		count += done.Replaced + done.Orphans
	}
	if st.Verbose {
		r.notice(sqlerr.SuccessfulCompletion, fmt.Sprintf("%d files were deleted", count), "")
	}
	if st.Analyze {
		return r.analyze(ctx, &ast.Analyze{Source: st.Source, Tables: st.Tables})
	}
	return nil
}

// vacuumOptions reads what Tarn's VACUUM takes besides PostgreSQL's options: history, how long replaced
// files stay whatever the tables say, and grace, the age from which files that nobody lists go.
func (r *run) vacuumOptions(st *ast.Vacuum) (lake.VacuumOptions, error) {
	options := lake.VacuumOptions{History: -1, Grace: lake.DefaultGrace}
	for _, p := range st.Options {
		var to *time.Duration
		switch p.Name {
		case "history":
			to = &options.History
		case "grace":
			to = &options.Grace
		case "full", "freeze", "verbose", "analyze", "disable_page_skipping", "skip_locked", "index_cleanup", "process_toast", "truncate", "parallel":
			continue
		default:
			return options, r.fail(p.Pos, sqlerr.SyntaxError, "unrecognized VACUUM option %q", p.Name).
				WithHint("Besides PostgreSQL's options there are history and grace, such as (history '1 day').")
		}
		text, err := r.propertyText(p)
		if err != nil {
			return options, err
		}
		duration, ok := catalog.ParseDuration(text)
		if !ok {
			return options, r.fail(p.Pos, sqlerr.InvalidParameterValue, "invalid value for VACUUM option %q: %q", p.Name, text).
				WithHint("It takes a duration such as '1 day' or '2 hours'.")
		}
		*to = duration
	}
	return options, nil
}

func (r *run) expirePartitions(ctx context.Context, table int64) error {
	var tables []int64
	if table != 0 {
		tables = []int64{table}
	} else {
		for _, s := range r.tx.Schemas() {
			for _, t := range r.tx.Definitions(s.Name) {
				tables = append(tables, t.ID)
			}
		}
	}
	for _, id := range tables {
		keys, err := r.tx.ExpirePartitions(ctx, id)
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			r.notice(sqlerr.SuccessfulCompletion, fmt.Sprintf("%d partitions of %q are past their retention", len(keys), r.tx.DefinitionByID(id).Name), "")
		}
	}
	return nil
}
