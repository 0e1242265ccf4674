package engine

import (
	"context"
	"encoding/json"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// executeInsert runs the write's plan to its end and stages its files in the transaction.
func (e *Engine) executeInsert(ctx context.Context, tx *Tx, p *planned, x *executable, functions *fn.Session) (*session.Result, error) {
	fragments, err := e.collect(ctx, tx, x, functions)
	if err != nil {
		return nil, err
	}
	mode, spec := writeMode(p)
	rows, err := e.stage(ctx, tx, p.bound.Target.Target(), mode, spec, fragments)
	if err != nil {
		return nil, err
	}
	return &session.Result{Affected: func() int64 { return rows }}, nil
}

// stage lists a write's files in the transaction, and remembers them should it be rolled back.
func (e *Engine) stage(ctx context.Context, tx *Tx, target connectors.Target, mode connectors.WriteMode,
	spec connectors.PartitionSpec, fragments []connectors.Fragment) (int64, error) {
	stager, ok := e.config.Connectors[target.Connector].(Stager)
	if !ok {
		return 0, sqlerr.Internal("connector %q takes no files", target.Connector)
	}
	rows, err := stager.Stage(ctx, tx, target, mode, spec, fragments)
	if err == nil {
		tx.staged = append(tx.staged, stagedWrite{stager, target, fragments, tx.marks})
	}
	return rows, err
}

func writeMode(p *planned) (connectors.WriteMode, connectors.PartitionSpec) {
	if p.write == nil || !p.write.Overwrite {
		return connectors.Append, nil
	}
	t := p.bound.Target
	if len(p.write.Static) == 0 {
		return connectors.OverwriteDynamic, nil
	}
	spec := make(connectors.PartitionSpec, len(t.Partition))
	for i, ordinal := range t.Partition {
		if v, ok := p.write.Static[ordinal]; ok {
			spec[i] = &v
		}
	}
	return connectors.OverwriteStatic, spec
}

// collect runs a Write plan and gives its fragments. When it fails, the sinks have removed what they
// staged.
func (e *Engine) collect(ctx context.Context, tx *Tx, x *executable, functions *fn.Session) (fragments []connectors.Fragment, err error) {
	running, err := e.run(ctx, tx, x, functions)
	if err != nil {
		return nil, err
	}
	err = drain(ctx, running, func(b *vec.Batch) error {
		var rows vec.Batch
		b.Compact(&rows)
		for i := range rows.Len {
			fragments = append(fragments, connectors.Fragment{Rows: rows.Cols[0].Datum(i).I64, Payload: json.RawMessage(rows.Cols[1].Datum(i).Str)})
		}
		return nil
	})
	return fragments, err
}

// executeDelete drops whole partitions.
func (e *Engine) executeDelete(ctx context.Context, tx *Tx, p *planned, params []types.Datum) (*session.Result, error) {
	t := p.bound.Target
	if tx.State.ReadOnly {
		return nil, sqlerr.New(sqlerr.ReadOnlySQLTransaction, "cannot execute DELETE in a read-only transaction")
	}
	partitions, err := tx.Partitions(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	functions := tx.FunctionSession(ctx)
	var keys []string
	var rows int64
	for _, part := range partitions {
		gone, err := e.selects(p, part, params, functions)
		if err != nil {
			return nil, err
		}
		if gone {
			keys = append(keys, part.Key)
			rows += part.Rows
		}
	}
	if len(keys) > 0 {
		if err := tx.DeletePartitions(t.ID, keys); err != nil {
			return nil, err
		}
	}
	return &session.Result{Affected: func() int64 { return rows }}, nil
}

// selects evaluates a DELETE's predicate on a partition's values.
func (e *Engine) selects(p *planned, part *catalog.Partition, params []types.Datum, functions *fn.Session) (bool, error) {
	if p.bound.Predicate == nil {
		return true, nil
	}
	value, err := e.config.Fold(withValues(p.bound.Predicate, part.Values, params), functions)
	return err == nil && !value.Null && value.Bool(), err
}
