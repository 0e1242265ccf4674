package statement

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/lake"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// optimize is OPTIMIZE TABLE: partitions that consist of several small files are replaced by
// themselves, written anew, in the same transaction.
func (r *run) optimize(ctx context.Context, st *ast.Optimize) error {
	t, name, err := r.table(ctx, st.Table)
	if err != nil {
		return err
	}
	if t.Kind == connectors.External {
		return r.fail(st.Table.Pos, sqlerr.WrongObjectType, "cannot change rows of external table %q", t.Name).
			WithDetail("Its files belong to somebody else.")
	}
	chosen, err := r.optimizable(ctx, st, t)
	if err != nil {
		return err
	}
	if len(t.Partition) == 0 {
		if st.Where != nil || len(st.Partition) > 0 {
			return r.fail(st.Table.Pos, sqlerr.WrongObjectType, "table %q is not partitioned", t.Name)
		}
	}
	var before, after int64
	for _, p := range chosen {
		if err := r.rewritePartition(ctx, t, name, p); err != nil {
			return err
		}
		before += p.Files
	}
	for _, p := range chosen {
		now, err := r.tx.Partitions(ctx, t.ID)
		if err != nil {
			return err
		}
		if at := slices.IndexFunc(now, func(q *catalog.Partition) bool { return q.Key == p.Key }); at >= 0 {
			after += now[at].Files
		}
	}
	r.notice(sqlerr.SuccessfulCompletion, fmt.Sprintf("%d partitions were rewritten: %d files became %d", len(chosen), before, after), "")
	return nil
}

// optimizable lists the partitions that the statement selects and that would become fewer files.
func (r *run) optimizable(ctx context.Context, st *ast.Optimize, t *catalog.Table) ([]*catalog.Partition, error) {
	spec := make(connectors.PartitionSpec, len(t.Partition))
	var err error
	if len(st.Partition) > 0 {
		if spec, err = r.partitionSpec(ctx, t, st.Partition); err != nil {
			return nil, err
		}
	}
	found, err := r.matching(ctx, t, spec)
	if err != nil {
		return nil, err
	}
	if st.Where != nil {
		if found, err = r.partitionsWhere(ctx, t, st.Where, found); err != nil {
			return nil, err
		}
	}
	target := int64(lake.DefaultFileSize)
	if size, ok := catalog.ParseSize(t.Properties["target_file_size"]); ok && size > 0 {
		target = size
	}
	return slices.DeleteFunc(found, func(p *catalog.Partition) bool { return p.Files < 2 || p.Bytes/p.Files >= target/2 }), nil
}

// partitionsWhere keeps the partitions whose values satisfy a predicate over the partition columns.
func (r *run) partitionsWhere(ctx context.Context, t *catalog.Table, where ast.Expr, found []*catalog.Partition) ([]*catalog.Partition, error) {
	l := &listing{columns: textColumns("")}
	columnTypes := t.PartitionTypes()
	for i, name := range columnNames(t, t.Partition) {
		l.columns = append(l.columns, types.Field{Name: name, Type: columnTypes[i], Nullable: true})
	}
	for _, p := range found {
		l.rows = append(l.rows, append([]types.Datum{types.StringDatum(p.Key)}, p.Values...))
	}
	source, err := r.selection(ctx, l, &ast.Show{Source: ast.Source{Pos: where.Offset()}, Where: where})
	if err != nil {
		return nil, err
	}
	rows, err := engine.CollectRows(ctx, source)
	if closed := source.Close(); err == nil {
		err = closed
	}
	kept := map[string]bool{}
	for _, row := range rows {
		kept[row[0].Str] = true
	}
	return slices.DeleteFunc(found, func(p *catalog.Partition) bool { return !kept[p.Key] }), err
}

// rewritePartition runs INSERT OVERWRITE t SELECT * FROM t WHERE the partition is p.
func (r *run) rewritePartition(ctx context.Context, t *catalog.Table, name catalog.Name, p *catalog.Partition) error {
	full := ast.QuoteName(name.Schema) + "." + ast.QuoteName(name.Name)
	text := "INSERT OVERWRITE " + full + " SELECT * FROM " + full
	var conditions []string
	columnTypes := t.PartitionTypes()
	for i, column := range columnNames(t, t.Partition) {
		condition := ast.QuoteName(column) + " IS NULL"
		if v := p.Values[i]; !v.Null {
			condition = fmt.Sprintf("%s = CAST(%s AS %s)", ast.QuoteName(column), ast.QuoteString(types.Format(columnTypes[i], v, nil)), columnTypes[i])
		}
		conditions = append(conditions, condition)
	}
	if len(conditions) > 0 {
		text += " WHERE " + strings.Join(conditions, " AND ")
	}
	statement, err := parser.ParseOne(text)
	if err != nil {
		return err
	}
	bound, err := r.tx.BindQuery(ctx, engine.QueryText{SQL: text, Statement: statement})
	if err != nil {
		return err
	}
	_, err = bound.WriteSerially(ctx, nil)
	return err
}
