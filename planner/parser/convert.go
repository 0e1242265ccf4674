package parser

import (
	"math/big"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// converter turns the grammar's tree into ours. It keeps the first error and goes on with nils;
// the caller looks at err when it is done.
type converter struct {
	*fragment
	err error
}

// unsupported records that a construct has no meaning here.
func (c *converter) unsupported(at ast.Pos, what string) {
	if c.err == nil {
		c.err = sqlerr.New(sqlerr.FeatureNotSupported, "%s is not supported", what).At(at.CharPosition(c.sql))
	}
}

func (c *converter) syntaxError(at ast.Pos, format string, args ...any) {
	if c.err == nil {
		c.err = sqlerr.New(sqlerr.SyntaxError, format, args...).At(at.CharPosition(c.sql))
	}
}

func stringOf(n *pg_query.Node) string { return n.GetString_().GetSval() }

func stringsOf(nodes []*pg_query.Node) []string {
	if len(nodes) == 0 {
		return nil
	}
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = stringOf(n)
	}
	return list
}

func (c *converter) exprs(nodes []*pg_query.Node) []ast.Expr {
	if len(nodes) == 0 {
		return nil
	}
	list := make([]ast.Expr, len(nodes))
	for i, n := range nodes {
		list[i] = c.expr(n)
	}
	return list
}

func (c *converter) constant(n *pg_query.A_Const) ast.Expr {
	literal := &ast.Literal{Pos: c.origin(n.Location)}
	switch v := n.Val.(type) {
	case *pg_query.A_Const_Ival:
		literal.Kind, literal.Text = ast.LitInteger, big.NewInt(int64(v.Ival.GetIval())).String()
	case *pg_query.A_Const_Fval:
		literal.Kind, literal.Text = numberLiteral(v.Fval.GetFval())
	case *pg_query.A_Const_Boolval:
		literal.Kind, literal.Text = ast.LitBool, "false"
		if v.Boolval.GetBoolval() {
			literal.Text = "true"
		}
	case *pg_query.A_Const_Sval:
		literal.Kind, literal.Text = ast.LitString, v.Sval.GetSval()
	case *pg_query.A_Const_Bsval:
		text := v.Bsval.GetBsval()
		literal.Kind = ast.LitBit
		if strings.HasPrefix(text, "x") {
			literal.Kind = ast.LitHexBit
		}
		literal.Text = text[min(1, len(text)):]
	default: // NULL
	}
	return literal
}

// numberLiteral normalises a number of any of PostgreSQL's forms.
func numberLiteral(text string) (ast.LiteralKind, string) {
	text = strings.ReplaceAll(text, "_", "")
	digits, sign := text, ""
	if strings.HasPrefix(digits, "-") {
		digits, sign = digits[1:], "-"
	}
	if len(digits) > 2 && digits[0] == '0' && strings.IndexByte("xXoObB", digits[1]) >= 0 {
		if v, ok := new(big.Int).SetString(digits, 0); ok {
			return ast.LitInteger, sign + v.String()
		}
	}
	if strings.ContainsAny(digits, ".eE") {
		return ast.LitDecimal, text
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		digits = "0"
	}
	return ast.LitInteger, sign + digits
}
