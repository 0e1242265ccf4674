package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// download is a copy of a file whose server sends no ranges. The temporary file has no name any more:
// it goes with the last reader.
type download struct {
	file     *os.File
	size     int64
	etag     string // of the content
	version  string // as the server tells it
	modified time.Time
}

// copyOf gives the copy of a file of which ranges are not sent; nil when they are.
func (s *Store) copyOf(ctx context.Context, key, etag string) (*download, error) {
	s.mu.Lock()
	d, whole := s.copies[key], s.whole[key]
	s.mu.Unlock()
	if d == nil && !whole && !isDigest(etag) {
		return nil, nil
	}
	if d == nil {
		end, err := s.turn(ctx, key)
		if err != nil {
			return nil, err
		}
		defer end()
		s.mu.Lock()
		d = s.copies[key] // of who was before
		s.mu.Unlock()
	}
	if d == nil {
		answer, err := s.ask(ctx, http.MethodGet, key, "", "")
		if err != nil {
			return nil, s.lost(ctx, key, err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, s.fail(key, answer)
		}
		if d, err = s.download(ctx, key, answer); err != nil {
			return nil, err
		}
	}
	if etag != "" && etag != d.etag && etag != d.version { // parts may have been read before
		return nil, s.changed(key)
	}
	return d, nil
}

// turn waits until nobody else makes a copy of a file, and keeps others from it until end is called.
func (s *Store) turn(ctx context.Context, key string) (end func(), err error) {
	for {
		s.mu.Lock()
		other := s.copying[key]
		if other == nil {
			mine := make(chan struct{})
			s.copying[key] = mine
			s.mu.Unlock()
			return func() {
				s.mu.Lock()
				delete(s.copying, key)
				s.mu.Unlock()
				close(mine)
			}, nil
		}
		s.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

const digestMark = "sha256:"

func isDigest(etag string) bool {
	return len(etag) > len(digestMark) && etag[:len(digestMark)] == digestMark
}

// download copies an answer's body.
func (s *Store) download(ctx context.Context, key string, answer *http.Response) (*download, error) {
	if answer.ContentLength > s.options.MaxDownload {
		return nil, s.tooLarge(key)
	}
	file, err := os.CreateTemp(s.options.Temporary, "tarn-web-*")
	if err != nil {
		return nil, sqlerr.New(sqlerr.IOError, "could not create a temporary file: %v", err)
	}
	_ = os.Remove(file.Name())
	body := &watched{body: answer.Body, timeout: s.options.Timeout}
	body.timer = time.AfterFunc(s.options.Timeout, func() { answer.Body.Close() })
	defer body.timer.Stop()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, sum), io.LimitReader(body, s.options.MaxDownload+1))
	objstore.Count(ctx, &s.counters, objstore.Event{BytesRead: n})
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case n > s.options.MaxDownload:
		err = s.tooLarge(key)
	case err != nil || answer.ContentLength >= 0 && n != answer.ContentLength:
		err = s.lost(ctx, key, errors.Join(err, io.ErrUnexpectedEOF))
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	d := &download{file: file, size: n, etag: digestMark + hex.EncodeToString(sum.Sum(nil)), version: versionOf(answer, n)}
	d.modified, _ = http.ParseTime(answer.Header.Get("Last-Modified"))
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.copies, key)
	kept := n
	for _, other := range s.copies {
		kept += other.size
	}
	for name, other := range s.copies {
		if kept > s.options.MaxDownload { // its readers go on, and others make it anew
			delete(s.copies, name)
			kept -= other.size
		}
	}
	s.copies[key] = d
	return d, nil
}

func (s *Store) tooLarge(key string) error {
	return sqlerr.New(sqlerr.ProgramLimitExceeded, "file %q is larger than %s, and its server does not send parts of it", s.Shown(key), memory.FormatBytes(s.options.MaxDownload)).
		WithHint("Raise storage.http.max_download.")
}

func (d *download) read(url string, at int64, into []byte) error {
	if _, err := d.file.ReadAt(into, at); err != nil {
		return sqlerr.New(sqlerr.IOError, "could not read the copy of file %q: %v", url, err)
	}
	return nil
}

// watched ends a body that stands still.
type watched struct {
	body    io.Reader
	timer   *time.Timer
	timeout time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	w.timer.Reset(w.timeout)
	return n, err
}
