package web

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

	"golang.org/x/sync/errgroup"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// mostReads is how many ranges of one call are read at once.
const mostReads = 8

// Store reads the files of one web server. It implements objstore.Store.
type Store struct {
	origin   string // scheme://host
	client   *http.Client
	options  Options
	counters objstore.Counters

	mu     sync.Mutex
	whole  map[string]bool      // keys whose server does not send ranges
	copies map[string]*download // of those, by key
	// copying has a channel for each copy that is being made, closed at its end.
	copying map[string]chan struct{}
}

// Distant tells readers to fetch ahead.
func (s *Store) Distant() bool { return true }

// Unlisted tells that keys hold no wildcards, as nothing can be listed.
func (s *Store) Unlisted() bool { return true }

// Shown gives the URL of a key.
func (s *Store) Shown(key string) string { return s.origin + "/" + key }

// Stat implements objstore.Store.
func (s *Store) Stat(ctx context.Context, key string) (out objstore.Object, err error) {
	err = slots.Block(ctx, func() error {
		out, err = s.stat(slots.Without(ctx), key)
		return err
	})
	return out, err
}

func (s *Store) stat(ctx context.Context, key string) (objstore.Object, error) {
	answer, err := s.ask(ctx, http.MethodHead, key, "", "")
	if err != nil {
		return objstore.Object{}, err
	}
	answer.Body.Close()
	if answer.StatusCode == http.StatusOK && answer.ContentLength >= 0 && strings.EqualFold(answer.Header.Get("Accept-Ranges"), "bytes") {
		return objectOf(key, answer, answer.ContentLength), nil
	}
	switch answer.StatusCode {
	case http.StatusNotFound, http.StatusGone, http.StatusUnauthorized:
		return objstore.Object{}, s.fail(key, answer)
	}
	// Not every server answers HEAD, or says there that it sends ranges.
	answer, err = s.ask(ctx, http.MethodGet, key, "bytes=0-0", "")
	if err != nil {
		return objstore.Object{}, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusPartialContent:
		if _, _, size, ok := contentRange(answer); ok {
			return objectOf(key, answer, size), nil
		}
	case http.StatusRequestedRangeNotSatisfiable:
		if strings.TrimSpace(answer.Header.Get("Content-Range")) == "bytes */0" {
			return objectOf(key, answer, 0), nil
		}
	case http.StatusOK:
		d, err := s.download(ctx, key, answer)
		if err != nil {
			return objstore.Object{}, err
		}
		return objstore.Object{Path: key, Size: d.size, ETag: d.etag, Modified: d.modified}, nil
	}
	return objstore.Object{}, s.fail(key, answer)
}

func objectOf(key string, answer *http.Response, size int64) objstore.Object {
	modified, _ := http.ParseTime(answer.Header.Get("Last-Modified"))
	return objstore.Object{Path: key, Size: size, ETag: versionOf(answer, size), Modified: modified}
}

// versionOf gives the version of the file that an answer is of: its strong ETag, or else what is known
// beside; "" if nothing is.
func versionOf(answer *http.Response, size int64) string {
	if etag := answer.Header.Get("ETag"); strings.HasPrefix(etag, `"`) {
		return etag
	}
	if modified := answer.Header.Get("Last-Modified"); modified != "" {
		return fmt.Sprintf("%s/%d", modified, size)
	}
	return fmt.Sprintf("/%d", size)
}

// contentRange reads the header that says which part of a file an answer is.
func contentRange(answer *http.Response) (first, last, size int64, ok bool) {
	n, _ := fmt.Sscanf(answer.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &size)
	return first, last, size, n == 3 && 0 <= first && first <= last && last < size
}

// ReadRanges implements objstore.Store.
func (s *Store) ReadRanges(ctx context.Context, key, etag string, ranges []objstore.Range, buffers [][]byte) error {
	return slots.Block(ctx, func() error {
		group, ctx := errgroup.WithContext(slots.Without(ctx))
		group.SetLimit(mostReads)
		for i, r := range ranges {
			if r.Length > 0 {
				group.Go(func() error { return s.readRange(ctx, key, etag, r.Offset, buffers[i][:r.Length]) })
			}
		}
		return group.Wait()
	})
}

// readRange repeats what fails for a passing reason, going on after what has arrived.
func (s *Store) readRange(ctx context.Context, key, etag string, at int64, into []byte) error {
	const attempts = 4
	wait := 200 * time.Millisecond
	for attempt := 1; ; attempt++ {
		if d, err := s.copyOf(ctx, key, etag); d != nil || err != nil {
			if err != nil {
				return err
			}
			return d.read(s.Shown(key), at, into)
		}
		n, err := s.readOnce(ctx, key, etag, at, into)
		at, into = at+int64(n), into[n:]
		var known *sqlerr.Error
		switch {
		case err == nil && len(into) == 0:
			return nil
		case err == nil && n == 0:
			continue // with a copy of the whole: parts of it are not sent
		case ctx.Err() != nil || errors.As(err, &known) || attempt >= attempts && n == 0:
			return s.lost(ctx, key, err)
		}
		if n > 0 {
			attempt = 0
		}
		if err != nil {
			objstore.Count(ctx, &s.counters, objstore.Event{Retried: 1})
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return ctx.Err()
			}
			wait = min(2*wait, 5*time.Second)
		}
	}
}

