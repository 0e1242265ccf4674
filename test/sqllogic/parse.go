package sqllogic

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Record is one statement or query of a file.
type Record struct {
	Line  int // of the record's first line, 1-based
	Query bool
	// Error is set when the statement must fail; Code is the SQLSTATE it must fail with, "" for any.
	Error bool
	Code  string
	Types string
	Sort  string
	SQL   string
	Want  []string
	Skip  map[string]bool // servers that leave it out
	Only  string          // the only server that runs it
	// answerFrom and answerTo are the lines of Want in the file, for completion; in a loop 0.
	answerFrom, answerTo int
}

// File is a parsed .slt file.
type File struct {
	Path    string
	Lines   []string
	Records []Record
}

// ParseFile reads a file.
func ParseFile(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path, Lines: strings.Split(string(data), "\n")}
	p := &fileParser{file: f}
	f.Records, err = p.records(nil, false)
	return f, err
}

type fileParser struct {
	file *File
	at   int
}

func (p *fileParser) fail(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", p.file.Path, p.at, fmt.Sprintf(format, args...))
}

// records reads up to the end, or to endloop inside a loop. variables are those of loops around.
func (p *fileParser) records(variables map[string]string, inLoop bool) ([]Record, error) {
	var out []Record
	skip, only := map[string]bool{}, ""
	for p.at < len(p.file.Lines) {
		line := strings.TrimRight(p.file.Lines[p.at], " \r")
		p.at++
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		switch words[0] {
		case "halt":
			p.at = len(p.file.Lines)
			return out, nil
		case "skipif", "onlyif":
			if len(words) < 2 {
				return nil, p.fail("%s needs a server", words[0])
			}
			if words[0] == "skipif" {
				skip[words[1]] = true
			} else {
				only = words[1]
			}
		case "endloop":
			if !inLoop {
				return nil, p.fail("endloop without loop")
			}
			return out, nil
		case "loop", "foreach":
			repeated, err := p.loop(words, variables)
			if err != nil {
				return nil, err
			}
			out = append(out, repeated...)
		case "statement", "query":
			r, err := p.record(words, variables)
			if err != nil {
				return nil, err
			}
			r.Skip, r.Only = skip, only
			skip, only = map[string]bool{}, ""
			out = append(out, r)
		default:
			return nil, p.fail("unknown directive %q", words[0])
		}
	}
	if inLoop {
		return nil, p.fail("loop without endloop")
	}
	return out, nil
}

func (p *fileParser) loop(words []string, outer map[string]string) ([]Record, error) {
	if len(words) < 3 {
		return nil, p.fail("%s needs a name and values", words[0])
	}
	values := words[2:]
	if words[0] == "loop" {
		if len(words) != 4 {
			return nil, p.fail("loop needs a name and two bounds")
		}
		from, err1 := strconv.Atoi(words[2])
		to, err2 := strconv.Atoi(words[3])
		if err1 != nil || err2 != nil {
			return nil, p.fail("bounds of a loop are integers")
		}
		values = nil
		for i := from; i < to; i++ {
			values = append(values, strconv.Itoa(i))
		}
	}
	start, end := p.at, p.at
	var out []Record
	for _, v := range values {
		inner := map[string]string{words[1]: v}
		for k, x := range outer {
			inner[k] = x
		}
		p.at = start
		records, err := p.records(inner, true)
		if err != nil {
			return nil, err
		}
		for i := range records {
			records[i].answerFrom = 0
		}
		end = p.at
		out = append(out, records...)
	}
	p.at = end
	return out, nil
}

func (p *fileParser) record(words []string, variables map[string]string) (Record, error) {
	r := Record{Line: p.at}
	switch {
	case words[0] == "query":
		r.Query, r.Sort = true, "nosort"
		if len(words) > 1 && words[1] != "-" {
			r.Types = words[1]
		}
		if len(words) > 2 {
			r.Sort = words[2]
		}
	case len(words) >= 2 && words[1] == "ok":
	case len(words) >= 2 && words[1] == "error":
		r.Error = true
		if len(words) > 2 {
			r.Code = words[2]
		}
	default:
		return r, p.fail("statement must be ok or error")
	}
	var sql []string
	answers := false
	for ; p.at < len(p.file.Lines); p.at++ {
		line := strings.TrimRight(p.file.Lines[p.at], "\r")
		if r.Query && line == "----" {
			answers = true
			p.at++
			break
		}
		if line == "" {
			break
		}
		sql = append(sql, line)
	}
	r.SQL = strings.Join(sql, "\n")
	for name, value := range variables {
		r.SQL = strings.ReplaceAll(r.SQL, "${"+name+"}", value)
	}
	if r.SQL == "" {
		return r, p.fail("record without SQL")
	}
	if answers {
		r.answerFrom = p.at
		for ; p.at < len(p.file.Lines) && p.file.Lines[p.at] != ""; p.at++ {
			line := strings.TrimRight(p.file.Lines[p.at], "\r")
			for name, value := range variables {
				line = strings.ReplaceAll(line, "${"+name+"}", value)
			}
			r.Want = append(r.Want, line)
		}
		r.answerTo = p.at
	}
	return r, nil
}
