package files

import (
	"context"
	"encoding/json"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// Argument is a constant argument of a table function; Name is empty for a positional one.
type Argument struct {
	Name  string
	Value types.Datum
	Type  types.Type
}

// choices are the options that all file functions share.
type choices struct {
	patterns    []string
	unionByName bool
	hive        *bool // nil: as the paths are
	filename    bool
	names       []string          // of a text file's columns, in place of its own
	typeNames   []string          // of a text file's columns, in place of guessed ones
	rest        map[string]string // the format's own
}

// Resolve gives the table that a function call stands for, a path in FROM when name is empty; nil
// when there is no such function.
func (c *Connector) Resolve(ctx context.Context, name string, args []Argument) (*connectors.Table, error) {
	format := ""
	switch name {
	case "":
	case "read_parquet", "parquet_scan":
		format = "parquet"
	case "read_orc":
		format = "orc"
	case "read_csv", "read_csv_auto", "read_csv_rejects":
		format = "csv"
	case "read_json", "read_json_auto", "read_ndjson", "read_ndjson_auto", "read_json_rejects":
		format = "json"
	case "glob", "parquet_metadata", "parquet_schema", "orc_metadata":
		return c.resolveLook(ctx, name, args)
	default:
		return nil, nil
	}
	chosen, err := readArguments(name, args)
	if err != nil {
		return nil, err
	}
	rejects := strings.HasSuffix(name, "_rejects")
	if rejects {
		chosen.rest["ignore_errors"] = "true"
	}
	files, err := find(ctx, c.options.Stores, chosen.patterns)
	if err != nil {
		return nil, err
	}
	if format == "" {
		if format = formatOf(files[0].shown); format == "" {
			return nil, sqlerr.New(sqlerr.WrongObjectType, "cannot tell the format of file %q by its name", files[0].shown).
				WithHint("Name the format: read_parquet('...'), read_orc('...'), read_csv('...') or read_json('...').")
		}
	}
	set := &fileSet{Patterns: chosen.patterns, Format: format}
	switch format {
	case "parquet", "orc":
		err = c.footerColumns(ctx, set, chosen, files)
	case "json":
		if strings.HasPrefix(name, "read_ndjson") {
			chosen.rest["format"] = "newline_delimited"
		}
		err = c.jsonColumns(ctx, set, chosen, files)
	default:
		err = c.csvColumns(ctx, set, chosen, files)
	}
	if err != nil {
		return nil, err
	}
	set.pathColumns(chosen, files)
	if rejects {
		set.turnIntoRejects()
	}
	return c.table(set, files, chosen), nil
}

// table makes the table of a set whose files have just been listed.
func (c *Connector) table(set *fileSet, files []found, chosen choices) *connectors.Table {
	handle, err := json.Marshal(set)
	if err != nil { // plain data: cannot fail
		panic(sqlerr.Internal("file table handle: %v", err))
	}
	c.remember(&listing{handle: string(handle), files: files})
	out := &connectors.Table{Connector: ConnectorName, Name: strings.Join(chosen.patterns, ", "), Kind: connectors.External, Handle: handle, Listed: true}
	for i, column := range set.Columns {
		out.Columns = append(out.Columns, connectors.Column{ID: int32(i + 1), Name: column.Name, Type: column.Type})
		if column.Source == fromPath {
			out.Partition = append(out.Partition, i)
		}
	}
	return out
}

func readArguments(function string, args []Argument) (choices, error) {
	chosen := choices{rest: map[string]string{}}
	shown := function
	if shown == "" {
		shown = "FROM"
	}
	for i, a := range args {
		if a.Name == "" {
			if i > 0 {
				return chosen, sqlerr.New(sqlerr.UndefinedFunction, "%s takes one path; further arguments are named", shown).
					WithHint("Write %s('path', option => value).", shown)
			}
			if err := chosen.setPatterns(shown, a); err != nil {
				return chosen, err
			}
			continue
		}
		if err := chosen.setOption(shown, a); err != nil {
			return chosen, err
		}
	}
	if len(chosen.patterns) == 0 {
		return chosen, sqlerr.New(sqlerr.UndefinedFunction, "%s needs a path", shown)
	}
	return chosen, nil
}

func (chosen *choices) setPatterns(shown string, a Argument) error {
	bad := sqlerr.New(sqlerr.InvalidParameterValue, "the path of %s must be a string or an array of strings", shown)
	list, ok := textList(a)
	if !ok {
		return bad
	}
	if chosen.patterns = list; a.Type.Kind != types.Array {
		chosen.patterns = []string{a.Value.Str}
	}
	if slices.Contains(chosen.patterns, "") {
		return sqlerr.New(sqlerr.InvalidParameterValue, "the path of %s is empty", shown)
	}
	return nil
}

func (chosen *choices) setOption(shown string, a Argument) error {
	name := strings.ToLower(a.Name)
	boolean := func() (bool, error) {
		if a.Type.Kind != types.Bool || a.Value.Null {
			return false, sqlerr.New(sqlerr.InvalidParameterValue, "option %q of %s must be true or false", name, shown)
		}
		return a.Value.Bool(), nil
	}
	var err error
	switch name {
	case "union_by_name":
		chosen.unionByName, err = boolean()
	case "filename":
		chosen.filename, err = boolean()
	case "names", "types":
		list, ok := textList(a)
		if !ok {
			return sqlerr.New(sqlerr.InvalidParameterValue, "option %q of %s must be an array of strings, or a string with commas", name, shown)
		}
		if name == "names" {
			chosen.names = list
		} else {
			chosen.typeNames = list
		}
	case "columns":
		return chosen.setColumns(shown, a)
	case "hive_partitioning":
		var hive bool
		hive, err = boolean()
		chosen.hive = &hive
	default:
		if a.Value.Null {
			return sqlerr.New(sqlerr.InvalidParameterValue, "option %q of %s must not be null", name, shown)
		}
		text, formatError := partition.Format(a.Type, a.Value)
		if formatError != nil {
			return sqlerr.New(sqlerr.InvalidParameterValue, "option %q of %s cannot be of type %s", name, shown, a.Type)
		}
		chosen.rest[name] = text
	}
	return err
}

// textList reads an array of strings, or a string whose parts are separated by commas.
func textList(a Argument) ([]string, bool) {
	switch {
	case a.Value.Null:
	case a.Type.Physical() == types.PhysString:
		list := splitList(a.Value.Str)
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		return list, true
	case a.Type.Kind == types.Array && a.Type.Elem.Physical() == types.PhysString:
		var list []string
		for _, item := range a.Value.Items {
			if item.Null {
				return nil, false
			}
			list = append(list, item.Str)
		}
		return list, true
	}
	return nil, false
}

// splitList cuts at commas outside parentheses.
func splitList(text string) (list []string) {
	depth, from := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				list, from = append(list, text[from:i]), i+1
			}
		}
	}
	return append(list, text[from:])
}

