package statement

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/internal/format/csv"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// openCopy gives the files of COPY FROM 'path' as a table with the columns wanted.
func (r *run) openCopy(ctx context.Context, st *ast.Copy, columns types.Schema) (t *connectors.Table, release func(), err error) {
	format, err := r.fileFormat(st)
	if err != nil {
		return nil, nil, err
	}
	if format == "parquet" {
		t, err := r.openParquet(ctx, st, columns)
		return t, func() {}, err
	}
	options, err := r.csvOptions(st)
	if err != nil {
		return nil, nil, err
	}
	source := &csvFiles{format: options, columns: columns, zone: r.tx.State.Settings.TimeZone()}
	if source.store, source.objects, err = r.filesAt(ctx, st.Path); err != nil {
		return nil, nil, err
	}
	t, release = r.config.Input.Table("input", columns, source)
	return t, release, nil
}

// openParquet finds the columns in Parquet files: by name if all are there, else by position.
func (r *run) openParquet(ctx context.Context, st *ast.Copy, columns types.Schema) (*connectors.Table, error) {
	if r.config.Files == nil {
		return nil, r.fail(st.Pos, sqlerr.FeatureNotSupported, "files cannot be read here")
	}
	for _, p := range st.Options {
		if p.Name != "format" {
			return nil, r.fail(p.Pos, sqlerr.SyntaxError, "option %q not recognized", p.Name)
		}
	}
	found, err := r.config.Files.Resolve(ctx, "read_parquet", []files.Argument{{Value: types.StringDatum(st.Path), Type: types.Of(types.Text)}})
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

// filesAt lists the files that a path, a pattern or a directory names.
func (r *run) filesAt(ctx context.Context, path string) (objstore.Store, []objstore.Object, error) {
	if r.config.Stores == nil {
		return nil, nil, sqlerr.New(sqlerr.FeatureNotSupported, "files cannot be read here")
	}
	store, key, err := r.config.Stores.Locate(path)
	if err != nil {
		return nil, nil, err
	}
	if objstore.IsPattern(key) {
		objects, err := objstore.Glob(ctx, store, key)
		if err == nil && len(objects) == 0 {
			err = sqlerr.New(sqlerr.UndefinedFile, "no files match %q", path)
		}
		return store, objects, err
	}
	if !strings.HasSuffix(key, "/") {
		object, err := store.Stat(ctx, key)
		if sqlerr.CodeOf(err) == sqlerr.UndefinedFile {
			err = sqlerr.New(sqlerr.UndefinedFile, "could not open file %q for reading: No such file or directory", path)
		}
		return store, []objstore.Object{object}, err
	}
	var objects []objstore.Object
	err = objstore.Walk(ctx, store, key, func(o objstore.Object) error {
		if !files.Hidden(o.Path[len(key):]) {
			objects = append(objects, o)
		}
		return nil
	})
	if err == nil && len(objects) == 0 {
		err = sqlerr.New(sqlerr.UndefinedFile, "no files match %q", path)
	}
	return store, objects, err
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
			given["header"] = map[bool]string{true: "true", false: "false"}[on]
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

// csvFiles reads files one after the other, their fields by position.
type csvFiles struct {
	store   objstore.Store
	objects []objstore.Object
	format  csv.Format
	columns types.Schema
	zone    *time.Location
	open    *csv.Reader
}

// Next gives the next batch.
func (f *csvFiles) Next(ctx context.Context) (*vec.Batch, error) {
	for {
		if f.open == nil {
			if len(f.objects) == 0 {
				return nil, nil
			}
			if err := f.openNext(); err != nil {
				return nil, err
			}
		}
		b, err := f.open.Next(ctx)
		if b != nil || err != nil {
			return b, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
}

func (f *csvFiles) openNext() error {
	object := f.objects[0]
	f.objects = f.objects[1:]
	options := csv.ReadOptions{Fields: len(f.columns), Zone: f.zone}
	for i, c := range f.columns {
		options.Columns = append(options.Columns, csv.ColumnRequest{Field: i, Type: c.Type, Name: c.Name})
	}
	var err error
	f.open, err = csv.NewReader(f.store, object, f.format, options)
	return err
}

// Close closes the open file.
func (f *csvFiles) Close() error {
	if f.open == nil {
		return nil
	}
	open := f.open
	f.open = nil
	return open.Close()
}
