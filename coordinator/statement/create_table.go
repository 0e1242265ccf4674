package statement

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// createTable is CREATE TABLE without a query.
func (r *run) createTable(ctx context.Context, st *ast.CreateTable) error {
	if st.Execute != nil {
		return r.fail(st.Execute.Pos, sqlerr.FeatureNotSupported, "CREATE TABLE ... AS EXECUTE is not supported").
			WithHint("Write the prepared query out after AS.")
	}
	create, skip, err := r.tableHead(st)
	if err != nil || skip {
		return err
	}
	switch {
	case st.FromPath != "":
		return r.createTableFrom(ctx, st, create)
	default:
		if err := r.tableColumns(ctx, st, create); err != nil {
			return err
		}
	}
	if err := r.tableLayout(st, create); err != nil {
		return err
	}
	_, err = r.makeTable(ctx, st, create)
	return err
}

// tableHead reads what all forms of CREATE TABLE share but columns and layout. skip tells that the
// table exists and IF NOT EXISTS was written.
func (r *run) tableHead(st *ast.CreateTable) (create *catalog.CreateTable, skip bool, err error) {
	name := st.Name
	temporary := st.Temp || len(name.Parts) > 1 && name.Parts[len(name.Parts)-2] == catalog.TempSchema
	full, err := r.target(name, temporary)
	if err != nil {
		return nil, false, err
	}
	if st.IfNotExists && r.tx.Definition(full.Schema, full.Name) != nil {
		r.skipped(full.Name)
		return nil, true, nil
	}
	create = &catalog.CreateTable{Name: full, Kind: connectors.BaseTable, Comment: st.Comment, Format: st.StoredAs,
		Location: st.Location, IfNotExists: st.IfNotExists, OrReplace: st.OrReplace}
	switch {
	case temporary && st.External:
		return nil, false, r.fail(name.Pos, sqlerr.InvalidTableDefinition, "an external table cannot be temporary")
	case temporary:
		create.Kind = connectors.Temporary
	case st.External:
		create.Kind = connectors.External
	}
	if st.OnCommit != "" && !temporary {
		return nil, false, r.fail(name.Pos, sqlerr.InvalidTableDefinition, "ON COMMIT can only be used on temporary tables")
	}
	create.Properties, err = r.properties(st.RowFormat, st.Properties)
	return create, false, err
}

func (r *run) skipped(name string) {
	r.notice(sqlerr.DuplicateTable, fmt.Sprintf("relation %q already exists, skipping", name), "")
}

// tableColumns reads the columns that are written out, with those of LIKE between them.
func (r *run) tableColumns(ctx context.Context, st *ast.CreateTable, create *catalog.CreateTable) error {
	likes := st.Likes
	for i := 0; ; i++ {
		for len(likes) > 0 && likes[0].At <= i {
			if err := r.columnsLike(ctx, st, &likes[0], create); err != nil {
				return err
			}
			likes = likes[1:]
		}
		if i == len(st.Columns) {
			break
		}
		c, err := r.column(ctx, &st.Columns[i])
		if err != nil {
			return err
		}
		create.Columns = append(create.Columns, c)
	}
	for i := range st.Constraints {
		if err := r.tableConstraint(&st.Constraints[i], create); err != nil {
			return err
		}
	}
	if len(create.Columns)+len(st.Partitions) == 0 {
		if st.Location != "" || create.Properties["external_location"] != "" || create.Properties["location"] != "" {
			return r.fail(st.Name.Pos, sqlerr.InvalidTableDefinition, "table %q has no columns", create.Name.Name).
				WithHint("CREATE TABLE %s FROM 'path' infers the columns from the files.", ast.Format(st.Name))
		}
		return r.fail(st.Name.Pos, sqlerr.FeatureNotSupported, "tables without columns are not supported")
	}
	return nil
}

// tableConstraint takes note of a table's key.
func (r *run) tableConstraint(c *ast.Constraint, create *catalog.CreateTable) error {
	for _, key := range c.Columns {
		at := slices.IndexFunc(create.Columns, func(c catalog.Column) bool { return c.Name == key.Name })
		if at < 0 {
			return r.fail(key.Pos, sqlerr.UndefinedColumn, "column %q named in key does not exist", key.Name)
		}
		if c.Kind == ast.ConstraintPrimaryKey {
			create.Columns[at].NotNull = true
		}
	}
	return r.constraint(c)
}

