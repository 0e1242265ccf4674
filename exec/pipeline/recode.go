package pipeline

import (
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// recoders gives batches unusual forms between operators, so that tests meet every encoding.
type recoders struct{}

// active tells whether the environment asks for another form or a smaller size of batches.
func (recoders) active(e *Environment) bool {
	return e.Force.Dictionary || e.Force.Selection || e.BatchSize < vec.BatchSize
}

// wrap makes an Emit that hands on the same rows in the forced form.
func (recoders) wrap(e *Environment, deliver func(*vec.Batch) error) func(*vec.Batch) error {
	return func(b *vec.Batch) error {
		if e.Force.Dictionary {
			b = withDictionaries(b)
		}
		if e.Force.Selection {
			b = amongGarbage(b)
		}
		if b.Rows() <= e.BatchSize || e.BatchSize >= vec.BatchSize {
			return deliver(b)
		}
		rows := b.Sel
		if rows == nil {
			rows = make([]int32, b.Len)
			for i := range rows {
				rows[i] = int32(i)
			}
		}
		for at := 0; at < len(rows); at += e.BatchSize {
			piece := *b
			piece.Sel = rows[at:min(at+e.BatchSize, len(rows))]
			if err := deliver(&piece); err != nil {
				return err
			}
		}
		return nil
	}
}

// withDictionaries encodes every flat column as codes into a dictionary with entries that no row uses.
func withDictionaries(b *vec.Batch) *vec.Batch {
	out := &vec.Batch{Cols: make([]vec.Vector, len(b.Cols)), Len: b.Len, Sel: b.Sel}
	for i := range b.Cols {
		source := &b.Cols[i]
		if source.Enc == vec.Dict || b.Len == 0 || source.Type.Physical() == types.PhysNone ||
			source.Type.Physical() == types.PhysRow {
			out.Cols[i].Alias(source)
			continue
		}
		encode(&out.Cols[i], source)
	}
	return out
}

// encode makes dst the rows of src under a dictionary that lists them backwards, followed by a value
// that is not used.
func encode(dst, src *vec.Vector) {
	var flat vec.Vector
	vec.Flatten(&flat, src)
	backwards := make([]int32, 0, flat.Len+1)
	for i := flat.Len - 1; i >= 0; i-- {
		backwards = append(backwards, int32(i))
	}
	backwards = append(backwards, 0)
	var entries vec.Vector
	valid := flat.Valid
	flat.Valid = nil
	vec.Gather(&entries, &flat, backwards)
	dictionary := &vec.Vector{}
	dictionary.CopyFrom(&entries) // it may be kept, the source's memory may not
	dst.ResizeDict(dictionary, 0, flat.Len)
	codes := dst.Codes()
	for i := range codes {
		codes[i] = int32(flat.Len - 1 - i)
	}
	dst.Valid = valid
}

// amongGarbage puts a row that must not be looked at before each row.
func amongGarbage(b *vec.Batch) *vec.Batch {
	n := b.Rows()
	row := func(i int) int32 {
		if b.Sel != nil {
			return b.Sel[i]
		}
		return int32(i)
	}
	positions, selected := make([]int32, 0, 2*n), make([]int32, 0, n)
	for i := range n {
		positions = append(positions, row(n-1-i), row(i))
		selected = append(selected, int32(2*i+1))
	}
	out := &vec.Batch{Cols: make([]vec.Vector, len(b.Cols)), Len: 2 * n, Sel: selected}
	for i := range b.Cols {
		vec.Gather(&out.Cols[i], &b.Cols[i], positions)
	}
	return out
}
