package json

import (
	"strings"
	"unsafe"

	"github.com/tarnlake/tarn/internal/types"
)

// objectScanner finds the values of wanted keys in objects that are much alike: where the keys come
// in the order of the object before, a comparison finds each.
type objectScanner struct {
	*scanner
	slots   map[string]keySlot
	folded  map[string]int32 // by lower-case name; -1 where several are equal so
	spans   [][]span         // of each slot: the value's in every row
	guesses []guess          // what stands before the values of the last object
}

// keySlot is where the values of a key go; -1: nowhere.
type keySlot struct {
	slot   int32
	folded bool
}

// guess is the text from a key's quote to its value.
type guess struct {
	words [guessWords]uint64
	mask  uint64 // of the last word
	count int    // words, 0: the text is too long
	size  int
	to    keySlot
}

const guessWords = 6

// newObjectScanner makes a scanner for the values of wanted keys. The keys of all, which are columns
// or fields as well, are not taken for wanted ones of another case.
func newObjectScanner(s *scanner, wanted, all []string) *objectScanner {
	o := &objectScanner{scanner: s, slots: map[string]keySlot{}, folded: map[string]int32{}}
	add := func(name string, slot int32) {
		if _, known := o.slots[name]; known {
			return
		}
		o.slots[name] = keySlot{slot: slot}
		lower := strings.ToLower(name)
		if _, twice := o.folded[lower]; twice {
			slot = -1
		}
		o.folded[lower] = slot
	}
	for i, name := range wanted {
		add(name, int32(i))
	}
	for _, name := range all {
		add(name, -1)
	}
	o.spans = make([][]span, len(wanted))
	return o
}

// scan reads the object whose brace is at i into a row of the spans and gives the position behind it.
func (o *objectScanner) scan(i, row int) int {
	s := o.scanner
	for slot := range o.spans {
		o.spans[slot][row] = span{}
	}
	i++
	for n := 0; ; n++ {
		c := s.at(i)
		if c != '"' {
			if i = s.blank(i); n == 0 && s.at(i) == '}' {
				return i + 1
			}
			if s.at(i) != '"' {
				return s.fail(i, badSyntax)
			}
		}
		var to keySlot
		if n < len(o.guesses) && o.guesses[n].holds(s, i) {
			to = o.guesses[n].to
			if i += o.guesses[n].size; s.at(i) <= ' ' {
				i = s.blank(i)
			}
		} else if i, to = o.learn(i, n); i < 0 {
			return i
		}
		var v span
		if i, v = s.value(i); i < 0 {
			return i
		}
		if to.slot >= 0 {
			if !to.folded {
				o.spans[to.slot][row] = v
			} else if old := &o.spans[to.slot][row]; *old == (span{}) || old.flags&foldedFlag != 0 {
				v.flags |= foldedFlag
				*old = v
			}
		}
		if c = s.at(i); c != ',' {
			if c == '}' {
				return i + 1
			}
			if i = s.blank(i); s.at(i) == '}' {
				return i + 1
			}
			if s.at(i) != ',' {
				return s.fail(i, badSyntax)
			}
		}
		if i++; s.at(i) == ' ' {
			i++
		}
	}
}

// holds tells whether the text at i is the guess's.
func (g *guess) holds(s *scanner, i int) bool {
	last := g.count - 1
	if last < 0 || (s.word(i+8*last)^g.words[last])&g.mask != 0 {
		return false
	}
	for k := range last {
		if s.word(i+8*k) != g.words[k] {
			return false
		}
	}
	return true
}

// learn reads the key at i, the n-th of its object, and what stands before its value. The next
// object is taken to have the same there.
func (o *objectScanner) learn(i, n int) (int, keySlot) {
	const most = 4096 // keys of an object that are remembered
	end, name := o.str(i + 1)
	if end < 0 {
		return end, keySlot{}
	}
	if end = o.colon(end); end < 0 {
		return end, keySlot{}
	}
	to := o.find(name)
	if n >= len(o.guesses) && n < most {
		o.guesses = append(o.guesses, guess{})
	}
	if n < len(o.guesses) {
		o.guesses[n] = o.guessOf(i, end, to)
	}
	return end, to
}

func (o *objectScanner) guessOf(from, to int, slot keySlot) guess {
	g := guess{size: to - from, to: slot}
	if g.size > 8*guessWords {
		return g
	}
	g.count = (g.size + 7) / 8
	for k := range g.count {
		g.words[k] = o.word(from + 8*k)
	}
	g.mask = ^uint64(0) >> (8 * (8*g.count - g.size))
	return g
}

// find gives the slot of a key.
func (o *objectScanner) find(name span) keySlot {
	text := name.text(o.data)
	if name.kind() == kindEscaped {
		text = types.UnescapeJSON(text)
	}
	if to, ok := o.slots[unsafe.String(unsafe.SliceData(text), len(text))]; ok {
		return to
	}
	if slot, ok := o.folded[strings.ToLower(string(text))]; ok {
		return keySlot{slot, true}
	}
	return keySlot{slot: -1}
}
