package statement

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/internal/format/csv"
	"github.com/tarnlake/tarn/internal/format/json"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// openCopy gives the files of COPY FROM 'path' as a table with the columns wanted.
func (r *run) openCopy(ctx context.Context, st *ast.Copy, columns types.Schema) (*connectors.Table, error) {
	if r.config.Files == nil {
		return nil, r.fail(st.Pos, sqlerr.FeatureNotSupported, "files cannot be read here")
	}
	format, err := r.fileFormat(st)
	if err != nil {
		return nil, err
	}
	switch format {
	case "parquet", "orc":
		return r.openColumnar(ctx, st, format, columns)
	case "json":
		options, err := r.jsonOptions(st)
		if err != nil {
			return nil, err
		}
		return r.config.Files.JSONTable(ctx, st.Path, options, columns)
	}
	options, err := r.csvOptions(st)
	if err != nil {
		return nil, err
	}
	return r.config.Files.CSVTable(ctx, st.Path, options, columns)
}

// openColumnar finds the columns in Parquet or ORC files: by name if all are there, else by position.
func (r *run) openColumnar(ctx context.Context, st *ast.Copy, format string, columns types.Schema) (*connectors.Table, error) {
	for _, p := range st.Options {
		if p.Name != "format" {
			return nil, r.fail(p.Pos, sqlerr.SyntaxError, "option %q not recognized", p.Name)
		}
	}
	found, err := r.config.Files.Resolve(ctx, "read_"+format, []files.Argument{{Value: types.StringDatum(st.Path), Type: types.Of(types.Text)}})
	if err != nil {
		return nil, err
	}
	named := !slices.ContainsFunc(columns, func(c types.Field) bool { return columnNamed(found, c.Name) < 0 })
	if named {
		return found, nil
	}
	if len(found.Columns) != len(columns) {
		return nil, sqlerr.New(sqlerr.BadCopyFileFormat, "the files have %d columns where %d are expected", len(found.Columns), len(columns)).
			WithHint("List the columns, or INSERT INTO %s SELECT … FROM %s.", ast.Format(st.Table), ast.QuoteString(st.Path))
	}
	renamed := *found
	renamed.Columns = slices.Clone(found.Columns)
	for i := range columns {
		renamed.Columns[i].Name = columns[i].Name
	}
	return &renamed, nil
}

// jsonOptions reads the options of a JSON file.
func (r *run) jsonOptions(st *ast.Copy) (json.Format, error) {
	given := map[string]string{}
	array := false
	for _, p := range st.Options {
		text, err := r.propertyText(p)
		if err != nil {
			return json.Format{}, err
		}
		switch p.Name {
		case "format", "freeze":
		case "array":
			if array, err = r.boolean(p); err != nil {
				return json.Format{}, err
			}
		case "compression", "ignore_errors":
			given[p.Name] = text
		default:
			return json.Format{}, r.fail(p.Pos, sqlerr.SyntaxError, "option %q not recognized", p.Name)
		}
	}
	format, _, err := json.ParseFormat(json.DefaultFormat(), given)
	if array {
		format.Layout = json.Array
	}
	return format, err
}

// csvOptions reads the options of a CSV file.
func (r *run) csvOptions(st *ast.Copy) (csv.Format, error) {
	given := map[string]string{}
	for _, p := range st.Options {
		text, err := r.propertyText(p)
		if err != nil {
			return csv.Format{}, err
		}
		switch p.Name {
		case "format", "freeze", "partition_by":
		case "delimiter", "quote", "escape":
			if len(text) != 1 {
				return csv.Format{}, r.fail(p.Pos, sqlerr.FeatureNotSupported, "COPY %s must be a single one-byte character", p.Name)
			}
			given[p.Name] = text
		case "header":
			on, err := r.boolean(p)
			if err != nil {
				return csv.Format{}, err
			}
			given["header"] = strconv.FormatBool(on)
		case "null", "encoding", "compression", "ignore_errors", "skip", "null_padding":
			given[p.Name] = text
		default:
			return csv.Format{}, r.fail(p.Pos, sqlerr.SyntaxError, "option %q not recognized", p.Name)
		}
	}
	format := csv.DefaultFormat()
	if strings.HasSuffix(strings.TrimSuffix(strings.ToLower(st.Path), ".gz"), ".tsv") {
		format.Delimiter = '\t'
	}
	format, _, err := csv.ParseFormat(format, given)
	return format, err
}
