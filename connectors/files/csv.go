package files

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/zeebo/xxh3"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/format/csv"
	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// CSV says how the records of a CSV file are to be understood.
type CSV struct {
	Format csv.Format
	// ByName finds columns by the file's own header, else by their Position.
	ByName bool
	// Fields is the number of fields of a record when columns are found by position.
	Fields int
}

// CSVOfTable reads a table's properties. Without a header, records that were written before columns
// were added are shorter.
func CSVOfTable(properties map[string]string, fields int) (*CSV, error) {
	format, _, err := csv.ParseFormat(csv.DefaultFormat(), properties)
	if err != nil {
		return nil, err
	}
	format.NullPadding = true
	return &CSV{Format: format, ByName: format.Header, Fields: fields}, nil
}

// header is what a file's first record says.
type header struct {
	fields int
	names  *scan.Names
}

// csvHeader reads the header of a file, from the cache if it is there.
func (o *Opener) csvHeader(ctx context.Context, r *Request) (*header, error) {
	key := metadata.Of(r.Store, r.Object, metadata.Header, 0, 0)
	key.Format = xxh3.HashString(fmt.Sprintf("%+v", r.CSV.Format)) // another delimiter gives another header
	return metadata.Load(ctx, o.metadata, key, func() (*header, int64, error) {
		sniffed, err := csv.Sniff(ctx, r.Store, r.Object, r.CSV.Format, csv.Known{Delimiter: true, Header: true, Encoding: true})
		if err != nil {
			return nil, 0, err
		}
		h, size := &header{fields: len(sniffed.Schema)}, int64(0)
		h.names = scan.NewNames(h.fields, func(i int) string { return sniffed.Schema[i].Name })
		for _, field := range sniffed.Schema {
			size += 2*int64(len(field.Name)) + nameMemory
		}
		return h, size, nil
	})
}

// nameMemory is about what a name takes in an index of them, beside its text.
const nameMemory = 96

func (o *Opener) openCSV(ctx context.Context, r Request, constants *constants) (vec.Source, error) {
	if r.CSV == nil {
		return nil, sqlerr.Internal("CSV file %q is read without its format", r.Object.Path)
	}
	if r.Object.Size == 0 {
		return emptySource{}, nil
	}
	options := csv.ReadOptions{Fields: r.CSV.Fields, Split: r.Piece.CSV, Pool: r.Pool, Counters: counters(r.Stats), Reject: r.Reject}
	field := func(c Column) int { return c.Position }
	if r.CSV.ByName {
		h, err := o.csvHeader(ctx, &r)
		if err != nil {
			return nil, err
		}
		if h.fields == 0 {
			return emptySource{}, nil
		}
		options.Fields = h.fields
		field = func(c Column) int { return h.names.Find(c.Name) }
	}
	fields, err := r.fields(field)
	if err != nil {
		return nil, err
	}
	for i, c := range r.Columns {
		options.Columns = append(options.Columns, csv.ColumnRequest{Field: fields[i], Type: c.Type, Name: c.Name})
	}
	options.Filter = constants.filter(r.Filter)
	return csv.NewReader(r.Store, r.Object, r.CSV.Format, options)
}

// CSVTable gives the CSV files that a pattern names as a table of the given columns, found by position.
func (c *Connector) CSVTable(ctx context.Context, pattern string, format csv.Format, columns types.Schema) (*connectors.Table, error) {
	files, err := find(ctx, c.options.Stores, []string{pattern})
	if err != nil {
		return nil, err
	}
	set := &fileSet{Patterns: []string{pattern}, Format: "csv", CSV: &CSV{Format: format, Fields: len(columns)}}
	for i, field := range columns {
		set.Columns = append(set.Columns, fileSetColumn{Name: field.Name, Type: field.Type, Position: i})
	}
	return c.table(set, files, choices{patterns: set.Patterns}), nil
}

// RejectsOf gives the records that reading a table of CSVTable or JSONTable leaves out.
func (c *Connector) RejectsOf(table *connectors.Table) (*connectors.Table, error) {
	var set fileSet
	if err := json.Unmarshal(table.Handle, &set); err != nil {
		return nil, sqlerr.Internal("file table handle: %v", err)
	}
	l, _, err := c.listingOf(context.Background(), table.Handle)
	if err != nil {
		return nil, err
	}
	set.turnIntoRejects()
	return c.table(&set, l.files, choices{patterns: set.Patterns}), nil
}

