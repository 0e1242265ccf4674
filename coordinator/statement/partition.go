package statement

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// partitionSpec evaluates PARTITION (a = 1, …): a value, or nil, for each partition column.
func (r *run) partitionSpec(ctx context.Context, t *catalog.Table, values []ast.PartitionValue) (connectors.PartitionSpec, error) {
	names, columnTypes := columnNames(t, t.Partition), t.PartitionTypes()
	if len(names) == 0 {
		return nil, sqlerr.New(sqlerr.WrongObjectType, "table %q is not partitioned", t.Name)
	}
	spec := make(connectors.PartitionSpec, len(names))
	for _, v := range values {
		at := slices.Index(names, v.Column)
		if at < 0 {
			return nil, r.fail(v.Pos, sqlerr.UndefinedColumn, "column %q is not a partition column of relation %q", v.Column, t.Name).
				WithHint("It is partitioned by %s.", strings.Join(names, ", "))
		}
		if v.Value == nil {
			continue
		}
		value, err := r.constant(ctx, v.Value, columnTypes[at])
		if err != nil {
			return nil, err
		}
		spec[at] = &value
	}
	return spec, nil
}

// constant evaluates an expression without columns as a value of a type.
func (r *run) constant(ctx context.Context, e ast.Expr, t types.Type) (types.Datum, error) {
	if err := r.closedExpression(e, "PARTITION"); err != nil {
		return types.Datum{}, err
	}
	q := &ast.Query{Pos: e.Offset(), Body: &ast.SelectCore{Pos: e.Offset(), Targets: []ast.Target{{Pos: e.Offset(), Expr: e}}}}
	bound, err := r.tx.BindQuery(ctx, engine.QueryText{SQL: r.sql, Statement: &ast.Select{Query: q}})
	if err != nil {
		return types.Datum{}, err
	}
	rows, err := bound.Rows(ctx, nil)
	if err != nil || rows[0][0].Null {
		return types.NullDatum(), err
	}
	from := bound.Columns()[0].Type
	if from.Equal(t) {
		return rows[0][0], nil
	}
	value, err := types.Parse(t, types.Format(from, rows[0][0], nil), nil)
	return value, r.locate(err, e.Offset())
}

// matching lists the partitions that a specification selects.
func (r *run) matching(ctx context.Context, t *catalog.Table, spec connectors.PartitionSpec) ([]*catalog.Partition, error) {
	all, err := r.tx.Partitions(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	columnTypes := t.PartitionTypes()
	return slices.DeleteFunc(slices.Clone(all), func(p *catalog.Partition) bool {
		for i, want := range spec {
			if want == nil {
				continue
			}
			have := p.Values[i]
			if have.Null != want.Null || !have.Null && types.CompareDatums(columnTypes[i], have, *want) != 0 {
				return true
			}
		}
		return false
	}), nil
}

// dropPartitions is ALTER TABLE … DROP PARTITION.
func (a *alteration) dropPartitions(ctx context.Context, action *ast.DropPartitions) error {
	var keys []string
	for _, p := range action.Partitions {
		spec, err := a.partitionSpec(ctx, a.t, p.Values)
		if err != nil {
			return a.locate(err, p.Pos)
		}
		found, err := a.matching(ctx, a.t, spec)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			message := fmt.Sprintf("partition %s of relation %q does not exist", a.specLabel(spec), a.t.Name)
			if !action.IfExists {
				return a.fail(p.Pos, sqlerr.UndefinedObject, "%s", message)
			}
			a.notice(sqlerr.SuccessfulCompletion, message+", skipping", "")
		}
		for _, each := range found {
			keys = append(keys, each.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return a.tx.DeletePartitions(a.t.ID, keys)
}

// addPartitions is Hive's ALTER TABLE … ADD PARTITION: of an external table it lists the files in the
// partition's directory; a table of one's own needs no partitions before it has rows.
func (a *alteration) addPartitions(ctx context.Context, action *ast.AddPartitions) error {
	if a.t.Kind != connectors.External {
		for _, p := range action.Partitions {
			if _, err := a.partitionSpec(ctx, a.t, p.Values); err != nil {
				return a.locate(err, p.Pos)
			}
		}
		return nil
	}
	for _, p := range action.Partitions {
		if p.Location != "" && !strings.HasPrefix(objstore.Canonical(p.Location), strings.TrimRight(a.t.Location, "/")+"/") {
			return a.fail(p.Pos, sqlerr.FeatureNotSupported, "a partition must lie below the table's location, %s", a.t.Location)
		}
	}
	return a.syncTable(ctx, &ast.SyncTable{Table: &ast.Name{Pos: action.Pos, Parts: []string{a.name.Schema, a.name.Name}}})
}

func (a *alteration) specLabel(spec connectors.PartitionSpec) string {
	var parts []string
	for i, name := range columnNames(a.t, a.t.Partition) {
		if spec[i] == nil {
			continue
		}
		text := partition.NullName
		if !spec[i].Null {
			text, _ = partition.Format(a.t.PartitionTypes()[i], *spec[i])
		}
		parts = append(parts, name+"="+text)
	}
	return strings.Join(parts, "/")
}
