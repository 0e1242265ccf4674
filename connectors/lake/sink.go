package lake

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// The steps of a write at which Options.FailPoint is called.
const (
	FailCreate  = "write.create"  // before a file is made
	FailAppend  = "write.append"  // before rows are encoded
	FailFinish  = "write.finish"  // before a file's end is written
	FailDurable = "write.durable" // a file is durable under its name
	FailStage   = "write.stage"   // before the files are listed in the transaction
)

// maxOpenFiles bounds the files that one sink writes at once.
const maxOpenFiles = 128

// sink implements connectors.PageSink: one driver's share of a write.
type sink struct {
	connector *Connector
	name      string // of the table
	store     objstore.Store
	prefix    string // key of the table's location, ending in "/"
	handle    *connectors.FileTable
	layout    *layout
	data      []int // ordinals of the data columns
	attempt   string
	pool      *memory.Pool
	stats     *connectors.WriteStats

	router    router
	parts     map[string]*part
	order     []*part // by the router's numbers
	open      int     // parts that have a file open
	uses      int64
	fileCount int
	stage     rowBuffer // rows on their way to the parts
	numbers   []int32   // of the router's, for each row of stage
	scatter   scatter
	buffered  int64 // bytes of waiting rows
	reserved  int64 // of buffered, stage, scatter and layout, in pool
	rows      int64
	closed    bool

	settling sync.WaitGroup
	tokens   chan struct{} // one for each file that is being made durable
	mu       sync.Mutex
	written  []connectors.DataFile // durable files
	doubtful []string              // paths of files of which it is not known whether they are durable
	failed   error                 // the first file that could not be made durable
}

// maxSettling is how many files one sink makes durable at once.
const maxSettling = 8

// Write implements connectors.Writer.
func (c *Connector) Write(_ context.Context, request connectors.WriteRequest) (connectors.PageSink, error) {
	handle, err := connectors.ParseFileTable(request.Target.Handle)
	if err != nil {
		return nil, err
	}
	if len(request.Target.Columns) != len(handle.Columns) {
		return nil, sqlerr.Internal("write of %d columns into %q, which has %d", len(request.Target.Columns), request.Target.Name, len(handle.Columns))
	}
	store, key, err := c.options.Stores.Locate(handle.Location)
	if err != nil {
		return nil, err
	}
	s := &sink{connector: c, name: request.Target.Name, store: store, prefix: objstore.Below(key, ""), handle: handle, attempt: request.Attempt,
		stats: request.Stats, parts: map[string]*part{}, stage: rowBuffer{share: true}, tokens: make(chan struct{}, maxSettling)}
	if s.stats == nil {
		s.stats = &connectors.WriteStats{}
	}
	if request.Pool != nil {
		s.pool = request.Pool.Child("write "+request.Target.Name, memory.Unlimited)
	}
	for ordinal := range handle.Columns {
		if !slices.Contains(handle.Partition, ordinal) {
			s.data = append(s.data, ordinal)
		}
	}
	if s.layout, err = newLayout(handle, s.data); err != nil {
		return nil, err
	}
	s.router = newRouter(handle)
	return s, nil
}

// Append implements connectors.PageSink.
func (s *sink) Append(ctx context.Context, b *vec.Batch) error {
	if s.closed {
		return sqlerr.Internal("sink is closed")
	}
	if err := s.failure(); err != nil {
		return err
	}
	rows := b.Rows()
	if rows == 0 {
		return nil
	}
	if err := s.checkNotNull(b); err != nil {
		return err
	}
	s.rows += int64(rows)
	s.stats.Rows.Add(int64(rows))
	data := &vec.Batch{Cols: make([]vec.Vector, len(s.data)), Len: b.Len, Sel: b.Sel}
	for i, ordinal := range s.data {
		data.Cols[i].Alias(&b.Cols[ordinal])
	}
	if number, ok := s.router.single(b); ok && rows >= fewRows {
		if err := errors.Join(s.unstage(ctx), s.add(ctx, number, data)); err != nil {
			return err
		}
		return s.keepBounds(ctx)
	}
	s.numbers = s.router.route(s.numbers, b)
	s.stage.add(s.layout.schema, data)
	enough := min(s.router.known(), mostStaged) * enoughRows
	if s.stage.rows() < enough && s.stage.bytes < s.connector.options.WriteMemory/stageShare && s.reserve() {
		return nil
	}
	return s.unstage(ctx)
}

const (
	// mostStaged is how many partitions' batches are staged at most.
	mostStaged = 64
	// stageShare is the part of the memory of a write that staged rows may take: one in so many.
	stageShare = 8
)

