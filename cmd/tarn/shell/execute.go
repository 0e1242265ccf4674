package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// execute sends SQL as one message and prints what comes back. lines, if not nil, holds the data of
// a COPY … FROM STDIN. The error has been shown.
func (s *shell) execute(ctx context.Context, sql string, lines *lineSource) error {
	stop := s.cancelOnInterrupt(ctx)
	defer stop()
	started := time.Now()
	s.progress.start(started)
	var err error
	switch copyDirection(sql) {
	case "to":
		err = s.copyTo(ctx, sql)
	case "from":
		err = s.copyFrom(ctx, sql, lines)
	default:
		err = s.query(ctx, sql)
	}
	s.progress.clear()
	if err != nil {
		s.showError(sql, err)
		if s.conn.IsClosed() {
			return s.reconnect(ctx, err)
		}
		return err
	}
	if s.timing {
		fmt.Fprintf(s.out(), "Time: %s\n", showTime(time.Since(started)))
	}
	if s.words != nil && changesCatalog(sql) {
		s.words.forget()
	}
	return nil
}

func showTime(d time.Duration) string {
	if d < time.Second {
		return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + " s"
}

func changesCatalog(sql string) bool {
	word, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(sql)), " ")
	switch word {
	case "create", "drop", "alter", "use", "set":
		return true
	}
	return false
}

// reconnect replaces a connection that is gone, at a prompt.
func (s *shell) reconnect(ctx context.Context, cause error) error {
	if !s.Interactive {
		return cause
	}
	fmt.Fprintln(s.Err, "The connection is lost. Connecting again …")
	if err := s.connect(ctx); err != nil {
		s.showError("", err)
		return errQuit
	}
	return cause
}

// cancelOnInterrupt makes Ctrl-C cancel the running statement; a second one, of a server that does
// not answer, closes the connection.
func (s *shell) cancelOnInterrupt(ctx context.Context) (stop func()) {
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	conn := s.conn
	go func() {
		for count := 0; ; count++ {
			select {
			case <-done:
				return
			case <-interrupts:
			}
			if count > 0 {
				_ = conn.Conn().Close()
				return
			}
			limited, cancel := context.WithTimeout(ctx, 5*time.Second)
			_ = conn.CancelRequest(limited)
			cancel()
		}
	}()
	return func() {
		signal.Stop(interrupts)
		close(done)
	}
}

// query runs SQL and prints every result.
func (s *shell) query(ctx context.Context, sql string) error {
	results := s.conn.Exec(ctx, sql)
	for results.NextResult() {
		if err := s.printResult(results.ResultReader()); err != nil {
			_ = results.Close()
			return err
		}
	}
	return results.Close()
}

func (s *shell) printResult(result *pgconn.ResultReader) error {
	fields := result.FieldDescriptions()
	if len(fields) == 0 && fields == nil {
		tag, err := result.Close()
		if err == nil && tag.String() != "" && s.chatty() {
			s.progress.clear()
			fmt.Fprintln(s.out(), tag.String())
		}
		return err
	}
	columns := make([]column, len(fields))
	for i, f := range fields {
		columns[i] = column{name: f.Name, oid: f.DataTypeOID}
	}
	destination, closePager := s.page()
	buffered := bufio.NewWriterSize(destination, 64<<10)
	w := newRowWriter(s.effectiveFormat(), buffered, columns, s.chatty())
	rows, writeErr := int64(0), error(nil)
	for result.NextRow() {
		if rows == 0 {
			s.progress.clear()
		}
		rows++
		if writeErr == nil {
			writeErr = w.row(result.Values())
		}
	}
	s.progress.clear()
	_, err := result.Close()
	if writeErr == nil && err == nil {
		writeErr = w.end(rows)
	}
	if flushErr := buffered.Flush(); writeErr == nil {
		writeErr = flushErr
	}
	closePager()
	if err != nil {
		return err
	}
	if errors.Is(writeErr, syscall.EPIPE) { // the pager was left
		return nil
	}
	return writeErr
}

// chatty tells that tags and row counts are wanted: not in the formats for programs.
func (s *shell) chatty() bool {
	switch s.format {
	case "csv", "tsv", "json", "markdown":
		return false
	}
	return true
}

func (s *shell) effectiveFormat() string {
	if s.expanded && s.format == "table" {
		return "vertical"
	}
	return s.format
}

// copyDirection tells a COPY over the connection from other statements: "to", "from" or "".
func copyDirection(sql string) string {
	if len(sql) > 4 && !strings.EqualFold(strings.TrimSpace(sql)[:min(4, len(strings.TrimSpace(sql)))], "copy") {
		return ""
	}
	tokens, err := lexer.Scan(sql)
	if err != nil || !tokens[0].Word("copy") {
		return ""
	}
	depth := 0
	for i, token := range tokens[:len(tokens)-1] {
		switch {
		case token.Is("("):
			depth++
		case token.Is(")"):
			depth--
		case depth == 0 && token.Word("to") && tokens[i+1].Word("stdout"):
			return "to"
		case depth == 0 && token.Word("from") && tokens[i+1].Word("stdin"):
			return "from"
		}
	}
	return ""
}

func (s *shell) copyTo(ctx context.Context, sql string) error {
	buffered := bufio.NewWriterSize(s.out(), 64<<10)
	_, err := s.conn.CopyTo(ctx, buffered, sql)
	return errors.Join(err, buffered.Flush())
}

func (s *shell) copyFrom(ctx context.Context, sql string, lines *lineSource) error {
	var data io.Reader = s.In
	switch {
	case lines != nil:
		data = &copyData{lines: lines}
	case s.Interactive:
		fmt.Fprintln(s.Err, `Enter data to be copied followed by a newline. End with a backslash and a period on a line by itself.`)
		data = &copyData{lines: newLineSource(s.In)}
	}
	tag, err := s.conn.CopyFrom(ctx, data, sql)
	if err == nil && s.chatty() {
		fmt.Fprintln(s.out(), tag.String())
	}
	return err
}

// watch runs a statement again and again until Ctrl-C.
func (s *shell) watch(ctx context.Context, sql, interval string) error {
	seconds := 2.0
	if interval != "" {
		f, err := strconv.ParseFloat(interval, 64)
		if err != nil || f <= 0 {
			s.complain(`\watch: %q is no number of seconds`, interval)
			return err
		}
		seconds = f
	}
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	for {
		fmt.Fprintf(s.out(), "%s (every %gs)\n\n", time.Now().Format(time.DateTime), seconds)
		if err := s.execute(ctx, sql, nil); err != nil {
			return err
		}
		select {
		case <-interrupts:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(seconds * float64(time.Second))):
		}
	}
}
