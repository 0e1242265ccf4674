package orc

import (
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// dictionary numbers the distinct strings of a stripe in order of appearance, while they are few.
type dictionary struct {
	open    bool
	text    []byte
	ends    []int // of each entry in text
	hashes  []uint64
	slots   []int32 // open addressing; code+1, 0 is free
	codes   []int32 // of the values
	known   uint64  // vec.Vector.DictID
	mapping []int32 // of known's entries: code+1, 0 is not known
}

const (
	// dictionaryShare is the most entries a dictionary may have for a value: one for so many.
	dictionaryShare = 3
	maxEntryBytes   = 16 << 20
)

func (d *dictionary) reset(open bool) {
	d.open = open
	d.text, d.ends, d.hashes, d.codes, d.known = d.text[:0], d.ends[:0], d.hashes[:0], d.codes[:0], 0
	if !open {
		return
	}
	if d.slots == nil {
		d.slots = make([]int32, 256)
	}
	clear(d.slots)
}

func (d *dictionary) tooLarge() bool {
	return len(d.ends)*dictionaryShare > len(d.codes)+1000 || len(d.text) > maxEntryBytes
}

// hopeless tells that hardly one of the first values repeats.
func (d *dictionary) hopeless() bool {
	const sample = 1000
	return len(d.codes) >= sample && len(d.codes) < 5*sample && len(d.ends)*10 > len(d.codes)*9
}

func (d *dictionary) entry(code int32) []byte {
	from := 0
	if code > 0 {
		from = d.ends[code-1]
	}
	return d.text[from:d.ends[code]]
}

// code gives the number of a string.
func (d *dictionary) code(b []byte) int32 {
	h := xxh3.Hash(b)
	mask := uint64(len(d.slots) - 1)
	at := h & mask
	for d.slots[at] != 0 {
		if code := d.slots[at] - 1; d.hashes[code] == h && string(d.entry(code)) == string(b) {
			return code
		}
		at = (at + 1) & mask
	}
	code := int32(len(d.ends))
	d.text = append(d.text, b...)
	d.ends, d.hashes = append(d.ends, len(d.text)), append(d.hashes, h)
	if d.slots[at] = code + 1; 2*len(d.ends) > len(d.slots) {
		d.grow()
	}
	return code
}

func (d *dictionary) grow() {
	d.slots = make([]int32, 2*len(d.slots))
	mask := uint64(len(d.slots) - 1)
	for code, h := range d.hashes {
		at := h & mask
		for d.slots[at] != 0 {
			at = (at + 1) & mask
		}
		d.slots[at] = int32(code + 1)
	}
}

// sorted gives the entries' numbers in order of their bytes, and each number's place in it.
func (d *dictionary) sorted() (order, place []int32) {
	order, place = make([]int32, len(d.ends)), make([]int32, len(d.ends))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return strings.Compare(string(d.entry(a)), string(d.entry(b)))
	})
	for i, code := range order {
		place[code] = int32(i)
	}
	return order, place
}

func (d *dictionary) memory() int64 {
	return int64(cap(d.text) + 8*cap(d.ends) + 8*cap(d.hashes) + 4*cap(d.slots) + 4*cap(d.codes) + 4*cap(d.mapping))
}

func (d *dictionary) size() int64 { return int64(len(d.text)/3 + len(d.codes)) }

// addStrings adds strings or bytes.
func (c *outColumn) addStrings(v *vec.Vector, rows []int32) {
	if v.Type.Physical() == types.PhysInt128 { // UUIDs
		for _, r := range rows {
			c.addText(uuidBytes(vec.Values[types.Int128](v)[r]))
		}
		c.data.seal()
		return
	}
	if v.Enc == vec.Dict && c.dict.open {
		c.addCodes(v, rows)
		return
	}
	var padded []byte
	for _, r := range rows {
		b := v.Bytes(int(r))
		if c.kind == kindChar {
			padded = c.pad(padded, b)
			b = padded
		}
		c.group.addBytes(b)
		if c.dict.open {
			c.count(b)
			c.dict.codes = append(c.dict.codes, c.dict.code(b))
		} else {
			c.addText(b)
		}
	}
	c.data.seal()
	if c.dict.open && c.dict.hopeless() {
		c.giveDictionaryUp()
	}
}

// count adds to the sum of lengths and to the Bloom filter.
func (c *outColumn) count(b []byte) {
	c.group.sum.Lo += uint64(len(b))
	if c.bloom {
		c.hashes = append(c.hashes, hashBytes(b))
	}
}

func (c *outColumn) addText(b []byte) {
	c.count(b)
	c.data.raw = append(c.data.raw, b...)
	c.second.add(int64(len(b)))
}

// addCodes adds rows of a dictionary vector, each entry looked up once.
func (c *outColumn) addCodes(v *vec.Vector, rows []int32) {
	d := &c.dict
	if d.known != v.DictID || v.DictID == 0 {
		d.known = v.DictID
		d.mapping = append(d.mapping[:0], make([]int32, v.Dict.Len)...)
	}
	codes := v.Codes()
	var seen []bool // entries whose bounds are known, when they are few
	if v.Dict.Len <= 4*len(rows) {
		seen = make([]bool, v.Dict.Len)
	}
	var padded []byte
	for _, r := range rows {
		entry := codes[r]
		b := v.Dict.Bytes(int(entry))
		if c.kind == kindChar {
			padded = c.pad(padded, b)
			b = padded
		}
		if d.mapping[entry] == 0 {
			d.mapping[entry] = d.code(b) + 1
		}
		if seen == nil || !seen[entry] {
			c.group.addBytes(b)
			if seen != nil {
				seen[entry] = true
			}
		}
		c.count(b)
		d.codes = append(d.codes, d.mapping[entry]-1)
	}
}

// pad fills b up with blanks to char(n)'s length in characters.
func (c *outColumn) pad(buffer, b []byte) []byte {
	buffer = append(buffer[:0], b...)
	for n := types.CountCharacters(string(b)); n < int(c.typ.Length); n++ {
		buffer = append(buffer, ' ')
	}
	return buffer
}

// giveDictionaryUp writes the stripe's values so far as they are; later ones follow them.
func (c *outColumn) giveDictionaryUp() {
	d := &c.dict
	d.open = false
	at := 0
	for i, place := range c.places {
		for ; at < int(place[0]); at++ {
			c.direct(d.entry(d.codes[at]))
		}
		c.places[i] = c.second.position(c.data.position(nil))
	}
	for ; at < len(d.codes); at++ {
		c.direct(d.entry(d.codes[at]))
	}
	d.reset(false)
}

func (c *outColumn) direct(b []byte) {
	c.data.raw = append(c.data.raw, b...)
	c.second.add(int64(len(b)))
	if len(c.data.raw) >= 2*defaultBlockSize {
		c.data.seal()
	}
}
