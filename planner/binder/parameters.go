package binder

import (
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// maxParameters is the wire protocol's limit.
const maxParameters = 65535

// parameters collects the types of $1, $2, …: the client's, else that of the first context that
// needs one.
type parameters struct {
	types []types.Type
	used  []bool
}

func newParameters(given []types.Type) *parameters {
	return &parameters{types: append([]types.Type(nil), given...), used: make([]bool, len(given))}
}

// typeOf gives the type known so far of parameter n, Unknown for none.
func (p *parameters) typeOf(n int) types.Type {
	for len(p.types) < n {
		p.types = append(p.types, types.Of(types.Unknown))
		p.used = append(p.used, false)
	}
	p.used[n-1] = true
	return p.types[n-1]
}

// infer fixes the type of parameter n and gives it: without modifiers, so that no value is cut.
func (p *parameters) infer(n int, t types.Type) types.Type {
	switch t.Kind {
	case types.Text, types.Char:
		t = types.Of(types.Text)
	case types.Decimal:
		t = unboundedDecimal
	case types.Time, types.Timestamp, types.TimestampTZ:
		t = types.Of(t.Kind)
	}
	p.types[n-1] = t
	return t
}

// finish gives all types. Parameters that no context gave a type are text; one that the statement
// does not use at all has none.
func (p *parameters) finish() ([]types.Type, error) {
	for i, t := range p.types {
		if t.Kind != types.Unknown {
			continue
		}
		if !p.used[i] {
			return nil, sqlerr.New(sqlerr.IndeterminateDatatype, "could not determine data type of parameter $%d", i+1)
		}
		p.types[i] = types.Of(types.Text)
	}
	return p.types, nil
}
