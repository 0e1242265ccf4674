package ast

import (
	"fmt"
	"strings"
)

// definition prints DDL; false when s is something else.
func (p *printer) definition(s Statement) bool {
	switch s := s.(type) {
	case *CreateSchema:
		p.text("CREATE SCHEMA ")
		p.flag(s.IfNotExists, "IF NOT EXISTS ")
		p.name(s.Name.Parts)
		p.optional(" AUTHORIZATION ", s.Owner, QuoteName)
		p.optional(" COMMENT ", s.Comment, QuoteString)
		p.optional(" LOCATION ", s.Location, QuoteString)
		p.withProperties(" WITH ", s.Properties)
	case *CreateTable:
		p.createTable(s)
	case *CreateView:
		p.createView(s)
	case *RefreshView:
		p.text("REFRESH MATERIALIZED VIEW ")
		p.name(s.Name.Parts)
		p.flag(s.WithNoData, " WITH NO DATA")
	case *CreateIndex:
		p.createIndex(s)
	case *CreateResourceGroup:
		p.text(map[bool]string{false: "CREATE", true: "ALTER"}[s.Alter], " RESOURCE GROUP ")
		p.flag(s.IfNotExists, "IF NOT EXISTS ")
		p.text(QuoteName(s.Name))
		p.withProperties(" WITH ", s.Properties)
	case *Drop:
		p.text("DROP ", s.Kind.String(), " ")
		p.flag(s.IfExists, "IF EXISTS ")
		p.nameList(s.Names)
		p.flag(s.Cascade, " CASCADE")
		p.flag(s.Purge, " PURGE")
	case *AlterTable:
		p.text("ALTER ", s.Kind.String(), " ")
		p.flag(s.IfExists, "IF EXISTS ")
		p.name(s.Name.Parts)
		p.list(len(s.Actions), func(i int) {
			p.flag(i == 0, " ")
			p.alterAction(s.Actions[i])
		})
	case *CommentOn:
		p.text("COMMENT ON ", s.Kind.String(), " ")
		p.name(s.Name.Parts)
		if s.Drop {
			p.text(" IS NULL")
		} else {
			p.text(" IS ", QuoteString(s.Text))
		}
	case *Grant:
		p.grant(s)
	case *CreateUser:
		p.createUser(s)
	case *DropUser:
		p.text("DROP USER ")
		p.flag(s.IfExists, "IF EXISTS ")
		p.names(s.Names)
	default:
		return false
	}
	return true
}

// String gives the words of a kind of object.
func (k ObjectKind) String() string {
	return [...]string{"TABLE", "VIEW", "MATERIALIZED VIEW", "SCHEMA", "COLUMN", "DATABASE", "INDEX", "SEQUENCE",
		"FUNCTION", "TYPE", "FOREIGN TABLE", "ROLE", "RESOURCE GROUP", "EXTENSION"}[k]
}

func (p *printer) optional(keyword, text string, quote func(string) string) {
	if text != "" {
		p.text(keyword, quote(text))
	}
}

func (p *printer) createTable(s *CreateTable) {
	p.text("CREATE ")
	p.flag(s.OrReplace, "OR REPLACE ")
	p.flag(s.External, "EXTERNAL ")
	p.flag(s.Temp, "TEMP ")
	p.text("TABLE ")
	p.flag(s.IfNotExists, "IF NOT EXISTS ")
	p.name(s.Name.Parts)
	p.tableElements(s)
	p.optional(" COMMENT ", s.Comment, QuoteString)
	p.partitionedBy(s.Partitions)
	if len(s.ClusteredBy) > 0 {
		p.text(" CLUSTERED BY (")
		p.identifiers(s.ClusteredBy)
		p.text(")")
	}
	if len(s.SortedBy) > 0 {
		p.text(" SORTED BY (")
		p.sortItems(s.SortedBy)
		p.text(")")
	}
	if s.Buckets != nil {
		p.text(" INTO ")
		p.expr(s.Buckets)
		p.text(" BUCKETS")
	}
	p.rowFormat(s.RowFormat)
	p.optional(" STORED AS ", s.StoredAs, QuoteName)
	p.optional(" LOCATION ", s.Location, QuoteString)
	p.withProperties(" WITH ", s.Properties)
	p.optional(" ON COMMIT ", s.OnCommit, strings.ToUpper)
	p.optional(" FROM ", s.FromPath, QuoteString)
	if s.Query != nil {
		p.text(" AS ")
		p.query(s.Query)
	}
	if s.Execute != nil {
		p.text(" AS ")
		p.statement(s.Execute)
	}
	p.flag(s.WithNoData, " WITH NO DATA")
}