// readOnce reads what one answer gives. Errors other than sqlerr's may pass.
func (s *Store) readOnce(ctx context.Context, key, etag string, at int64, into []byte) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	condition := ""
	if strings.HasPrefix(etag, `"`) {
		condition = etag
	}
	answer, err := s.ask(ctx, http.MethodGet, key, fmt.Sprintf("bytes=%d-%d", at, at+int64(len(into))-1), condition)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusPreconditionFailed:
		return 0, s.changed(key)
	case answer.StatusCode == http.StatusOK: // it sends no ranges after all
		s.mu.Lock()
		s.whole[key] = true
		s.mu.Unlock()
		return 0, nil
	case answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests:
		return 0, errors.New(answer.Status)
	case answer.StatusCode != http.StatusPartialContent:
		return 0, s.fail(key, answer)
	}
	first, _, size, ok := contentRange(answer)
	if !ok || first != at {
		return 0, sqlerr.New(sqlerr.IOError, "could not read %q: a request for the bytes from %d on was answered with %q", s.Shown(key), at, answer.Header.Get("Content-Range"))
	}
	if etag != "" && versionOf(answer, size) != etag {
		return 0, s.changed(key)
	}
	watch := time.AfterFunc(s.options.Timeout, cancel)
	defer watch.Stop()
	n := 0
	for n < len(into) {
		m, err := answer.Body.Read(into[n:])
		n += m
		objstore.Count(ctx, &s.counters, objstore.Event{BytesRead: int64(m)})
		watch.Reset(s.options.Timeout)
		if err != nil && n < len(into) {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		}
	}
	return n, nil
}

// ask sends a request. The caller closes the answer's body.
func (s *Store) ask(ctx context.Context, method, key, span, condition string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.Shown(key), nil)
	if err != nil {
		return nil, sqlerr.New(sqlerr.InvalidParameterValue, "%q is not a URL of a file", s.Shown(key))
	}
	request.Header.Set("User-Agent", "tarn")
	request.Header.Set("Accept-Encoding", "identity")
	if span != "" {
		request.Header.Set("Range", span)
	}
	if condition != "" {
		request.Header.Set("If-Match", condition)
	}
	kind := objstore.GetRequest
	if method == http.MethodHead {
		kind = objstore.HeadRequest
	}
	objstore.Count(ctx, &s.counters, objstore.Event{Kind: kind, Requests: 1})
	answer, err := s.client.Do(request)
	if err == nil {
		return answer, nil
	}
	var known *sqlerr.Error
	var address refused
	switch {
	case errors.As(err, &known):
		return nil, known
	case errors.As(err, &address):
		e := sqlerr.New(sqlerr.InsufficientPrivilege, "could not open file %q: %v", s.Shown(key), address).
			WithDetail("Addresses of the machine itself, of private networks and of clouds' metadata services are not read from.")
		if address.hint != "" {
			e = e.WithHint("%s", address.hint)
		}
		return nil, e
	case method == http.MethodGet && span != "" && span != "bytes=0-0":
		return nil, err // may pass
	}
	return nil, s.lost(ctx, key, err)
}

// lost is the error of a server that cannot be reached, or has broken off.
func (s *Store) lost(ctx context.Context, key string, err error) error {
	var known *sqlerr.Error
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	reason := err.Error()
	var wrapped interface{ Unwrap() error }
	if strings.HasPrefix(reason, "Get ") || strings.HasPrefix(reason, "Head ") { // the URL stands before already
		if errors.As(err, &wrapped) && wrapped.Unwrap() != nil {
			reason = wrapped.Unwrap().Error()
		}
	}
	return sqlerr.New(sqlerr.IOError, "could not read file %q: %s", s.Shown(key), reason)
}

func (s *Store) changed(key string) error {
	return sqlerr.Wrap(objstore.ErrPrecondition, sqlerr.ObjectNotInPrerequisiteState, "file %q has changed", s.Shown(key)).WithHint(objstore.ChangedHint)
}

// fail is the error for an answer that is none.
func (s *Store) fail(key string, answer *http.Response) error {
	switch answer.StatusCode {
	case http.StatusNotFound, http.StatusGone:
		e := sqlerr.New(sqlerr.UndefinedFile, "could not open file %q: No such file or directory", s.Shown(key))
		if strings.ContainsAny(key, "*[{") {
			e = e.WithHint("Web servers do not list their files: name each one in an array.")
		}
		return e
	case http.StatusUnauthorized, http.StatusForbidden:
		return sqlerr.New(sqlerr.InsufficientPrivilege, "could not open file %q: the server answered %s", s.Shown(key), answer.Status)
	case http.StatusRequestedRangeNotSatisfiable:
		return s.changed(key)
	}
	return sqlerr.New(sqlerr.IOError, "could not read file %q: the server answered %s", s.Shown(key), strconv.Itoa(answer.StatusCode)+" "+http.StatusText(answer.StatusCode))
}
