package rows

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

// Store holds rows of one layout. Its Writers may append at the same time; reading rows is safe once
// the writer that appended them is flushed or its goroutine has been waited for.
type Store struct {
	Layout   *Layout
	operator string // that errors name
	pool     *memory.Pool
	region   *memory.Region
	base     unsafe.Pointer // of row number 0, which is never used

	mu       sync.Mutex
	chunks   []Chunk // those that writers have finished
	next     uint32  // first row number not handed to a writer
	buffers  [][]byte
	heap     int64 // bytes reserved for strings
	hasNulls []atomic.Bool
	rows     atomic.Int64
	piece    int // largest size of a chunk, in bytes
}

// Chunk is a range of rows, First … First+Rows-1.
type Chunk struct{ First, Rows uint32 }

const (
	firstChunkBytes = 8 << 10
	largestPiece    = 1 << 20 // chunks of rows and of strings grow up to this, or …
	pieceOfLimit    = 64      // … up to this part of the tightest pool's limit
	firstHeapBytes  = 4 << 10
	mostRows        = 1<<32 - 1<<21
)

// NewStore makes an empty store whose memory is reserved in pool. When the pool refuses, what
// appends fails with 53200, naming the operator.
func NewStore(layout *Layout, pool *memory.Pool, operator string) (*Store, error) {
	region, err := pool.NewRegion()
	if err != nil {
		return nil, err
	}
	return &Store{Layout: layout, operator: operator, pool: pool, region: region, base: region.Base(), next: 1,
		hasNulls: make([]atomic.Bool, len(layout.Types)),
		piece:    int(max(min(largestPiece, pool.Tightest()/pieceOfLimit), firstChunkBytes))}, nil
}

// Rows is the number of rows that flushed writers appended.
func (s *Store) Rows() int { return int(s.rows.Load()) }

// Limit is greater than every row number in use.
func (s *Store) Limit() uint32 { return s.next }

// Chunks lists the rows of flushed writers, in no order.
func (s *Store) Chunks() []Chunk { return s.chunks }

// Bytes is the memory held.
func (s *Store) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.region.Size() + s.heap
}

// HasNulls tells whether a column may hold NULLs.
func (s *Store) HasNulls(column int) bool { return s.hasNulls[column].Load() }

// Reset forgets all rows, keeping memory. Vectors gathered before stay valid, Writers do not.
func (s *Store) Reset() {
	s.pool.Release(s.heap)
	s.chunks, s.buffers, s.heap, s.next = nil, nil, 0, 1
	s.rows.Store(0)
	for c := range s.hasNulls {
		s.hasNulls[c].Store(false)
	}
}

// Free gives the memory back. Vectors gathered before stay valid.
func (s *Store) Free() {
	if s == nil || s.region == nil {
		return
	}
	s.region.Free()
	s.pool.Release(s.heap)
	s.region, s.heap, s.buffers = nil, 0, nil
}

// Row is the address of a row.
func (s *Store) Row(number uint32) unsafe.Pointer {
	return unsafe.Add(s.base, uintptr(number)*uintptr(s.Layout.Width))
}

// chunk hands a writer room for the given number of rows.
func (s *Store) chunk(want int) (first uint32, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if int(s.next)+want > mostRows {
		return 0, sqlerr.New(sqlerr.ProgramLimitExceeded, "%s holds too many rows", s.operator)
	}
	if err := s.region.Grow(int64(int(s.next)+want)*int64(s.Layout.Width), s.operator); err != nil {
		return 0, err
	}
	first = s.next
	s.next += uint32(want)
	return first, nil
}

// buffer registers a new heap chunk for strings.
func (s *Store) buffer(size int) (number int, content []byte, err error) {
	if err := s.pool.Reserve(int64(size), s.operator); err != nil {
		return 0, nil, err
	}
	content = make([]byte, 0, size)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heap += int64(size)
	s.buffers = append(s.buffers, content)
	return len(s.buffers) - 1, content, nil
}

func (s *Store) setBuffer(number int, content []byte) {
	s.mu.Lock()
	s.buffers[number] = content
	s.mu.Unlock()
}

// Writer appends rows for one goroutine.
type Writer struct {
	store   *Store
	first   uint32 // of the open chunk
	used    int
	room    int
	grow    int // rows of the next chunk
	heap    []byte
	heapNo  int
	heapLen int // bytes of the next heap chunk
	nulls   []bool
	cache   []dictionaryViews // per column
	index   []int32
	numbers []uint32
}

// dictionaryViews remembers which entries of a dictionary are in the store already.
type dictionaryViews struct {
	dictionary *vec.Vector
	views      []vec.View
	known      vec.Bitmap
}

// NewWriter starts a writer.
func (s *Store) NewWriter() *Writer {
	width := s.Layout.Width
	return &Writer{store: s, grow: max(firstChunkBytes/width, 8), heapNo: -1, heapLen: firstHeapBytes,
		nulls: make([]bool, len(s.Layout.Types)), cache: make([]dictionaryViews, len(s.Layout.Types))}
}

// Allocate gives up to n consecutive rows to be filled; got is less than n at the end of a chunk.
func (w *Writer) Allocate(n int) (first uint32, got int, err error) {
	if w.used == w.room {
		w.closeChunk()
		first, err := w.store.chunk(w.grow)
		if err != nil {
			return 0, 0, err
		}
		w.first, w.used, w.room = first, 0, w.grow
		w.grow = min(w.grow*2, max(w.store.piece/w.store.Layout.Width, 8))
	}
	got = min(n, w.room-w.used)
	first = w.first + uint32(w.used)
	w.used += got
	return first, got, nil
}

func (w *Writer) closeChunk() {
	if w.used == 0 {
		return
	}
	s := w.store
	s.mu.Lock()
	s.chunks = append(s.chunks, Chunk{w.first, uint32(w.used)})
	s.mu.Unlock()
	s.rows.Add(int64(w.used))
	w.used, w.room = 0, 0
}

// Flush makes the appended rows part of the store. The writer may go on in a new chunk.
func (w *Writer) Flush() {
	w.closeChunk()
	w.Publish()
}

// Publish lets the writer's own goroutine read what it appended, without closing the chunk.
func (w *Writer) Publish() {
	if w.heapNo >= 0 {
		w.store.setBuffer(w.heapNo, w.heap)
	}
	for c, n := range w.nulls {
		if n {
			w.store.hasNulls[c].Store(true)
		}
	}
}

// intern copies the bytes of a long string into the store.
func (w *Writer) intern(b []byte) (vec.View, error) {
	if len(b) <= vec.InlineLength {
		return vec.InlineView(b), nil
	}
	if w.heapNo < 0 || len(w.heap)+len(b) > cap(w.heap) {
		if w.heapNo >= 0 {
			w.store.setBuffer(w.heapNo, w.heap)
		}
		number, content, err := w.store.buffer(max(w.heapLen, len(b)))
		if err != nil {
			return vec.View{}, err
		}
		w.heap, w.heapNo = content, number
		w.heapLen = min(w.heapLen*2, w.store.piece)
	}
	at := len(w.heap)
	w.heap = append(w.heap, b...)
	return vec.LongView(b, w.heapNo, at), nil
}
