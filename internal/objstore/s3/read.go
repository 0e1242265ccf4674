package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// mostReads is how many pieces of one call are read at once.
const mostReads = 16

// ReadRanges implements objstore.Store. Bytes go straight to the buffers. The caller's CPU slot is
// others' meanwhile.
func (s *Store) ReadRanges(ctx context.Context, key, etag string, ranges []objstore.Range, buffers [][]byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return slots.Block(ctx, func() error { return s.readRanges(slots.Without(ctx), key, etag, ranges, buffers) })
}

func (s *Store) readRanges(ctx context.Context, key, etag string, ranges []objstore.Range, buffers [][]byte) error {
	pieces := coalesce(ranges, buffers)
	version := &version{etag: etag}
	if len(pieces) == 1 {
		return s.readPiece(ctx, key, version, &pieces[0])
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(mostReads)
	for i := range pieces {
		group.Go(func() error { return s.readPiece(ctx, key, version, &pieces[i]) })
	}
	return group.Wait()
}

// version is the ETag that all answers of one call must have: the caller's, or the first one's.
type version struct {
	mu   sync.Mutex
	etag string
}

func (v *version) get() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.etag
}

// settle takes the version of an answer; it gives the expected one if that is another.
func (v *version) settle(found string) (expected string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.etag == "" {
		v.etag = found
	}
	if found != "" && found != v.etag {
		return v.etag
	}
	return ""
}

// readPiece reads one piece, going on after what has arrived when an answer breaks off.
func (s *Store) readPiece(ctx context.Context, key string, version *version, p *piece) error {
	done := int64(0)
	op := operation{verb: "read", action: "s3:GetObject", key: key, progress: &done}
	return s.do(ctx, op, func(ctx context.Context, client *s3.Client, _ int, _ bool) error {
		return s.readOnce(ctx, client, key, version, p, &done)
	})
}

