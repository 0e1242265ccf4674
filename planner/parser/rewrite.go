package parser

import (
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// rewriter looks through the tokens of a query once, left to right, and turns the spellings of
// Presto, Trino, Hive, Impala and others into what PostgreSQL's grammar reads. A rule fires only on
// text that PostgreSQL itself would refuse, the lambda arrow excepted. Nearly every statement
// passes without an edit.
type rewriter struct {
	fragment
	tokens []lexer.Token // the text's
	stop   lexer.Token   // what follows them, and stands behind them in the same array
	pair   []int         // the partner of each bracket, −1 for other tokens and for none
	around []int         // the innermost bracket open before each token, −1 for none
	edits  []edit
	frames []frame
	params int         // question marks so far
	skip   map[int]int // stretches that a rule dealt with ahead: first token → the one behind
	err    error
}

// frame is one pair of parentheses, or the whole text.
type frame struct {
	clause      clause
	expectTable bool // a FROM item may begin at this token
	hasWindow   bool // a WINDOW clause was seen in this SELECT
	qualify     bool // a QUALIFY clause is open in this SELECT
}

// clause is the part of a query that a frame is in.
type clause uint8

const (
	clauseNone clause = iota
	clauseSelect
	clauseFrom
	clauseFilter // WHERE, GROUP BY, HAVING, WINDOW
	clauseTail   // ORDER BY and what follows
)

// rewrite makes the text for the grammar out of tokens, with prefix and suffix around it. The last
// token is the one that follows and no part of the text; there must be one more at least.
func rewrite(sql string, all []lexer.Token, prefix, suffix string) (*fragment, error) {
	tokens, stop := all[:len(all)-1], all[len(all)-1]
	r := &rewriter{tokens: tokens, stop: stop, frames: make([]frame, 1, 8)}
	r.sql = sql
	r.pairBrackets()
	if len(tokens) > 0 && tokens[0].WordIn("update", "merge") {
		r.frames[0].clause = clauseSelect
	}
	for i := 0; i < len(tokens) && r.err == nil; {
		i = r.visit(i)
	}
	if r.err != nil {
		return nil, r.err
	}
	r.closeQualify(len(tokens))
	start, end := tokens[0].Start, tokens[len(tokens)-1].End
	if suffix == "" && stop.Is(";") && prefix == "" {
		// With the semicolon in view, the grammar's complaints name it as PostgreSQL's do.
		end = stop.End
	}
	if len(r.edits) == 0 && prefix == "" {
		f := verbatim(sql, start, end)
		f.at = r.at
		return f, nil
	}
	if prefix != "" {
		r.edits = append([]edit{{start: start, end: start, text: prefix}}, r.edits...)
		r.edits = append(r.edits, edit{start: end, end: end, text: suffix})
	}
	f := r.fragment
	f.apply(start, end, r.edits)
	return &f, nil
}

func (r *rewriter) token(i int) lexer.Token {
	if i < 0 {
		return lexer.Token{Kind: lexer.EOF}
	}
	if i >= len(r.tokens) {
		return lexer.Token{Kind: lexer.EOF, Start: r.stop.Start, End: r.stop.Start}
	}
	return r.tokens[i]
}

func (r *rewriter) top() *frame { return &r.frames[len(r.frames)-1] }

// replace puts text in place of the tokens from to before end.
func (r *rewriter) replace(from, end int, text string) {
	r.edits = append(r.edits, edit{start: r.tokens[from].Start, end: r.tokens[end-1].End, text: text})
}

// before and after insert text next to a token.
func (r *rewriter) before(i int, text string) {
	at := r.tokens[i].Start
	r.edits = append(r.edits, edit{start: at, end: at, text: text})
}

func (r *rewriter) after(i int, text string) {
	at := r.tokens[i].End
	r.edits = append(r.edits, edit{start: at, end: at, text: text})
}

func (r *rewriter) pairBrackets() {
	r.pair, r.around = make([]int, len(r.tokens)), make([]int, len(r.tokens))
	var open []int
	for i, token := range r.tokens {
		r.pair[i], r.around[i] = -1, -1
		if len(open) > 0 {
			r.around[i] = open[len(open)-1]
		}
		if token.Kind != lexer.Punct {
			continue
		}
		switch token.Text {
		case "(", "[":
			open = append(open, i)
		case ")", "]":
			if len(open) > 0 {
				r.pair[i], r.pair[open[len(open)-1]] = open[len(open)-1], i
				open = open[:len(open)-1]
			}
		}
	}
}

// visit handles the token at i and gives the next one to look at.
func (r *rewriter) visit(i int) int {
	if end, ok := r.skip[i]; ok {
		return end
	}
	token := r.tokens[i]
	switch token.Kind {
	case lexer.Punct:
		r.punctuation(i, token)
	case lexer.Op:
		return r.operator(i, token)
	case lexer.Quoted:
		if token.Backquoted {
			r.replace(i, i+1, quoteName(token.Text))
		}
		r.top().expectTable = false
	case lexer.String:
		if r.top().expectTable {
			r.replace(i, i+1, r.mark(note{isPath: true, path: token.Text}))
		}
		r.top().expectTable = false
	case lexer.Ident:
		return r.word(i, token)
	default:
		r.top().expectTable = false
	}
	return i + 1
}

func (r *rewriter) punctuation(i int, token lexer.Token) {
	top := r.top()
	switch token.Text {
	case "[":
		top.expectTable = false
		r.frames = append(r.frames, frame{})
	case "(":
		inner := frame{}
		if top.expectTable {
			inner.clause, inner.expectTable = clauseFrom, true
			top.expectTable = false
		}
		r.frames = append(r.frames, inner)
	case ")":
		r.closeQualify(i)
		r.leave(i)
	case "]":
		r.leave(i)
	case ",":
		top.expectTable = top.clause == clauseFrom
	default:
		top.expectTable = false
	}
}

// leave ends the frame of the bracket that closes at i.
func (r *rewriter) leave(i int) {
	if len(r.frames) > 1 {
		r.frames = r.frames[:len(r.frames)-1]
	}
	r.wrapCall(i)
}

// word handles a bare word: clause words move the frame on, others may begin a foreign spelling.
func (r *rewriter) word(i int, token lexer.Token) int {
	if previous := r.token(i - 1); previous.Is(".") || previous.Word("as") && r.top().clause == clauseSelect {
		return i + 1 // a field or a label, whatever the word
	}
	if r.reservedQualifier(i, token) {
		r.top().expectTable = false
		return i + 1
	}
	if next, handled := r.clauseWord(i, token); handled {
		return next
	}
	if token.WordIn("values", "with") && r.token(i-1).Is("(") {
		r.top().clause = clauseNone // a query, not FROM items
	}
	wasExpecting := r.top().expectTable
	if !token.WordIn("lateral", "only") {
		r.top().expectTable = false
	}
	return r.spelling(i, token, wasExpecting)
}

// reservedQualifier quotes a reserved word before a dot: default.t, user.id.
func (r *rewriter) reservedQualifier(i int, token lexer.Token) bool {
	next := r.token(i + 1)
	if !next.Is(".") || next.Start != token.End || lexer.ClassOf(token.Text) != lexer.ClassReserved {
		return false
	}
	if after := r.token(i + 2); after.Start != next.End || !after.Name() && !after.Is("*") {
		return false
	}
	r.replace(i, i+1, quoteName(token.Text))
	return true
}

// clauseWord follows the clauses of a query.
func (r *rewriter) clauseWord(i int, token lexer.Token) (int, bool) {
	top := r.top()
	switch token.Text {
	case "select":
		*top = frame{clause: clauseSelect}
		if r.token(i+1).Word("straight_join") && operandStart(r.token(i+2)) {
			r.replace(i+1, i+2, "")
			return i + 2, true
		}
	case "from":
		distinct := r.token(i-1).Word("distinct") && r.token(i-2).WordIn("is", "not")
		if top.clause == clauseSelect && !distinct {
			top.clause, top.expectTable = clauseFrom, true
		}
	case "join":
		top.expectTable = top.clause == clauseFrom
	case "using":
		top.expectTable = i > 2 && r.tokens[0].Word("merge") && len(r.frames) == 1 && top.clause == clauseSelect
	case "where", "having":
		top.clause, top.expectTable = clauseFilter, false
	case "group":
		if !r.token(i + 1).Word("by") {
			return i, false
		}
		top.clause, top.expectTable = clauseFilter, false
		r.groupByAll(i + 2)
	case "window":
		r.windowWord(i)
	case "order", "limit", "offset", "fetch", "returning":
		r.closeQualify(i)
		top.clause, top.expectTable = clauseTail, false
	case "union", "intersect", "except":
		r.closeQualify(i)
		top.clause, top.expectTable = clauseNone, false
	default:
		return i, false
	}
	return i + 1, true
}

func quoteName(name string) string {
	quoted := make([]byte, 0, len(name)+2)
	quoted = append(quoted, '"')
	for i := 0; i < len(name); i++ {
		if name[i] == '"' {
			quoted = append(quoted, '"')
		}
		quoted = append(quoted, name[i])
	}
	return string(append(quoted, '"'))
}

// operandStart tells whether an operand may begin with the token.
func operandStart(token lexer.Token) bool {
	switch token.Kind {
	case lexer.Quoted, lexer.String, lexer.Bits, lexer.HexBits, lexer.Integer, lexer.Decimal, lexer.Param:
		return true
	case lexer.Punct:
		return token.Text == "("
	case lexer.Op:
		return token.Text == "-" || token.Text == "+" || token.Text == "*"
	case lexer.Ident:
		switch lexer.ClassOf(token.Text) {
		case lexer.ClassReserved:
			switch token.Text {
			case "case", "cast", "not", "null", "true", "false", "array", "current_date", "current_time",
				"current_timestamp", "current_user", "localtime", "localtimestamp", "user", "session_user", "default", "distinct":
				return true
			}
			return false
		case lexer.ClassFunction:
			return false
		}
		return true
	}
	return false
}

// operandEnd tells whether an operand may end with the token.
func operandEnd(token lexer.Token) bool {
	switch token.Kind {
	case lexer.Quoted, lexer.String, lexer.Bits, lexer.HexBits, lexer.Integer, lexer.Decimal, lexer.Param:
		return true
	case lexer.Punct:
		return token.Text == ")" || token.Text == "]"
	case lexer.Ident:
		switch lexer.ClassOf(token.Text) {
		case lexer.ClassReserved:
			return token.WordIn("null", "true", "false", "end", "current_date", "current_time", "current_timestamp",
				"current_user", "localtime", "localtimestamp", "user", "session_user", "default")
		case lexer.ClassFunction:
			return false
		}
		return !token.WordIn("by", "between", "values", "over", "escape", "zone", "set", "interval", "range", "rows",
			"groups", "filter", "within")
	}
	return false
}

// subCursor reads the tokens from i to before end with the hand-written readers.
func (r *rewriter) subCursor(i, end int) *cursor {
	end = min(end, len(r.tokens))
	all := r.tokens[: len(r.tokens)+1 : len(r.tokens)+1] // with stop
	return &cursor{sql: r.sql, tokens: all[min(i, end) : end+1 : end+1]}
}

// passed gives the index in r.tokens of the first token that a subCursor from i has not passed.
func (r *rewriter) passed(i int, c *cursor) int {
	at := c.tokens[c.at].Start
	for i < len(r.tokens) && r.tokens[i].Start < at {
		i++
	}
	return i
}

// posOf is a token's place.
func posOf(token lexer.Token) ast.Pos { return ast.Pos(token.Start) }