// unstage hands the staged rows to their parts.
func (s *sink) unstage(ctx context.Context) error {
	if s.stage.rows() == 0 {
		return nil
	}
	s.scatter.order(s.stage.batch(), s.numbers, s.router.known())
	for number := range s.router.known() {
		data := s.scatter.part(number)
		if len(data.Sel) == 0 {
			continue
		}
		if err := s.add(ctx, number, data); err != nil {
			return err
		}
		if s.open > maxOpenFiles || s.buffered > s.connector.options.WriteMemory/2 {
			if err := s.keepBounds(ctx); err != nil {
				return err
			}
		}
	}
	s.stage.reset(true)
	s.numbers = s.numbers[:0]
	return s.keepBounds(ctx)
}

// add gives rows to the part of a number.
func (s *sink) add(ctx context.Context, number int, b *vec.Batch) error {
	p, err := s.part(number)
	if err != nil {
		return err
	}
	s.uses++
	p.lastUse = s.uses
	return p.add(ctx, b)
}

// rowText shows a row as PostgreSQL's messages do.
func rowText(b *vec.Batch, row int) string {
	values := make([]string, len(b.Cols))
	for i := range b.Cols {
		values[i] = "null"
		if !b.Cols[i].IsNull(row) {
			text := types.Format(b.Cols[i].Type, b.Cols[i].Datum(row), nil)
			if values[i] = text; types.CountCharacters(text) > 64 {
				values[i] = text[:types.CharacterOffset(text, 64)] + "..."
			}
		}
	}
	return strings.Join(values, ", ")
}

// checkNotNull refuses NULLs in NOT NULL columns.
func (s *sink) checkNotNull(b *vec.Batch) error {
	for ordinal, c := range s.handle.Columns {
		v := &b.Cols[ordinal]
		if !c.NotNull || !v.MayHaveNulls() {
			continue
		}
		for i := range b.Rows() {
			row := i
			if b.Sel != nil {
				row = int(b.Sel[i])
			}
			if v.IsNull(row) {
				return sqlerr.New(sqlerr.NotNullViolation, "null value in column %q of relation %q violates not-null constraint", c.Name, s.name).
					WithDetail("Failing row contains (%s).", rowText(b, row))
			}
		}
	}
	return nil
}

// part finds the part for a number of the router's.
func (s *sink) part(number int) (*part, error) {
	if number < len(s.order) && s.order[number] != nil {
		return s.order[number], nil
	}
	key, err := partition.Key(s.router.types, s.router.values[number])
	if err != nil {
		return nil, err
	}
	p := s.parts[key]
	if p == nil { // '' and NULL are one partition
		p = &part{sink: s, key: key}
		if key != "" || len(s.handle.Partition) > 0 {
			p.path = partition.PathOfKey(s.router.names, key) + "/"
		}
		s.parts[key] = p
		s.stats.Partitions.Add(1)
	}
	for len(s.order) <= number {
		s.order = append(s.order, nil)
	}
	s.order[number] = p
	return p, nil
}

// keepBounds sees to it that memory and open files stay bounded: waiting rows of the largest part are
// written, files not used for long are closed.
func (s *sink) keepBounds(ctx context.Context) error {
	limit := s.connector.options.WriteMemory
	for s.buffered > limit/2 || !s.reserve() {
		largest := slices.MaxFunc(s.all(), func(a, b *part) int { return cmp.Compare(a.waiting.bytes, b.waiting.bytes) })
		if largest.waiting.rows() == 0 {
			break
		}
		if err := largest.flush(ctx); err != nil {
			return err
		}
	}
	var open []*part
	var held int64
	for _, p := range s.parts {
		if p.encoder != nil {
			open = append(open, p)
			held += p.held()
		}
	}
	if held > limit {
		slices.SortFunc(open, func(a, b *part) int { return cmp.Compare(b.held(), a.held()) })
		for _, p := range open {
			if held <= limit-limit/4 {
				break
			}
			held -= p.held()
			if err := p.shrink(ctx); err != nil {
				return err
			}
			held += p.held()
		}
	}
	if s.open > maxOpenFiles {
		open = slices.DeleteFunc(open, func(p *part) bool { return p.encoder == nil })
		slices.SortFunc(open, func(a, b *part) int { return cmp.Compare(a.lastUse, b.lastUse) })
		for _, p := range open[:s.open-maxOpenFiles] {
			if err := p.close(ctx); err != nil {
				return err
			}
		}
	}
	return s.keepHeadroom(ctx, open)
}

