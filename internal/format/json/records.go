package json

import (
	"bytes"
	"context"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// records finds the records of a split, block by block.
type records struct {
	scanner
	store  objstore.Store // nil: a stream
	object objstore.Object
	in     stream.Input
	layout Layout
	split  Split
	count  scan.Counters
	memory memory.Account
	top    *objectScanner // nil: records are only checked

	block []byte // the memory behind data
	// blockHeld is what of memory is for the block.
	blockHeld int64
	lent      bool  // vectors refer to block
	utf8      bool  // all of the block is valid
	ascii     bool  // no byte of it is above 0x7f
	final     bool  // nothing follows the block
	place     int   // of what is next, in the block
	offset    int64 // of the block in the file
	breaks    int64 // line breaks before the block, since the split began
	before    int64 // line breaks before the split, if they are counted
	counted   bool
	tail      int64 // bytes read at once behind the split's end

	started  bool
	skipping bool       // up to the line's end
	array    arrayState // of an Array
}

type arrayState uint8

const (
	arrayAhead arrayState = iota
	arrayOpen             // nothing of it was read
	arrayWithin
	arrayBehind
)

// outcome of looking for a record.
type outcome uint8

const (
	recordTaken outcome = iota
	recordsEnd
	recordCut // it may go on behind the block
	recordBad
)

func newRecords(store objstore.Store, object objstore.Object, format *Format, split Split, count scan.Counters, pool *memory.Pool) *records {
	if split == (Split{}) {
		split.Length = object.Size
	}
	r := &records{store: store, object: object, layout: format.Layout, split: split, count: count, memory: memory.NewAccount(pool, "JSON scan")}
	if r.split.Layout != Auto {
		r.layout = r.split.Layout
	}
	from := max(split.Offset-1, 0)
	r.offset = from
	r.in = stream.Open(store, object, format.Compression, from, split.Offset+split.Length-from, count)
	if format.Compression.Of(object.Path) != stream.None {
		r.split.Length = 1 << 62
	}
	return r
}

// start reads the first block and settles the layout.
func (r *records) start(ctx context.Context) error {
	r.started = true
	if err := r.fill(ctx); err != nil {
		return err
	}
	if r.split.Offset > 0 {
		r.skipping = true
		r.lines = true
		return nil
	}
	if bytes.HasPrefix(r.data[:r.end], byteOrderMark) {
		r.place = len(byteOrderMark)
	}
	for r.layout == Auto {
		if r.layout = r.guessLayout(); r.layout == Auto {
			if err := r.fill(ctx); err != nil {
				return err
			}
		}
	}
	r.lines = r.layout == Lines
	return nil
}

var byteOrderMark = []byte{0xef, 0xbb, 0xbf}

// guessLayout judges by the first record; Auto when more of it must be read.
func (r *records) guessLayout() Layout {
	i := r.blank(r.place) // lines is false
	if i >= r.end && !r.final {
		return Auto
	}
	if r.at(i) == '[' {
		return Array
	}
	if r.at(i) != '{' {
		return Lines
	}
	behind, _ := r.nested(i)
	if behind < 0 {
		if r.cut() {
			return Auto
		}
		return Lines
	}
	if bytes.IndexByte(r.data[i:behind], '\n') >= 0 {
		return Objects
	}
	for behind < r.end {
		switch r.at(behind) {
		case ' ', '\t', '\r':
			behind++
		case '\n':
			return Lines
		default:
			return Objects
		}
	}
	if r.final {
		return Lines
	}
	return Auto
}

// cut tells whether the last fault may be due to the block's end.
func (r *records) cut() bool {
	const longestToken = 16
	return !r.final && r.faulty+longestToken >= r.end
}

// fill makes the unread rest of the block and what follows it the block.
func (r *records) fill(ctx context.Context) error {
	rest := r.end - r.place
	if rest > maxRecord {
		return r.located(ctx, r.place, errTooLong())
	}
	const least = 4096
	size := max(int(min(stream.BlockSize, r.split.Length+1)), least, 2*rest) + padding
	old := r.data[r.place:r.end]
	r.breaks += int64(bytes.Count(r.data[:r.place], newline))
	if r.lent || len(r.block) < size {
		if err := r.memory.Resize(&r.blockHeld, int64(len(old)+size)); err != nil {
			return err
		}
		r.block, r.lent = make([]byte, size), false
	}
	copy(r.block, old)
	if err := r.memory.Resize(&r.blockHeld, int64(len(r.block))); err != nil {
		return err
	}
	n, err := stream.ReadMore(ctx, r.read, r.block[rest:len(r.block)-padding], rest)
	if err != nil {
		return err
	}
	clear(r.block[rest+n : rest+n+padding])
	r.offset += int64(r.place)
	r.data, r.place, r.end, r.final = r.block, 0, rest+n, n == 0
	r.ascii = vec.IsASCII(r.block[:r.end])
	r.utf8 = r.ascii || validPrefix(r.block[:r.end])
	return nil
}

var newline = []byte{'\n'}

// validPrefix tells whether b is UTF-8 but for a character that is cut off at its end.
func validPrefix(b []byte) bool {
	for back := 1; back <= min(len(b), utf8.UTFMax-1); back++ {
		if c := b[len(b)-back]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-back:]) {
				b = b[:len(b)-back]
			}
			break
		}
	}
	return utf8.Valid(b)
}

