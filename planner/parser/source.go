package parser

import (
	"sort"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// fragment is a stretch of the user's text as it is handed to the PostgreSQL grammar: unchanged, or
// with other engines' spellings rewritten. What the grammar cannot express is kept in notes, which
// the converter puts into the tree: by the original position of a node, or by a marker name that
// stands in the text (and never occurs in the user's).
type fragment struct {
	sql      string // the user's whole text
	text     string // what the grammar reads
	segments []segment
	marker   string
	notes    []note
	at       map[ast.Pos]*positionNote
}

// segment says that text from at onwards stems from sql at origin: character by character when
// verbatim, else all of it from that one place.
type segment struct {
	at, origin int
	verbatim   bool
}

// note is what a marker name stands for; one of the fields is set.
type note struct {
	typeName *ast.TypeName    // a type name
	params   []ast.Identifier // a lambda, its body being the only argument
	isLambda bool
	path     string // a file as a table
	isPath   bool
	semiJoin ast.JoinKind // in a join's condition
	isSemi   bool
	groupAll bool // GROUP BY ALL
	qualify  bool // a window whose only PARTITION BY expression is the QUALIFY condition
}

// positionNote is what belongs to the node at one original position.
type positionNote struct {
	try       bool // the CAST there is a TRY_CAST
	negative  bool // the INTERVAL there had a sign
	nulls     ast.NullTreatment
	overflow  *ast.Overflow
	asOf      *ast.AsOf
	operator  string // "div", "mod", "rlike", "iregexp"
	overwrite bool
	partition []ast.PartitionValue
}

// origin maps an offset of text to the user's text; negative ones are unknown.
func (f *fragment) origin(at int32) ast.Pos {
	if at < 0 {
		return ast.NoPos
	}
	i := sort.Search(len(f.segments), func(i int) bool { return f.segments[i].at > int(at) }) - 1
	if i < 0 {
		return ast.NoPos
	}
	s := f.segments[i]
	if s.verbatim {
		return ast.Pos(s.origin + int(at) - s.at)
	}
	return ast.Pos(s.origin)
}

// noteOf gives the note that a marker name stands for, nil for any other name.
func (f *fragment) noteOf(name string) *note {
	if f.marker == "" || !strings.HasPrefix(name, f.marker) {
		return nil
	}
	i, err := strconv.Atoi(name[len(f.marker):])
	if err != nil || i >= len(f.notes) {
		return nil
	}
	return &f.notes[i]
}

// edit replaces sql[start:end]; start = end inserts.
type edit struct {
	start, end int
	text       string
}

// verbatim hands sql[start:end] to the grammar as it is.
func verbatim(sql string, start, end int) *fragment {
	return &fragment{sql: sql, text: sql[start:end], segments: []segment{{at: 0, origin: start, verbatim: true}}}
}

// apply makes the text from sql[start:end] with the edits, in any order; insertions at one place keep
// theirs. An edit inside the stretch that another one replaces is void.
func (f *fragment) apply(start, end int, edits []edit) {
	sort.SliceStable(edits, func(i, j int) bool {
		if edits[i].start != edits[j].start {
			return edits[i].start < edits[j].start
		}
		return edits[i].end < edits[j].end // an insertion comes before what stands there
	})
	var text strings.Builder
	f.segments = f.segments[:0]
	at := start
	for _, e := range edits {
		if e.start < at {
			continue
		}
		f.segments = append(f.segments, segment{at: text.Len(), origin: at, verbatim: true})
		text.WriteString(f.sql[at:e.start])
		f.segments = append(f.segments, segment{at: text.Len(), origin: e.start})
		text.WriteString(e.text)
		at = e.end
	}
	f.segments = append(f.segments, segment{at: text.Len(), origin: at, verbatim: true})
	text.WriteString(f.sql[at:end])
	f.text = text.String()
}

// positionNoteAt gives the note of a position, making it if there is none.
func (f *fragment) positionNoteAt(at int) *positionNote {
	if f.at == nil {
		f.at = map[ast.Pos]*positionNote{}
	}
	n := f.at[ast.Pos(at)]
	if n == nil {
		n = &positionNote{}
		f.at[ast.Pos(at)] = n
	}
	return n
}

// mark stores a note and gives the quoted marker name that stands for it.
func (f *fragment) mark(n note) string {
	if f.marker == "" {
		f.marker = "$tarn$"
		for strings.Contains(f.sql, f.marker) {
			f.marker += "$"
		}
	}
	f.notes = append(f.notes, n)
	return `"` + f.marker + strconv.Itoa(len(f.notes)-1) + `"`
}

// tokenText is a token as the user wrote it.
func tokenText(sql string, token lexer.Token) string { return sql[token.Start:token.End] }