func (p *printer) tableElements(s *CreateTable) {
	var parts []func()
	like := 0
	addLikes := func(at int) {
		for ; like < len(s.Likes) && s.Likes[like].At <= at; like++ {
			clause := s.Likes[like]
			parts = append(parts, func() { p.likeClause(clause) })
		}
	}
	for i := range s.Columns {
		addLikes(i)
		parts = append(parts, func() { p.columnDef(s.Columns[i]) })
	}
	addLikes(len(s.Columns))
	for i := range s.Constraints {
		parts = append(parts, func() { p.constraint(s.Constraints[i], true) })
	}
	if len(parts) == 0 {
		if s.Query == nil && s.Execute == nil && s.FromPath == "" && s.Location == "" {
			p.text(" ()")
		}
		return
	}
	p.text(" (")
	p.list(len(parts), func(i int) { parts[i]() })
	p.text(")")
}

func (p *printer) likeClause(like LikeClause) {
	p.text("LIKE ")
	if like.Path != "" {
		p.text(QuoteName(like.FileFormat), " ", QuoteString(like.Path))
	} else {
		p.name(like.Table.Parts)
	}
	for _, word := range like.Including {
		p.text(" INCLUDING ", strings.ToUpper(word))
	}
}

func (p *printer) columnDef(c ColumnDef) {
	p.text(QuoteName(c.Name))
	if c.Type != nil {
		p.text(" ")
		p.typeName(c.Type)
	}
	if c.Collation != nil {
		p.text(" COLLATE ")
		p.name(c.Collation.Parts)
	}
	p.flag(c.NotNull, " NOT NULL")
	if c.Default != nil {
		p.text(" DEFAULT ")
		p.operand(c.Default)
	}
	for _, constraint := range c.Constraints {
		p.text(" ")
		p.constraint(constraint, false)
	}
	p.optional(" COMMENT ", c.Comment, QuoteString)
	p.withProperties(" WITH ", c.Properties)
}

func (p *printer) constraint(c Constraint, ofTable bool) {
	p.optional("CONSTRAINT ", c.Name, func(name string) string { return QuoteName(name) + " " })
	columns := func() {
		if ofTable {
			p.text(" (")
			p.identifiers(c.Columns)
			p.text(")")
		}
	}
	switch c.Kind {
	case ConstraintPrimaryKey:
		p.text("PRIMARY KEY")
		columns()
	case ConstraintUnique:
		p.text("UNIQUE")
		columns()
	case ConstraintCheck:
		p.text("CHECK (")
		p.expr(c.Check)
		p.text(")")
	case ConstraintForeignKey:
		if ofTable {
			p.text("FOREIGN KEY")
			columns()
			p.text(" ")
		}
		p.text("REFERENCES ")
		p.name(c.References.Parts)
		if len(c.RefColumns) > 0 {
			p.text(" (")
			p.identifiers(c.RefColumns)
			p.text(")")
		}
	case ConstraintGenerated:
		p.text("GENERATED ALWAYS AS ")
		if c.Check == nil {
			p.text("IDENTITY")
			return
		}
		p.text("(")
		p.expr(c.Check)
		p.text(") STORED")
	}
}

func (p *printer) partitionedBy(list []PartitionColumn) {
	if len(list) == 0 {
		return
	}
	p.text(" PARTITIONED BY (")
	p.list(len(list), func(i int) {
		column := list[i]
		if column.Transform != nil {
			p.expr(column.Transform)
			return
		}
		p.text(QuoteName(column.Name))
		if column.Type != nil {
			p.text(" ")
			p.typeName(column.Type)
		}
		p.optional(" COMMENT ", column.Comment, QuoteString)
	})
	p.text(")")
}

