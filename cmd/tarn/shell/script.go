package shell

import (
	"bufio"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// lineSource gives the lines of a script; COPY … FROM STDIN reads its data from there too.
type lineSource struct{ reader *bufio.Reader }

func newLineSource(r io.Reader) *lineSource { return &lineSource{bufio.NewReaderSize(r, 64<<10)} }

// next gives a line without its end.
func (l *lineSource) next() (string, error) {
	line, err := l.reader.ReadString('\n')
	if err == io.EOF && line != "" {
		err = nil
	}
	return strings.TrimRight(line, "\r\n"), err
}

// runScript runs statements and backslash commands up to the end or the first failure.
func (s *shell) runScript(ctx context.Context, r io.Reader) error {
	lines := newLineSource(r)
	var buffer strings.Builder
	for {
		line, err := lines.next()
		if err != nil && err != io.EOF {
			s.complain("%s", err)
			return err
		}
		atEnd := err == io.EOF
		blank := strings.TrimSpace(buffer.String()) == ""
		switch {
		case atEnd:
			if blank {
				return nil
			}
		case blank && strings.HasPrefix(strings.TrimSpace(line), `\`):
			if err := s.runMeta(ctx, strings.TrimSpace(line)); err != nil {
				return err
			}
			continue
		default:
			buffer.WriteString(line + "\n")
			if !strings.Contains(line, ";") && !trailingCommand.MatchString(line) {
				continue
			}
		}
		statements, rest := cutStatements(buffer.String(), atEnd)
		buffer.Reset()
		buffer.WriteString(rest)
		for _, st := range statements {
			if err := s.runStatement(ctx, st, lines); err != nil {
				return err
			}
		}
		if atEnd {
			return nil
		}
	}
}

// statement is one piece of input: SQL, and what follows it instead of a semicolon.
type statement struct {
	sql     string
	command string // "\gx", "\watch 2", … or ""
}

// trailingCommand finds a backslash command that ends a statement.
var trailingCommand = regexp.MustCompile(`\\(gx|g|G|watch)([ \t]+[0-9.]+)?[ \t]*$`)

// cutStatements cuts text into complete statements and the incomplete rest; with all, the rest is a
// statement too.
func cutStatements(text string, all bool) (statements []statement, rest string) {
	command := ""
	if at := trailingCommand.FindStringIndex(strings.TrimRight(text, "\n")); at != nil && !insideLiteral(text[:at[0]]) {
		command = strings.TrimSpace(text[at[0]:])
		text, all = text[:at[0]], true
	}
	tokens, err := lexer.Scan(text)
	if err != nil {
		if !all {
			return nil, text
		}
		return []statement{{strings.TrimSpace(text), command}}, ""
	}
	start := 0
	for _, token := range tokens {
		if token.Is(";") {
			statements = appendStatement(statements, text[start:token.Start])
			start = token.End
		}
	}
	rest = text[start:]
	if all {
		statements, rest = appendStatement(statements, rest), ""
	}
	if command != "" && len(statements) > 0 {
		statements[len(statements)-1].command = command
	}
	if onlyBlank(rest) {
		rest = ""
	}
	return statements, rest
}

func appendStatement(list []statement, sql string) []statement {
	if onlyBlank(sql) {
		return list
	}
	return append(list, statement{sql: strings.Trim(sql, " \t\r\n")})
}

// onlyBlank tells that there is nothing but white space and comments.
func onlyBlank(sql string) bool {
	tokens, err := lexer.Scan(sql)
	return err == nil && len(tokens) == 1
}

// insideLiteral tells that text ends within a string, a quoted name or a comment.
func insideLiteral(text string) bool {
	_, err := lexer.Scan(text)
	return err != nil
}

// complete tells whether the lines of a prompt are ready to be run.
func complete(text string) bool {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" || strings.HasPrefix(trimmed, `\`) {
		return true
	}
	statements, rest := cutStatements(text, false)
	return len(statements) > 0 && rest == ""
}

// runStatement runs one piece of input.
func (s *shell) runStatement(ctx context.Context, st statement, lines *lineSource) error {
	word, argument, _ := strings.Cut(st.command, " ")
	switch word {
	case `\gx`, `\G`:
		saved := s.expanded
		s.expanded = true
		defer func() { s.expanded = saved }()
	case `\watch`:
		return s.watch(ctx, st.sql, strings.TrimSpace(argument))
	}
	return s.execute(ctx, st.sql, lines)
}

// copyData gives the lines of inline COPY data up to "\.".
type copyData struct {
	lines   *lineSource
	pending []byte
	done    bool
}

func (c *copyData) Read(b []byte) (int, error) {
	for len(c.pending) == 0 {
		if c.done {
			return 0, io.EOF
		}
		line, err := c.lines.next()
		if errors.Is(err, io.EOF) || line == `\.` {
			c.done = true
			continue
		} else if err != nil {
			return 0, err
		}
		c.pending = append([]byte(line), '\n')
	}
	n := copy(b, c.pending)
	c.pending = c.pending[n:]
	return n, nil
}
