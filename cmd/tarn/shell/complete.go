package shell

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hymkor/go-multiline-ny"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/nyaosorg/go-readline-ny"

	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// vocabulary is what completion offers: the catalog's names, read in the background over a
// connection of its own, so that Tab never waits.
type vocabulary struct {
	connect func(context.Context, pgconn.NoticeHandler) (*pgconn.PgConn, error)

	mu       sync.Mutex
	conn     *pgconn.PgConn
	loading  bool
	loaded   time.Time
	tables   []tableWords
	schemas  []string
	settings []string
	funcs    []string
}

// tableWords is a table with its columns.
type tableWords struct {
	schema, name string
	columns      []string
}

// vocabularyAge is how long names are good for.
const vocabularyAge = time.Minute

func newVocabulary(connect func(context.Context, pgconn.NoticeHandler) (*pgconn.PgConn, error)) *vocabulary {
	return &vocabulary{connect: connect}
}

// refresh reads the names again if they are old. It returns at once.
func (v *vocabulary) refresh(ctx context.Context) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.loading || time.Since(v.loaded) < vocabularyAge {
		return
	}
	v.loading = true
	go v.load(ctx)
}

// forget makes the next refresh read the names.
func (v *vocabulary) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.loaded = time.Time{}
}

func (v *vocabulary) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.conn != nil && !v.loading {
		_ = v.conn.Close(context.Background())
		v.conn = nil
	}
}

// Queries for names. A server that cannot answer one leaves its words out.
const (
	columnsQuery = `SELECT table_schema, table_name, column_name FROM information_schema.columns
		ORDER BY table_schema, table_name, ordinal_position LIMIT 50000`
	schemasQuery   = `SELECT schema_name FROM information_schema.schemata ORDER BY 1 LIMIT 1000`
	settingsQuery  = `SHOW ALL`
	functionsQuery = `SELECT DISTINCT name FROM system.functions ORDER BY 1 LIMIT 5000`
)