// read goes on behind the split's end: its last record may end there.
func (r *records) read(ctx context.Context, p []byte) (int, error) {
	for {
		n, err := r.in.Read(ctx, p)
		end := r.split.Offset + r.split.Length
		if n > 0 || err != nil || r.store == nil || end+r.tail >= r.object.Size {
			return n, err
		}
		r.in.Close()
		const first = 64 << 10
		more := min(max(r.tail, first), stream.BlockSize, r.object.Size-end-r.tail)
		r.in = stream.Open(r.store, r.object, stream.None, end+r.tail, more, r.count)
		r.tail += more
	}
}

func (r *records) close() {
	r.in.Close()
	r.memory.Close()
}

// next scans the next record of the block into a row and gives its first byte's position. After
// recordBad that is where the fault's record begins, and place stays there.
func (r *records) next(row int) (int, outcome) {
	if r.skipping && !r.skipLine() {
		if r.offset+int64(r.place) >= r.split.Offset+r.split.Length {
			r.final = true // no record begins in the split
		}
		return 0, r.over()
	}
	begin := r.blankLines(r.place)
	if r.layout == Array {
		var done bool
		if begin, done = r.arrayItem(begin); done {
			if begin < 0 {
				return r.bad(r.place)
			}
			return 0, r.over()
		}
	}
	if begin >= r.end {
		return 0, r.over()
	}
	if limit := r.split.Offset + r.split.Length; r.offset+int64(begin) >= limit && r.offset+int64(r.lineOf(begin)) >= limit {
		r.place, r.end, r.final = begin, begin, true
		return 0, recordsEnd
	}
	if r.at(begin) != '{' {
		r.fail(begin, notObject)
		return r.bad(begin)
	}
	var behind int
	if r.top != nil {
		behind = r.top.scan(begin, row)
	} else {
		behind, _ = r.nested(begin)
	}
	if behind >= 0 && r.lines {
		behind = r.lineEnd(behind)
	}
	if behind < 0 {
		return r.bad(begin)
	}
	if behind-begin > maxRecord {
		r.fail(begin, tooLong)
		return r.bad(begin)
	}
	if !r.utf8 && !utf8.Valid(r.data[begin:behind]) {
		r.fail(begin, badText)
		return r.bad(begin)
	}
	r.place = behind
	if r.layout == Array {
		r.array = arrayWithin
	}
	return begin, recordTaken
}

// over tells whether the end of the block is that of the records.
func (r *records) over() outcome {
	if r.final {
		return recordsEnd
	}
	return recordCut
}

func (r *records) bad(begin int) (int, outcome) {
	if r.cut() {
		return 0, recordCut
	}
	return begin, recordBad
}

// lineOf gives the first position of a record's line.
func (r *records) lineOf(begin int) int {
	return r.place + bytes.LastIndexByte(r.data[r.place:begin], '\n') + 1
}

// lineEnd passes over the rest of a record's line.
func (r *records) lineEnd(i int) int {
	if r.at(i) == '\n' {
		return i + 1
	}
	if i = r.blank(i); r.at(i) == '\n' {
		return i + 1
	}
	if i >= r.end {
		if r.final {
			return i
		}
		return r.fail(i, badSyntax)
	}
	return r.fail(i, moreBehind)
}

// skipLine goes behind the next line break, false when the block has none.
func (r *records) skipLine() bool {
	n := bytes.IndexByte(r.data[r.place:r.end], '\n')
	if n < 0 {
		r.place = r.end
		return false
	}
	r.place += n + 1
	r.skipping = false
	return true
}

// mayPassOver tells whether it is known where the record behind a bad one begins.
func (r *records) mayPassOver() bool { return r.layout == Lines }

// passOver leaves out the record that was found bad.
func (r *records) passOver() {
	r.place = r.blankLines(r.place)
	r.skipping = true
}

