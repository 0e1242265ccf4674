package generator

import (
	"github.com/tarnlake/tarn/internal/vec"
)

// texts writes the strings of one column of a chunk, row by row from 0 on. Their bytes go to a buffer that is new for
// each chunk, because consumers may keep it.
type texts struct {
	out    *vec.Vector
	views  []vec.View
	buffer []byte
	begun  int // where the string being written starts in buffer
	row    int
}

// newTexts makes out's strings writable; bytes is an estimate of their total length.
func newTexts(out *vec.Vector, bytes int) texts {
	return texts{out: out, views: vec.Values[vec.View](out), buffer: make([]byte, 0, bytes)}
}

// add appends bytes to the string being written.
func (t *texts) add(part string) { t.buffer = append(t.buffer, part...) }

// addNumber appends a number with leading zeros up to a width.
func (t *texts) addNumber(n int64, width int) {
	var digits [20]byte
	at := len(digits)
	for n > 0 || len(digits)-at < width {
		at--
		digits[at] = byte('0' + n%10)
		n /= 10
	}
	t.buffer = append(t.buffer, digits[at:]...)
}

// end ends the string of the present row.
func (t *texts) end() {
	text := t.buffer[t.begun:]
	if len(text) <= vec.InlineLength {
		t.views[t.row] = vec.InlineView(text)
		t.buffer = t.buffer[:t.begun]
	} else {
		t.views[t.row] = vec.LongView(text, 0, t.begun)
		t.begun = len(t.buffer)
	}
	t.row++
}

// close hands the strings over. It is called once, after the last end.
func (t *texts) close() {
	if len(t.buffer) > 0 {
		t.out.Buffers = [][]byte{t.buffer}
	}
}

// span is a piece of the text pool.
type span struct{ start, length uint32 }

// drawSpans draws a piece of the pool for each row. An average of n stands for lengths of 0.4 n to 1.6 n.
func drawSpans(out []span, x lehmer, average int64) {
	shortest, longest := textLengths(average)
	for i := range out {
		x = x.next()
		start := x.pick(poolSize - longest + 1)
		x = x.next()
		out[i] = span{uint32(start), uint32(shortest + x.pick(longest-shortest+1))}
	}
}

// textLengths gives the bounds of a text's length as dbgen truncates them.
func textLengths(average int64) (shortest, longest int64) {
	return average * 4 / 10, average * 16 / 10
}

// comments writes the spans of the chunk as a column's strings.
func (c *chunk) comments(out *vec.Vector) {
	pool := c.pool.bytes()
	total := 0
	for _, s := range c.spans {
		total += int(s.length)
	}
	t := newTexts(out, total)
	for _, s := range c.spans {
		t.buffer = append(t.buffer, pool[s.start:s.start+s.length]...)
		t.end()
	}
	t.close()
}

// comment writes a column of comments of which each row draws one.
func (c *chunk) comment(out *vec.Vector, seed uint64, average int64) {
	drawSpans(c.newSpans(), stream{seed, 2}.at(c.from), average)
	c.comments(out)
}

// newSpans gives the chunk's spans, a row each, to be drawn.
func (c *chunk) newSpans() []span {
	if cap(c.spans) < c.rows {
		c.spans = make([]span, c.rows)
	}
	c.spans = c.spans[:c.rows]
	return c.spans
}

// addressAlphabet is what addresses consist of.
const addressAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,"

// addressAverage is the average length of an address.
const addressAverage = 25

// addresses writes random letters: one draw gives the length, one more each five letters.
func (c *chunk) addresses(out *vec.Vector, s stream) {
	shortest, longest := textLengths(addressAverage)
	perRow := power(s.allowed)
	row := s.at(c.from)
	t := newTexts(out, c.rows*int(longest))
	for range c.rows {
		x := row.next()
		length := int(shortest + x.pick(longest-shortest+1))
		var bits int64
		for j := range length {
			if j%5 == 0 {
				x = x.next()
				bits = x.bits()
			}
			t.buffer = append(t.buffer, addressAlphabet[bits&63])
			bits >>= 6
		}
		t.end()
		row = row.times(perRow)
	}
	t.close()
}

// phones writes numbers like 10-345-678-9012, which begin with the nation.
func (c *chunk) phones(out *vec.Vector, x lehmer, nations []int32) {
	const length = 15
	t := newTexts(out, c.rows*length)
	for _, nation := range nations {
		t.addNumber(int64(nation+10), 2)
		for range 2 {
			x = x.next()
			t.add("-")
			t.addNumber(100+x.pick(900), 3)
		}
		x = x.next()
		t.add("-")
		t.addNumber(1000+x.pick(9000), 4)
		t.end()
	}
	t.close()
}

// names writes names like Customer#000000001, numbered as the rows are.
func (c *chunk) names(out *vec.Vector, prefix string) {
	t := newTexts(out, c.rows*(len(prefix)+10))
	for i := range c.rows {
		t.add(prefix)
		t.addNumber(c.from+1+int64(i), 9)
		t.end()
	}
	t.close()
}
