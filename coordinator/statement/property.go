package statement

import (
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// properties reads WITH (…), TBLPROPERTIES (…) and the like as texts; later ones win.
func (r *run) properties(lists ...[]ast.Property) (map[string]string, error) {
	out := map[string]string{}
	for _, list := range lists {
		for _, p := range list {
			text, err := r.propertyText(p)
			if err != nil {
				return nil, err
			}
			out[p.Name] = text
		}
	}
	return out, nil
}

// propertyText reads a property's value: a constant, a word or a list of them; none is "true".
func (r *run) propertyText(p ast.Property) (string, error) {
	if p.Value == nil {
		return "true", nil
	}
	if text, ok := constantText(p.Value); ok {
		return text, nil
	}
	var items []ast.Expr
	switch v := p.Value.(type) {
	case *ast.ArrayLiteral:
		items = v.Elems
	case *ast.RowLiteral:
		items = v.Fields
	default:
		return "", r.fail(p.Pos, sqlerr.InvalidParameterValue, "value of %q must be a constant", p.Name)
	}
	texts := make([]string, len(items))
	for i, item := range items {
		text, ok := constantText(item)
		if !ok {
			return "", r.fail(p.Pos, sqlerr.InvalidParameterValue, "value of %q must be a list of constants", p.Name)
		}
		texts[i] = text
	}
	return strings.Join(texts, ","), nil
}

func constantText(e ast.Expr) (string, bool) {
	switch v := e.(type) {
	case *ast.Literal:
		return v.Text, v.Kind != ast.LitNull
	case *ast.TypedLiteral:
		return v.Text, true
	case *ast.IntervalLiteral:
		return v.Text, true
	case *ast.ColumnRef: // a bare word
		return strings.Join(v.Parts, "."), true
	case *ast.Unary:
		text, ok := constantText(v.X)
		return v.Op.Name + text, ok && (v.Op.Name == "-" || v.Op.Name == "+")
	}
	return "", false
}

// locateProperty puts an error about a property at the place where it was written.
func (r *run) locateProperty(err error, lists ...[]ast.Property) error {
	if err == nil || sqlerr.CodeOf(err) != sqlerr.InvalidParameterValue {
		return err
	}
	message := sqlerr.From(err).Message
	for _, list := range lists {
		for _, p := range list {
			if strings.Contains(message, `"`+p.Name+`"`) {
				return r.locate(err, p.Pos)
			}
		}
	}
	return err
}

// boolean reads an option that is on when it has no value.
func (r *run) boolean(p ast.Property) (bool, error) {
	text, err := r.propertyText(p)
	if err != nil {
		return false, err
	}
	on, err := types.ParseBool([]byte(text))
	if err != nil {
		return false, r.fail(p.Pos, sqlerr.SyntaxError, "%s requires a Boolean value", p.Name)
	}
	return on, nil
}
