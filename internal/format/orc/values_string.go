package orc

import (
	"fmt"
	"unicode/utf8"
	"unsafe"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// stringValues reads strings and bytes, direct or by dictionary.
type stringValues struct {
	reader *Reader
	typ    types.Type
	text   bool // must be UTF-8
	trim   bool // trailing blanks are not part of the value
	nested bool

	inDict  bool
	data    input // direct
	lengths intReader
	sizes   []int64
	views   []vec.View
	index   []int32
	odd     bool // a buffer attached to the vector is not all ASCII

	codes    intReader // dictionary
	narrow   []int32
	blob     streamInfo
	entries  int
	dict     *vec.Vector // nil: not loaded yet
	dictID   uint64
	keepDict bool
	dictHeld int64
}

func (v *stringValues) open(s *openStripe, n *node) error {
	encoding := s.footer.encodings[n.id]
	v.inDict = encoding.kind == encodeDictionary || encoding.kind == encodeDictionaryV2
	if err := s.openInts(&v.lengths, n, streamLength, false); err != nil {
		return err
	}
	if !v.inDict {
		data, err := s.need(n, streamData)
		if err != nil {
			return err
		}
		v.data.text = v.text
		v.data.open(v.reader, data)
		return nil
	}
	v.dict = nil
	if encoding.dictionarySize > uint64(s.info.rows) && encoding.dictionarySize > 1<<16 {
		return fmt.Errorf("dictionary of %d entries for %d rows", encoding.dictionarySize, s.info.rows)
	}
	v.entries = int(encoding.dictionarySize)
	v.dictID = scan.DictionaryID(v.reader.file.object, s.number, n.id)
	v.keepDict = !v.nested && int64(v.entries) <= s.info.rows/4+64
	v.blob = streamInfo{}
	if blob := s.stream(n.id, streamDictionary); blob != nil {
		v.blob = *blob
	} else if v.entries > 0 {
		return fmt.Errorf("stream of dictionary entries is missing")
	}
	v.data.text = v.text
	v.data.open(v.reader, &v.blob)
	return s.openInts(&v.codes, n, streamData, false)
}

func (v *stringValues) inputs(to []*input) []*input {
	if !v.inDict {
		return append(to, &v.data, &v.lengths.in)
	}
	if v.dict == nil {
		to = append(to, &v.data, &v.lengths.in)
	}
	return append(to, &v.codes.in)
}

func (v *stringValues) seek(_ *openStripe, _ int, p *positions) error {
	if v.inDict {
		v.codes.seek(p)
		return nil
	}
	v.data.seek(p)
	v.lengths.seek(p)
	return nil
}

func (v *stringValues) skip(n int) error {
	if v.inDict {
		return v.codes.skip(n)
	}
	for n > 0 {
		sizes := resize(&v.sizes, min(n, vec.BatchSize))
		sizes = sizes[:len(sizes)-1]
		if err := v.lengths.read(sizes); err != nil {
			return err
		}
		sum, err := checkLengths(sizes)
		if err != nil {
			return err
		}
		if err := v.data.skip(sum); err != nil {
			return err
		}
		n -= len(sizes)
	}
	return nil
}

func (v *stringValues) read(dst *vec.Vector, r *rowSet) error {
	if v.inDict {
		return v.readCodes(dst, r)
	}
	sizes := resize(&v.sizes, r.count)[:r.count]
	if err := v.lengths.read(sizes); err != nil {
		return err
	}
	if _, err := checkLengths(sizes); err != nil {
		return err
	}
	dst.Resize(v.typ, r.rows())
	dst.Buffers, v.odd = make([][]byte, 0, 2), false
	out := vec.Values[vec.View](dst)[:r.rows()]
	switch {
	case r.dense():
		if err := v.cut(dst, out, sizes); err != nil {
			return err
		}
	case r.pick == nil:
		views := resize(&v.views, r.count)
		if err := v.cut(dst, views[:r.count], sizes); err != nil {
			return err
		}
		place(out, views, r)
	default:
		if err := v.cutSome(dst, out, sizes, r); err != nil {
			return err
		}
	}
	return v.finish(dst, out)
}

// attach makes the data's buffer one of dst's and gives its number.
func (v *stringValues) attach(dst *vec.Vector) int {
	last := len(dst.Buffers) - 1
	if last < 0 || unsafe.SliceData(dst.Buffers[last]) != unsafe.SliceData(v.data.buffer) || len(dst.Buffers[last]) != len(v.data.buffer) {
		dst.Buffers = append(dst.Buffers, v.data.buffer)
		last++
	}
	v.odd = v.odd || !v.data.ascii
	v.data.lent = true
	return last
}

// cut makes views of the next len(sizes) strings.
func (v *stringValues) cut(dst *vec.Vector, out []vec.View, sizes []int64) error {
	in := &v.data
	if err := in.fill(0); err != nil {
		return err
	}
	for i := 0; i < len(sizes); {
		if size := int(sizes[i]); size > len(in.buffer)-in.at {
			if err := in.fill(size); err != nil {
				return err
			}
		}
		if in.buffer == nil { // an empty string before the first chunk
			out[i] = vec.View{}
			i++
			continue
		}
		buffer := v.attach(dst)
		at, limit := in.at, len(in.buffer)
		for ; i < len(sizes); i++ {
			size := int(sizes[i])
			if size > limit-at {
				break
			}
			out[i] = vec.ViewAt(in.buffer, at, size, buffer)
			at += size
		}
		in.at = at
	}
	return nil
}

// cutSome makes views of the strings of picked rows and passes over the others.
func (v *stringValues) cutSome(dst *vec.Vector, out []vec.View, sizes []int64, r *rowSet) error {
	var rank rankCursor
	done := 0
	for i, row := range r.pick {
		at := int(row)
		if r.valid != nil {
			if !r.valid.Get(at) {
				out[i] = vec.View{}
				continue
			}
			at = rank.at(r.valid, at)
		}
		if err := v.passStrings(sizes[done:at]); err != nil {
			return err
		}
		if err := v.cut(dst, out[i:i+1], sizes[at:at+1]); err != nil {
			return err
		}
		done = at + 1
	}
	return v.passStrings(sizes[done:])
}

func (v *stringValues) passStrings(sizes []int64) error {
	sum := int64(0)
	for _, n := range sizes {
		sum += n
	}
	if in := &v.data; in.discard == 0 && sum <= int64(len(in.buffer)-in.at) {
		in.at += int(sum)
		return nil
	}
	return v.data.skip(sum)
}

// finish checks and trims what was cut.
func (v *stringValues) finish(dst *vec.Vector, views []vec.View) error {
	if v.trim {
		trimViews(views, dst.Buffers)
	}
	if !v.text || !v.odd {
		return nil
	}
	return checkUTF8(views, dst.Buffers)
}

// trimViews drops trailing blanks.
func trimViews(views []vec.View, buffers [][]byte) {
	for i := range views {
		b := views[i].Bytes(buffers)
		n := len(b)
		for n > 0 && b[n-1] == ' ' {
			n--
		}
		switch {
		case n == len(b):
		case n <= vec.InlineLength:
			views[i] = vec.InlineView(append([]byte(nil), b[:n]...))
		default:
			views[i] = vec.LongView(b[:n], views[i].Buffer(), views[i].Offset())
		}
	}
}

// checkUTF8 gives the first string that is not valid UTF-8, as an error.
func checkUTF8(views []vec.View, buffers [][]byte) error {
	for i := range views {
		if b := views[i].Bytes(buffers); !utf8.Valid(b) {
			return &scan.ValueError{At: i, Cause: sqlerr.New(sqlerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"").
				WithDetail("The value is %q.", b[:min(len(b), 100)])}
		}
	}
	return nil
}

func (v *stringValues) readCodes(dst *vec.Vector, r *rowSet) error {
	if v.dict == nil {
		if err := v.loadDictionary(); err != nil {
			return err
		}
	}
	if v.keepDict {
		dst.ResizeDict(v.dict, v.dictID, r.rows())
		if r.dense() {
			return v.readInto(dst.Codes())
		}
	}
	narrow := resize(&v.narrow, r.count)
	if err := v.readInto(narrow[:r.count]); err != nil {
		return err
	}
	if v.keepDict {
		place(dst.Codes(), narrow, r)
		return nil
	}
	dst.Resize(v.typ, r.rows())
	dst.Buffers = v.dict.Buffers[:len(v.dict.Buffers):len(v.dict.Buffers)]
	codes := narrow[:r.count]
	if !r.dense() {
		codes = resize(&v.index, r.rows())[:r.rows()]
		place(codes, narrow, r)
	}
	out, entries := vec.Values[vec.View](dst)[:len(codes)], vec.Values[vec.View](v.dict)
	for i, code := range codes {
		out[i] = entries[code]
	}
	return nil
}

// readInto reads codes and checks them.
func (v *stringValues) readInto(codes []int32) error {
	if err := readNarrow(&v.codes, codes); err != nil {
		return err
	}
	most := uint32(0)
	for _, code := range codes {
		most = max(most, uint32(code))
	}
	if len(codes) > 0 && int64(most) >= int64(v.entries) {
		return fmt.Errorf("code %d refers beyond the dictionary of %d entries", most, v.entries)
	}
	return nil
}

// loadDictionary reads the stripe's dictionary: a flat vector of at least one entry.
func (v *stringValues) loadDictionary() error {
	sizes := make([]int64, 0, min(v.entries, 1<<16))
	total := int64(0)
	for len(sizes) < v.entries { // memory grows with what the stream holds
		n := min(v.entries-len(sizes), 1<<16)
		sizes = append(sizes, make([]int64, n)...)
		part := sizes[len(sizes)-n:]
		if err := v.lengths.read(part); err != nil {
			return err
		}
		sum, err := checkLengths(part)
		if err != nil {
			return err
		}
		total += sum
	}
	if total > maxDictionary {
		return fmt.Errorf("dictionary of %d bytes", total)
	}
	if err := v.data.fill(int(total)); err != nil {
		return err
	}
	dict := &vec.Vector{}
	dict.Resize(v.typ, max(v.entries, 1))
	clear(dict.Data)
	views := vec.Values[vec.View](dict)[:v.entries]
	v.odd = false
	if v.entries > 0 {
		if err := v.cut(dict, views, sizes); err != nil {
			return err
		}
		if err := v.finish(dict, views); err != nil {
			return err
		}
	}
	v.dict = dict
	return v.reader.memory.Resize(&v.dictHeld, int64(len(dict.Data))+total)
}

// maxDictionary bounds the bytes of a dictionary's entries.
const maxDictionary = 1 << 31