// columnsLike adds the columns of another table, or of a file. A LIKE that stands alone, and one
// with INCLUDING ALL, PROPERTIES or STORAGE, takes the layout over too.
func (r *run) columnsLike(ctx context.Context, st *ast.CreateTable, like *ast.LikeClause, create *catalog.CreateTable) error {
	if like.Path != "" {
		return r.columnsOfFiles(ctx, like.Pos, like.Path, like.FileFormat, create)
	}
	including := func(words ...string) bool {
		return slices.ContainsFunc(like.Including, func(w string) bool { return w == "all" || slices.Contains(words, w) })
	}
	known, _, err := r.find(like.Table)
	if err != nil {
		return err
	}
	if known == nil { // not in the catalog, but there may be columns
		t, err := r.relation(ctx, like.Table)
		if err != nil {
			return err
		}
		for _, c := range t.Columns {
			create.Columns = append(create.Columns, catalog.Column{Name: c.Name, Type: storedType(c.Type), NotNull: c.NotNull})
		}
		return nil
	}
	for _, c := range known.Columns {
		made := catalog.Column{Name: c.Name, Type: c.Type, NotNull: c.NotNull}
		if including("defaults") {
			made.Default = c.Default
		}
		if including("comments") {
			made.Comment = c.Comment
		}
		create.Columns = append(create.Columns, made)
	}
	if known.Kind == connectors.View {
		return nil
	}
	alone := len(st.Columns) == 0 && len(st.Likes) == 1
	if alone || including("properties", "storage") {
		r.layoutLike(st, known, create)
	}
	if including("comments") && create.Comment == "" {
		create.Comment = known.Comment
	}
	return nil
}

// layoutLike takes over the layout of another table as far as the statement leaves it open.
func (r *run) layoutLike(st *ast.CreateTable, known *catalog.Table, create *catalog.CreateTable) {
	if len(st.Partitions) == 0 && create.Properties["partitioned_by"] == "" {
		create.Partition = columnNames(known, known.Partition)
	}
	if len(st.SortedBy) == 0 && create.Properties["sorted_by"] == "" {
		create.SortedBy = columnNames(known, known.SortedBy)
	}
	if create.Format == "" && create.Properties["format"] == "" {
		create.Format = known.Format
	}
	for name, value := range known.Properties {
		if _, given := create.Properties[name]; !given {
			create.Properties[name] = value
		}
	}
}

// columnNames gives the names of columns by ID.
func columnNames(t *catalog.Table, ids []int32) []string {
	var out []string
	for _, id := range ids {
		for _, c := range t.Columns {
			if c.ID == id {
				out = append(out, c.Name)
			}
		}
	}
	return out
}

// tableLayout reads PARTITIONED BY, SORTED BY and how Hive describes text files.
func (r *run) tableLayout(st *ast.CreateTable, create *catalog.CreateTable) error {
	if err := r.partitionColumns(st, create); err != nil {
		return err
	}
	if len(st.ClusteredBy) > 0 || st.Buckets != nil {
		r.warn(sqlerr.Warning, "buckets are ignored", "sorted_by orders rows within files.")
	}
	for _, item := range st.SortedBy {
		ref, ok := item.Expr.(*ast.ColumnRef)
		if !ok || len(ref.Parts) != 1 {
			return r.fail(item.Pos, sqlerr.FeatureNotSupported, "SORTED BY takes names of columns")
		}
		if item.Desc {
			return r.fail(item.Pos, sqlerr.FeatureNotSupported, "descending sort orders are not supported")
		}
		create.SortedBy = append(create.SortedBy, ref.Parts[0])
	}
	if location := create.Properties["external_location"]; location != "" && create.Kind == connectors.BaseTable {
		create.Kind, create.Location = connectors.External, location
		delete(create.Properties, "external_location")
	}
	if location := create.Properties["location"]; location != "" && create.Location == "" {
		create.Location = location
		delete(create.Properties, "location")
	}
	if create.Kind == connectors.External && create.Location == "" {
		return r.fail(st.Name.Pos, sqlerr.InvalidTableDefinition, "external table %q has no LOCATION", create.Name.Name)
	}
	if err := r.mayUse(create.Location); err != nil {
		return err
	}
	return r.hiveText(st, create)
}

// mayUse refuses a location where nothing may be read or written, before anything is made of it; "" is
// none.
func (r *run) mayUse(location string) error {
	if location == "" || r.config.Stores == nil {
		return nil
	}
	_, _, err := r.config.Stores.Locate(location)
	return err
}

func (r *run) partitionColumns(st *ast.CreateTable, create *catalog.CreateTable) error {
	for _, p := range st.Partitions {
		switch {
		case p.Transform != nil:
			return r.fail(p.Pos, sqlerr.FeatureNotSupported, "partition transforms are not supported").
				WithHint("Partition by a column that holds the transformed value.")
		case p.Type != nil:
			t, err := r.columnType(p.Name, p.Type)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(create.Columns, func(c catalog.Column) bool { return c.Name == p.Name }) {
				return r.fail(p.Pos, sqlerr.DuplicateColumn, "column %q specified more than once", p.Name)
			}
			create.Columns = append(create.Columns, catalog.Column{Name: p.Name, Type: t, Comment: p.Comment})
		case !slices.ContainsFunc(create.Columns, func(c catalog.Column) bool { return c.Name == p.Name }):
			e := r.fail(p.Pos, sqlerr.UndefinedColumn, "column %q named in partition key does not exist", p.Name)
			var known []string
			for _, c := range create.Columns {
				known = append(known, c.Name)
			}
			if near := sqlerr.Nearest(p.Name, known); near != "" {
				return e.WithHint("Perhaps you meant %q.", near)
			}
			return e.WithHint("Give the column a type to add it: PARTITIONED BY (%s date).", ast.QuoteName(p.Name))
		}
		create.Partition = append(create.Partition, p.Name)
	}
	return nil
}

