package shell

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/tarnlake/tarn/internal/types"
)

// separatedWriter prints CSV (RFC 4180) or TSV (PostgreSQL's text form: \t, \n, \\ and \N), with a
// header line.
type separatedWriter struct {
	w         io.Writer
	columns   []column
	separator byte
	csv       bool
	started   bool
	line      []byte
}

func (s *separatedWriter) start() error {
	s.started = true
	names := make([][]byte, len(s.columns))
	for i, c := range s.columns {
		names[i] = []byte(c.name)
	}
	return s.print(names)
}

func (s *separatedWriter) row(values [][]byte) error {
	if !s.started {
		if err := s.start(); err != nil {
			return err
		}
	}
	return s.print(values)
}

func (s *separatedWriter) print(values [][]byte) error {
	s.line = s.line[:0]
	for i, value := range values {
		if i > 0 {
			s.line = append(s.line, s.separator)
		}
		if s.csv {
			s.appendCSV(value)
		} else {
			s.appendTSV(value)
		}
	}
	s.line = append(s.line, '\n')
	_, err := s.w.Write(s.line)
	return err
}

// appendCSV leaves NULL empty and quotes the empty string, so that they differ.
func (s *separatedWriter) appendCSV(value []byte) {
	if value == nil {
		return
	}
	if len(value) > 0 && !bytes.ContainsAny(value, ",\"\r\n") {
		s.line = append(s.line, value...)
		return
	}
	s.line = append(s.line, '"')
	s.line = append(s.line, bytes.ReplaceAll(value, []byte{'"'}, []byte{'"', '"'})...)
	s.line = append(s.line, '"')
}

func (s *separatedWriter) appendTSV(value []byte) {
	if value == nil {
		s.line = append(s.line, '\\', 'N')
		return
	}
	for _, c := range value {
		switch c {
		case '\t':
			s.line = append(s.line, '\\', 't')
		case '\n':
			s.line = append(s.line, '\\', 'n')
		case '\r':
			s.line = append(s.line, '\\', 'r')
		case '\\':
			s.line = append(s.line, '\\', '\\')
		default:
			s.line = append(s.line, c)
		}
	}
}

func (s *separatedWriter) end(int64) error {
	if !s.started {
		return s.start()
	}
	return nil
}

// jsonWriter prints an array of objects, one a line. Numbers, booleans and JSON values are bare;
// numbers that JSON lacks are strings.
type jsonWriter struct {
	w       io.Writer
	columns []column
	names   [][]byte
	line    []byte
}

func (j *jsonWriter) row(values [][]byte) error {
	if j.names == nil {
		j.line = append(j.line[:0], '[')
		for _, c := range j.columns {
			name, err := json.Marshal(c.name)
			if err != nil {
				return err
			}
			j.names = append(j.names, name)
		}
	} else {
		j.line = append(j.line[:0], ',', '\n', ' ')
	}
	j.line = append(j.line, '{')
	for i, value := range values {
		if i > 0 {
			j.line = append(j.line, ',', ' ')
		}
		j.line = append(append(j.line, j.names[i]...), ':', ' ')
		j.line = appendJSON(j.line, j.columns[i], value)
	}
	j.line = append(j.line, '}')
	_, err := j.w.Write(j.line)
	return err
}

func appendJSON(dst []byte, c column, value []byte) []byte {
	switch {
	case value == nil:
		return append(dst, "null"...)
	case c.oid == types.OIDBool:
		if string(value) == "t" {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case c.numeric() && json.Valid(value), (c.oid == types.OIDJSON || c.oid == types.OIDJSONB) && json.Valid(value):
		var compact bytes.Buffer
		if json.Compact(&compact, value) == nil {
			return append(dst, compact.Bytes()...)
		}
	}
	return types.AppendJSONString(dst, string(value))
}

func (j *jsonWriter) end(int64) error {
	closing := "]\n"
	if j.names == nil {
		closing = "[]\n"
	}
	_, err := io.WriteString(j.w, closing)
	return err
}