// unknownOption is the error for an option that a format does not have.
func unknownOption(function, name string) error {
	if name == "rejects_table" {
		return sqlerr.New(sqlerr.FeatureNotSupported, "%s does not write a table of rejected records", function).
			WithHint("SELECT * FROM %s_rejects(…) with the same arguments gives them, for CREATE TABLE … AS too; COPY … FROM has the option.", function)
	}
	return sqlerr.New(sqlerr.InvalidParameterValue, "%s has no option %q", function, name).
		WithHint("All file functions take union_by_name, hive_partitioning and filename.")
}

// pathColumns adds the columns that come from paths. A partition column takes the place of a column
// of that name in the files.
func (set *fileSet) pathColumns(chosen choices, files []found) {
	if chosen.hive == nil || *chosen.hive {
		shown := make([]string, len(files))
		for i, f := range files {
			shown[i] = f.shown
		}
		for at, column := range partitionColumns(shown) {
			placed := fileSetColumn{Name: column.Name, Type: column.Type, Source: fromPath, Position: at}
			if same := slices.IndexFunc(set.Columns, func(c fileSetColumn) bool { return strings.EqualFold(c.Name, column.Name) }); same >= 0 {
				set.Columns[same] = placed
			} else {
				set.Columns = append(set.Columns, placed)
			}
		}
	}
	if chosen.filename {
		set.Columns = append(set.Columns, fileSetColumn{Name: "filename", Type: types.Of(types.Text), Source: fromName})
	}
}

