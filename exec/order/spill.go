package order

import (
	"bytes"
	"context"
	"slices"
	"sort"

	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// spilledRun is a sorted run on disk: the rows' columns and, last, their whole keys.
type spilledRun struct {
	file   *spill.File
	blocks []spill.Block
	firsts [][]byte // of each block: the first row's key, …
	pivots [][]byte // … and the part of it for the sort's leading columns
}

// spill writes the driver's rows to disk as one sorted run and empties the store.
func (l *sorting) spill(ctx context.Context) error {
	l.closeChunk()
	l.writer.Flush()
	total := 0
	from, to := make([]int, len(l.runs)), make([]int, len(l.runs))
	for i, r := range l.runs {
		to[i] = len(r.entries)
		total += to[i]
	}
	if total == 0 {
		return nil
	}
	file, err := spill.Create(l.sink.policy.Directory, l.sink.policy.Written)
	if err != nil {
		return err
	}
	disk := &spilledRun{file: file}
	l.sink.mu.Lock()
	l.sink.spilled = append(l.sink.spilled, disk)
	l.sink.mu.Unlock()
	m := newMerger(l.runs, from, to)
	// Blocks are read back whole, one of every run at a time: long rows make them short.
	most := int(max(1, min(batchRows, pieceBytes/(l.store.Bytes()/int64(total)+1))))
	numbers, entries := make([]uint32, 0, most), make([]entry, 0, most)
	for done := 0; done < total; {
		if err := slots.Edge(ctx); err != nil {
			return err
		}
		numbers, entries = numbers[:0], entries[:0]
		for len(numbers) < most && done < total {
			_, e := m.next()
			numbers, entries = append(numbers, e.row), append(entries, e)
			done++
		}
		b := l.block(numbers, entries)
		block, err := file.Write(b)
		if err != nil {
			return err
		}
		disk.blocks = append(disk.blocks, block)
		disk.firsts = append(disk.firsts, bytes.Clone(b.Cols[len(b.Cols)-1].Bytes(0)))
		disk.pivots = append(disk.pivots, l.encoder.leading(b, l.sink.leading))
	}
	l.store.Free()
	l.pool.Release(l.reserved)
	l.reserved = 0
	return l.begin()
}

// block gathers rows and their keys.
func (l *sorting) block(numbers []uint32, entries []entry) *vec.Batch {
	width := len(l.sink.input)
	b := &vec.Batch{Len: len(numbers), Cols: make([]vec.Vector, width+1)}
	for c := range width {
		l.store.Gather(c, numbers, &b.Cols[c])
	}
	if l.encoder.long {
		l.store.Gather(width, numbers, &b.Cols[width])
		return b
	}
	keys := &b.Cols[width]
	keys.Resize(types.Of(types.Bytea), len(numbers))
	for i, e := range entries {
		keys.SetBytes(i, e.appendPrefix(nil))
	}
	return b
}

// diskMerge merges runs on disk.
type diskMerge struct {
	sort    *Sort
	types   []types.Type
	cursors []*cursor
	heads   Heads // by number of the cursor
	store   *rows.Store
	out     vec.Batch
	span    keySpan
}

// keySpan is a range of keys: from inclusive, to exclusive; nil for no bound.
type keySpan struct{ from, to []byte }

// spans cuts the spilled runs into at most n ranges of about equal size, such that rows that agree in
// the leading columns are in one range.
func (s *Sort) spans(n int) []keySpan {
	var pivots [][]byte
	for _, r := range s.spilled {
		pivots = append(pivots, r.pivots...)
	}
	slices.SortFunc(pivots, bytes.Compare)
	spans := []keySpan{{}}
	if s.leading == 0 {
		return spans
	}
	for i := 1; i < n; i++ {
		last := &spans[len(spans)-1]
		if p := pivots[i*len(pivots)/n]; bytes.Compare(p, last.from) > 0 && len(p) > 0 {
			last.to = p
			spans = append(spans, keySpan{from: p})
		}
	}
	return spans
}

// cursor reads one run.
type cursor struct {
	run   *spilledRun
	block int
	batch vec.Batch
	row   int
	end   int // rows of the batch that are wanted
	last  bool
	keys  *vec.Vector

	list    []int32 // rows taken from the batch for the output being made …
	numbers []uint32
	places  []int // … and where they go
}

func (c *cursor) key() []byte { return c.keys.Bytes(c.row) }

func newDiskMerge(s *Sort, span keySpan) (*diskMerge, error) {
	m := &diskMerge{sort: s, span: span, types: append(append([]types.Type(nil), s.input...), types.Of(types.Bytea))}
	var err error
	if m.store, err = rows.NewStore(rows.NewLayout(s.input), s.pool.Child(s.stats.Name, memory.Unlimited), s.policy.Operator); err != nil {
		return nil, err
	}
	for i, r := range s.spilled {
		c := &cursor{run: r}
		if span.from != nil {
			c.block = max(sort.Search(len(r.firsts), func(b int) bool { return bytes.Compare(r.firsts[b], span.from) >= 0 })-1, 0)
		}
		more, err := m.load(c)
		if err != nil {
			m.store.Free()
			return nil, err
		}
		if more {
			m.heads.Add(i, c.key())
		}
		m.cursors = append(m.cursors, c)
	}
	return m, nil
}

// load reads a cursor's next block with wanted rows; false at the end.
func (m *diskMerge) load(c *cursor) (bool, error) {
	for !c.last && c.block < len(c.run.blocks) {
		if err := c.run.file.Read(c.run.blocks[c.block], m.types, &c.batch); err != nil {
			return false, err
		}
		c.block++
		c.keys = &c.batch.Cols[len(m.types)-1]
		c.row, c.end = 0, c.batch.Len
		if m.span.from != nil {
			c.row = c.find(m.span.from)
		}
		if m.span.to != nil {
			c.end = c.find(m.span.to)
			c.last = c.end < c.batch.Len
		}
		if c.row < c.end {
			return true, nil
		}
	}
	return false, nil
}

// find gives the first row of the block whose key is not before the given one.
func (c *cursor) find(key []byte) int {
	return sort.Search(c.batch.Len, func(row int) bool { return bytes.Compare(c.keys.Bytes(row), key) >= 0 })
}

func (m *diskMerge) Next(ctx context.Context) (*vec.Batch, error) {
	if err := slots.Edge(ctx); err != nil {
		return nil, err
	}
	m.store.Reset()
	writer := m.store.NewWriter()
	size := m.sort.environment.BatchSize
	places := 0
	for places < size && m.heads.Len() > 0 {
		c := m.cursors[m.heads.First()]
		c.list, c.places = append(c.list, int32(c.row)), append(c.places, places)
		places++
		c.row++
		if c.row == c.end {
			// The block's rows must be taken before the next one replaces it.
			break
		}
		m.heads.Advance(c.key())
	}
	if places == 0 {
		return nil, nil
	}
	if err := m.take(writer, places); err != nil {
		return nil, err
	}
	if c := m.cursors[m.heads.First()]; c.row == c.end {
		more, err := m.load(c)
		if err != nil {
			return nil, err
		}
		if more {
			m.heads.Advance(c.key())
		} else {
			m.heads.Drop()
		}
	}
	return &m.out, nil
}

// take moves the chosen rows through the store into the output.
func (m *diskMerge) take(writer *rows.Writer, n int) error {
	numbers := make([]uint32, n)
	for done := 0; done < n; {
		first, got, err := writer.Allocate(n - done)
		if err != nil {
			return err
		}
		for i := range got {
			numbers[done+i] = first + uint32(i)
		}
		done += got
	}
	for _, c := range m.cursors {
		if len(c.list) == 0 {
			continue
		}
		cols := make([]*vec.Vector, len(m.sort.input))
		for i := range cols {
			cols[i] = &c.batch.Cols[i]
		}
		c.numbers = c.numbers[:0]
		for _, place := range c.places {
			c.numbers = append(c.numbers, numbers[place])
		}
		if err := writer.Put(cols, c.list, c.numbers); err != nil {
			return err
		}
		c.list, c.places = c.list[:0], c.places[:0]
	}
	if m.out.Cols == nil {
		m.out.Cols = make([]vec.Vector, len(m.sort.input))
	}
	for i := range m.out.Cols {
		m.store.Gather(i, numbers, &m.out.Cols[i])
	}
	m.out.Len = n
	return nil
}

func (m *diskMerge) Close() error {
	m.store.Free()
	return nil
}
