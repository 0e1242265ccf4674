package statement

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// columnListing is what DESCRIBE and SHOW COLUMNS give.
var columnListing = textColumns("Column", "Type", "Extra", "Comment")

func (r *run) planDescribe(ctx context.Context, st *ast.Describe) (*session.Prepared, error) {
	if st.Input != "" || st.Output != "" {
		return nil, r.unsupported(st.Pos, "DESCRIBE INPUT | OUTPUT")
	}
	return &session.Prepared{Columns: columnListing}, nil
}

// describe is DESCRIBE of a table or of a query.
func (r *run) describe(ctx context.Context, st *ast.Describe) (*session.Result, error) {
	l := &listing{columns: columnListing}
	if st.Query != nil {
		bound, err := r.tx.BindQuery(ctx, engine.QueryText{SQL: r.sql, Statement: &ast.Select{Query: st.Query}})
		if err != nil {
			return nil, err
		}
		for _, c := range bound.Columns() {
			l.addTexts(c.Name, c.Type.String(), "", "")
		}
		return l.result(), nil
	}
	if err := r.fillColumns(ctx, st.Table, l); err != nil {
		return nil, err
	}
	if st.Formatted {
		if err := r.fillFormatted(ctx, st.Table, l); err != nil {
			return nil, err
		}
	}
	return l.result(), nil
}

func (r *run) fillColumns(ctx context.Context, name ast.Name, l *listing) error {
	t, err := r.relation(ctx, name)
	if err != nil {
		return err
	}
	for i, c := range t.Columns {
		var extra []string
		if slices.Contains(t.Partition, i) {
			extra = append(extra, "partition key")
		}
		if c.NotNull {
			extra = append(extra, "not null")
		}
		if c.Default != "" {
			extra = append(extra, "default "+c.Default)
		}
		l.addTexts(c.Name, c.Type.String(), strings.Join(extra, ", "), c.Comment)
	}
	return nil
}

// fillFormatted adds what Hive's DESCRIBE FORMATTED tells beyond the columns.
func (r *run) fillFormatted(ctx context.Context, name ast.Name, l *listing) error {
	t, full, err := r.find(name)
	if err != nil || t == nil {
		return err
	}
	l.addTexts("", "", "", "")
	l.addTexts("# Schema", full.Schema, "", "")
	l.addTexts("# Owner", t.Owner, "", "")
	l.addTexts("# Kind", relationKind(t), "", "")
	if t.Comment != "" {
		l.addTexts("# Comment", t.Comment, "", "")
	}
	if t.Kind == connectors.View {
		l.addTexts("# Query", t.ViewSQL, "", "")
		return nil
	}
	l.addTexts("# Format", t.Format, "", "")
	l.addTexts("# Location", t.Location, "", "")
	for _, name := range slices.Sorted(maps.Keys(t.Properties)) {
		l.addTexts("# Property", name, t.Properties[name], "")
	}
	return nil
}

func relationKind(t *catalog.Table) string {
	switch t.Kind {
	case connectors.View:
		return "VIEW"
	case connectors.External:
		return "EXTERNAL TABLE"
	case connectors.Temporary:
		return "TEMPORARY TABLE"
	}
	return "TABLE"
}

// partitionColumnsOf gives the columns of SHOW PARTITIONS: the name as Hive shows it, each partition
// column with its type, and the size.
func (r *run) partitionColumnsOf(ctx context.Context, st *ast.Show) (types.Schema, error) {
	t, err := r.partitioned(ctx, st)
	if err != nil {
		return nil, err
	}
	columns := textColumns("partition")
	columnTypes := t.PartitionTypes()
	for i, name := range columnNames(t, t.Partition) {
		columns = append(columns, types.Field{Name: name, Type: columnTypes[i], Nullable: true})
	}
	return append(columns, field("rows", types.Int64), field("files", types.Int64), field("bytes", types.Int64)), nil
}

func (r *run) partitioned(ctx context.Context, st *ast.Show) (*catalog.Table, error) {
	t, _, err := r.table(ctx, *st.Target)
	if err != nil {
		return nil, err
	}
	if len(t.Partition) == 0 {
		return nil, r.fail(st.Target.Pos, sqlerr.WrongObjectType, "table %q is not partitioned", t.Name)
	}
	return t, nil
}

func (r *run) fillPartitions(ctx context.Context, st *ast.Show, l *listing) error {
	t, err := r.partitioned(ctx, st)
	if err != nil {
		return err
	}
	spec := make(connectors.PartitionSpec, len(t.Partition))
	if len(st.Partition) > 0 {
		if spec, err = r.partitionSpec(ctx, t, st.Partition); err != nil {
			return err
		}
	}
	found, err := r.matching(ctx, t, spec)
	if err != nil {
		return err
	}
	columnTypes := t.PartitionTypes()
	slices.SortFunc(found, func(a, b *catalog.Partition) int { return comparePartitions(columnTypes, a, b) })
	for _, p := range found {
		row := append([]types.Datum{types.StringDatum(t.PartitionLabel(p))}, p.Values...)
		l.rows = append(l.rows, append(row, types.IntDatum(p.Rows), types.IntDatum(p.Files), types.IntDatum(p.Bytes)))
	}
	return nil
}

// comparePartitions orders by value, NULLs last.
func comparePartitions(columnTypes []types.Type, a, b *catalog.Partition) int {
	for i, t := range columnTypes {
		x, y := a.Values[i], b.Values[i]
		switch {
		case x.Null && y.Null:
		case x.Null:
			return 1
		case y.Null:
			return -1
		default:
			if c := types.CompareDatums(t, x, y); c != 0 {
				return c
			}
		}
	}
	return 0
}

func (r *run) fillFiles(ctx context.Context, st *ast.Show, l *listing) error {
	t, _, err := r.table(ctx, *st.Target)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	if len(st.Partition) > 0 {
		spec, err := r.partitionSpec(ctx, t, st.Partition)
		if err != nil {
			return err
		}
		found, err := r.matching(ctx, t, spec)
		if err != nil {
			return err
		}
		for _, p := range found {
			wanted[p.Key] = true
		}
	}
	files, err := r.tx.ListFiles(ctx, t.ID)
	for _, f := range files {
		if len(st.Partition) == 0 || wanted[f.Partition] {
			label := partition.PathOfKey(t.PartitionNames(), f.Partition)
			l.add(types.StringDatum(strings.TrimSuffix(t.Location, "/")+"/"+f.Path), textOrNull(label), types.IntDatum(f.Rows), types.IntDatum(f.Size))
		}
	}
	return err
}

func (r *run) fillProperties(ctx context.Context, st *ast.Show, l *listing) error {
	if st.Target == nil {
		return r.fail(st.Pos, sqlerr.SyntaxError, "SHOW PROPERTIES needs a table").WithHint("SHOW PROPERTIES FROM table")
	}
	t, _, err := r.table(ctx, *st.Target)
	if err != nil {
		return err
	}
	l.addTexts("format", t.Format)
	l.addTexts("location", t.Location)
	if len(t.Partition) > 0 {
		l.addTexts("partitioned_by", strings.Join(columnNames(t, t.Partition), ","))
	}
	if len(t.SortedBy) > 0 {
		l.addTexts("sorted_by", strings.Join(columnNames(t, t.SortedBy), ","))
	}
	for _, name := range slices.Sorted(maps.Keys(t.Properties)) {
		l.addTexts(name, t.Properties[name])
	}
	return nil
}
