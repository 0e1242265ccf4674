package files

import (
	"context"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/format/json"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// JSON says how the records of a JSON file are to be understood.
type JSON struct {
	Format json.Format
	// Keys are the names of all columns in the files.
	Keys []string
}

// JSONOfTable reads a table's properties.
func JSONOfTable(properties map[string]string, keys []string) (*JSON, error) {
	given := map[string]string{}
	if text, ok := properties["ignore_errors"]; ok {
		given["ignore_errors"] = text
	}
	format, _, err := json.ParseFormat(json.DefaultFormat(), given)
	if err != nil {
		return nil, err
	}
	return &JSON{Format: format, Keys: keys}, nil
}

func (o *Opener) openJSON(r Request, constants *constants) (vec.Source, error) {
	if r.JSON == nil {
		return nil, sqlerr.Internal("JSON file %q is read without its format", r.Object.Path)
	}
	if r.Object.Size == 0 {
		return emptySource{}, nil
	}
	options := json.ReadOptions{Keys: r.JSON.Keys, Split: r.Piece.JSON, Pool: r.Pool, Counters: counters(r.Stats), Reject: r.Reject}
	for _, c := range r.Columns {
		options.Columns = append(options.Columns, json.ColumnRequest{Key: c.Name, Type: c.Type, Missing: c.Constant != nil})
	}
	options.Filter = constants.filter(r.Filter)
	return json.NewReader(r.Store, r.Object, r.JSON.Format, options)
}

// JSONTable gives the JSON files that a pattern names as a table of the given columns.
func (c *Connector) JSONTable(ctx context.Context, pattern string, format json.Format, columns types.Schema) (*connectors.Table, error) {
	files, err := find(ctx, c.options.Stores, []string{pattern})
	if err != nil {
		return nil, err
	}
	set := &fileSet{Patterns: []string{pattern}, Format: "json", JSON: &JSON{Format: format}}
	for _, field := range columns {
		set.addKey(field)
	}
	return c.table(set, files, choices{patterns: set.Patterns}), nil
}

func (set *fileSet) addKey(field types.Field) {
	set.JSON.Keys = append(set.JSON.Keys, field.Name)
	set.Columns = append(set.Columns, fileSetColumn{Name: field.Name, Type: field.Type})
}

// mostSampled is how many files are looked at for their columns without union_by_name.
const mostSampled = 32

// jsonColumns guesses the columns by some files, or by all with union_by_name.
func (c *Connector) jsonColumns(ctx context.Context, set *fileSet, chosen choices, files []found) error {
	format, unknown, err := json.ParseFormat(json.DefaultFormat(), chosen.rest)
	if err != nil {
		return err
	}
	if len(unknown) > 0 {
		return unknownOption("read_json", unknown[0])
	}
	set.JSON = &JSON{Format: format}
	declared, err := c.declared(chosen)
	if err != nil {
		return err
	}
	if declared != nil && chosen.typeNames != nil {
		for _, field := range declared {
			set.addKey(field)
		}
		return nil
	}
	looked := files[:min(len(files), mostSampled)]
	if chosen.unionByName {
		looked = files
	}
	set.JSON.Format.Sampled = true
	samples := make([]*json.Sample, len(looked))
	err = inParallel(ctx, len(looked), func(ctx context.Context, i int) (err error) {
		samples[i], err = json.Infer(ctx, looked[i].store, looked[i].object, format, len(looked))
		return err
	})
	if err != nil {
		return err
	}
	for _, sample := range samples[1:] {
		samples[0].Merge(sample)
	}
	seen, err := samples[0].Columns(looked[0].shown)
	if err != nil {
		return err
	}
	if len(seen) > maxColumns {
		return sqlerr.New(sqlerr.TooManyColumns, "file %q has more than %d columns", looked[0].shown, maxColumns)
	}
	for _, field := range seen {
		if declared == nil {
			set.addKey(field)
		}
	}
	for _, field := range declared {
		if at := slices.IndexFunc(seen, func(f types.Field) bool { return f.Name == field.Name }); at >= 0 {
			field.Type = seen[at].Type
		}
		set.addKey(field)
	}
	return nil
}

// declared gives the columns that the user names, of type json where without a type; nil for none.
func (c *Connector) declared(chosen choices) (types.Schema, error) {
	if len(chosen.typeNames) > 0 && len(chosen.typeNames) != len(chosen.names) {
		return nil, sqlerr.New(sqlerr.InvalidParameterValue, "read_json takes as many types as names").
			WithHint("Write columns => 'id bigint, name text'.")
	}
	var out types.Schema
	for i, name := range chosen.names {
		field := types.Field{Name: name, Type: types.Of(types.JSON), Nullable: true}
		if slices.ContainsFunc(out, func(f types.Field) bool { return f.Name == name }) {
			return nil, sqlerr.New(sqlerr.DuplicateColumn, "column %q specified more than once", name)
		}
		if i < len(chosen.typeNames) {
			if c.options.ParseType == nil {
				return nil, unknownOption("read_json", "types")
			}
			var err error
			if field.Type, err = c.options.ParseType(chosen.typeNames[i]); err != nil {
				return nil, err
			}
		}
		out = append(out, field)
	}
	return out, nil
}

// setColumns reads columns => 'name type, …', or an array of such, or a map from names to types.
func (chosen *choices) setColumns(shown string, a Argument) error {
	bad := sqlerr.New(sqlerr.InvalidParameterValue, "option \"columns\" of %s must list names and types", shown).
		WithHint("Write columns => 'id bigint, name text'.")
	if a.Type.Kind == types.Map && !a.Value.Null {
		for i := 0; i+1 < len(a.Value.Items); i += 2 {
			chosen.names = append(chosen.names, a.Value.Items[i].Str)
			chosen.typeNames = append(chosen.typeNames, a.Value.Items[i+1].Str)
		}
		return nil
	}
	list, ok := textList(a)
	if !ok {
		return bad
	}
	for _, column := range list {
		name, typeName, ok := strings.Cut(column, " ")
		if rest, quoted := strings.CutPrefix(column, `"`); quoted {
			name, typeName, ok = strings.Cut(rest, `" `)
		}
		if !ok || name == "" || strings.TrimSpace(typeName) == "" {
			return bad
		}
		chosen.names = append(chosen.names, name)
		chosen.typeNames = append(chosen.typeNames, strings.TrimSpace(typeName))
	}
	return nil
}
