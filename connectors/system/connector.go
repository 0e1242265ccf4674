package system

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// ConnectorName is the name under which Resolve's tables expect this connector.
const ConnectorName = "system"

// SchemaName is the schema of the server's own tables.
const SchemaName = "system"

// Connector implements connectors.Connector over virtual tables.
type Connector struct {
	node   string
	tables map[string]map[string]*connectors.VirtualTable // by schema and name
}

// New serves tables by schema; node is the one that must read them ("" for any).
func New(node string, schemas map[string][]connectors.VirtualTable) *Connector {
	c := &Connector{node: node, tables: map[string]map[string]*connectors.VirtualTable{}}
	for schema, list := range schemas {
		c.tables[schema] = map[string]*connectors.VirtualTable{}
		for i := range list {
			c.tables[schema][list[i].Name] = &list[i]
		}
	}
	return c
}

// handle names a table and the reader's transaction.
type handle struct {
	Schema, Name string
	Transaction  string `json:",omitempty"`
}

// Resolve finds a table for a transaction; nil if there is none.
func (c *Connector) Resolve(transaction, schema, name string) *connectors.Table {
	v := c.tables[schema][name]
	if v == nil {
		return nil
	}
	encoded, err := json.Marshal(handle{schema, name, transaction})
	if err != nil { // three strings: cannot fail
		panic(sqlerr.Internal("virtual table handle: %v", err))
	}
	return &connectors.Table{Connector: ConnectorName, Schema: schema, Name: name, Kind: connectors.Virtual,
		Columns: slices.Clone(v.Columns), Handle: encoded}
}

// Schemas lists the schemas, and Tables the tables of one, by name.
func (c *Connector) Schemas() []string {
	var out []string
	for schema := range c.tables {
		out = append(out, schema)
	}
	slices.Sort(out)
	return out
}

// Tables lists the tables of a schema by name.
func (c *Connector) Tables(schema string) []*connectors.VirtualTable {
	var out []*connectors.VirtualTable
	for _, v := range c.tables[schema] {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b *connectors.VirtualTable) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Splits implements connectors.Connector.
func (c *Connector) Splits(context.Context, connectors.Scan, connectors.FilterFeed) (connectors.SplitSource, error) {
	return &oneSplit{[]connectors.Split{{Payload: json.RawMessage("{}"), Node: c.node}}}, nil
}

type oneSplit struct{ left []connectors.Split }

func (s *oneSplit) Next(context.Context, int) ([]connectors.Split, error) {
	out := s.left
	s.left = nil
	return out, nil
}

func (s *oneSplit) Close() error { return nil }

// Read implements connectors.Connector.
func (c *Connector) Read(ctx context.Context, request connectors.ReadRequest) (vec.Source, error) {
	var h handle
	if err := json.Unmarshal(request.Scan.Handle, &h); err != nil {
		return nil, sqlerr.Internal("virtual table handle: %v", err)
	}
	v := c.tables[h.Schema][h.Name]
	if v == nil {
		return nil, sqlerr.Internal("virtual table %s.%s is not here", h.Schema, h.Name)
	}
	query := connectors.VirtualQuery{Transaction: h.Transaction, Columns: []int{}}
	for _, d := range request.Scan.Domains {
		if d.Column >= 0 && d.Column < len(request.Scan.Columns) {
			d.Column = request.Scan.Columns[d.Column].Ordinal
			query.Domains = append(query.Domains, d)
		}
	}
	s := &rowSource{request: request}
	for _, column := range request.Scan.Columns {
		if column.Ordinal < 0 || column.Ordinal >= len(v.Columns) {
			return nil, sqlerr.Internal("virtual table %s.%s has no column %d", h.Schema, h.Name, column.Ordinal)
		}
		s.types = append(s.types, column.Type)
		query.Columns = append(query.Columns, column.Ordinal)
	}
	s.next, s.stop = iter.Pull2(v.Rows(ctx, query))
	return s, nil
}

// rowSource turns rows into batches.
type rowSource struct {
	request connectors.ReadRequest
	types   []types.Type
	next    func() ([]types.Datum, error, bool)
	stop    func()
}

// Next implements vec.Source.
func (s *rowSource) Next(ctx context.Context) (*vec.Batch, error) {
	for {
		b, err := s.fill(ctx)
		if err != nil || b == nil {
			return nil, err
		}
		if stats := s.request.Stats; stats != nil {
			stats.RowsRead.Add(int64(b.Len))
		}
		if f := s.request.Filter; f != nil {
			for stage := range f.Stages() {
				if err := f.Apply(stage, b); err != nil {
					return nil, err
				}
			}
		}
		if b.Rows() > 0 {
			if stats := s.request.Stats; stats != nil {
				stats.RowsSelected.Add(int64(b.Rows()))
			}
			return b, nil
		}
	}
}

func (s *rowSource) fill(ctx context.Context) (*vec.Batch, error) {
	b := vec.NewBatch(s.types, 0)
	for b.Len < vec.BatchSize {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		row, err, more := s.next()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		for i, column := range s.request.Scan.Columns {
			b.Cols[i].AppendDatum(row[column.Ordinal])
		}
		b.Len++
	}
	if b.Len == 0 {
		return nil, nil
	}
	return b, nil
}

// Close implements vec.Source.
func (s *rowSource) Close() error {
	s.stop()
	return nil
}

// ShowsServer marks the connector: reading it needs no admission, so that a full server can be looked at.
func (c *Connector) ShowsServer() {}
