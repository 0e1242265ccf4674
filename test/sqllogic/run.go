package sqllogic

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Server is a connection to run records on. Name is matched by skipif and onlyif.
type Server struct {
	Name string
	Conn *pgconn.PgConn
}

// Applies tells whether the server runs a record.
func (s *Server) Applies(r Record) bool {
	return !r.Skip[s.Name] && (r.Only == "" || r.Only == s.Name)
}

// Run runs a record and reports how the answer differs from the wanted one; nil when it does not.
func (s *Server) Run(ctx context.Context, r Record) error {
	rows, err := s.rows(ctx, r)
	if r.Error {
		return checkError(err, r.Code)
	}
	if err != nil {
		return fmt.Errorf("failed: %s", describe(err))
	}
	if !r.Query {
		return nil
	}
	return compare(r, rows)
}

func describe(err error) string {
	var pgError *pgconn.PgError
	if errors.As(err, &pgError) {
		text := pgError.Code + " " + pgError.Message
		if pgError.Detail != "" {
			text += "\nDETAIL: " + pgError.Detail
		}
		return text
	}
	return err.Error()
}

func checkError(err error, code string) error {
	var pgError *pgconn.PgError
	switch {
	case err == nil:
		return errors.New("succeeded, but must fail with " + code)
	case !errors.As(err, &pgError):
		return fmt.Errorf("failed without an answer: %w", err)
	case code != "" && pgError.Code != code:
		return fmt.Errorf("failed with %s, but must with %s", describe(err), code)
	}
	return nil
}

// rows runs the SQL by the simple protocol and gives the last statement's rows as text.
func (s *Server) rows(ctx context.Context, r Record) ([][]string, error) {
	results, err := s.Conn.Exec(ctx, r.SQL).ReadAll()
	if err != nil {
		return nil, err
	}
	var out [][]string
	if len(results) == 0 {
		return nil, nil
	}
	for _, row := range results[len(results)-1].Rows {
		texts := make([]string, len(row))
		for i, value := range row {
			texts[i] = text(value)
		}
		out = append(out, texts)
	}
	if r.Query && r.Types != "" && len(out) > 0 && len(out[0]) != len(r.Types) {
		return nil, fmt.Errorf("%d columns, but %d types are named", len(out[0]), len(r.Types))
	}
	return out, nil
}

func text(value []byte) string {
	switch {
	case value == nil:
		return "NULL"
	case len(value) == 0:
		return "(empty)"
	}
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(string(value))
}

// Answer formats rows as a file has them: sorted as the record says, one row a line.
func Answer(r Record, rows [][]string) []string {
	if r.Sort == "valuesort" {
		var values []string
		for _, row := range rows {
			values = append(values, row...)
		}
		sort.Strings(values)
		return values
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		lines[i] = strings.Join(row, "\t")
	}
	if r.Sort == "rowsort" {
		sort.Strings(lines)
	}
	return lines
}

func compare(r Record, rows [][]string) error {
	got := Answer(r, rows)
	want := r.Want
	if r.Sort != "nosort" {
		want = append([]string(nil), want...)
		sort.Strings(want)
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d rows, want %d\ngot:\n%s\nwant:\n%s", len(got), len(want), preview(got), preview(want))
	}
	for i := range got {
		if !sameLine(got[i], want[i], r) {
			return fmt.Errorf("row %d differs\ngot:  %s\nwant: %s", i+1, got[i], want[i])
		}
	}
	return nil
}

func preview(lines []string) string {
	if len(lines) > 20 {
		return strings.Join(lines[:20], "\n") + fmt.Sprintf("\n… %d more", len(lines)-20)
	}
	return strings.Join(lines, "\n")
}

func sameLine(got, want string, r Record) bool {
	if got == want {
		return true
	}
	if r.Sort == "valuesort" {
		return strings.Contains(r.Types, "R") && sameReal(got, want)
	}
	g, w := strings.Split(got, "\t"), strings.Split(want, "\t")
	if len(g) != len(w) {
		return false
	}
	for i := range g {
		if g[i] == w[i] {
			continue
		}
		if i >= len(r.Types) || r.Types[i] != 'R' || !sameReal(g[i], w[i]) {
			return false
		}
	}
	return true
}

func sameReal(a, b string) bool {
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	if err1 != nil || err2 != nil {
		return false
	}
	return x == y || math.Abs(x-y) <= 1e-9*math.Max(math.Abs(x), math.Abs(y))
}

// Complete runs every query of f that applies and writes the answers into f.Lines. It returns the
// records that failed to run.
func (s *Server) Complete(ctx context.Context, f *File) []error {
	var failures []error
	type answer struct {
		from, to int
		lines    []string
	}
	var answers []answer
	for _, r := range f.Records {
		if !s.Applies(r) {
			continue
		}
		rows, err := s.rows(ctx, r)
		if err != nil != r.Error || r.Error && checkError(err, r.Code) != nil {
			failures = append(failures, fmt.Errorf("%s:%d: %v", f.Path, r.Line, err))
			continue
		}
		if r.Query && r.answerFrom > 0 {
			answers = append(answers, answer{r.answerFrom, r.answerTo, Answer(r, rows)})
		}
	}
	var lines []string
	at := 0
	for _, a := range answers {
		lines = append(append(lines, f.Lines[at:a.from]...), a.lines...)
		at = a.to
	}
	f.Lines = append(lines, f.Lines[at:]...)
	return failures
}
