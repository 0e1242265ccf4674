package parser

import (
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

func quoteString(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func isNumeric(text string) bool {
	_, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return err == nil
}

// intervalText joins a number and a unit as PostgreSQL's interval input reads them; it has no
// quarters.
func intervalText(number, unit string, negative bool) string {
	number = strings.TrimSpace(number)
	if rest, minus := strings.CutPrefix(number, "-"); minus && negative {
		number = rest
	} else if negative {
		number = "-" + strings.TrimPrefix(number, "+")
	}
	if strings.HasPrefix(unit, "quarter") {
		if n, err := strconv.ParseFloat(number, 64); err == nil {
			return strconv.FormatFloat(3*n, 'f', -1, 64) + " months"
		}
	}
	return number + " " + unit
}

// operator handles an operator token and gives the next one to look at.
func (r *rewriter) operator(i int, token lexer.Token) int {
	r.top().expectTable = false
	switch token.Text {
	case "->":
		return r.lambda(i)
	case "<=>":
		r.replace(i, i+1, " IS NOT DISTINCT FROM ")
	case "==":
		r.replace(i, i+1, "=")
	case "::":
		return r.complexType(i + 1)
	default:
		if strings.HasSuffix(token.Text, "?") {
			r.questionMark(i, token)
		}
	}
	return i + 1
}

// questionMark numbers a parameter written as ?, alone or behind an operator without a space.
func (r *rewriter) questionMark(i int, token lexer.Token) {
	if next := r.token(i + 1); operandStart(next) && next.Kind != lexer.Op {
		return
	}
	if token.Text == "?" && operandEnd(r.token(i-1)) {
		return
	}
	text := token.Text[:len(token.Text)-1]
	switch text {
	case "", "=", "<", ">", "<=", ">=", "<>", "!=", "+", "-", "*", "/", "%", "||":
	default:
		return // an operator of its own, such as @?
	}
	r.params++
	r.replace(i, i+1, text+" $"+strconv.Itoa(r.params)+" ")
}

// lambda turns x -> body among a call's arguments into marker(body).
func (r *rewriter) lambda(i int) int {
	first := i - 1
	if r.token(first).Is(")") {
		first = r.pair[first]
	}
	if first <= 0 {
		return i + 1
	}
	params, ok := r.lambdaParams(first, i)
	open := r.openingBefore(first)
	if !ok || open < 1 || !r.isCallee(open-1) {
		return i + 1
	}
	end := r.argumentEnd(i + 1)
	if end == i+1 || !r.takesLambda(open-1, params, first, i+1, end) {
		return i + 1
	}
	r.replace(first, i+1, r.mark(note{isLambda: true, params: params})+"(")
	r.after(end-1, ")")
	return i + 1
}

// lambdaParams reads the names between first and the arrow.
func (r *rewriter) lambdaParams(first, arrow int) ([]ast.Identifier, bool) {
	if first == arrow-1 {
		name := r.tokens[first]
		if name.Kind != lexer.Quoted && (name.Kind != lexer.Ident || lexer.ClassOf(name.Text) == lexer.ClassReserved) {
			return nil, false
		}
		return []ast.Identifier{{Pos: posOf(name), Name: name.Text}}, true
	}
	params := []ast.Identifier{}
	for at := first + 1; at < arrow-1; at += 2 {
		name, comma := r.tokens[at], r.tokens[at+1]
		if !name.Name() || !comma.Is(",") && at+1 != arrow-1 {
			return nil, false
		}
		params = append(params, ast.Identifier{Pos: posOf(name), Name: name.Text})
	}
	return params, true
}

// openingBefore gives the parenthesis of the call whose argument begins at i, −1 when something
// else stands before i.
func (r *rewriter) openingBefore(i int) int {
	if r.token(i - 1).Is("(") {
		return i - 1
	}
	if open := r.around[i]; r.token(i-1).Is(",") && r.token(open).Is("(") {
		return open
	}
	return -1
}

// argumentEnd gives the token behind the argument that begins at i.
func (r *rewriter) argumentEnd(i int) int {
	for ; i < len(r.tokens); i++ {
		token := r.tokens[i]
		if token.Is("(") || token.Is("[") {
			if r.pair[i] < 0 {
				return i
			}
			i = r.pair[i]
			continue
		}
		if token.Is(",") || token.Is(")") || token.Is("]") {
			return i
		}
	}
	return i
}

// takesLambda tells a lambda from JSON's -> operator: the function is known for lambdas, or there
// are bracketed parameters, or the body speaks of the parameter.
func (r *rewriter) takesLambda(callee int, params []ast.Identifier, first, body, end int) bool {
	if r.tokens[first].Is("(") {
		return true
	}
	switch r.tokens[callee].Text {
	case "transform", "filter", "reduce", "any_match", "all_match", "none_match", "map_filter", "transform_keys",
		"transform_values", "zip_with", "map_zip_with", "array_sort", "reduce_agg", "find_first", "find_first_index",
		"array_sort_desc", "list_transform", "list_filter", "list_reduce", "array_transform", "array_filter",
		"list_apply", "array_apply", "apply", "exists", "forall", "aggregate":
		return true
	}
	if r.tokens[body].Kind != lexer.Ident && r.tokens[body].Kind != lexer.Quoted && !r.tokens[body].Is("(") {
		return false // a key
	}
	for at := body; at < end; at++ {
		if r.tokens[at].Name() && r.tokens[at].Text == params[0].Name && !r.token(at-1).Is(".") {
			return true
		}
	}
	return false
}

// isCallee tells whether the token at i is the name before a call's parenthesis.
func (r *rewriter) isCallee(i int) bool {
	token := r.token(i)
	switch token.Kind {
	case lexer.Quoted:
		return true
	case lexer.Ident:
		if r.token(i - 1).Is(".") {
			return true
		}
		switch lexer.ClassOf(token.Text) {
		case lexer.ClassReserved:
			return token.WordIn("cast", "array")
		case lexer.ClassFunction:
			return token.WordIn("left", "right")
		}
		return !token.WordIn("by", "between", "values", "over", "escape", "zone", "range", "rows", "groups", "sets",
			"rollup", "cube", "partition", "filter", "within", "materialized", "ordinality", "operator", "qualify") &&
			!(token.WordIn("div", "mod", "rlike", "regexp", "iregexp") && operandEnd(r.token(i-1))) ||
			token.Word("filter") && !r.token(i-1).Is(")")
	}
	return false
}

// calleeStart gives the first token of the call or array whose closing bracket is at i, −1 when it is
// neither.
func (r *rewriter) calleeStart(i int) int {
	open := r.pair[i]
	if open < 1 {
		return -1
	}
	if r.tokens[i].Is("]") {
		if r.token(open - 1).Word("array") {
			return open - 1
		}
		return -1
	}
	if !r.isCallee(open - 1) {
		return -1
	}
	return r.nameStart(open - 1)
}

// wrapCall puts brackets around a call or array literal that is followed by a subscript or a field.
func (r *rewriter) wrapCall(i int) {
	next := r.token(i + 1)
	if !next.Is("[") && !(next.Is(".") && (r.token(i+2).Name() || r.token(i+2).Is("*"))) {
		return
	}
	if next.Is("[") && r.token(i+2).Is("]") {
		return // a type: numeric(3,1)[]
	}
	if start := r.calleeStart(i); start >= 0 {
		if previous := r.token(start - 1); next.Is("[") && (previous.Is("::") || previous.Word("as")) {
			return
		}
		r.before(start, "(")
		r.after(i, ")")
	}
}

// expressionWord applies the rules for words inside expressions.
func (r *rewriter) expressionWord(i int, token lexer.Token) int {
	switch token.Text {
	case "try_cast":
		if as := r.castAs(i + 1); as > 0 {
			r.positionNoteAt(token.Start).try = true
			r.replace(i, i+1, "CAST")
			r.castType(as + 1)
		}
	case "cast":
		if as := r.castAs(i + 1); as > 0 {
			r.castType(as + 1)
		}
	case "ignore", "respect":
		return r.nullTreatment(i, token)
	case "on":
		if r.token(i+1).Word("overflow") && r.token(i+2).WordIn("truncate", "error") {
			return r.listaggOverflow(i)
		}
	case "div", "mod", "rlike", "regexp", "iregexp":
		r.wordOperator(i, token)
	}
	return i + 1
}

// castAs finds AS in CAST(x AS T), the parenthesis standing at open; 0 for none.
func (r *rewriter) castAs(open int) int {
	end := r.pairOf(open)
	if !r.token(open).Is("(") || end >= len(r.tokens) {
		return 0
	}
	for at := open + 1; at < end; at++ {
		if r.pair[at] > at {
			at = r.pair[at]
			continue
		}
		if r.tokens[at].Word("as") {
			return at
		}
	}
	return 0
}

// castType reads ARRAY(T) and its like at i, where the type of a CAST stands.
func (r *rewriter) castType(i int) {
	behind := r.complexType(i)
	if behind == i {
		return
	}
	if r.skip == nil {
		r.skip = map[int]int{}
	}
	r.skip[i] = behind
}

// complexType replaces a nested type at i by a marker and gives the token behind it.
func (r *rewriter) complexType(i int) int {
	if !r.token(i).Name() || !isNestedType(r.token(i), r.token(i+1)) {
		return i
	}
	c := r.subCursor(i, r.nestedTypeEnd(i+1))
	t := &ast.TypeName{Pos: c.pos()}
	c.nestedType(t)
	if c.err != nil {
		r.err = c.err
		return len(r.tokens)
	}
	end := r.passed(i, c)
	r.replace(i, end, r.mark(note{typeName: t}))
	return end
}

// nestedTypeEnd gives the token behind the brackets, round or angled, that open at i.
func (r *rewriter) nestedTypeEnd(i int) int {
	if r.token(i).Is("(") {
		return min(r.pairOf(i)+1, len(r.tokens))
	}
	depth := 0
	for ; i < len(r.tokens); i++ {
		if token := r.tokens[i]; token.Kind == lexer.Op {
			depth += strings.Count(token.Text, "<") - strings.Count(token.Text, ">")
			if depth <= 0 {
				return i + 1
			}
		}
	}
	return i
}

// wordOperator turns a DIV b, a MOD b and a [NOT] RLIKE b into operators of PostgreSQL.
func (r *rewriter) wordOperator(i int, token lexer.Token) {
	from := i
	negated := r.token(i - 1).Word("not")
	if negated {
		from--
	}
	next := r.token(i + 1)
	if open := r.openOf(from - 1); open > 1 && r.token(open-1).Word("on") && r.token(open-2).Word("distinct") {
		return // DISTINCT ON (a) mod(b, 2)
	}
	if !operandEnd(r.token(from-1)) || !operandStart(next) || next.Is("*") || next.Word("set") ||
		next.Is("(") && r.top().clause == clauseFrom && !negated { // an alias and its columns
		return
	}
	symbol, kind := "LIKE", "rlike"
	switch token.Text {
	case "div":
		symbol, kind = "/", "div"
	case "mod":
		symbol, kind = "%", "mod"
	case "iregexp":
		kind = "iregexp"
	}
	if negated {
		if symbol != "LIKE" {
			return
		}
		symbol = "NOT LIKE"
	}
	r.positionNoteAt(r.tokens[from].Start).operator = kind
	r.replace(from, i+1, " "+symbol+" ")
}

// openOf gives the parenthesis that is closed at i, -1 when none is.
func (r *rewriter) openOf(i int) int {
	if !r.token(i).Is(")") {
		return -1
	}
	return r.pair[i]
}

// nullTreatment takes IGNORE NULLS and RESPECT NULLS, behind a call or inside it, away.
func (r *rewriter) nullTreatment(i int, token lexer.Token) int {
	if !r.token(i + 1).Word("nulls") {
		return i + 1
	}
	start := -1
	switch {
	case r.token(i - 1).Is(")"):
		closing := i - 1
		if open := r.pair[closing]; open > 1 && r.token(open-1).Word("filter") && r.token(open-2).Is(")") {
			closing = open - 2
		}
		start = r.calleeStart(closing)
	case r.token(i + 2).Is(")"):
		start = r.calleeStart(i + 2)
	}
	if start < 0 {
		return i + 1
	}
	nulls := ast.NullsIgnore
	if token.Text == "respect" {
		nulls = ast.NullsRespect
	}
	r.positionNoteAt(r.tokens[start].Start).nulls = nulls
	r.replace(i, i+2, "")
	return i + 2
}

// listaggOverflow takes ON OVERFLOW … out of listagg's arguments.
func (r *rewriter) listaggOverflow(i int) int {
	end := r.argumentEnd(i)
	start := -1
	if end < len(r.tokens) && r.tokens[end].Is(")") {
		start = r.calleeStart(end)
	}
	if start < 0 {
		return i + 1
	}
	c := r.subCursor(i+2, end)
	overflow := &ast.Overflow{Pos: posOf(r.tokens[i])}
	if c.acceptOne("error") == "" {
		c.expect("truncate")
		overflow.Truncate, overflow.WithCount = true, true
		if c.seesString() {
			overflow.Filler = c.simpleLiteral(c.at + 1)
		}
		if c.acceptOne("without") != "" {
			overflow.WithCount = false
			c.expect("count")
		} else {
			c.expect("with", "count")
		}
	}
	c.finish()
	if c.err != nil {
		r.err = c.err
		return len(r.tokens)
	}
	r.positionNoteAt(r.tokens[start].Start).overflow = overflow
	r.replace(i, end, "")
	return end
}
