package tpch

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/tpch/generator"
	"github.com/tarnlake/tarn/internal/vec"
)

// Name is the name under which the connector is registered, and the name of its catalog.
const Name = "tpch"

// Connector makes TPC-H tables. It may be used by several goroutines at once.
type Connector struct {
	generator *generator.Generator

	mu    sync.Mutex
	stats map[handle]connectors.TableStats
}

// New gives a connector. A process wants one, because each keeps a text of 300 MiB once a comment was read.
func New() *Connector {
	return &Connector{generator: generator.New(), stats: map[handle]connectors.TableStats{}}
}

// handle names a table at a scale.
type handle struct {
	Table generator.Table
	Scale string
}

func (h handle) scale() generator.Scale {
	s, err := generator.ParseScale(h.Scale)
	if err != nil {
		panic("tpch: a handle with an unknown scale: " + err.Error())
	}
	return s
}

// readHandle reads the handle of a scan.
func readHandle(scan connectors.Scan) (handle, error) {
	var h handle
	if err := json.Unmarshal(scan.Handle, &h); err != nil {
		return h, fmt.Errorf("tpch: the handle of %s.%s: %w", scan.Schema, scan.Name, err)
	}
	if _, err := generator.ParseScale(h.Scale); err != nil {
		return h, fmt.Errorf("tpch: the handle of %s.%s: %w", scan.Schema, scan.Name, err)
	}
	if int(h.Table) >= len(generator.Tables()) {
		return h, fmt.Errorf("tpch: the handle of %s.%s: there is no table %d", scan.Schema, scan.Name, h.Table)
	}
	return h, nil
}

// piece is what the payload of a split holds: a range of the table's units.
type piece struct{ From, To int64 }

// unitsPerSplit makes splits of some 30 ms each.
func unitsPerSplit(table generator.Table) int64 {
	if table == generator.LineItem {
		return 1 << 15
	}
	return 1 << 17
}

// Splits lists ranges of the table's units, without those that the domains of its primary key exclude.
func (c *Connector) Splits(_ context.Context, scan connectors.Scan, feed connectors.FilterFeed) (connectors.SplitSource, error) {
	h, err := readHandle(scan)
	if err != nil {
		return nil, err
	}
	return &splits{handle: h, scan: scan, feed: feed, end: h.Table.Units(h.scale())}, nil
}

// splits is a connectors.SplitSource.
type splits struct {
	handle    handle
	scan      connectors.Scan
	feed      connectors.FilterFeed
	next, end int64
}

func (s *splits) Next(ctx context.Context, most int) ([]connectors.Split, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	first, last := unitsWithin(s.handle, s.scan, s.scan.Domains)
	if s.feed != nil {
		domains, _ := s.feed.Domains()
		from, to := unitsWithin(s.handle, s.scan, domains)
		first, last = max(first, from), min(last, to)
	}
	s.next, s.end = max(s.next, first), min(s.end, last)
	var out []connectors.Split
	size := unitsPerSplit(s.handle.Table)
	for s.next < s.end && len(out) < most {
		to := min(s.end, (s.next/size+1)*size)
		payload, err := json.Marshal(piece{s.next, to})
		if err != nil {
			return nil, err
		}
		rows := to - s.next
		if s.handle.Table == generator.LineItem {
			rows *= 4
		}
		out = append(out, connectors.Split{Payload: payload, Rows: rows})
		s.next = to
	}
	return out, nil
}

func (s *splits) Close() error {
	s.next = s.end
	return nil
}

// unitsWithin gives the range of units that the domains leave: from, and the one after the last.
func unitsWithin(h handle, scan connectors.Scan, domains []connectors.Domain) (from, to int64) {
	from, to = 0, h.Table.Units(h.scale())
	for _, d := range domains {
		if scan.Columns[d.Column].Ordinal != 0 { // the first column is the key by which units are counted
			continue
		}
		low, high := d.Minimum, d.Maximum
		if d.Values != nil {
			if len(d.Values) == 0 {
				return 0, 0
			}
			low, high = &d.Values[0], &d.Values[len(d.Values)-1]
		}
		if low != nil {
			from = max(from, h.Table.FirstUnit(low.I64))
		}
		if high != nil && high.I64 < 1<<62 {
			to = min(to, h.Table.FirstUnit(high.I64+1))
		}
	}
	return from, to
}

// Read opens a split.
func (c *Connector) Read(_ context.Context, request connectors.ReadRequest) (vec.Source, error) {
	h, err := readHandle(request.Scan)
	if err != nil {
		return nil, err
	}
	var p piece
	if err := json.Unmarshal(request.Split.Payload, &p); err != nil {
		return nil, fmt.Errorf("tpch: a split of %s.%s: %w", request.Scan.Schema, request.Scan.Name, err)
	}
	return &source{
		request: request,
		handle:  h,
		reader:  c.generator.Reader(h.Table, h.scale(), p.From, p.To, vec.BatchSize),
		piece:   p,
		batch:   vec.Batch{Cols: make([]vec.Vector, len(request.Scan.Columns))},
		written: make([]bool, len(request.Scan.Columns)),
	}, nil
}
