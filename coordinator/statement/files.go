package statement

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// discover looks at the files below an external table's location.
func (r *run) discover(ctx context.Context, t *catalog.Table) ([]connectors.DataFile, error) {
	d := files.Discovery{Location: t.Location, Format: t.Format, Properties: t.Properties, Partition: columnNames(t, t.Partition)}
	if d.Partition == nil {
		d.Partition = []string{}
	}
	for _, c := range t.Columns {
		d.Columns = append(d.Columns, connectors.Column{ID: c.ID, Name: c.StorageName, Type: c.Type, NotNull: c.NotNull})
	}
	for i, id := range t.Partition {
		at := slices.IndexFunc(t.Columns, func(c catalog.Column) bool { return c.ID == id })
		d.Partition[i] = t.Columns[at].StorageName
	}
	found, err := r.discovered(ctx, d)
	if err != nil {
		return nil, err
	}
	return found.Files, nil
}

// discovered gives no files where there is nothing.
func (r *run) discovered(ctx context.Context, d files.Discovery) (*files.Discovered, error) {
	if r.config.Files == nil {
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "files cannot be read here")
	}
	found, err := r.config.Files.Discover(ctx, d)
	if sqlerr.CodeOf(err) == sqlerr.UndefinedFile && len(d.Columns) > 0 {
		return &files.Discovered{}, nil
	}
	return found, err
}

// listFiles adds the files below an external table's location to it.
func (r *run) listFiles(ctx context.Context, t *catalog.Table) error {
	found, err := r.discover(ctx, t)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		r.warn(sqlerr.Warning, fmt.Sprintf("no files were found below %q", t.Location), "SYNC TABLE lists them again.")
		return nil
	}
	return r.tx.SyncFiles(ctx, t.ID, nil, found)
}

// syncTable is SYNC TABLE and what other engines call it: an external table's files are listed anew.
func (r *run) syncTable(ctx context.Context, st *ast.SyncTable) error {
	if st.Table == nil {
		return nil // INVALIDATE METADATA of everything: nothing is cached beyond a snapshot
	}
	t, _, err := r.table(ctx, *st.Table)
	if err != nil {
		return err
	}
	if t.Kind != connectors.External {
		if st.MetadataOnly {
			return nil
		}
		return r.fail(st.Table.Pos, sqlerr.WrongObjectType, "%q is not an external table", t.Name).
			WithDetail("Only external tables have files that others write.")
	}
	found, err := r.discover(ctx, t)
	if err != nil {
		return err
	}
	listed, err := r.tx.ListFiles(ctx, t.ID)
	if err != nil {
		return err
	}
	added, removed := difference(listed, found)
	if len(added)+len(removed) == 0 {
		return nil
	}
	r.notice(sqlerr.SuccessfulCompletion, fmt.Sprintf("%d files added, %d removed", len(added), len(removed)), "")
	return r.tx.SyncFiles(ctx, t.ID, removed, added)
}

// difference compares two listings by path and version.
func difference(listed, found []connectors.DataFile) (added, removed []connectors.DataFile) {
	type version struct {
		path, etag string
		size       int64
	}
	key := func(f connectors.DataFile) version { return version{f.Path, f.ETag, f.Size} }
	known := map[version]bool{}
	for _, f := range listed {
		known[key(f)] = true
	}
	for _, f := range found {
		if !known[key(f)] {
			added = append(added, f)
		}
		delete(known, key(f))
	}
	for _, f := range listed {
		if known[key(f)] {
			removed = append(removed, f)
		}
	}
	return added, removed
}

// textProperties picks the properties that say how CSV files are to be read.
func textProperties(all map[string]string) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"delimiter", "quote", "escape", "header", "null_string", "skip_header_line_count", "ignore_errors"} {
		if value, ok := all[name]; ok {
			out[name] = value
		}
	}
	return out
}

// keepGuess sets a property that the user has not set.
func keepGuess(properties map[string]string, name, value string) {
	if _, given := properties[name]; !given {
		properties[name] = value
	}
}

// columnsOfFiles is LIKE PARQUET 'path'.
func (r *run) columnsOfFiles(ctx context.Context, at ast.Pos, path, format string, create *catalog.CreateTable) error {
	if r.config.Files == nil {
		return r.fail(at, sqlerr.FeatureNotSupported, "files cannot be read here")
	}
	t, err := r.config.Files.Resolve(ctx, "read_"+strings.ToLower(format), []files.Argument{{Value: types.StringDatum(path), Type: types.Of(types.Text)}})
	if err == nil && t == nil {
		err = sqlerr.New(sqlerr.FeatureNotSupported, "file format %q is not supported", format)
	}
	if err != nil {
		return r.locate(err, at)
	}
	for _, c := range t.Columns {
		create.Columns = append(create.Columns, catalog.Column{Name: c.Name, Type: storedType(c.Type)})
	}
	return nil
}

// createTableFrom is CREATE TABLE t FROM 'path': an external table over files, whose schema is shown.
func (r *run) createTableFrom(ctx context.Context, st *ast.CreateTable, create *catalog.CreateTable) error {
	if len(st.Columns)+len(st.Likes)+len(st.Partitions) > 0 {
		return r.fail(st.Name.Pos, sqlerr.SyntaxError, "CREATE TABLE ... FROM takes its columns from the files").
			WithHint("CREATE EXTERNAL TABLE … LOCATION takes the columns that you write.")
	}
	if create.Kind == connectors.Temporary {
		return r.fail(st.Name.Pos, sqlerr.InvalidTableDefinition, "an external table cannot be temporary").
			WithHint("CREATE TEMP TABLE … AS SELECT * FROM 'path' copies the rows.")
	}
	found, err := r.discovered(ctx, files.Discovery{Location: st.FromPath, Format: create.Format, Properties: textProperties(create.Properties)})
	if err != nil {
		return err
	}
	if found.Format == "csv" {
		keepGuess(create.Properties, "header", strconv.FormatBool(found.Header))
		if found.Delimiter != "," {
			keepGuess(create.Properties, "delimiter", found.Delimiter)
		}
	}
	create.Kind, create.Location, create.Format, create.Partition = connectors.External, st.FromPath, found.Format, found.Partition
	for _, c := range found.Columns {
		create.Columns = append(create.Columns, catalog.Column{Name: c.Name, Type: c.Type})
	}
	t, err := r.tx.CreateTable(ctx, *create)
	if err != nil {
		return r.locateProperty(r.locateName(err, st.Name), st.RowFormat, st.Properties)
	}
	if t == nil {
		r.skipped(create.Name.Name)
		return nil
	}
	if err := r.tx.SyncFiles(ctx, t.ID, nil, found.Files); err != nil {
		return err
	}
	var bytes int64
	for _, f := range found.Files {
		bytes += f.Size
	}
	r.notice(sqlerr.SuccessfulCompletion, fmt.Sprintf("table %q reads %d files (%d bytes)", t.Name, len(found.Files), bytes),
		r.createTableText(create.Name, t))
	return nil
}
