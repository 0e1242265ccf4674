package pgcatalog

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// Catalog makes the tables and answers the questions of catalog functions.
type Catalog struct {
	source    Source
	relations []relation
	builtin   map[string][][]string
	types     []builtinType
	typeByOID map[uint32]*builtinType
	typeNames map[string]*builtinType
	functions []function
	funcByOID map[uint32]*function
	questions map[string]func(q *question) (types.Datum, error)
}

// New describes the objects of source and the functions of registry.
func New(source Source, registry *fn.Registry) (*Catalog, error) {
	c := &Catalog{source: source}
	var err error
	if c.relations, err = readRelations(); err != nil {
		return nil, err
	}
	if c.builtin, err = readRows(); err != nil {
		return nil, err
	}
	if err := c.readTypes(); err != nil {
		return nil, err
	}
	c.questions = c.answers()
	return c, c.readFunctions(registry)
}

// read is one reading of a table.
type read struct {
	ctx         context.Context
	catalog     *Catalog
	objects     *Objects
	session     Session
	transaction string
	query       *connectors.VirtualQuery
	table       *relation
}

// wants tells whether a row with an oid in a column may be of use.
func (r *read) wants(column string, oid uint32) bool {
	at, ok := r.table.ordinals[column]
	return !ok || r.query.Wants(at, r.table.columns[at].Type, types.IntDatum(int64(oid)))
}

// reads tells whether a column's values will be looked at.
func (r *read) reads(column string) bool {
	at, ok := r.table.ordinals[column]
	return ok && r.query.Reads(at)
}

// emit takes the values of a producer's columns, in order; false means that no more are wanted.
type emit func(values ...types.Datum) bool

// producer makes the rows of one relation. columns names what emit is given; the other columns hold
// the values of defaults ("name=value …"), or NULL.
type producer struct {
	columns, defaults string
	rows              func(r *read, row emit) error
}

// Tables gives the tables by schema.
func (c *Catalog) Tables() (map[string][]connectors.VirtualTable, error) {
	producers := map[string]producer{}
	for _, list := range []map[string]producer{relationProducers(), typeProducers(), functionProducers(), roleProducers(), serverProducers(),
		informationProducers(), staticProducers()} {
		for name, p := range list {
			producers[name] = p
		}
	}
	out := map[string][]connectors.VirtualTable{}
	for i := range c.relations {
		r := &c.relations[i]
		name := r.schema + "." + r.name
		p, has := producers[name]
		delete(producers, name)
		rows, err := c.rows(r, p, has)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[r.schema] = append(out[r.schema], connectors.VirtualTable{Name: r.name, Columns: r.columns, Rows: rows})
	}
	for name := range producers {
		return nil, fmt.Errorf("no relation %s", name)
	}
	return out, nil
}

type rowSequence = func(context.Context, connectors.VirtualQuery) iter.Seq2[[]types.Datum, error]

func (c *Catalog) rows(r *relation, p producer, has bool) (rowSequence, error) {
	if !has {
		return func(context.Context, connectors.VirtualQuery) iter.Seq2[[]types.Datum, error] {
			return func(func([]types.Datum, error) bool) {}
		}, nil
	}
	template, err := r.template(p.defaults)
	if err != nil {
		return nil, err
	}
	var places []int
	for _, name := range strings.Fields(p.columns) {
		at, ok := r.ordinals[name]
		if !ok {
			return nil, fmt.Errorf("no column %s", name)
		}
		places = append(places, at)
	}
	return func(ctx context.Context, query connectors.VirtualQuery) iter.Seq2[[]types.Datum, error] {
		return func(yield func([]types.Datum, error) bool) {
			objects, err := c.objects(ctx, query.Transaction)
			if err != nil {
				yield(nil, err)
				return
			}
			reading := &read{ctx: ctx, catalog: c, objects: objects, session: c.source.Session(query.Transaction),
				transaction: query.Transaction, query: &query, table: r}
			stopped := false
			err = p.rows(reading, func(values ...types.Datum) bool {
				if stopped {
					return false
				}
				if len(values) != len(places) {
					err := sqlerr.Internal("%s.%s: %d values for %d columns", r.schema, r.name, len(values), len(places))
					stopped = true
					yield(nil, err)
					return false
				}
				row := make([]types.Datum, len(template))
				copy(row, template)
				for i, at := range places {
					row[at] = values[i]
				}
				stopped = !yield(row, nil)
				return !stopped
			})
			if err != nil && !stopped {
				yield(nil, err)
			}
		}
	}, nil
}

func (r *relation) template(defaults string) ([]types.Datum, error) {
	out := make([]types.Datum, len(r.columns))
	for i := range out {
		out[i] = types.NullDatum()
	}
	for _, word := range strings.Fields(defaults) {
		name, text, _ := strings.Cut(word, "=")
		at, ok := r.ordinals[name]
		if !ok {
			return nil, fmt.Errorf("no column %s", name)
		}
		d, err := value(r.columns[at].Type, text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[at] = d
	}
	return out, nil
}

func (c *Catalog) objects(ctx context.Context, transaction string) (*Objects, error) {
	o, err := c.source.Objects(ctx, transaction)
	if err != nil {
		return nil, err
	}
	o.complete(c.relations)
	return o, nil
}

func str(s string) types.Datum { return types.StringDatum(s) }

func num(n int64) types.Datum { return types.IntDatum(n) }

func oid(n uint32) types.Datum { return types.IntDatum(int64(n)) }

func truth(b bool) types.Datum { return types.BoolDatum(b) }

func null() types.Datum { return types.NullDatum() }

func strOrNull(s string) types.Datum {
	if s == "" {
		return null()
	}
	return str(s)
}

// yesNo is information_schema's boolean.
func yesNo(b bool) types.Datum {
	if b {
		return str("YES")
	}
	return str("NO")
}
