package memory

import (
	"encoding/json"
	"fmt"

	"github.com/tarnlake/tarn/connectors"
)

// Create makes an empty table. The caller keeps the result under its name, and drops it in the end.
func (c *Connector) Create(schema, name string, kind connectors.TableKind, columns []connectors.Column) *connectors.Table {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	table := &connectors.Table{
		Connector: Name, Schema: schema, Name: name, ID: c.last, Kind: kind,
		Columns: append([]connectors.Column(nil), columns...),
	}
	return c.version(table, nil)
}

// version makes a Table of the given pieces. The mutex is held.
func (c *Connector) version(of *connectors.Table, pieces []*piece) *connectors.Table {
	made := &content{pieces: pieces}
	for _, p := range pieces {
		p.holders++
		made.batches = append(made.batches, p.batches...)
		made.rows += p.rows
		made.bytes += p.bytes
	}
	c.last++
	c.contents[c.last] = made
	raw, err := json.Marshal(handle{c.last})
	if err != nil {
		panic("memory: " + err.Error())
	}
	table := *of
	table.Handle = raw
	return &table
}

// Drop forgets what one Table refers to. Readers that are open go on; other versions of the table stay.
func (c *Connector) Drop(table *connectors.Table) {
	var h handle
	if json.Unmarshal(table.Handle, &h) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.contents[h.Content]
	if found == nil {
		return
	}
	delete(c.contents, h.Content)
	for _, p := range found.pieces {
		p.holders--
		if p.holders == 0 {
			c.pool.Release(p.bytes)
		}
	}
}

// Target gives the target of a write into a table.
func (c *Connector) Target(table *connectors.Table) connectors.Target {
	return connectors.Target{
		Connector: Name, Schema: table.Schema, Name: table.Name, Columns: table.Columns, Handle: table.Handle,
	}
}

// Append gives a new version of the table: its rows and those of the fragments. The table itself stays as it is.
func (c *Connector) Append(table *connectors.Table, fragments []connectors.Fragment) (*connectors.Table, error) {
	before, err := c.content(table.Handle, table.Schema, table.Name)
	if err != nil {
		return nil, err
	}
	return c.join(table, before.pieces, fragments)
}

// Replace gives a new version of the table that holds the rows of the fragments only.
func (c *Connector) Replace(table *connectors.Table, fragments []connectors.Fragment) (*connectors.Table, error) {
	return c.join(table, nil, fragments)
}

func (c *Connector) join(table *connectors.Table, pieces []*piece, fragments []connectors.Fragment) (*connectors.Table, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	joined := append([]*piece(nil), pieces...)
	ids, err := c.pieceIDs(fragments)
	if err != nil {
		return nil, fmt.Errorf("memory: a write to %s.%s: %w", table.Schema, table.Name, err)
	}
	for _, id := range ids {
		joined = append(joined, c.staged[id])
		delete(c.staged, id)
	}
	return c.version(table, c.compact(joined)), nil
}

// Discard removes what fragments have staged and no version holds.
func (c *Connector) Discard(fragments []connectors.Fragment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range fragments {
		ids, err := c.pieceIDs([]connectors.Fragment{f})
		if err != nil {
			continue
		}
		c.pool.Release(c.staged[ids[0]].bytes)
		delete(c.staged, ids[0])
	}
}

// pieceIDs reads the fragments, all of which must be staged. The mutex is held.
func (c *Connector) pieceIDs(fragments []connectors.Fragment) ([]int64, error) {
	var ids []int64
	for _, f := range fragments {
		var s staging
		if err := json.Unmarshal(f.Payload, &s); err != nil {
			return nil, err
		}
		if c.staged[s.Piece] == nil {
			return nil, fmt.Errorf("nothing is staged as %d", s.Piece)
		}
		ids = append(ids, s.Piece)
	}
	return ids, nil
}

// Many small pieces, as single-row inserts leave them, are joined when there are mostSmall of them in a row.
const (
	mostSmall = 64
	smallRows = 256
)

// compact joins the small pieces at the end of a list, which it may change, to one when they are too many. The mutex
// is held. When the memory for the joined piece is refused, the list stays as it is.
func (c *Connector) compact(pieces []*piece) []*piece {
	first := len(pieces)
	for first > 0 && pieces[first-1].rows <= smallRows {
		first--
	}
	small := pieces[first:]
	if len(small) < mostSmall {
		return pieces
	}
	joined := concatenatePieces(small)
	if !c.pool.TryReserve(joined.bytes) {
		return pieces
	}
	for _, p := range small {
		if p.holders == 0 {
			c.pool.Release(p.bytes)
		}
	}
	return append(pieces[:first], joined)
}
