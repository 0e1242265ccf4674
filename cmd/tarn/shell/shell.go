package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Options say what a shell does. Connect, In, Out and Err must be set.
type Options struct {
	// Connect opens a connection; notice is to be its handler of notices.
	Connect func(ctx context.Context, notice pgconn.NoticeHandler) (*pgconn.PgConn, error)
	// Commands are run instead of a prompt, then Files; "-" is standard input.
	Commands, Files []string
	Format          string // see Formats; "" is table
	In              io.Reader
	Out, Err        io.Writer
	// Interactive shells show a prompt; In and Out are terminals then.
	Interactive bool
	// ErrTerminal tells that Err is a terminal: progress is shown there.
	ErrTerminal bool
	Color       bool
	History     string // file; "" keeps none
	Banner      string
	Pager       string // command line; "" is none
}

// errQuit ends a shell in good order.
var errQuit = errors.New("quit")

// shell is one run.
type shell struct {
	Options
	conn     *pgconn.PgConn
	format   string
	expanded bool
	timing   bool
	pager    bool
	output   io.WriteCloser // \o; nil is Out
	progress *progressLine
	words    *vocabulary
	failed   bool // a statement has failed
	depth    int  // of \i
}

// Run runs a shell and gives the exit status: 0, 1 when a statement failed, 2 without a connection.
func Run(ctx context.Context, options Options) int {
	s := &shell{Options: options, format: options.Format, timing: options.Interactive, pager: options.Pager != ""}
	if s.format == "" {
		s.format = "table"
	}
	if !knownFormat(s.format) {
		s.complain("unknown format %q: there are %s", s.format, strings.Join(Formats, ", "))
		return 1
	}
	s.progress = newProgressLine(options.Err, options.ErrTerminal)
	if err := s.connect(ctx); err != nil {
		s.showError("", err)
		return 2
	}
	defer func() { s.closeOutput(); _ = s.conn.Close(context.WithoutCancel(ctx)) }()
	err := s.run(ctx)
	if s.failed || err != nil && !errors.Is(err, errQuit) {
		return 1
	}
	return 0
}

func (s *shell) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := s.Connect(ctx, s.notice)
	if err != nil {
		return err
	}
	s.conn = conn
	if s.ErrTerminal {
		// Servers without progress notices refuse the setting; they are used without.
		_, _ = conn.Exec(ctx, "SET progress_notices = '250ms'").ReadAll()
	}
	return nil
}

func (s *shell) run(ctx context.Context) error {
	for _, command := range s.Commands {
		if err := s.runCommand(ctx, command); err != nil {
			return err
		}
	}
	for _, name := range s.Files {
		if err := s.runFile(ctx, name); err != nil {
			return err
		}
	}
	switch {
	case len(s.Commands)+len(s.Files) > 0:
		return nil
	case s.Interactive:
		return s.prompt(ctx)
	}
	return s.runScript(ctx, s.In)
}

// runCommand runs a -c argument: a backslash command, or statements sent as one message.
func (s *shell) runCommand(ctx context.Context, command string) error {
	if meta := strings.TrimSpace(command); strings.HasPrefix(meta, `\`) {
		return s.runMeta(ctx, meta)
	}
	return s.execute(ctx, command, nil)
}

func (s *shell) runFile(ctx context.Context, name string) error {
	if name == "-" {
		return s.runScript(ctx, s.In)
	}
	file, err := os.Open(name)
	if err != nil {
		s.complain("%s", err)
		return err
	}
	defer file.Close()
	return s.runScript(ctx, file)
}

// out gives where results go.
func (s *shell) out() io.Writer {
	if s.output != nil {
		return s.output
	}
	return s.Out
}

func (s *shell) closeOutput() {
	if s.output != nil {
		if err := s.output.Close(); err != nil {
			s.complain("%s", err)
		}
		s.output = nil
	}
}

// complain prints a message of the shell's own.
func (s *shell) complain(format string, args ...any) {
	s.failed = true
	fmt.Fprintf(s.Err, "tarn: "+format+"\n", args...)
}

// notice prints a notice of the server, or shows its progress.
func (s *shell) notice(_ *pgconn.PgConn, n *pgconn.Notice) {
	if s.progress.take(n) {
		return
	}
	s.progress.clear()
	fmt.Fprintf(s.Err, "%s:  %s\n", n.Severity, n.Message)
	if n.Detail != "" {
		fmt.Fprintf(s.Err, "DETAIL:  %s\n", n.Detail)
	}
	if n.Hint != "" {
		fmt.Fprintf(s.Err, "HINT:  %s\n", n.Hint)
	}
}

// showError prints an error as psql does: with the line of sql that it is about, and a caret.
func (s *shell) showError(sql string, err error) {
	s.failed = true
	s.progress.clear()
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		fmt.Fprintf(s.Err, "tarn: %s\n", err)
		return
	}
	fmt.Fprintf(s.Err, "%s:  %s\n", server.Severity, server.Message)
	if server.Position > 0 && sql != "" {
		fmt.Fprint(s.Err, excerpt(sql, int(server.Position)))
	}
	for _, part := range []struct{ name, text string }{{"DETAIL", server.Detail}, {"HINT", server.Hint}, {"CONTEXT", server.Where}, {"SQLSTATE", server.Code}} {
		if part.text != "" {
			fmt.Fprintf(s.Err, "%s:  %s\n", part.name, part.text)
		}
	}
}

// excerpt shows the line of character position (from 1), with a caret below it. Long lines are cut
// around the position.
func excerpt(sql string, position int) string {
	const most = 70
	runes := []rune(sql)
	at := min(max(position-1, 0), len(runes))
	start := at
	for start > 0 && runes[start-1] != '\n' {
		start--
	}
	end := at
	for end < len(runes) && runes[end] != '\n' {
		end++
	}
	number := 1 + strings.Count(string(runes[:start]), "\n")
	head := fmt.Sprintf("LINE %d: ", number)
	before, after := "", ""
	if at-start > most {
		start, before = at-most/2, "..."
	}
	if end-at > most {
		end, after = at+most/2, "..."
	}
	clean := func(part []rune) string { return strings.ReplaceAll(strings.TrimRight(string(part), "\r"), "\t", " ") }
	line := before + clean(runes[start:end]) + after
	indent := displayWidth(head + before + clean(runes[start:at]))
	return head + line + "\n" + strings.Repeat(" ", indent) + "^\n"
}