// hiveText brings Hive's description of text files to the properties of CSV tables.
func (r *run) hiveText(st *ast.CreateTable, create *catalog.CreateTable) error {
	p := create.Properties
	if serde, ok := p["serde"]; ok {
		switch {
		case strings.HasSuffix(serde, ".OpenCSVSerde"):
			create.Format = "csv"
			for hive, own := range map[string]string{"separatorchar": "delimiter", "quotechar": "quote", "escapechar": "escape"} {
				if v, ok := p[hive]; ok {
					p[own] = v
					delete(p, hive)
				}
			}
		case strings.HasSuffix(serde, ".LazySimpleSerDe"):
			create.Format = "textfile"
		case strings.HasSuffix(serde, ".ParquetHiveSerDe"):
			create.Format = "parquet"
		case strings.HasSuffix(serde, ".OrcSerde"):
			create.Format = "orc"
		case strings.HasSuffix(serde, ".JsonSerDe"), strings.HasSuffix(serde, ".JsonSerde"):
			create.Format = "json"
		default:
			return r.fail(st.Name.Pos, sqlerr.FeatureNotSupported, "SerDe %q is not supported", serde)
		}
		delete(p, "serde")
	}
	if lines, ok := p["lines_terminated_by"]; ok && hiveCharacter(lines) != "\n" {
		return r.fail(st.Name.Pos, sqlerr.FeatureNotSupported, "LINES TERMINATED BY must be '\\n'")
	}
	for _, name := range []string{"lines_terminated_by", "collection_items_terminated_by", "map_keys_terminated_by"} {
		delete(p, name)
	}
	text := create.Format == "textfile" || create.Format == "" && p["fields_terminated_by"] != ""
	if !text {
		return nil
	}
	create.Format = "csv"
	defaults := map[string]string{"fields_terminated_by": "\x01", "null_defined_as": `\N`, "quote": "", "escaped_by": ""}
	aliases := map[string]string{"fields_terminated_by": "delimiter", "null_defined_as": "null_string", "escaped_by": "escape"}
	for name, value := range defaults {
		_, given := p[name]
		if _, renamed := p[aliases[name]]; !given && !renamed {
			p[name] = value
		}
	}
	for _, name := range []string{"fields_terminated_by", "escaped_by"} {
		if v, ok := p[name]; ok {
			p[name] = hiveCharacter(v)
		}
	}
	return nil
}

// hiveCharacter reads a delimiter as Hive writes it: itself, \t, \n, \001 or \u0001.
func hiveCharacter(text string) string {
	switch text {
	case `\t`:
		return "\t"
	case `\n`:
		return "\n"
	case `\\`:
		return `\`
	}
	var code int
	if len(text) == 4 && text[0] == '\\' {
		if n, err := fmt.Sscanf(text[1:], "%o", &code); n == 1 && err == nil && code < 128 {
			return string(rune(code))
		}
	}
	if len(text) == 6 && strings.HasPrefix(text, `\u`) {
		if n, err := fmt.Sscanf(text[2:], "%x", &code); n == 1 && err == nil && code < 128 {
			return string(rune(code))
		}
	}
	return text
}

// makeTable stages the table, and for an external one the files that lie at its location.
func (r *run) makeTable(ctx context.Context, st *ast.CreateTable, create *catalog.CreateTable) (*catalog.Table, error) {
	t, err := r.tx.CreateTable(ctx, *create)
	if err != nil {
		return nil, r.locateProperty(r.locateName(err, st.Name), st.RowFormat, st.Properties)
	}
	if t == nil { // created meanwhile
		r.skipped(create.Name.Name)
		return nil, nil
	}
	if t.Kind == connectors.External {
		if err := r.listFiles(ctx, t); err != nil {
			return nil, err
		}
	}
	switch st.OnCommit {
	case "drop":
		r.dropAtCommit(t.ID)
	case "delete rows":
		r.tx.EmptyAtCommit(t.ID)
	}
	return t, nil
}

// locateName points errors about the object's name or schema at it.
func (r *run) locateName(err error, name ast.Name) error {
	switch sqlerr.CodeOf(err) {
	case sqlerr.DuplicateTable, sqlerr.InvalidSchemaName:
		return r.locate(err, name.Pos)
	}
	return err
}
