package statement

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/format/csv"
	"github.com/tarnlake/tarn/internal/format/json"
	"github.com/tarnlake/tarn/internal/format/orc"
	"github.com/tarnlake/tarn/internal/format/parquet"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// copyToPath is COPY … TO 'path': one file, or with PARTITION_BY or a path that ends in a slash a
// directory of files, which the drivers write side by side.
func (r *run) copyToPath(ctx context.Context, st *ast.Copy, bound *engine.BoundQuery) (*session.Result, error) {
	if r.config.Stores == nil {
		return nil, r.fail(st.Pos, sqlerr.FeatureNotSupported, "files cannot be written here")
	}
	format, err := r.fileFormat(st)
	if err != nil {
		return nil, err
	}
	var rows int64
	if partitions, given, err := r.partitionOption(st); err != nil {
		return nil, err
	} else if given || strings.HasSuffix(st.Path, "/") {
		rows, err = r.copyToDirectory(ctx, st, format, partitions, bound)
		if err != nil {
			return nil, err
		}
	} else if rows, err = r.copyToFile(ctx, st, format, bound); err != nil {
		return nil, err
	}
	return &session.Result{Affected: func() int64 { return rows }}, nil
}

func (r *run) partitionOption(st *ast.Copy) (names []string, given bool, err error) {
	for _, p := range st.Options {
		if p.Name == "partition_by" {
			text, err := r.propertyText(p)
			return strings.Split(text, ","), true, err
		}
	}
	return nil, false, nil
}

// copyToDirectory writes as a table of the lake would be written, which no catalog lists.
func (r *run) copyToDirectory(ctx context.Context, st *ast.Copy, format string, partitions []string, bound *engine.BoundQuery) (int64, error) {
	handle := &connectors.FileTable{Location: strings.TrimRight(st.Path, "/"), Format: format, Properties: map[string]string{}}
	target := connectors.Target{Connector: catalog.ConnectorName, Name: st.Path}
	columns, err := r.queryColumns("TABLE", nil, bound.Columns())
	if err != nil {
		return 0, err
	}
	for i, c := range columns {
		handle.Columns = append(handle.Columns, connectors.FileColumn{ID: int32(i + 1), Name: c.Name, StorageName: c.Name, Type: c.Type})
		target.Columns = append(target.Columns, connectors.Column{ID: int32(i + 1), Name: c.Name, Type: c.Type})
	}
	for _, name := range partitions {
		at := slices.IndexFunc(columns, func(c catalog.Column) bool { return c.Name == strings.TrimSpace(name) })
		if at < 0 {
			return 0, r.fail(st.Pos, sqlerr.UndefinedColumn, "column %q named in PARTITION_BY does not exist", name)
		}
		handle.Partition, target.Partition = append(handle.Partition, at), append(target.Partition, at)
	}
	if format == "parquet" || format == "orc" {
		options, err := r.columnarOptions(st, format, bound.Columns())
		if err != nil {
			return 0, err
		}
		handle.Properties = options.properties
	} else if err := r.textProperties(st, format, handle.Properties); err != nil {
		return 0, err
	}
	target.Handle = handle.Encode()
	fragments, err := bound.WriteFragments(ctx, nil, target)
	if err != nil {
		return 0, err
	}
	var rows int64
	for _, f := range fragments {
		rows += f.Rows
	}
	return rows, nil
}

// textProperties reads the options of CSV and JSON files as tables have them.
func (r *run) textProperties(st *ast.Copy, format string, properties map[string]string) error {
	for _, p := range st.Options {
		if p.Name == "format" || p.Name == "partition_by" || p.Name == "freeze" {
			continue
		}
		text, err := r.propertyText(p)
		if err != nil {
			return err
		}
		name := p.Name
		switch {
		case format == "csv" && name == "header":
			on, err := r.boolean(p)
			if err != nil {
				return err
			}
			text = strconv.FormatBool(on)
		case format == "csv" && name == "null":
			name = "null_string"
		case format == "csv" && slices.Contains([]string{"delimiter", "quote", "escape", "compression"}, name):
		case format == "json" && name == "compression":
		default:
			return r.fail(p.Pos, sqlerr.SyntaxError, "option %q not recognized", p.Name)
		}
		if name == "compression" {
			text = strings.ToLower(text)
		}
		properties[name] = text
	}
	return nil
}

// fileWriter writes one file of some format.
type fileWriter interface {
	Append(b *vec.Batch) error
	Rows() int64
	// Finish writes the file's end.
	Finish() error
	// Close gives memory back.
	Close()
}

type csvFile struct{ *csv.Writer }

func (csvFile) Close() {}

type jsonFile struct{ *json.Writer }

func (jsonFile) Close() {}

type orcFile struct{ *orc.Writer }

func (w orcFile) Finish() error {
	_, err := w.Writer.Finish()
	return err
}

type parquetFile struct{ *parquet.Writer }

func (w parquetFile) Finish() error {
	_, err := w.Writer.Finish()
	return err
}

// copyToFile writes one file, which appears when it is complete.
func (r *run) copyToFile(ctx context.Context, st *ast.Copy, format string, bound *engine.BoundQuery) (rows int64, err error) {
	store, key, err := r.config.Stores.Locate(st.Path)
	if err != nil {
		return 0, err
	}
	out, err := store.Create(ctx, key)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = out.Abort()
		}
	}()
	writer, err := r.fileWriter(st, format, out, bound.Columns())
	if err != nil {
		return 0, err
	}
	defer writer.Close()
	if err := bound.Each(ctx, nil, writer.Append); err != nil {
		return 0, err
	}
	if err := writer.Finish(); err != nil {
		return 0, err
	}
	_, err = out.Commit(ctx)
	return writer.Rows(), err
}

func (r *run) fileWriter(st *ast.Copy, format string, out io.Writer, columns types.Schema) (fileWriter, error) {
	switch format {
	case "csv":
		options, err := r.csvOptions(st)
		if err != nil {
			return nil, err
		}
		options.Compression = options.Compression.Of(st.Path)
		w, err := csv.NewWriter(out, columns, options, r.tx.State.Settings.TimeZone())
		return csvFile{w}, err
	case "json":
		options, err := r.jsonOptions(st)
		if err != nil {
			return nil, err
		}
		options.Compression = options.Compression.Of(st.Path)
		w, err := json.NewWriter(out, columns, options, r.tx.State.Settings.TimeZone())
		return jsonFile{w}, err
	}
	options, err := r.columnarOptions(st, format, columns)
	if err != nil {
		return nil, err
	}
	if format == "orc" {
		w, err := orc.NewWriter(out, nullable(columns), options.orc)
		return orcFile{w}, err
	}
	w, err := parquet.NewWriter(out, nullable(columns), options.parquet)
	return parquetFile{w}, err
}