func (p *printer) rowFormat(list []Property) {
	words := map[string]string{"fields_terminated_by": "FIELDS TERMINATED BY", "escaped_by": "ESCAPED BY",
		"lines_terminated_by": "LINES TERMINATED BY", "collection_items_terminated_by": "COLLECTION ITEMS TERMINATED BY",
		"map_keys_terminated_by": "MAP KEYS TERMINATED BY", "null_defined_as": "NULL DEFINED AS"}
	for i, property := range list {
		if word := words[property.Name]; word != "" {
			p.flag(i == 0, " ROW FORMAT DELIMITED")
			p.text(" ", word, " ")
			p.expr(property.Value)
			continue
		}
		if property.Name == "serde" && i == 0 {
			p.text(" ROW FORMAT SERDE ")
			p.expr(property.Value)
			continue
		}
		p.withProperties(" WITH SERDEPROPERTIES ", list[i:])
		return
	}
}

func (p *printer) createView(s *CreateView) {
	p.text("CREATE ")
	p.flag(s.OrReplace, "OR REPLACE ")
	p.flag(s.Temp, "TEMP ")
	p.flag(s.Recursive, "RECURSIVE ")
	p.flag(s.Materialized, "MATERIALIZED ")
	p.text("VIEW ")
	p.flag(s.IfNotExists, "IF NOT EXISTS ")
	p.name(s.Name.Parts)
	if len(s.Columns) > 0 {
		p.text(" (")
		p.list(len(s.Columns), func(i int) { p.columnDef(s.Columns[i]) })
		p.text(")")
	}
	p.optional(" COMMENT ", s.Comment, QuoteString)
	p.flag(s.SecurityInvoker, " SECURITY INVOKER")
	p.withProperties(" WITH ", s.Properties)
	p.text(" AS ")
	p.query(s.Query)
	p.flag(s.WithNoData, " WITH NO DATA")
	p.optional(" WITH ", s.CheckOption, func(option string) string { return strings.ToUpper(option) + " CHECK OPTION" })
}

func (p *printer) createIndex(s *CreateIndex) {
	p.text("CREATE ")
	p.flag(s.Unique, "UNIQUE ")
	p.text("INDEX ")
	p.flag(s.IfNotExists, "IF NOT EXISTS ")
	p.optional("", s.Name, func(name string) string { return QuoteName(name) + " " })
	p.text("ON ")
	p.name(s.Table.Parts)
	p.optional(" USING ", s.Method, QuoteName)
	p.text(" (")
	p.sortItems(s.Columns)
	p.text(")")
	p.where(s.Where)
}

func (p *printer) grant(s *Grant) {
	p.text(map[bool]string{false: "GRANT ", true: "REVOKE "}[s.Revoke])
	p.flag(s.Revoke && s.GrantOption, "GRANT OPTION FOR ")
	p.list(len(s.Privileges), func(i int) {
		if s.Roles {
			p.text(QuoteName(s.Privileges[i]))
		} else {
			p.text(optionName(s.Privileges[i]))
		}
	})
	if !s.Roles {
		p.text(" ON ")
		if s.AllIn {
			p.text("ALL TABLES IN SCHEMA ")
		} else {
			p.text(s.Kind.String(), " ")
		}
		p.nameList(s.Names)
	}
	p.text(map[bool]string{false: " TO ", true: " FROM "}[s.Revoke])
	p.names(s.Grantees)
	p.flag(!s.Revoke && s.GrantOption, " WITH GRANT OPTION")
	p.flag(s.Cascade, " CASCADE")
}

func (p *printer) createUser(s *CreateUser) {
	p.text(map[bool]string{false: "CREATE ", true: "ALTER "}[s.Alter], map[bool]string{false: "USER ", true: "ROLE "}[s.Role])
	p.flag(s.IfNotExists, "IF NOT EXISTS ")
	p.text(QuoteName(s.Name))
	if s.Setting != nil {
		p.text(" ")
		p.statement(s.Setting)
	}
	for _, option := range s.Options {
		p.userOption(option)
	}
}

func (p *printer) userOption(option Property) {
	words := strings.ToUpper(strings.ReplaceAll(option.Name, "_", " "))
	switch value := option.Value.(type) {
	case nil:
		p.text(" PASSWORD NULL")
	case *ArrayLiteral:
		p.text(" ", words, " ")
		p.list(len(value.Elems), func(i int) { p.text(QuoteName(value.Elems[i].(*Literal).Text)) })
	case *Literal:
		if value.Kind == LitBool {
			p.text(" ", map[string]string{"true": "", "false": "NO"}[value.Text], words)
			return
		}
		p.text(" ", words, " ")
		p.literal(value)
	default:
		panic(fmt.Sprintf("ast: Format of %T as a user option", value))
	}
}
