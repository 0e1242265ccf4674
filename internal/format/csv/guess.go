package csv

import (
	"bytes"
	"context"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// guesser tells where records begin in the middle of a file by what follows there, without looking at
// what comes before. Its answers depend on the file's bytes only: the readers on both sides of a
// position get the same one, and the first of them sees whether a record really ends there.
type guesser struct {
	store  objstore.Store
	object objstore.Object
	tokens tokenizer
	memory memory.Account
}

// The bytes that are looked at: more of them where they do not hold a whole record.
const (
	guessWindow = 64 << 10
	guessGrowth = 16
)

func newGuesser(store objstore.Store, object objstore.Object, format Format, options ReadOptions) *guesser {
	fields := options.Fields
	g := &guesser{store: store, object: object, memory: memory.NewAccount(options.Pool, "CSV scan")}
	t := &g.tokens
	t.format, t.fields = format, fields
	t.delimiter, t.newline = repeatByte(format.Delimiter), repeatByte(format.Newline)
	t.lines, t.spans = make([]int64, 1), make([]span, fields)
	for i := range fields {
		t.slots = append(t.slots, int32(i))
	}
	return g
}

// start gives the position of the first record that begins at position at, above 0, or behind it; the
// file's size for none.
func (g *guesser) start(ctx context.Context, at int64) (int64, error) {
	from := at - 1
	defer func() {
		g.tokens.data = nil
		g.memory.Close()
	}()
	for window := int64(guessWindow); ; window *= guessGrowth {
		window = min(window, g.object.Size-from)
		if err := g.memory.Grow(window); err != nil { // what was read before may still be there
			return 0, err
		}
		data := make([]byte, window+padding)
		err := g.store.ReadRanges(ctx, g.object.Path, g.object.ETag, []objstore.Range{{Offset: from, Length: window}}, [][]byte{data[:window]})
		if err != nil {
			return 0, err
		}
		t := &g.tokens
		t.data, t.end, t.final = data, int(window), from+window == g.object.Size
		t.index()
		if begin, found := g.choose(); found {
			return from + int64(begin), nil
		}
		if window > maxRecord {
			return 0, g.unknown(at)
		}
	}
}

// unknown is the error where a guess was wrong.
func (g *guesser) unknown(at int64) error {
	return sqlerr.New(sqlerr.BadCopyFileFormat, "cannot tell where records begin near byte %d of CSV file %q, which is read in parallel", at, objstore.Shown(g.store, g.object.Path)).
		WithHint("Read it with parallel => false.")
}

// followed is what the window looks like when records begin at some line of it.
type followed struct {
	good  int // records of the right number of fields
	wrong int // of another number, which files do have
	stray int // of quotes where none should be: likely the line lies within quotes
}

// choose gives the first line of the window from which on there are records, or else the one that is
// most like it.
func (g *guesser) choose() (int, bool) {
	const most = 64 // lines that are compared
	t := &g.tokens
	best, bestScore := -1, 0
	for at, tried := 0, 0; ; tried++ {
		n := bytes.IndexByte(t.data[at:t.end], t.format.Newline)
		if n < 0 || t.final && at+n+1 == t.end {
			break
		}
		at += n + 1
		seen := g.follow(at)
		if seen.good > 0 && seen.stray == 0 && 2*seen.good >= seen.wrong {
			return at, true
		}
		const weight = 8
		if score := seen.good - weight*seen.stray; seen.good > 0 && tried < most && (best < 0 || score > bestScore) {
			best, bestScore = at, score
		}
	}
	if best >= 0 {
		return best, true
	}
	return t.end, t.final
}

// follow reads the window's records from a line on.
func (g *guesser) follow(at int) (seen followed) {
	const enough = 32 // stray quotes: no line is worse
	t := &g.tokens
	for t.at = at; t.at < t.end && seen.stray < enough; {
		for i := range t.spans {
			t.spans[i].at = missing
		}
		result, problem := t.record()
		if result == recordCut {
			return seen
		}
		if result == recordBad {
			t.at = problem.next
		}
		stray, short := g.judge()
		switch {
		case result == recordBlank:
		case stray || problem.quoting:
			seen.stray++
		case short || result == recordBad:
			seen.wrong++
		default:
			seen.good++
		}
	}
	return seen
}

// judge tells whether the record has a quote in a field that is not quoted, and whether it lacks fields.
func (g *guesser) judge() (stray, short bool) {
	t := &g.tokens
	for _, s := range t.spans {
		if s.at == missing {
			short = true
		} else if t.format.Quote != 0 && s.flags&quotedFlag == 0 && bytes.IndexByte(t.data[s.at:s.at+s.flags&lengthMask], t.format.Quote) >= 0 {
			stray = true
		}
	}
	return stray, short
}