// footerColumns reads the schema of the first file, or of all with union_by_name.
func (c *Connector) footerColumns(ctx context.Context, set *fileSet, chosen choices, files []found) error {
	for name := range chosen.rest {
		return unknownOption("read_"+set.Format, name)
	}
	if chosen.names != nil || chosen.typeNames != nil {
		return unknownOption("read_"+set.Format, map[bool]string{true: "names", false: "types"}[chosen.names != nil])
	}
	looked := files[:1]
	if chosen.unionByName {
		looked = files
	}
	schemas, err := c.footerSchemas(ctx, set.Format, looked)
	if err != nil {
		return err
	}
	columns := newUnion(set)
	for i, schema := range schemas {
		columns.next()
		for _, field := range schema {
			if field.Type.Kind == types.Unknown {
				continue // of a kind that cannot be read
			}
			if err := columns.add(field, looked[i].shown); err != nil {
				return err
			}
		}
	}
	set.Strict = !chosen.unionByName
	return nil
}

// wider gives the type that both types' values can be read as.
func wider(a, b types.Type) (types.Type, bool) {
	switch {
	case a.Equal(b):
		return a, true
	case a.IsInteger() && b.IsInteger():
		return types.Of(max(a.Kind, b.Kind)), true
	case (a.IsInteger() || a.Kind == types.Decimal) && (b.IsInteger() || b.Kind == types.Decimal):
		return widerDecimal(a, b)
	case (a.IsInteger() || a.Kind == types.Float32 || a.Kind == types.Float64) && (b.IsInteger() || b.Kind == types.Float32 || b.Kind == types.Float64):
		return types.Of(types.Float64), true
	case a.Kind == types.Date && b.Kind == types.Timestamp, a.Kind == types.Timestamp && b.Kind == types.Date:
		return types.Of(types.Timestamp), true
	case a.Kind == types.Text && b.Kind == types.Text:
		return types.Of(types.Text), true
	}
	return a, false
}

// widerDecimal gives the decimal type that holds all values of two types, of which one may be an integer.
func widerDecimal(a, b types.Type) (types.Type, bool) {
	whole, scale := 0, max(int(a.Scale), int(b.Scale))
	for _, t := range []types.Type{a, b} {
		digits := int(t.Precision)
		switch t.Kind {
		case types.Int16:
			digits = 5
		case types.Int32:
			digits = 10
		case types.Int64:
			digits = 19
		}
		whole = max(whole, digits-int(t.Scale))
	}
	return types.DecimalOf(min(whole+scale, types.MaxDecimalPrecision), scale), whole+scale <= types.MaxDecimalPrecision
}

// footerSchemas reads footers, several at once.
func (c *Connector) footerSchemas(ctx context.Context, format string, files []found) ([]types.Schema, error) {
	out := make([]types.Schema, len(files))
	err := inParallel(ctx, len(files), func(ctx context.Context, i int) error {
		f, err := c.options.Opener.footer(ctx, format, files[i].store, files[i].object)
		if err == nil {
			out[i] = f.schema
		}
		return err
	})
	return out, err
}

// guarded makes a panic, which would end the process in a goroutine of its own, the query's error.
func guarded(ctx context.Context, i int, work func(ctx context.Context, i int) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = sqlerr.Internal("reading the beginning of a file: %v", p).WithDetail("%s", debug.Stack())
		}
	}()
	return work(ctx, i)
}

// inParallel calls work(0) … work(n-1), eight at a time, and gives the error of the lowest number.
func inParallel(ctx context.Context, n int, work func(ctx context.Context, i int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(n, 8) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := range next {
				errs[i] = guarded(ctx, i, work)
			}
		}()
	}
	for i := range n {
		if errs[i] = ctx.Err(); errs[i] != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
