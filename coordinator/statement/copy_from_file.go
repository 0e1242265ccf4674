package statement

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/session"
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

// onlyFrom refuses an option of reading where files are written.
func (r *run) onlyFrom(st *ast.Copy, p ast.Property) error {
	if st.Direction == ast.CopyTo {
		return r.fail(p.Pos, sqlerr.FeatureNotSupported, "COPY %s cannot be used with COPY TO", strings.ToUpper(p.Name))
	}
	return nil
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
		case "compression":
			given[p.Name] = text
		case "ignore_errors":
			if err := r.onlyFrom(st, p); err != nil {
				return json.Format{}, err
			}
			given[p.Name] = text
		case "rejects_table":
			if err := r.onlyFrom(st, p); err != nil {
				return json.Format{}, err
			}
			given["ignore_errors"] = "true"
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
		case "null", "encoding", "compression":
			given[p.Name] = text
		case "ignore_errors", "skip", "null_padding", "parallel":
			if err := r.onlyFrom(st, p); err != nil {
				return csv.Format{}, err
			}
			given[p.Name] = text
		case "rejects_table":
			if err := r.onlyFrom(st, p); err != nil {
				return csv.Format{}, err
			}
			given["ignore_errors"] = "true"
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

// keepRejects puts what a COPY has left out into the table that its option rejects_table names: one that
// there is, or a temporary one. The files are read again for it.
func (r *run) keepRejects(ctx context.Context, st *ast.Copy, table *connectors.Table) error {
	at := slices.IndexFunc(st.Options, func(p ast.Property) bool { return p.Name == "rejects_table" })
	if at < 0 {
		return nil
	}
	text, err := r.propertyText(st.Options[at])
	if err != nil {
		return err
	}
	pos := st.Options[at].Pos
	rejects, err := r.config.Files.RejectsOf(table)
	if err != nil {
		return err
	}
	name := ast.Name{Pos: pos, Parts: strings.Split(text, ".")}
	given := map[string]*connectors.Table{"input": rejects}
	query := &ast.Query{Pos: pos, Body: &ast.SelectCore{Pos: pos, Targets: []ast.Target{{Pos: pos, Expr: &ast.Star{Pos: pos}}},
		From: []ast.FromItem{&ast.TableRef{Pos: pos, Name: ast.Name{Pos: pos, Parts: []string{"", "input"}}}}}}
	found, _, err := r.find(name)
	if err != nil {
		return err
	}
	if found == nil {
		_, err = r.createTableOf(ctx, &ast.CreateTable{Temp: len(name.Parts) == 1, Name: name, Query: query}, session.ExecuteRequest{Prepared: &session.Prepared{}}, given)
		return err
	}
	bound, err := r.tx.BindQuery(ctx, engine.QueryText{SQL: r.sql, Given: given, Statement: &ast.Insert{Table: &ast.TableRef{Pos: pos, Name: name}, Query: query}})
	if err != nil {
		return err
	}
	_, err = bound.Write(ctx, nil)
	return err
}