func (v *vocabulary) load(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var fresh vocabulary
	conn := v.conn
	if conn == nil || conn.IsClosed() {
		conn, _ = v.connect(ctx, nil)
	}
	if conn != nil {
		for _, row := range readRows(ctx, conn, columnsQuery) {
			last := len(fresh.tables) - 1
			if last < 0 || fresh.tables[last].schema != row[0] || fresh.tables[last].name != row[1] {
				fresh.tables = append(fresh.tables, tableWords{schema: row[0], name: row[1]})
				last++
			}
			fresh.tables[last].columns = append(fresh.tables[last].columns, row[2])
		}
		fresh.schemas = firstColumn(readRows(ctx, conn, schemasQuery))
		fresh.settings = firstColumn(readRows(ctx, conn, settingsQuery))
		fresh.funcs = firstColumn(readRows(ctx, conn, functionsQuery))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.conn, v.loading, v.loaded = conn, false, time.Now()
	v.tables, v.schemas, v.settings, v.funcs = fresh.tables, fresh.schemas, fresh.settings, fresh.funcs
}

func readRows(ctx context.Context, conn *pgconn.PgConn, sql string) [][]string {
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil || len(results) == 0 {
		return nil
	}
	rows := make([][]string, len(results[0].Rows))
	for i, values := range results[0].Rows {
		for _, value := range values {
			rows[i] = append(rows[i], string(value))
		}
	}
	return rows
}

func firstColumn(rows [][]string) []string {
	var out []string
	for _, row := range rows {
		out = append(out, row[0])
	}
	return out
}

// candidates gives what may stand at the end of text, which goes on with after, and the part of it that
// has been typed.
func (v *vocabulary) candidates(text, after string) (typed string, words []string) {
	if meta := strings.TrimSpace(text); strings.HasPrefix(meta, `\`) && !strings.Contains(meta, " ") {
		for _, c := range metaCommands() {
			words = append(words, `\`+c.name)
		}
		return meta, matching(words, meta)
	}
	tokens := tokensOf(text)
	if insideLiteral(text) || len(tokens) == 0 {
		return "", nil
	}
	tokens = tokens[:len(tokens)-1]
	at := len(text)
	qualifier := ""
	if n := len(tokens); n > 0 && tokens[n-1].Kind == lexer.Ident && tokens[n-1].End == len(text) {
		at = tokens[n-1].Start
		tokens = tokens[:n-1]
	}
	typed = text[at:]
	if n := len(tokens); n > 1 && tokens[n-1].Is(".") && tokens[n-1].End == at && tokens[n-2].Name() {
		qualifier = tokens[n-2].Text
		tokens = tokens[:n-2]
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case qualifier != "":
		words = v.members(qualifier, tokensOf(text+" "+after))
	case afterWord(tokens, "from", "join", "into", "update", "table", "describe", "desc", "analyze", "overwrite", "truncate", "copy"):
		words = v.relations()
	case afterWord(tokens, "set", "show", "reset") && len(tokens) <= 2:
		words = append(slices.Clone(v.settings), "tables", "schemas", "partitions", "create", "stats", "columns", "functions")
	default:
		words = v.expressions(tokensOf(text + " " + after))
	}
	return typed, matching(words, typed)
}

func afterWord(tokens []lexer.Token, words ...string) bool {
	return len(tokens) > 0 && tokens[len(tokens)-1].WordIn(words...)
}

// relations gives tables, those outside the path with their schema, and schemas.
func (v *vocabulary) relations() []string {
	var words []string
	for _, t := range v.tables {
		if t.schema == "public" {
			words = append(words, t.name)
		} else if t.schema != "pg_catalog" && t.schema != "information_schema" {
			words = append(words, t.schema+"."+t.name)
		}
	}
	for _, schema := range v.schemas {
		words = append(words, schema+".")
	}
	return words
}

// members gives what may follow "qualifier.": tables of a schema, columns of a table or alias.
func (v *vocabulary) members(qualifier string, tokens []lexer.Token) []string {
	var words []string
	for _, t := range v.tables {
		if t.schema == qualifier {
			words = append(words, t.name)
		}
	}
	name := qualifier
	for i := 1; i+1 < len(tokens); i++ { // FROM table [AS] alias
		if tokens[i].Text == qualifier && tokens[i].Name() && !tokens[i-1].Is(".") && !tokens[i+1].Is(".") {
			before := i - 1
			if tokens[before].Word("as") {
				before--
			}
			if before >= 0 && tokens[before].Name() && !isKeyword(tokens[before]) {
				name = tokens[before].Text
				break
			}
		}
	}
	for _, t := range v.tables {
		if t.name == name {
			words = append(words, t.columns...)
		}
	}
	return words
}

// expressions gives columns of the tables that the statement names, functions and keywords.
func (v *vocabulary) expressions(tokens []lexer.Token) []string {
	named := map[string]bool{}
	for _, token := range tokens {
		if token.Name() {
			named[token.Text] = true
		}
	}
	var words []string
	for _, t := range v.tables {
		if named[t.name] {
			words = append(words, t.columns...)
		}
	}
	for _, name := range v.funcs {
		words = append(words, name+"(")
	}
	for word := range statementWords {
		words = append(words, word)
	}
	return append(words, commonWords...)
}

var commonWords = strings.Fields(`all and any array as asc between case cast check create cross current_date current_timestamp default
	desc distinct else end except false fetch for from full grant group having ilike in intersect interval into is join lateral left
	like limit natural not null offset on or order outer returning right select similar some table then to true union unique using
	values when where window with`)

// matching gives the words that begin with typed, sorted, each once.
func matching(words []string, typed string) []string {
	lower := strings.ToLower(typed)
	var out []string
	for _, word := range words {
		if strings.HasPrefix(strings.ToLower(word), lower) {
			out = append(out, word)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// commonPrefix gives what all words begin with.
func commonPrefix(words []string) string {
	prefix := words[0]
	for _, word := range words[1:] {
		n := 0
		for n < len(prefix) && n < len(word) && prefix[n] == word[n] {
			n++
		}
		prefix = prefix[:n]
	}
	return prefix
}

// completion is the Tab key.
type completion struct {
	editor *multiline.Editor
	words  *vocabulary
}

func (c *completion) String() string { return "COMPLETE" }

// Call completes as far as the candidates agree, and lists them when they do not.
func (c *completion) Call(_ context.Context, b *readline.Buffer) readline.Result {
	before, after := b.SubString(0, b.Cursor), b.SubString(b.Cursor, len(b.Buffer))
	if lines, at := c.editor.Lines(), c.editor.CursorLine(); at < len(lines) {
		before = strings.Join(append(slices.Clone(lines[:at]), before), "\n")
		after = strings.Join(append([]string{after}, lines[at+1:]...), "\n")
	}
	typed, words := c.words.candidates(before, after)
	if len(words) == 0 {
		return readline.CONTINUE
	}
	text := commonPrefix(words)
	if len(words) == 1 && !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "(") {
		text += " "
	}
	if len(text) > len(typed) {
		if isUpper(typed) {
			text = strings.ToUpper(text)
		}
		b.ReplaceAndRepaint(b.Cursor-len([]rune(typed)), text)
		return readline.CONTINUE
	}
	return c.show(b, words)
}

// isUpper tells that keywords are being typed in capitals.
func isUpper(typed string) bool {
	return len(typed) > 1 && typed == strings.ToUpper(typed) && typed != strings.ToLower(typed)
}

// show lists the candidates below the text.
func (c *completion) show(b *readline.Buffer, words []string) readline.Result {
	c.editor.SetNextEditHook(func(line string) bool {
		c.editor.Sync(line)
		c.editor.GotoEndLine()
		fmt.Fprint(b.Out, columnsOf(words, int(b.ViewWidth())+6))
		up := c.editor.PrintFromLine(c.editor.Headline()) - (c.editor.CursorLine() - c.editor.Headline())
		if up > 0 {
			fmt.Fprintf(b.Out, "\x1b[%dA", up)
		}
		b.RepaintLastLine()
		c.editor.LineEditor.Cursor = b.Cursor
		return true
	})
	return readline.ENTER
}

// mostListed bounds a list of candidates.
const mostListed = 120

// columnsOf lays words out in columns.
func columnsOf(words []string, width int) string {
	tail := ""
	if len(words) > mostListed {
		tail = fmt.Sprintf("… and %d more\n", len(words)-mostListed)
		words = words[:mostListed]
	}
	widest := 0
	for _, word := range words {
		widest = max(widest, displayWidth(word)+2)
	}
	perLine := max(1, width/widest)
	lines := (len(words) + perLine - 1) / perLine
	var out strings.Builder
	for line := range lines {
		for at := line; at < len(words); at += lines {
			out.WriteString(words[at] + strings.Repeat(" ", widest-displayWidth(words[at])))
		}
		out.WriteByte('\n')
	}
	return out.String() + tail
}