// headroom is what must be left in the pool, beside what the largest file holds (buffers double),
// for the next batch to be encoded.
const headroom = 8 << 20

// keepHeadroom shrinks what holds most while the pool is nearly full: smaller row groups and files rather
// than a failed write.
func (s *sink) keepHeadroom(ctx context.Context, open []*part) error {
	if s.pool == nil {
		return nil
	}
	for {
		open = slices.DeleteFunc(open, func(p *part) bool { return p.encoder == nil })
		if len(open) == 0 {
			return nil
		}
		largest := slices.MaxFunc(open, func(a, b *part) int { return cmp.Compare(a.held(), b.held()) })
		wanted := headroom + largest.held()
		if s.pool.TryReserve(wanted) {
			s.pool.Release(wanted)
			return nil
		}
		if err := largest.shrink(ctx); err != nil {
			return err
		}
	}
}

// reserve brings the pool's reservation for waiting rows up to date; false when it is refused.
func (s *sink) reserve() bool {
	if s.pool == nil {
		return true
	}
	buffered := s.buffered + s.stage.bytes + s.scatter.bytes() + s.layout.memory()
	if more := buffered - s.reserved; more > 0 && !s.pool.TryReserve(more) {
		return false
	} else if more < 0 {
		s.pool.Release(-more)
	}
	s.reserved = buffered
	return true
}

func (s *sink) all() []*part {
	out := make([]*part, 0, len(s.parts))
	for _, p := range s.parts {
		out = append(out, p)
	}
	return out
}

// settle makes a file durable in the background, waiting only when too many are under way.
func (s *sink) settle(ctx context.Context, out objstore.Writer, file connectors.DataFile) error {
	err := slots.Block(ctx, func() error {
		select {
		case s.tokens <- struct{}{}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		out.Abort()
		return err
	}
	s.settling.Add(1)
	ctx = slots.Without(ctx)
	go func() {
		defer s.settling.Done()
		defer func() { <-s.tokens }()
		object, err := out.Commit(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		if err == nil {
			file.Size, file.ETag = object.Size, object.ETag
			s.written = append(s.written, file)
			s.stats.Files.Add(1)
			s.stats.Bytes.Add(object.Size)
			err = s.connector.fail(FailDurable)
		} else {
			s.doubtful = append(s.doubtful, file.Path)
		}
		if s.failed == nil {
			s.failed = err
		}
	}()
	return s.failure()
}

func (s *sink) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// Finish implements connectors.PageSink. Its fragment's payload is a list of connectors.DataFile.
func (s *sink) Finish(ctx context.Context) ([]connectors.Fragment, error) {
	if s.closed {
		return nil, sqlerr.Internal("sink is closed")
	}
	err := s.finishParts(ctx)
	waited := slots.Block(ctx, func() error {
		s.settling.Wait()
		return nil
	})
	if err == nil {
		err = waited
	}
	if err == nil {
		err = s.failed
	}
	if err != nil {
		return nil, errors.Join(err, s.Abort(context.WithoutCancel(ctx)))
	}
	s.release()
	if s.rows == 0 {
		return nil, nil
	}
	slices.SortFunc(s.written, func(a, b connectors.DataFile) int { return strings.Compare(a.Path, b.Path) })
	payload, err := json.Marshal(s.written)
	if err != nil {
		return nil, err
	}
	return []connectors.Fragment{{Rows: s.rows, Payload: payload}}, nil
}

func (s *sink) finishParts(ctx context.Context) error {
	if err := s.unstage(ctx); err != nil {
		return err
	}
	for _, key := range sortedKeys(s.parts) {
		p := s.parts[key]
		if err := p.flush(ctx); err != nil {
			return err
		}
		if err := p.close(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Abort implements connectors.PageSink.
func (s *sink) Abort(ctx context.Context) error {
	if !s.closed {
		s.settling.Wait()
		for _, p := range s.parts {
			p.abort()
		}
		s.release()
	}
	var keys []string
	for _, f := range s.written {
		keys = append(keys, s.prefix+f.Path)
	}
	for _, path := range s.doubtful {
		keys = append(keys, s.prefix+path)
	}
	s.written, s.doubtful = nil, nil
	if len(keys) == 0 {
		return nil
	}
	return s.store.DeleteMany(ctx, parent(s.prefix), keys)
}

func (s *sink) release() {
	s.closed = true
	s.layout.close()
	if s.pool != nil {
		s.pool.Close()
	}
}

func sortedKeys(parts map[string]*part) []string {
	keys := make([]string, 0, len(parts))
	for key := range parts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
