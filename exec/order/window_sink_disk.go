package order

import (
	"context"

	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/exec/window"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// diskPartitions cuts the merged runs into segments of whole partitions.
type diskPartitions struct {
	merge     *diskMerge
	window    *Window
	evaluator *window.Evaluator
	segment   segment
	large     *spill.Buffer // instead of a segment: a large partition
	ended     bool
	// store holds the segment's rows and those of the partition that has begun after it.
	store    *rows.Store
	numbers  []uint32
	starts   []int32
	last     []vec.Vector // partition columns of the last row read
	complete int          // rows of the segment handed out
}

// next reads until at least segmentRows rows of whole partitions are there; false at the end.
func (d *diskPartitions) next(ctx context.Context) (bool, error) {
	if err := d.drop(); err != nil {
		return false, err
	}
	for !d.ended && (len(d.starts) < 2 || int(d.starts[len(d.starts)-1]) < segmentRows) {
		b, err := d.merge.Next(ctx)
		if err != nil {
			return false, err
		}
		if b == nil {
			d.ended = true
			break
		}
		if err := d.append(b); err != nil {
			return false, err
		}
		if !d.window.large(d.evaluator, len(d.numbers), d.store.Bytes()) {
			continue
		}
		if len(d.starts) > 1 {
			break
		}
		return true, d.setAside(ctx)
	}
	if len(d.numbers) == 0 {
		return false, nil
	}
	whole := append([]int32(nil), d.starts...)
	if d.ended {
		whole = append(whole, int32(len(d.numbers)))
	}
	d.complete = int(whole[len(whole)-1])
	d.segment = segment{starts: whole}
	return true, nil
}

// setAside moves the open partition, the only one at hand, to disk, and what else there is of it.
func (d *diskPartitions) setAside(ctx context.Context) error {
	policy := d.window.policy
	policy.Force = true
	d.large = spill.NewBuffer(d.window.input, d.window.pool, policy)
	for at := 0; at < len(d.numbers); at += batchRows {
		if err := d.large.Append(d.rows(d.numbers[at:min(at+batchRows, len(d.numbers))])); err != nil {
			return err
		}
	}
	d.complete = len(d.numbers)
	for {
		b, err := d.merge.Next(ctx)
		if err != nil {
			return err
		}
		if b == nil {
			d.ended = true
			return nil
		}
		changes := d.changes(b)
		same := b.Len
		for i, c := range changes {
			if c {
				same = i
				break
			}
		}
		var part vec.Batch
		part.Cols, part.Len = make([]vec.Vector, len(b.Cols)), same
		for c := range b.Cols {
			window.Slice(&part.Cols[c], &b.Cols[c], 0, same)
		}
		if err := d.large.Append(&part); err != nil {
			return err
		}
		if same == b.Len {
			d.remember(b)
			continue
		}
		// The rest begins a new store, next to the one that drop frees.
		old := d.store
		d.store, d.numbers, d.starts, d.complete, d.last = nil, nil, nil, 0, nil
		old.Free()
		for c := range b.Cols {
			var rest vec.Vector
			window.Slice(&rest, &b.Cols[c], same, b.Len-same)
			part.Cols[c] = rest
		}
		part.Len = b.Len - same
		return d.append(&part)
	}
}

// rows gathers stored rows.
func (d *diskPartitions) rows(numbers []uint32) *vec.Batch {
	b := &vec.Batch{Len: len(numbers), Cols: make([]vec.Vector, len(d.window.input))}
	for c := range b.Cols {
		d.store.Gather(c, numbers, &b.Cols[c])
	}
	return b
}

// append keeps a batch's rows and notes where partitions begin.
func (d *diskPartitions) append(b *vec.Batch) error {
	if d.store == nil {
		var err error
		if d.store, err = rows.NewStore(d.window.layout(false), d.window.pool, d.window.policy.Operator); err != nil {
			return err
		}
	}
	differs := d.changes(b)
	base := len(d.numbers)
	for i := range b.Len {
		if differs[i] {
			d.starts = append(d.starts, int32(base+i))
		}
	}
	d.remember(b)
	cols, list := make([]*vec.Vector, len(b.Cols)), make([]int32, b.Len)
	for c := range cols {
		cols[c] = &b.Cols[c]
	}
	for i := range list {
		list[i] = int32(i)
	}
	numbers := make([]uint32, b.Len)
	w := d.store.NewWriter()
	if err := w.Append(cols, list, numbers); err != nil {
		return err
	}
	w.Flush()
	d.numbers = append(d.numbers, numbers...)
	return nil
}

// changes tells which rows begin a partition.
func (d *diskPartitions) changes(b *vec.Batch) []bool {
	differs := make([]bool, b.Len+1)
	for i, c := range d.window.node.Partition {
		joined := vec.NewFlat(b.Cols[c].Type, 0)
		if d.last != nil {
			window.Extend(joined, &d.last[i])
		} else {
			joined.AppendDatum(types.NullDatum())
		}
		window.Extend(joined, &b.Cols[c])
		window.MarkChanges(joined, differs)
	}
	differs[1] = differs[1] || d.last == nil
	return differs[1:]
}

// remember keeps the partition columns of the last row.
func (d *diskPartitions) remember(b *vec.Batch) {
	d.last = make([]vec.Vector, len(d.window.node.Partition))
	for i, c := range d.window.node.Partition {
		vec.Gather(&d.last[i], &b.Cols[c], []int32{int32(b.Len - 1)})
	}
}

func (d *diskPartitions) gather(c int, dst *vec.Vector) {
	d.store.Gather(c, d.numbers[:d.complete], dst)
}

// drop forgets the segment that was handed out; rows after it move to a new store.
func (d *diskPartitions) drop() error {
	if d.large != nil {
		if err := d.large.Close(); err != nil {
			return err
		}
		d.large = nil
	}
	if d.complete == 0 {
		return nil
	}
	rest := d.numbers[d.complete:]
	old := d.store
	d.store, d.numbers, d.starts, d.complete = nil, nil, nil, 0
	defer old.Free()
	if len(rest) == 0 {
		return nil
	}
	b := &vec.Batch{Len: len(rest), Cols: make([]vec.Vector, len(d.window.input))}
	for c := range b.Cols {
		old.Gather(c, rest, &b.Cols[c])
	}
	last := d.last
	d.last = nil
	if err := d.append(b); err != nil {
		return err
	}
	d.last = last
	return nil
}

func (d *diskPartitions) close() error {
	if d.large != nil {
		_ = d.large.Close()
	}
	d.store.Free()
	return d.merge.Close()
}