func (s *Store) readOnce(ctx context.Context, client *s3.Client, key string, version *version, p *piece, done *int64) error {
	from := p.start + *done
	input := &s3.GetObjectInput{Bucket: &s.bucket, Key: &key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", from, p.end-1))}
	input.IfMatch = ifMatch(version.get())
	answer, err := s.hedged(ctx, client, input)
	if err != nil {
		switch statusOf(err) {
		case http.StatusPreconditionFailed:
			return s.changed(key, version.get(), "")
		case http.StatusRequestedRangeNotSatisfiable:
			return s.tooShort(key, from, p.end)
		}
		return err
	}
	defer answer.close()
	found := etagOf(answer.ETag, objectSize(answer.GetObjectOutput), answer.LastModified)
	if expected := version.settle(found); expected != "" {
		return s.changed(key, expected, found)
	}
	if err := s.checkRange(key, answer.GetObjectOutput, from, p.end); err != nil {
		return err
	}
	return answer.fill(ctx, p, done, s.options.IdleTimeout)
}

// checkRange refuses an answer with other bytes than were asked for.
func (s *Store) checkRange(key string, out *s3.GetObjectOutput, from, end int64) error {
	var first, last int64
	if n, _ := fmt.Sscanf(aws.ToString(out.ContentRange), "bytes %d-%d/", &first, &last); n == 2 && first == from {
		if last+1 == end {
			return nil
		}
		if last+1 < end {
			return s.tooShort(key, last+1, end)
		}
	}
	if length := aws.ToInt64(out.ContentLength); out.ContentRange == nil && from == 0 && length <= end { // the whole object
		if length == end {
			return nil
		}
		return s.tooShort(key, length, end)
	}
	return sqlerr.New(sqlerr.IOError, "could not read %q: %s answered a request for bytes %d to %d with %q", s.Shown(key), s.place(), from, end-1,
		aws.ToString(out.ContentRange))
}

// objectSize gives the size of the whole object, of which an answer may be a part.
func objectSize(out *s3.GetObjectOutput) int64 {
	if _, total, found := strings.Cut(aws.ToString(out.ContentRange), "/"); found {
		if n, err := strconv.ParseInt(total, 10, 64); err == nil {
			return n
		}
	}
	return aws.ToInt64(out.ContentLength)
}

func (s *Store) tooShort(key string, at, end int64) error {
	return sqlerr.New(sqlerr.DataCorrupted, "file %q ends at byte %d, but bytes up to %d were expected", s.Shown(key), at, end)
}

// answer is a GET's answer whose body is still to be read.
type answer struct {
	*s3.GetObjectOutput
	cancel context.CancelFunc
}

func (a *answer) close() {
	a.cancel()
	a.Body.Close()
}

// fill reads the body into the piece from *done on and adds to *done what has arrived.
func (a *answer) fill(ctx context.Context, p *piece, done *int64, idle time.Duration) error {
	var stalled sync.Once
	isStalled := false
	watchdog := time.AfterFunc(idle, func() { stalled.Do(func() { isStalled = true; a.cancel() }) })
	defer watchdog.Stop()
	var scratch []byte
	for p.start+*done < p.end {
		into, gap := p.rest(p.start + *done)
		if into == nil {
			if scratch == nil {
				scratch = make([]byte, 32<<10)
			}
			into = scratch[:min(gap, int64(len(scratch)))]
		}
		n, err := a.Body.Read(into)
		*done += int64(n)
		if n > 0 {
			watchdog.Reset(idle)
		}
		if err == nil || p.start+*done == p.end {
			continue
		}
		stalled.Do(func() {}) // orders isStalled
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case isStalled:
			return errTimeout
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}

// hedged sends a GET and, when its answer is late, a second one; the first answer wins.
func (s *Store) hedged(ctx context.Context, client *s3.Client, input *s3.GetObjectInput) (*answer, error) {
	race := &race{results: make(chan raced, 2), store: s, client: client, input: input}
	race.start(ctx, false)
	hedge := time.NewTimer(s.latency.straggles())
	defer hedge.Stop()
	deadline := time.NewTimer(s.options.RequestTimeout)
	defer deadline.Stop()
	for {
		select {
		case r := <-race.results:
			race.running--
			if r.err == nil || race.running == 0 {
				race.abandon(r.number)
				return r.answer, r.err
			}
		case <-hedge.C:
			if s.budget.take(hedgeCost) && s.limiter.tryAcquire() {
				objstore.Count(ctx, &s.counters, objstore.Event{Hedged: 1})
				race.start(ctx, true)
			}
		case <-deadline.C:
			race.abandon(-1)
			return nil, errTimeout
		case <-ctx.Done():
			race.abandon(-1)
			return nil, ctx.Err()
		}
	}
}

// race is a GET sent once or twice.
type race struct {
	store   *Store
	client  *s3.Client
	input   *s3.GetObjectInput
	results chan raced
	cancels []context.CancelFunc
	running int
}

type raced struct {
	number int
	answer *answer
	err    error
}

// start sends the request; holdsSlot tells that it must give a slot of the limiter back.
func (r *race) start(ctx context.Context, holdsSlot bool) {
	ctx, cancel := context.WithCancel(ctx)
	number := len(r.cancels)
	r.cancels = append(r.cancels, cancel)
	r.running++
	started := time.Now()
	go func() {
		out, err := r.client.GetObject(ctx, r.input)
		if holdsSlot {
			r.store.limiter.release(false)
		}
		if err != nil {
			cancel()
			r.results <- raced{number: number, err: err}
			return
		}
		r.store.latency.observe(time.Since(started))
		r.results <- raced{number: number, answer: &answer{out, cancel}}
	}()
}

// abandon ends all attempts but the winner's.
func (r *race) abandon(winner int) {
	for number, cancel := range r.cancels {
		if number != winner {
			cancel()
		}
	}
	for range r.running {
		go func() {
			if late := <-r.results; late.answer != nil {
				late.answer.close()
			}
		}()
	}
	r.running = 0
}

// Stat implements objstore.Store.
func (s *Store) Stat(ctx context.Context, key string) (objstore.Object, error) {
	if err := checkKey(key); err != nil {
		return objstore.Object{}, err
	}
	var out *s3.HeadObjectOutput
	op := operation{verb: "open", action: "s3:GetObject", key: key, timeout: s.options.RequestTimeout}
	err := s.do(ctx, op, func(ctx context.Context, client *s3.Client, _ int, _ bool) (err error) {
		out, err = client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &key})
		if statusOf(err) == http.StatusNotFound && s.isKnown() {
			return sqlerr.New(sqlerr.UndefinedFile, "could not open file %q: No such file or directory", s.Shown(key))
		}
		return err
	})
	if err != nil {
		return objstore.Object{}, err
	}
	s.seen()
	return objstore.Object{Path: key, Size: aws.ToInt64(out.ContentLength), ETag: etagOf(out.ETag, aws.ToInt64(out.ContentLength), out.LastModified),
		Modified: aws.ToTime(out.LastModified)}, nil
}

// isKnown tells that the bucket exists, so that what is missing is the object.
func (s *Store) isKnown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exists
}

// isMarker tells a "directory" that a console has made.
func isMarker(key string) bool { return strings.HasSuffix(key, "/") }
