package files

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// Discovery asks what an external table consists of.
type Discovery struct {
	Location   string
	Format     string // "": by the files' names
	Properties map[string]string
	// Columns, if any, are the declared ones, those of Partition among them; else the files' are
	// taken. IDs of 0 become 1, 2, … in order.
	Columns   []connectors.Column
	Partition []string // nil: as the paths are
}

// Discovered is what was found.
type Discovered struct {
	Format    string
	Columns   []connectors.Column
	Partition []string
	Files     []connectors.DataFile // paths relative to the location
	// Header and Delimiter are what CSV files whose columns were not declared look like.
	Header    bool
	Delimiter string
}

// Discover lists the files below a location and reads their partition values, and of columnar files
// the footers.
func (c *Connector) Discover(ctx context.Context, d Discovery) (*Discovered, error) {
	if objstore.IsPattern(d.Location) {
		return nil, sqlerr.New(sqlerr.InvalidParameterValue, "the location of an external table cannot hold wildcards: %q", d.Location)
	}
	location := strings.TrimRight(d.Location, "/")
	files, err := find(ctx, c.options.Stores, []string{location + "/"})
	if err != nil {
		return nil, err
	}
	_, key, err := c.options.Stores.Locate(location + "/")
	if err != nil {
		return nil, err
	}
	out := &Discovered{Format: d.Format, Columns: slices.Clone(d.Columns), Partition: slices.Clone(d.Partition)}
	relative := make([]string, len(files))
	for i, f := range files {
		relative[i] = strings.TrimPrefix(f.object.Path, key)
	}
	if out.Format == "" {
		if out.Format = formatOf(relative[0]); out.Format == "" {
			return nil, sqlerr.New(sqlerr.InvalidParameterValue, "cannot tell the format of %q by the files' names", d.Location).
				WithHint("Say STORED AS PARQUET, STORED AS ORC, STORED AS CSV or STORED AS JSON.")
		}
	}
	if err := c.discoverColumns(ctx, out, d, files, relative); err != nil {
		return nil, err
	}
	return out, c.describeFiles(ctx, out, files, relative)
}

// discoverColumns settles columns and partition columns.
func (c *Connector) discoverColumns(ctx context.Context, out *Discovered, d Discovery, files []found, relative []string) error {
	found := partitionColumns(relative)
	if len(d.Columns) == 0 {
		set := &fileSet{Format: out.Format}
		var err error
		switch out.Format {
		case "parquet", "orc":
			err = c.footerColumns(ctx, set, choices{unionByName: true}, files)
		case "json":
			err = c.jsonColumns(ctx, set, choices{unionByName: true, rest: maps.Clone(d.Properties)}, files)
		default:
			err = c.csvColumns(ctx, set, choices{unionByName: true, rest: maps.Clone(d.Properties)}, files)
			if err == nil {
				out.Header = set.CSV.Format.Header
				out.Delimiter = string(set.CSV.Format.Delimiter)
			}
		}
		if err != nil {
			return err
		}
		for _, column := range set.Columns {
			if !slices.ContainsFunc(found, func(p partitionColumn) bool { return strings.EqualFold(p.Name, column.Name) }) {
				out.Columns = append(out.Columns, connectors.Column{Name: column.Name, Type: column.Type})
			}
		}
		for _, p := range found {
			out.Columns = append(out.Columns, connectors.Column{Name: p.Name, Type: p.Type})
		}
	}
	if d.Partition == nil {
		for _, p := range found {
			at := slices.IndexFunc(out.Columns, func(c connectors.Column) bool { return strings.EqualFold(c.Name, p.Name) })
			if at >= 0 {
				out.Partition = append(out.Partition, out.Columns[at].Name)
			}
		}
	}
	for i := range out.Columns {
		if out.Columns[i].ID == 0 {
			out.Columns[i].ID = int32(i + 1)
		}
	}
	return nil
}

// describeFiles gives each file its partition and statistics.
func (c *Connector) describeFiles(ctx context.Context, out *Discovered, files []found, relative []string) error {
	var partitionTypes []types.Type
	var data []connectors.FileColumn
	for _, column := range out.Columns {
		if !slices.Contains(out.Partition, column.Name) {
			data = append(data, connectors.FileColumn{ID: column.ID, StorageName: column.Name, Type: column.Type})
		}
	}
	for _, name := range out.Partition {
		at := slices.IndexFunc(out.Columns, func(c connectors.Column) bool { return c.Name == name })
		if at < 0 {
			return sqlerr.New(sqlerr.UndefinedColumn, "column %q named in partition key does not exist", name)
		}
		partitionTypes = append(partitionTypes, out.Columns[at].Type)
	}
	out.Files = make([]connectors.DataFile, len(files))
	return inParallel(ctx, len(files), func(ctx context.Context, i int) error {
		f := connectors.DataFile{Path: relative[i], Size: files[i].object.Size, ETag: files[i].object.ETag}
		var err error
		if f.Partition, err = pathKey(relative[i], out.Partition, partitionTypes); err != nil {
			return err
		}
		if hasFooter(out.Format) {
			opened, err := c.options.Opener.footer(ctx, out.Format, files[i].store, files[i].object)
			if err != nil {
				return err
			}
			summary := opened.summary(data, true)
			f.Rows, f.Stats = summary.Rows, summary.Pack()
		} else {
			const bytesPerRow = 100
			f.Rows = (f.Size + bytesPerRow - 1) / bytesPerRow
		}
		out.Files[i] = f
		return nil
	})
}

// pathKey gives the partition.Key of a path's values.
func pathKey(path string, names []string, columnTypes []types.Type) (string, error) {
	pairs := partition.Pairs(path)
	values := make([]types.Datum, len(names))
	for i, name := range names {
		at := slices.IndexFunc(pairs, func(p partition.Pair) bool { return strings.EqualFold(p.Name, name) })
		if at < 0 {
			return "", sqlerr.New(sqlerr.InvalidObjectDefinition, "file %q lies in no %s=... directory", path, name)
		}
		var err error
		if values[i], err = partition.Value(columnTypes[i], pairs[at].Value); err != nil {
			return "", sqlerr.Wrap(err, sqlerr.InvalidTextRepresentation, "partition column %q in the path of file %q", name, path)
		}
	}
	return partition.Key(columnTypes, values)
}