// csvColumns guesses format and columns by the first file, or of all with union_by_name.
func (c *Connector) csvColumns(ctx context.Context, set *fileSet, chosen choices, files []found) error {
	allText := false
	if text, ok := chosen.rest["all_varchar"]; ok {
		var err error
		if allText, err = types.ParseBool([]byte(text)); err != nil {
			return sqlerr.New(sqlerr.InvalidParameterValue, "option %q of %s must be true or false", "all_varchar", "read_csv")
		}
		delete(chosen.rest, "all_varchar")
	}
	delete(chosen.rest, "auto_detect")
	format, unknown, err := csv.ParseFormat(csv.DefaultFormat(), chosen.rest)
	if err != nil {
		return err
	}
	if len(unknown) > 0 {
		return unknownOption("read_csv", unknown[0])
	}
	var known csv.Known
	for name := range chosen.rest {
		switch name {
		case "delimiter", "delim", "sep":
			known.Delimiter = true
		case "header":
			known.Header = true
		case "encoding":
			known.Encoding = true
		}
	}
	found, err := sniffed(ctx, files, format, known, chosen)
	if err != nil {
		return err
	}
	for i := range found {
		if err := c.describe(found[i].Schema, chosen, found[i].shown); err != nil {
			return err
		}
	}
	set.CSV = &CSV{Format: found[0].Format, ByName: chosen.unionByName && found[0].Format.Header, Fields: len(found[0].Schema)}
	set.CSV.Format.Sampled = !allText && len(chosen.typeNames) == 0
	columns := newUnion(set)
	for i, file := range found {
		columns.next()
		for position, field := range file.Schema {
			if allText {
				field.Type = types.Of(types.Text)
			}
			before := len(set.Columns)
			if err := columns.addText(field, file.shown); err != nil {
				return err
			}
			if i == 0 {
				set.Columns[before].Position = position
			}
		}
	}
	set.Strict = !chosen.unionByName
	return nil
}

type sniffedFile struct {
	csv.Sniffed
	shown string
}

// sniffed looks at the first file that is not empty, or at all of them with union_by_name. When all are
// empty they have the columns that the user names.
func sniffed(ctx context.Context, files []found, format csv.Format, known csv.Known, chosen choices) ([]sniffedFile, error) {
	some := func(files []found) (out []sniffedFile, err error) {
		all := make([]csv.Sniffed, len(files))
		err = inParallel(ctx, len(files), func(ctx context.Context, i int) (err error) {
			all[i], err = csv.Sniff(ctx, files[i].store, files[i].object, format, known)
			return err
		})
		for i := range all {
			if len(all[i].Schema) > 0 {
				out = append(out, sniffedFile{all[i], files[i].shown})
			}
		}
		return out, err
	}
	step := 1
	if chosen.unionByName {
		step = len(files)
	}
	for at := 0; at < len(files); at += step {
		if out, err := some(files[at : at+step]); len(out) > 0 || err != nil {
			return out, err
		}
	}
	out := sniffedFile{csv.Sniffed{Format: format}, files[0].shown}
	if len(chosen.names) == 0 {
		return nil, csv.ErrEmpty(out.shown)
	}
	for i := range max(len(chosen.names), len(chosen.typeNames)) {
		out.Schema = append(out.Schema, types.Field{Name: fmt.Sprintf("column%d", i), Type: types.Of(types.Text), Nullable: true})
	}
	return []sniffedFile{out}, nil
}

// describe puts the names and types that the user gives in the place of those that were found, from
// the first column on.
func (c *Connector) describe(schema types.Schema, chosen choices, file string) error {
	if chosen.names != nil && chosen.unionByName {
		return sqlerr.New(sqlerr.InvalidParameterValue, "read_csv takes either names or union_by_name")
	}
	if most := max(len(chosen.names), len(chosen.typeNames)); most > len(schema) {
		return sqlerr.New(sqlerr.InvalidParameterValue, "read_csv is told of %d columns, but file %q has %d", most, file, len(schema))
	}
	for i, name := range chosen.names {
		schema[i].Name = name
	}
	seen := make(map[string]struct{}, len(chosen.names))
	for i := range schema {
		if _, known := seen[schema[i].Name]; known && chosen.names != nil {
			return sqlerr.New(sqlerr.DuplicateColumn, "column %q specified more than once", schema[i].Name)
		}
		seen[schema[i].Name] = struct{}{}
	}
	for i, name := range chosen.typeNames {
		if c.options.ParseType == nil {
			return unknownOption("read_csv", "types")
		}
		t, err := c.options.ParseType(name)
		if err != nil {
			return err
		}
		schema[i].Type = t
	}
	return nil
}
