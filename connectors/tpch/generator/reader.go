package generator

import (
	"github.com/tarnlake/tarn/internal/vec"
)

// Generator holds what all readers of a process share. It may be used by several goroutines at once.
type Generator struct {
	pool         textPool
	columns      [numTables][]ColumnInfo
	dictionaries [numTables][]dictionary
}

// New gives a generator. The text pool, 300 MiB, is written when a comment is first asked for, and stays as long as
// the generator does.
func New() *Generator {
	g := &Generator{}
	for _, table := range Tables() {
		g.columns[table] = table.Columns()
		for _, column := range g.columns[table] {
			g.dictionaries[table] = append(g.dictionaries[table], newDictionary(column))
		}
	}
	return g
}

// Reader generates a range of a table's units, batch by batch. It is used by one goroutine.
type Reader struct {
	chunk  chunk
	wanted []int
	next   int64
	end    int64
	batch  vec.Batch
}

// Reader gives a reader of the units from … to-1 of a table. Only the wanted columns are generated, and what they are
// computed from. A batch has at most rows rows, which must be at least 7.
func (g *Generator) Reader(table Table, scale Scale, wanted []int, from, to int64, rows int) *Reader {
	return &Reader{
		chunk:  newChunk(g, table, scale, rows),
		wanted: wanted,
		next:   max(from, 0),
		end:    min(to, table.Units(scale)),
		batch:  vec.Batch{Cols: make([]vec.Vector, len(wanted))},
	}
}

// Next generates the next batch, nil at the end. It is valid until Next is called again.
func (r *Reader) Next() *vec.Batch {
	if r.next >= r.end {
		return nil
	}
	r.chunk.start(r.next, r.end)
	r.next += int64(r.chunk.units)
	for i, column := range r.wanted {
		r.batch.Cols[i].Alias(r.chunk.column(column))
	}
	r.batch.Len, r.batch.Sel = r.chunk.rows, nil
	return &r.batch
}

// chunk is a run of units, and the columns that were generated of it.
type chunk struct {
	generator *Generator
	pool      *textPool
	table     Table
	scale     Scale
	capacity  int

	from   int64   // the first unit
	units  int     // how many
	rows   int     // how many rows they have
	counts []uint8 // LineItem: the lines of each order
	days   []int32 // LineItem: the date of each order, once it was needed
	spans  []span  // the texts of the column being written
	lines  *chunk  // Orders: the orders' lines, once they were needed

	columns []vec.Vector
	filled  []bool
}

func newChunk(g *Generator, table Table, scale Scale, capacity int) chunk {
	columns := len(g.columns[table])
	return chunk{
		generator: g, pool: &g.pool, table: table, scale: scale, capacity: capacity,
		columns: make([]vec.Vector, columns), filled: make([]bool, columns),
	}
}

// start makes the chunk hold as many units from the given one as fit, before end.
func (c *chunk) start(from, end int64) {
	clear(c.filled)
	c.from = from
	c.days = c.days[:0]
	if c.table == LineItem {
		c.counts, c.rows = countsWithin(c.counts[:0], from, end, c.capacity)
		c.units = len(c.counts)
		return
	}
	c.units = int(min(int64(c.capacity), end-from))
	c.rows = c.units
}

// column gives a column of the chunk, generating it on first use.
func (c *chunk) column(i int) *vec.Vector {
	out := &c.columns[i]
	if c.filled[i] {
		return out
	}
	c.filled[i] = true
	if d := c.generator.dictionaries[c.table][i]; d.words != nil {
		out.ResizeDict(d.words, d.id, c.rows)
	} else {
		out.Resize(c.generator.columns[c.table][i].Type, c.rows)
	}
	c.table.fill(c, i, out)
	return out
}

// int64s and int32s give the values, or the codes, of a column of the chunk.
func (c *chunk) int64s(column int) []int64 { return vec.Values[int64](c.column(column)) }
func (c *chunk) int32s(column int) []int32 { return vec.Values[int32](c.column(column)) }
