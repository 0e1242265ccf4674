package parser

import (
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// spelling applies the rules that a bare word may begin and gives the next token to look at.
func (r *rewriter) spelling(i int, token lexer.Token, expectTable bool) int {
	switch token.Text {
	case "qualify":
		r.qualify(i)
	case "left", "right":
		return r.semiJoin(i, token)
	case "for":
		return r.timeTravel(i)
	case "insert":
		return r.insertHead(i)
	case "values":
		r.bareValues(i)
	case "table":
		if expectTable {
			return r.tableFunction(i)
		}
	case "interval":
		return r.interval(i)
	case "year", "month", "day", "hour", "minute", "second", "filter", "over", "within", "without", "overlaps",
		"precision", "varying", "char", "character":
		r.bareAlias(i, token)
	}
	return r.expressionWord(i, token)
}

// groupByAll marks GROUP BY ALL, i standing behind BY.
func (r *rewriter) groupByAll(i int) {
	if !r.token(i).Word("all") {
		return
	}
	next := r.token(i + 1)
	if next.Kind == lexer.EOF || next.Is(")") || next.WordIn("having", "order", "limit", "offset", "fetch", "union",
		"intersect", "except", "window", "qualify", "for") {
		r.replace(i, i+1, r.mark(note{groupAll: true}))
	}
}

// qualify turns QUALIFY condition into a window whose partition is the condition.
func (r *rewriter) qualify(i int) {
	top := r.top()
	if top.clause != clauseFrom && top.clause != clauseFilter || top.qualify ||
		!operandEnd(r.token(i-1)) || !operandStart(r.token(i+1)) {
		return
	}
	keyword := "WINDOW "
	if top.hasWindow {
		keyword = ", "
	}
	top.qualify, top.clause = true, clauseFilter
	r.replace(i, i+1, keyword+r.mark(note{qualify: true})+" AS (PARTITION BY")
}

// closeQualify ends an open QUALIFY before the token at i.
func (r *rewriter) closeQualify(i int) {
	if top := r.top(); top.qualify && i > 0 {
		top.qualify = false
		r.after(i-1, ")")
	}
}

func (r *rewriter) windowWord(i int) {
	top := r.top()
	if top.qualify {
		r.closeQualify(i)
		r.replace(i, i+1, ",")
	}
	top.hasWindow, top.expectTable = true, false
	top.clause = clauseFilter
}

// semiJoin turns LEFT SEMI JOIN and its like into LEFT JOIN with a marker in the condition.
func (r *rewriter) semiJoin(i int, token lexer.Token) int {
	kindWord := r.token(i + 1)
	if !kindWord.WordIn("semi", "anti") || !r.token(i+2).Word("join") || r.top().clause != clauseFrom {
		return i + 1
	}
	kind := ast.JoinLeftSemi
	switch {
	case token.Text == "left" && kindWord.Text == "anti":
		kind = ast.JoinLeftAnti
	case token.Text == "right" && kindWord.Text == "semi":
		kind = ast.JoinRightSemi
	case token.Text == "right":
		kind = ast.JoinRightAnti
	}
	condition := r.joinCondition(i + 3)
	switch {
	case r.token(condition).Word("on"):
		r.after(condition, " "+r.mark(note{isSemi: true, semiJoin: kind})+" OR ")
	case r.token(condition).Word("using") && r.token(condition+1).Is("("):
		r.after(condition+1, r.mark(note{isSemi: true, semiJoin: kind})+", ")
	default: // the grammar will miss the condition
	}
	r.replace(i+1, i+2, "")
	r.top().expectTable = true
	return i + 3
}

// joinCondition finds the ON or USING of the join whose right side begins at i.
func (r *rewriter) joinCondition(i int) int {
	open := 1
	for ; i < len(r.tokens); i++ {
		token := r.tokens[i]
		switch {
		case token.Is("(") || token.Is("["):
			if r.pair[i] < 0 {
				return len(r.tokens)
			}
			i = r.pair[i]
		case token.Is(")"):
			return len(r.tokens)
		case token.Word("join") && !r.token(i-1).WordIn("cross", "natural"):
			open++
		case token.WordIn("on", "using"):
			open--
			if open == 0 {
				return i
			}
		}
	}
	return i
}

// timeTravel takes FOR VERSION | TIMESTAMP AS OF value away from the table before it.
func (r *rewriter) timeTravel(i int) int {
	what := r.token(i + 1)
	if !what.WordIn("version", "timestamp", "system_version", "system_time") ||
		!r.token(i+2).Word("as") || !r.token(i+3).Word("of") {
		return i + 1
	}
	start := r.nameStart(i - 1)
	if start < 0 {
		return i + 1
	}
	c := r.subCursor(i+4, len(r.tokens))
	value := c.timeTravelValue()
	if c.err != nil {
		r.err = c.err
		return len(r.tokens)
	}
	end := r.passed(i+4, c)
	r.positionNoteAt(r.tokens[start].Start).asOf = &ast.AsOf{Pos: posOf(r.tokens[i]),
		Timestamp: what.WordIn("timestamp", "system_time"), Value: value}
	r.replace(i, end, "")
	return end
}

// timeTravelValue reads the constant, typed literal, call or bracketed expression after AS OF, and
// what is added to it.
func (c *cursor) timeTravelValue() ast.Expr {
	start := c.at
	for c.err == nil {
		c.timeTravelOperand()
		if !c.token().Is("+") && !c.token().Is("-") {
			break
		}
		c.next()
	}
	end := c.at
	if c.err != nil {
		return nil
	}
	c.at = start
	return c.expression(end)
}

func (c *cursor) timeTravelOperand() {
	if c.acceptSymbol("-") {
		c.timeTravelOperand()
		return
	}
	token := c.token()
	switch {
	case token.Is("("):
		c.skipBrackets()
	case token.Name() && operandStart(token):
		c.next()
		for c.acceptSymbol(".") {
			c.label()
		}
		if c.token().Is("(") {
			c.skipBrackets()
		}
		if !c.accept("with", "time", "zone") {
			c.accept("without", "time", "zone")
		}
		if c.seesString() {
			c.next()
		}
		if token.Word("interval") && c.acceptOne("year", "month", "day", "hour", "minute", "second") != "" && c.accept("to") {
			c.label()
		}
	case operandStart(token):
		c.next()
	default:
		c.unexpected()
	}
}

// nameStart gives the first token of the dotted name that ends at i, −1 for none.
func (r *rewriter) nameStart(i int) int {
	if !r.token(i).Name() {
		return -1
	}
	for r.token(i-1).Is(".") && r.token(i-2).Name() {
		i -= 2
	}
	return i
}

// insertHead takes OVERWRITE, TABLE and PARTITION (…) out of the head of an INSERT.
func (r *rewriter) insertHead(i int) int {
	at := i + 1
	overwrite := false
	switch {
	case r.token(at).Word("overwrite"):
		overwrite = true
		at++
		if r.token(at).Word("into") {
			at++
		}
		if r.token(at).Word("table") {
			at++
		}
		r.replace(i+1, at, "INTO ")
	case r.token(at).Word("into"):
		at++
		if r.token(at).Word("table") && r.token(at+1).Name() {
			r.replace(at, at+1, "")
			at++
		}
	default:
		return i + 1
	}
	table := r.token(at)
	if !table.Name() {
		return at
	}
	if overwrite {
		r.positionNoteAt(table.Start).overwrite = true
	}
	name := at
	for r.token(at+1).Is(".") && r.token(at+2).Name() {
		at += 2
	}
	at++
	if r.token(at).Is("(") && r.token(r.pairOf(at)+1).Word("partition") {
		at = r.pairOf(at) + 1
	}
	if !r.token(at).Word("partition") || !r.token(at+1).Is("(") {
		return name
	}
	for name < at {
		name = r.visit(name)
	}
	return r.insertPartition(table, at)
}

func (r *rewriter) pairOf(i int) int {
	if i >= len(r.pair) || r.pair[i] < 0 {
		return len(r.tokens)
	}
	return r.pair[i]
}

func (r *rewriter) insertPartition(table lexer.Token, at int) int {
	c := r.subCursor(at+1, len(r.tokens))
	values := c.partitionValues()
	if c.err != nil {
		r.err = c.err
		return len(r.tokens)
	}
	end := r.passed(at+1, c)
	r.positionNoteAt(table.Start).partition = values
	r.replace(at, end, "")
	if r.token(end).Word("if") && r.token(end+1).Word("not") && r.token(end+2).Word("exists") {
		r.replace(end, end+3, "")
		end += 3
	}
	return end
}

// partitionValues reads (col = value, col).
func (c *cursor) partitionValues() []ast.PartitionValue {
	c.expectSymbol("(")
	var list []ast.PartitionValue
	for c.err == nil {
		column := c.identifier()
		value := ast.PartitionValue{Pos: column.Pos, Column: column.Name}
		if c.acceptSymbol("=") {
			value.Value = c.expressionUntil(func() bool { return c.token().Is(",") })
		}
		list = append(list, value)
		if !c.acceptSymbol(",") {
			break
		}
	}
	c.expectSymbol(")")
	return list
}

// bareValues puts brackets around the rows of VALUES 1, 2.
func (r *rewriter) bareValues(i int) {
	if next := r.token(i + 1); next.Is("(") || next.Kind == lexer.Op || !operandStart(next) || !r.valuesMayFollow(i-1) {
		return
	}
	row := i + 1
	for at := row; ; at++ {
		token := r.token(at)
		switch {
		case (token.Is("(") || token.Is("[")) && r.pair[at] >= 0:
			at = r.pair[at]
			continue
		case token.Is(","):
		case token.Kind == lexer.EOF, token.Is(")"), token.WordIn("order", "limit", "offset", "fetch", "union", "intersect", "except", "returning", "on"):
		default:
			continue
		}
		if at > row && (!r.token(row).Is("(") || r.pair[row] != at-1) {
			r.before(row, "(")
			r.after(at-1, ")")
		}
		if !token.Is(",") {
			return
		}
		row = at + 1
	}
}

// valuesMayFollow tells whether VALUES behind the token at i is the keyword, not a column.
func (r *rewriter) valuesMayFollow(i int) bool {
	token := r.token(i)
	switch {
	case token.Kind == lexer.EOF, token.Is("("), token.Is(")"), token.Kind == lexer.Quoted:
		return true
	case token.WordIn("union", "except", "intersect", "as", "materialized"):
		return true
	case token.Word("all"):
		return r.token(i-1).WordIn("union", "except", "intersect")
	}
	// the table of an INSERT
	return token.Kind == lexer.Ident && r.token(0).WordIn("insert", "with") && lexer.ClassOf(token.Text) != lexer.ClassReserved &&
		token.Text != "default"
}

// tableFunction turns FROM TABLE(f(…)) into FROM f(…).
func (r *rewriter) tableFunction(i int) int {
	end := r.pairOf(i + 1)
	if !r.token(i+1).Is("(") || end >= len(r.tokens) || !r.token(i+2).Name() || !r.token(end-1).Is(")") {
		return i + 1
	}
	r.replace(i, i+2, "")
	r.replace(end, end+1, "")
	r.frames = append(r.frames, frame{})
	return i + 2
}

// bareAlias puts AS before a word that PostgreSQL takes as an alias only behind it.
func (r *rewriter) bareAlias(i int, token lexer.Token) {
	previous, next := r.token(i-1), r.token(i+1)
	if r.top().clause != clauseSelect || !operandEnd(previous) ||
		!(next.Is(",") || next.Is(")") || next.Word("from") || next.Kind == lexer.EOF) {
		return
	}
	if previous.WordIn("interval", "double", "character", "char", "bit", "nchar", "national", "time", "timestamp") {
		return
	}
	if previous.Kind == lexer.String && r.isIntervalString(i-1) {
		return
	}
	r.before(i, "AS ")
}

// isIntervalString tells whether the string at i belongs to INTERVAL [(p)] [-].
func (r *rewriter) isIntervalString(i int) bool {
	i--
	if r.token(i).Is("-") || r.token(i).Is("+") {
		i--
	}
	if r.token(i).Is(")") && r.pair[i] > 0 {
		i = r.pair[i] - 1
	}
	return r.token(i).Word("interval")
}

func isIntervalUnit(token lexer.Token) bool {
	return token.WordIn("year", "month", "day", "hour", "minute", "second")
}

func isIntervalPlural(token lexer.Token) bool {
	return token.WordIn("years", "months", "days", "hours", "minutes", "seconds", "week", "weeks", "quarter",
		"quarters", "millisecond", "milliseconds", "microsecond", "microseconds", "decade", "decades", "century", "centuries")
}

// interval reads INTERVAL -'1' DAY, INTERVAL 1 DAY and units that PostgreSQL has only inside the
// string.
func (r *rewriter) interval(i int) int {
	at, negative := i+1, false
	if sign := r.token(at); (sign.Is("-") || sign.Is("+")) && r.token(at+1).Kind == lexer.String &&
		(isIntervalUnit(r.token(at+2)) || isIntervalPlural(r.token(at+2))) {
		negative = sign.Is("-")
		r.replace(at, at+1, "")
		at++
	}
	value, unit := r.token(at), r.token(at+1)
	number := value.Kind == lexer.Integer || value.Kind == lexer.Decimal
	plural := isIntervalPlural(unit) && (number || isNumeric(value.Text))
	if negative && !plural {
		r.positionNoteAt(r.tokens[i].Start).negative = true
	}
	if !number && value.Kind != lexer.String || unit.Kind != lexer.Ident {
		return at
	}
	switch {
	case number && isIntervalUnit(unit):
		r.replace(at, at+1, quoteString(value.Text))
	case plural:
		r.replace(at, at+2, quoteString(intervalText(value.Text, unit.Text, negative)))
	default:
		return at + 1
	}
	r.top().expectTable = false
	return at + 2
}
