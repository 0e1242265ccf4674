package parquet

import (
	"context"
	"fmt"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// column produces one column of the reader's batches. Rows are consumed in order, by read or skip.
type column interface {
	// open starts at the first row of a row group.
	open(group int) error
	// stream is the chunk still to be fetched, nil when nothing has to be.
	streams() []*chunkStream
	// skip passes over rows; nothing is decoded before the next read.
	skip(n int)
	// read makes dst the next n rows or, when pick is not nil, those of them that pick lists
	// (ascending). dst refers to memory that stays untouched until the next read.
	read(ctx context.Context, dst *vec.Vector, n int, pick []int32) error
	name() string
}

// pageForm is how the values of the loaded page are read.
type pageForm uint8

const (
	formArray pageForm = iota // fixed-width values in array
	formViews                 // views into text
	formPlain                 // length-prefixed strings at text[cursor:]
	formCodes                 // codes into the dictionary
)

// flatColumn reads a stored column without repetition and with at most one definition level.
type flatColumn struct {
	reader  *Reader
	loader  loader
	target  types.Type
	cast    scan.Cast // nil: the natural type is the target's
	chunk   chunkStream
	codec   codecID
	group   int
	pending int // rows to skip before the next read

	dict     *vec.Vector // flat, natural type; nil before the chunk's dictionary page
	dictID   uint64
	keepDict bool // hand out codes
	nested   bool // the values of a nested column's leaf

	rows, at      int        // of the loaded page
	valid         vec.Bitmap // of the loaded page; nil: no nulls
	values, taken int        // non-null values of the page, and how many rows consumed
	form          pageForm
	array         []byte
	views         []vec.View
	text          []byte
	ascii         bool
	cursor        int
	codes         hybrid

	pageBuffer, arrayBuffer []byte
	validBuffer, outValid   vec.Bitmap
	codeBuffer, indexBuffer []int32
	pickBuffer              []int32
	viewBuffer              []vec.View
	natural                 vec.Vector // before cast
	out                     output
}

// output is the state of one read call.
type output struct {
	dst   *vec.Vector
	at    int  // rows written
	count int  // rows wanted
	nulls bool // outValid holds bits
	begun bool // dst has been sized
}

func (c *flatColumn) name() string { return c.loader.leaf.path }
func (c *flatColumn) streams() []*chunkStream {
	c.chunk.column = c.loader.leaf.column
	return []*chunkStream{&c.chunk}
}
func (c *flatColumn) skip(n int) { c.pending += n }

func (c *flatColumn) open(group int) error {
	if err := c.loader.unsupported(); err != nil {
		return err
	}
	chunk := &c.reader.file.meta.groups[group].chunks[c.loader.leaf.column]
	c.chunk.reader = c.reader
	c.chunk.open(chunk.start(), chunk.end())
	c.codec, c.group, c.pending = chunk.codec, group, 0
	c.dict, c.rows, c.at = nil, 0, 0
	return nil
}

func (c *flatColumn) read(ctx context.Context, dst *vec.Vector, n int, pick []int32) error {
	if c.pending > 0 {
		if err := c.seek(ctx); err != nil {
			return err
		}
	}
	into := dst
	if c.cast != nil {
		into = &c.natural
	}
	count := n
	if pick != nil {
		count = len(pick)
	}
	c.out = output{dst: into, count: count}
	for base := 0; base < n; {
		if c.at == c.rows {
			rows, err := c.nextPage(ctx, n-base, base, pick)
			if err != nil {
				return err
			}
			if c.at == c.rows { // passed over
				base += rows
				continue
			}
		}
		m := min(n-base, c.rows-c.at)
		var part []int32
		if pick != nil {
			k := countBelow(pick, int32(base+m))
			part, pick = pick[:k], pick[k:]
		}
		if pick != nil && len(part) == 0 {
			if err := c.pass(m); err != nil {
				return err
			}
		} else if err := c.portion(m, base, part); err != nil {
			return err
		}
		base += m
	}
	c.finish()
	if c.cast != nil {
		return c.cast(dst, into)
	}
	return nil
}

// countBelow is the number of leading elements of the ascending list that are less than limit.
func countBelow(list []int32, limit int32) int {
	if len(list) == 0 || list[len(list)-1] < limit {
		return len(list)
	}
	lo, hi := 0, len(list)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if list[mid] < limit {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// seek consumes the pending rows, without decompressing pages that hold nothing else.
func (c *flatColumn) seek(ctx context.Context) error {
	for c.pending > 0 {
		if c.at == c.rows {
			rows, err := c.nextPage(ctx, c.pending, 0, emptyPick)
			if err != nil {
				return err
			}
			if c.at == c.rows {
				c.pending -= rows
				continue
			}
		}
		m := min(c.pending, c.rows-c.at)
		if err := c.pass(m); err != nil {
			return err
		}
		c.pending -= m
	}
	return nil
}

var emptyPick = []int32{}

// nextPage reads headers up to the next data page and loads it; or passes over it, when all its
// rows are wanted by nobody: most more rows are in the request, and pick has none in the page.
// rows are the page's.
func (c *flatColumn) nextPage(ctx context.Context, most, base int, pick []int32) (rows int, err error) {
	for {
		if c.chunk.at >= c.chunk.end {
			return 0, fmt.Errorf("column chunk ends early")
		}
		h, err := c.chunk.header(ctx)
		if err != nil {
			return 0, err
		}
		switch h.kind {
		case pageDictionary:
			if err := c.loadDictionary(ctx, h); err != nil {
				return 0, err
			}
		case pageDataV1, pageDataV2:
			rows = int(h.values)
			if rows == 0 {
				c.chunk.skip(h)
				continue
			}
			if pick != nil && rows <= most && countBelow(pick, int32(base+rows)) == 0 {
				c.chunk.skip(h)
				return rows, nil
			}
			return rows, c.load(ctx, h)
		default:
			c.chunk.skip(h)
		}
	}
}

// pass consumes m rows of the loaded page.
func (c *flatColumn) pass(m int) error {
	values := m
	if c.valid != nil {
		values = countBits(c.valid, c.at, m)
	}
	var err error
	switch c.form {
	case formPlain:
		c.cursor, err = skipPlain(c.text, c.cursor, values)
	case formCodes:
		err = c.codes.skip(values)
	}
	c.at += m
	c.taken += values
	return err
}

// portion writes rows of the loaded page: its next m rows, or those that pick lists (counted from
// the request's row base - the portion's first row is the request's row base).
func (c *flatColumn) portion(m, base int, pick []int32) error {
	rows, values := m, m
	if pick != nil {
		rows = len(pick)
	}
	var index []int32 // of each output row's value among the portion's values; nil: identity
	if c.valid != nil {
		values = countBits(c.valid, c.at, m)
	}
	switch {
	case values == m && pick == nil:
	case values == m:
		index = c.rebased(pick, base)
	default:
		index = c.ranks(m, base, pick)
	}
	if c.valid != nil || c.out.nulls {
		c.putValid(m, base, pick, values == m)
	}
	err := c.emit(rows, values, index)
	c.out.at += rows
	c.at += m
	c.taken += values
	return err
}

func (c *flatColumn) rebased(pick []int32, base int) []int32 {
	if base == 0 {
		return pick
	}
	index := resize(&c.indexBuffer, len(pick))
	for i, p := range pick {
		index[i] = p - int32(base)
	}
	return index
}

// resize gives n elements of *buffer's memory, grown if needed, with room for one more.
func resize[T any](buffer *[]T, n int) []T {
	if cap(*buffer) < n+1 {
		*buffer = make([]T, n+1, max(2*cap(*buffer), n+1))
	}
	*buffer = (*buffer)[:n+1]
	return (*buffer)[:n]
}

// ranks gives for each output row the number of non-null rows before it in the portion.
func (c *flatColumn) ranks(m, base int, pick []int32) []int32 {
	if pick == nil {
		index := resize(&c.indexBuffer, m)
		rank := int32(0)
		for at := 0; at < m; at += 64 {
			word := bitsAt(c.valid, c.at+at)
			part := index[at:min(at+64, m)]
			for i := range part {
				part[i] = rank
				rank += int32(word & 1)
				word >>= 1
			}
		}
		return index
	}
	index := resize(&c.indexBuffer, len(pick))
	rank, done := 0, 0
	for i, p := range pick {
		at := int(p) - base
		rank += countBits(c.valid, c.at+done, at-done)
		done = at
		index[i] = int32(rank)
	}
	return index
}

// putValid writes the portion's validity to outValid.
func (c *flatColumn) putValid(m, base int, pick []int32, allValid bool) {
	o := &c.out
	rows := m
	if pick != nil {
		rows = len(pick)
	}
	if !o.nulls {
		if allValid {
			return
		}
		o.nulls = true
		words := vec.BitmapWords(max(o.count, 1))
		if cap(c.outValid) < words {
			c.outValid = make(vec.Bitmap, words)
		}
		c.outValid = c.outValid[:words]
		clear(c.outValid)
		setBits(c.outValid, 0, o.at)
	}
	switch {
	case allValid:
		setBits(c.outValid, o.at, rows)
	case pick == nil:
		copyBitmap(c.outValid, o.at, c.valid, c.at, m)
	default:
		for i, p := range pick {
			if c.valid.Get(c.at + int(p) - base) {
				c.outValid.Set(o.at + i)
			}
		}
	}
}

// finish sets what holds for the whole vector.
func (c *flatColumn) finish() {
	if !c.out.begun {
		c.out.dst.Resize(c.loader.leaf.typ, 0)
	}
	if c.out.nulls {
		c.out.dst.Valid = c.outValid
	}
}