// arrayItem goes to the next item of an array; done without one, at less than 0 after a fault.
func (r *records) arrayItem(i int) (at int, done bool) {
	if i >= r.end && !(r.final && r.array != arrayBehind) {
		return i, true
	}
	switch r.array {
	case arrayAhead:
		if i >= r.end {
			return i, true // an empty file
		}
		if r.at(i) != '[' {
			return r.fail(i, badSyntax), true
		}
		r.array, r.place = arrayOpen, i+1
		return r.arrayItem(r.blankLines(i + 1))
	case arrayBehind:
		return r.fail(i, moreBehind), true
	}
	if r.at(i) == ']' {
		r.array, r.place = arrayBehind, i+1
		return r.arrayItem(r.blankLines(i + 1))
	}
	if r.array == arrayWithin {
		if r.at(i) != ',' {
			return r.fail(i, badSyntax), true
		}
		if i = r.blankLines(i + 1); i >= r.end && !r.final {
			return i, true
		}
	}
	if i >= r.end {
		return r.fail(i, badSyntax), true
	}
	return i, false
}

// located adds a record's place to an error.
func (r *records) located(ctx context.Context, begin int, e *sqlerr.Error) error {
	line, err := r.line(ctx, begin)
	if err != nil {
		return err
	}
	return e.In("JSON file %q, line %d", objstore.Shown(r.store, r.object.Path), line)
}

// line counts the lines up to a position in the block, which may mean to read the file up to the split.
func (r *records) line(ctx context.Context, at int) (int64, error) {
	line := 1 + r.breaks + int64(bytes.Count(r.data[:at], newline))
	if r.split.Offset <= 1 {
		return line, nil
	}
	if !r.counted {
		in := stream.Open(r.store, r.object, stream.None, 0, r.split.Offset-1, r.count)
		defer in.Close()
		block := make([]byte, stream.BlockSize)
		for {
			n, err := in.Read(ctx, block)
			if err != nil {
				return 0, err
			}
			if n == 0 {
				break
			}
			r.before += int64(bytes.Count(block[:n], newline))
		}
		r.counted = true
	}
	return r.before + line, nil
}

// problem is the error for the fault of the record at begin.
func (r *records) problem(ctx context.Context, begin int) error {
	e := sqlerr.New(sqlerr.InvalidTextRepresentation, "invalid input syntax for type json")
	switch r.fault {
	case badText:
		e = sqlerr.New(sqlerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"")
	case badEscape:
		e = e.WithDetail("Unicode high surrogate must be followed by a low surrogate, and a low one follow a high one.")
	case tooLong:
		e = errTooLong()
	case tooDeep:
		e = sqlerr.New(sqlerr.StatementTooComplex, "JSON is nested deeper than %d levels", maxDepth)
	case notObject:
		e = e.WithDetail("Expected an object, but found %s.", r.shown(r.faulty))
	case moreBehind:
		e = e.WithDetail("Expected the end of the %s, but found %s.", map[bool]string{true: "line", false: "file"}[r.lines], r.shown(r.faulty))
	default:
		e = r.detailed(e, begin)
	}
	if r.fault != badText && r.fault != tooLong {
		begin = min(max(r.faulty, begin), r.end)
	}
	return r.located(ctx, begin, e)
}

func errTooLong() *sqlerr.Error {
	return sqlerr.New(sqlerr.ProgramLimitExceeded, "JSON record is longer than %d bytes", maxRecord)
}

// detailed finds PostgreSQL's words for what is wrong with a record.
func (r *records) detailed(e *sqlerr.Error, begin int) *sqlerr.Error {
	text := r.data[begin:r.end]
	if r.lines {
		if n := bytes.IndexByte(text, '\n'); n >= 0 {
			text = text[:n]
		}
	} else {
		text = text[:min(len(text), max(r.faulty-begin, 0)+100)]
	}
	if r.at(begin) == '{' {
		if known, ok := types.ValidateJSON(text).(*sqlerr.Error); ok && known != nil && len(known.Detail) < 500 {
			return e.WithDetail("%s", known.Detail)
		}
	}
	return e.WithDetail("Found %s.", r.shown(r.faulty))
}

// shown quotes a little of the text at a position.
func (r *records) shown(at int) string {
	if at >= r.end {
		return "the end of the file"
	}
	const most = 40
	text := r.data[at:min(r.end, at+most)]
	if n := bytes.IndexAny(text, "\r\n"); n > 0 {
		text = text[:n]
	}
	return string(append(append([]byte{'"'}, bytes.ToValidUTF8(text, []byte("?"))...), '"'))
}
