package json

import (
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// Layout says how the objects of a file follow each other.
type Layout uint8

// The layouts.
const (
	Auto    Layout = iota // as the file begins
	Lines                 // one a line
	Array                 // [{…}, {…}]
	Objects               // with any white space between and in them
)

// defaultSample is how many records of a file are looked at for its columns.
const defaultSample = 20_480

// Format says how a file is written.
type Format struct {
	Layout       Layout             `json:",omitempty"`
	Compression  stream.Compression `json:",omitempty"`
	IgnoreErrors bool               `json:",omitempty"`
	// SampleSize is how many records Infer looks at: 0 is the default, a negative number all.
	SampleSize int `json:",omitempty"`
	// MaxDepth is how many levels of nested values Infer makes columns of; deeper ones are json. A
	// negative number is the default.
	MaxDepth int `json:",omitempty"`
	// Sampled: the columns' types are what Infer made of a sample, which errors point out.
	Sampled bool `json:",omitempty"`
}

// DefaultFormat lets the files tell.
func DefaultFormat() Format { return Format{MaxDepth: -1} }

// ParseFormat applies named options to f. Names that are not JSON's are left alone and listed.
func ParseFormat(f Format, given map[string]string) (_ Format, unknown []string, err error) {
	for name, value := range given {
		name = strings.ToLower(name)
		switch name {
		case "format":
			f.Layout, err = parseLayout(value)
		case "compression":
			f.Compression, err = stream.ParseCompression(value)
		case "ignore_errors":
			f.IgnoreErrors, err = types.ParseBool([]byte(value))
		case "sample_size":
			if f.SampleSize, err = strconv.Atoi(value); err == nil && (f.SampleSize == 0 || f.SampleSize < -1) {
				err = strconv.ErrRange
			}
		case "maximum_depth":
			if f.MaxDepth, err = strconv.Atoi(value); err == nil && f.MaxDepth < -1 {
				err = strconv.ErrRange
			}
		default:
			unknown = append(unknown, name)
		}
		if err != nil {
			return f, nil, sqlerr.New(sqlerr.InvalidParameterValue, "invalid value for JSON option %q: %q", name, value)
		}
	}
	return f, unknown, nil
}

func parseLayout(text string) (Layout, error) {
	switch strings.ToLower(text) {
	case "auto":
		return Auto, nil
	case "newline_delimited", "nd", "lines":
		return Lines, nil
	case "array":
		return Array, nil
	case "unstructured", "objects":
		return Objects, nil
	}
	return Auto, strconv.ErrSyntax
}
