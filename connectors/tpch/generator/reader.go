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
	chunk chunk
	next  int64
	end   int64
}

// Reader gives a reader of the units from … to-1 of a table. A batch has at most rows rows, which must be at least 7.
func (g *Generator) Reader(table Table, scale Scale, from, to int64, rows int) *Reader {
	return &Reader{
		chunk: newChunk(g, table, scale, rows),
		next:  max(from, 0),
		end:   min(to, table.Units(scale)),
	}
}

// Next moves on to the next batch and gives its number of rows, 0 at the end.
func (r *Reader) Next() int {
	if r.next >= r.end {
		return 0
	}
	r.chunk.start(r.next, r.end)
	r.next += int64(r.chunk.units)
	return r.chunk.rows
}

// Column gives a column of the present batch, valid until Next is called again. It is generated when it is first asked
// for, with the columns that it is computed from.
func (r *Reader) Column(ordinal int) *vec.Vector { return r.chunk.column(ordinal) }

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
