package orc

import (
	"fmt"
	"math/bits"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// column produces one column of the reader's batches. Rows are consumed in order, by read or skip.
type column interface {
	// open starts at the first row of a stripe.
	open(s *openStripe) error
	// inputs lists the streams that the next read will read from.
	inputs(to []*input) []*input
	// skip passes over rows; nothing is decoded before the next read.
	skip(n int)
	// read makes dst the next n rows or, when pick is not nil, those of them that pick lists
	// (ascending). dst refers to memory that stays untouched until the next read.
	read(dst *vec.Vector, n int, pick []int32) error
	name() string
}

// rowSet says which rows a read wants: of n rows, those that are valid have the next count values;
// pick lists the wanted ones.
type rowSet struct {
	n, count int
	valid    vec.Bitmap // nil: all
	pick     []int32    // nil: all
}

func (r *rowSet) rows() int {
	if r.pick != nil {
		return len(r.pick)
	}
	return r.n
}

// dense tells whether values and wanted rows are the same.
func (r *rowSet) dense() bool { return r.pick == nil && r.valid == nil }

// place writes the wanted rows of values, which has one more element than there are values.
func place[T any](dst, values []T, r *rowSet) {
	switch {
	case r.dense():
		copy(dst, values[:r.n])
	case r.pick == nil:
		expand(dst[:r.n], values, r.valid)
	case r.valid == nil:
		dst = dst[:len(r.pick)]
		for i, at := range r.pick {
			dst[i] = values[at]
		}
	default:
		var rank rankCursor
		dst = dst[:len(r.pick)]
		for i, at := range r.pick {
			dst[i] = values[rank.at(r.valid, int(at))]
		}
	}
}

// expand spreads values over the valid rows.
func expand[T any](dst, values []T, valid vec.Bitmap) {
	rank := 0
	for len(dst) > 0 {
		word := valid[0]
		valid = valid[1:]
		part := dst[:min(64, len(dst))]
		dst = dst[len(part):]
		if word == ^uint64(0) {
			rank += copy(part, values[rank:rank+64])
			continue
		}
		for i := range part {
			part[i] = values[rank]
			rank += int(word & 1)
			word >>= 1
		}
	}
}

// rankCursor counts the valid rows before rows asked for in ascending order.
type rankCursor struct{ word, rank int }

func (c *rankCursor) at(valid vec.Bitmap, row int) int {
	for c.word < row>>6 {
		c.rank += bits.OnesCount64(valid[c.word])
		c.word++
	}
	return c.rank + bits.OnesCount64(valid[c.word]&(1<<(uint(row)&63)-1))
}

// resize gives n elements of *buffer's memory, grown if needed, and one more that is zero.
func resize[T any](buffer *[]T, n int) []T {
	if cap(*buffer) < n+1 {
		*buffer = make([]T, n+1, max(2*cap(*buffer), n+1))
	}
	*buffer = (*buffer)[:n+1]
	var zero T
	(*buffer)[n] = zero
	return *buffer
}

// values reads the present values of a column.
type values interface {
	open(s *openStripe, n *node) error
	inputs(to []*input) []*input
	// seek moves to a row group; p are the column's own positions.
	seek(s *openStripe, group int, p *positions) error
	skip(n int) error
	read(dst *vec.Vector, rows *rowSet) error
}

// storedColumn reads a column of the file, at the top or a member of another.
type storedColumn struct {
	reader *Reader
	node   *node
	path   string
	cast   scan.Cast // nil: the values are of the wanted type
	values values

	stripe     *openStripe
	hasPresent bool
	present    bitReader
	row        int // of the stripe, next to be read
	pending    int // rows to pass over before
	unplaced   bool
	failed     error // where the next read begins is not known

	validBuffer, outValid vec.Bitmap
	natural               vec.Vector // before cast
}

func (c *storedColumn) name() string { return c.path }

// each calls visit for the column and all below it that are read.
func (c *storedColumn) each(visit func(*storedColumn)) {
	visit(c)
	if nested, ok := c.values.(interface{ stored() []*storedColumn }); ok {
		for _, m := range nested.stored() {
			if m != nil {
				m.each(visit)
			}
		}
	}
}

func (c *storedColumn) open(s *openStripe) error {
	c.stripe, c.row, c.pending, c.unplaced, c.failed = s, 0, 0, s.partial, nil
	present := s.stream(c.node.id, streamPresent)
	if c.hasPresent = present != nil; c.hasPresent {
		c.present.open(c.reader, present)
	}
	return c.values.open(s, c.node)
}

func (c *storedColumn) inputs(to []*input) []*input {
	c.locate()
	if c.hasPresent {
		to = append(to, &c.present.bytes.in)
	}
	return c.values.inputs(to)
}

func (c *storedColumn) skip(n int) { c.pending += n }

// locate moves to the row group of the next row when the row index tells where it is.
func (c *storedColumn) locate() {
	stride := c.reader.file.meta.stride
	if stride == 0 || c.pending == 0 && !c.unplaced {
		return
	}
	target := c.row + c.pending
	group := int(int64(target) / stride)
	if !c.unplaced && group == int(int64(c.row)/stride) {
		return
	}
	c.unplaced = false
	if !c.stripe.canSeek(c, group) {
		return // decoded instead
	}
	if c.seek(c.stripe, group) != nil {
		c.failed = c.rewind(c.stripe, group)
	}
	c.row = int(int64(group) * stride)
	c.pending = target - c.row
}

var errPosition = fmt.Errorf("row index holds no place")

// seek moves to a row group of the stripe, of which canSeek is true. After an error it may be anywhere.
func (c *storedColumn) seek(s *openStripe, group int) error {
	p := s.positions(c.node.id, group, c.reader.wantedEnd(group))
	if c.hasPresent {
		c.present.seek(p)
	}
	if err := c.values.seek(s, group, p); err != nil {
		return err
	}
	if p.failed {
		return errPosition
	}
	return nil
}

// rewind gives the row index up: it starts the stripe again and decodes up to the row group.
func (c *storedColumn) rewind(s *openStripe, group int) error {
	s.noSeek = true
	target := int(int64(group) * c.reader.file.meta.stride)
	if err := c.open(s); err != nil {
		return err
	}
	c.unplaced = false
	return c.pass(target)
}

// pass decodes and drops rows.
func (c *storedColumn) pass(n int) error {
	if !c.hasPresent && c.node.kind != kindStruct {
		return c.values.skip(n)
	}
	for n > 0 {
		m := min(n, 8*vec.BatchSize)
		count := m
		if c.hasPresent {
			valid := c.bitmap(m)
			if err := c.present.read(valid, m); err != nil {
				return err
			}
			count = valid.CountSet(m)
		}
		if err := c.values.skip(count); err != nil {
			return err
		}
		n -= m
	}
	return nil
}

// bitmap gives n bits of the column's memory.
func (c *storedColumn) bitmap(n int) vec.Bitmap {
	if words := vec.BitmapWords(n) + 1; cap(c.validBuffer) < words {
		c.validBuffer = make(vec.Bitmap, 2*words)
	}
	return c.validBuffer[:vec.BitmapWords(max(n, 1))]
}

func (c *storedColumn) read(dst *vec.Vector, n int, pick []int32) error {
	if c.pending > 0 || c.unplaced {
		c.locate()
		if c.failed != nil {
			return c.failed
		}
		if err := c.pass(c.pending); err != nil {
			return err
		}
		c.row += c.pending
		c.pending = 0
	}
	rows := rowSet{n: n, count: n, pick: pick}
	if c.hasPresent {
		valid := c.bitmap(n)
		if err := c.present.read(valid, n); err != nil {
			return err
		}
		if rows.count = valid.CountSet(n); rows.count < n {
			rows.valid = valid
		}
	}
	into := dst
	if c.cast != nil {
		into = &c.natural
	}
	if err := c.values.read(into, &rows); err != nil {
		return err
	}
	c.row += n
	c.putValid(into, &rows)
	if c.cast != nil {
		return c.cast(dst, into)
	}
	return nil
}

// maxMembers bounds the members of lists that one read gives.
const maxMembers = 1 << 24

// putValid gives dst the validity of the wanted rows.
func (c *storedColumn) putValid(dst *vec.Vector, r *rowSet) {
	if r.valid == nil {
		return
	}
	rows := r.rows()
	words := vec.BitmapWords(max(rows, 1))
	if cap(c.outValid) < words {
		c.outValid = make(vec.Bitmap, words)
	}
	c.outValid = c.outValid[:words]
	if r.pick == nil {
		copy(c.outValid, r.valid)
	} else {
		clear(c.outValid)
		for i, at := range r.pick {
			c.outValid[i>>6] |= (r.valid[at>>6] >> (uint(at) & 63) & 1) << (uint(i) & 63)
		}
	}
	dst.Valid = c.outValid
}

// nullColumn gives NULL for a column that the file does not have.
type nullColumn struct{ typ types.Type }

func (c *nullColumn) name() string                { return "" }
func (c *nullColumn) open(*openStripe) error      { return nil }
func (c *nullColumn) inputs(to []*input) []*input { return to }
func (c *nullColumn) skip(int)                    {}
func (c *nullColumn) read(dst *vec.Vector, n int, pick []int32) error {
	scan.Nulls(dst, c.typ, n, pick)
	return nil
}

// positionColumn numbers the rows of the file.
type positionColumn struct{ reader *Reader }

func (c *positionColumn) name() string                { return "" }
func (c *positionColumn) open(*openStripe) error      { return nil }
func (c *positionColumn) inputs(to []*input) []*input { return to }
func (c *positionColumn) skip(int)                    {}
func (c *positionColumn) read(dst *vec.Vector, n int, pick []int32) error {
	scan.Positions(dst, c.reader.position, n, pick)
	return nil
}
