package statement

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// fillCreate is SHOW CREATE TABLE and SHOW CREATE VIEW.
func (r *run) fillCreate(ctx context.Context, st *ast.Show, l *listing) error {
	t, full, err := r.existing(ctx, "relation", *st.Target)
	if err != nil {
		return err
	}
	isView := t.Kind == connectors.View
	switch {
	case isView && st.Kind == ast.ShowCreateTable:
		return r.fail(st.Target.Pos, sqlerr.WrongObjectType, "%q is not a table", t.Name).WithHint("Use SHOW CREATE VIEW.")
	case !isView && st.Kind == ast.ShowCreateView:
		return r.fail(st.Target.Pos, sqlerr.WrongObjectType, "%q is not a view", t.Name).WithHint("Use SHOW CREATE TABLE.")
	case isView:
		l.addTexts(r.createViewText(full, t))
	default:
		l.addTexts(r.createTableText(full, t))
	}
	return nil
}

func (r *run) fillCreateSchema(st *ast.Show, l *listing) error {
	name, err := r.schemaName(*st.Target)
	if err != nil {
		return err
	}
	s := r.tx.Schema(name)
	if s == nil {
		return r.missingSchema(name, st.Target.Pos)
	}
	text := "CREATE SCHEMA " + ast.QuoteName(s.Name)
	if s.Comment != "" {
		text += "\nCOMMENT " + ast.QuoteString(s.Comment)
	}
	if s.Location != "" {
		text += "\nLOCATION " + ast.QuoteString(s.Location)
	}
	l.addTexts(text + propertiesText(s.Properties))
	return nil
}

// createTableText writes the statement that makes a table as it is.
func (r *run) createTableText(name catalog.Name, t *catalog.Table) string {
	var b strings.Builder
	b.WriteString("CREATE ")
	qualified := ast.QuoteName(name.Schema) + "." + ast.QuoteName(name.Name)
	switch t.Kind {
	case connectors.External:
		b.WriteString("EXTERNAL ")
	case connectors.Temporary:
		b.WriteString("TEMP ")
		qualified = ast.QuoteName(name.Name)
	}
	b.WriteString("TABLE " + qualified + " (")
	for i, c := range t.Columns {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n  " + ast.QuoteName(c.Name) + " " + c.Type.String())
		if c.NotNull {
			b.WriteString(" NOT NULL")
		}
		if c.Default != "" {
			b.WriteString(" DEFAULT " + c.Default)
		}
		if c.Comment != "" {
			b.WriteString(" COMMENT " + ast.QuoteString(c.Comment))
		}
	}
	b.WriteString("\n)")
	if t.Comment != "" {
		b.WriteString("\nCOMMENT " + ast.QuoteString(t.Comment))
	}
	if len(t.Partition) > 0 {
		b.WriteString("\nPARTITIONED BY (" + quotedNames(columnNames(t, t.Partition)) + ")")
	}
	if len(t.SortedBy) > 0 {
		b.WriteString("\nSORTED BY (" + quotedNames(columnNames(t, t.SortedBy)) + ")")
	}
	b.WriteString("\nSTORED AS " + strings.ToUpper(t.Format))
	if t.Kind == connectors.External {
		b.WriteString("\nLOCATION " + ast.QuoteString(t.Location))
	}
	b.WriteString(propertiesText(t.Properties))
	return b.String()
}

func quotedNames(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = ast.QuoteName(name)
	}
	return strings.Join(quoted, ", ")
}

func propertiesText(properties map[string]string) string {
	if len(properties) == 0 {
		return ""
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		parts = append(parts, ast.QuoteName(name)+" = "+ast.QuoteString(properties[name]))
	}
	return "\nWITH (" + strings.Join(parts, ", ") + ")"
}

// createViewText writes the statement that makes a view as it is.
func (r *run) createViewText(name catalog.Name, t *catalog.Table) string {
	text := "CREATE VIEW " + ast.QuoteName(name.Schema) + "." + ast.QuoteName(name.Name)
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	text += " (" + quotedNames(names) + ")"
	if t.Comment != "" {
		text += "\nCOMMENT " + ast.QuoteString(t.Comment)
	}
	return text + " AS\n" + t.ViewSQL
}
