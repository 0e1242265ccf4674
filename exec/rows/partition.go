package rows

import "github.com/tarnlake/tarn/internal/vec"

// Partitions is the number of parts that a PartitionWriter scatters rows into.
const Partitions = 256

// PartitionOf gives a row's part by its hash: other bits at every depth of partitioning, and none of the
// high ones, by which tables choose their slots.
func PartitionOf(hash uint64, depth int) uint8 { return uint8(hash >> (8 * depth)) }

// PartitionWriter appends rows to a store of its own, those of one part into chunks of their own. It
// is used by one goroutine.
type PartitionWriter struct {
	store   *Store
	writer  *Writer // strings and NULLs; its chunks are not used
	cursors [Partitions]cursor
	chunks  [Partitions][]Chunk
	numbers []uint32
	rows    int
}

// cursor is the open chunk of a part.
type cursor struct{ next, end, grow uint32 }

const (
	firstPartRows = 16
	mostPartRows  = 256
)

// NewPartitionWriter makes a writer to an empty store.
func NewPartitionWriter(store *Store) *PartitionWriter {
	return &PartitionWriter{store: store, writer: store.NewWriter()}
}

// Rows is the number of rows appended.
func (p *PartitionWriter) Rows() int { return p.rows }

// Store gives the rows.
func (p *PartitionWriter) Store() *Store { return p.store }

// Append adds the listed rows, row list[i] to part parts[i].
func (p *PartitionWriter) Append(cols []*vec.Vector, list []int32, parts []uint8) error {
	if cap(p.numbers) < len(list) {
		p.numbers = make([]uint32, len(list))
	}
	numbers := p.numbers[:len(list)]
	for i, part := range parts[:len(list)] {
		c := &p.cursors[part]
		if c.next == c.end {
			if err := p.open(int(part)); err != nil {
				return err
			}
		}
		numbers[i] = c.next
		c.next++
	}
	p.rows += len(list)
	return p.writer.fill(cols, list, numbers)
}

// open starts a new chunk for a part.
func (p *PartitionWriter) open(part int) error {
	c := &p.cursors[part]
	p.close(part)
	if c.grow < mostPartRows {
		c.grow = max(2*c.grow, firstPartRows)
	}
	first, err := p.store.chunk(int(c.grow))
	if err != nil {
		return err
	}
	c.next, c.end = first, first+c.grow
	p.chunks[part] = append(p.chunks[part], Chunk{First: first})
	return nil
}

// close notes how many rows the open chunk of a part got.
func (p *PartitionWriter) close(part int) {
	if n := len(p.chunks[part]); n > 0 {
		last := &p.chunks[part][n-1]
		last.Rows = p.cursors[part].next - last.First
	}
}

// Flush ends appending for now: Chunks is right until the next Append.
func (p *PartitionWriter) Flush() {
	for part := range p.chunks {
		p.close(part)
	}
	p.writer.Publish()
}

// Chunks gives a part's rows.
func (p *PartitionWriter) Chunks(part int) []Chunk { return p.chunks[part] }
