package s3

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// writer streams one object: an object that fits a part is put at Commit, a larger one becomes a
// multipart upload whose parts go out while more are being written.
type writer struct {
	store  *Store
	key    string
	mark   string
	ctx    context.Context // of the uploads
	cancel context.CancelCauseFunc
	done   bool

	buffer []byte // the part being filled
	size   int64
	upload string // its id, "" before the first part
	parts  []types.CompletedPart

	sending sync.WaitGroup
	tokens  chan struct{} // bounds this writer's parts under way
	mu      sync.Mutex
	failed  error
}

const (
	// partsAtOnce is how many parts of one writer are under way.
	partsAtOnce = 4
	// growParts: after so many parts the size doubles, as there can be 10,000.
	growParts = 2000
	// abortTime is what cleaning up after a failed write may take.
	abortTime = 15 * time.Second
)

// Create implements objstore.Store. The context must last until Commit or Abort.
func (s *Store) Create(ctx context.Context, key string) (objstore.Writer, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := &writer{store: s, key: key, mark: newMark(), tokens: make(chan struct{}, partsAtOnce)}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	return w, nil
}

// Buffered is the memory that the writer holds, parts under way included.
func (w *writer) Buffered() int64 {
	return int64(cap(w.buffer)) + int64(len(w.tokens)*w.partSize())
}

func (w *writer) partSize() int {
	return w.store.options.PartSize << (len(w.parts) / growParts)
}

// Write implements objstore.Writer. It blocks while too many parts are under way.
func (w *writer) Write(p []byte) (int, error) {
	if w.done {
		return 0, sqlerr.Internal("file %q is closed", w.key)
	}
	written := 0
	for len(p) > 0 {
		size := w.partSize()
		n := min(len(p), size-len(w.buffer))
		if need := len(w.buffer) + n; need > cap(w.buffer) {
			grown := make([]byte, len(w.buffer), min(size, max(need, 2*cap(w.buffer))))
			copy(grown, w.buffer)
			w.buffer = grown
		}
		w.buffer = append(w.buffer, p[:n]...)
		p, written = p[n:], written+n
		w.size += int64(n)
		if len(w.buffer) == size {
			if err := w.send(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// send begins to upload the buffered part.
func (w *writer) send() error {
	if err := w.failure(); err != nil {
		return err
	}
	if w.upload == "" {
		if err := w.begin(); err != nil {
			return err
		}
	}
	for _, tokens := range []chan struct{}{w.tokens, w.store.uploads} {
		select {
		case tokens <- struct{}{}:
		case <-w.ctx.Done():
			if tokens == w.store.uploads {
				<-w.tokens
			}
			return w.ctx.Err()
		}
	}
	data := w.buffer
	w.buffer = nil
	number := int32(len(w.parts) + 1)
	w.mu.Lock()
	w.parts = append(w.parts, types.CompletedPart{})
	w.mu.Unlock()
	w.sending.Add(1)
	go func() {
		defer w.sending.Done()
		part, err := w.sendPart(number, data)
		<-w.store.uploads
		<-w.tokens
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil && w.failed == nil {
			w.failed = err
			w.cancel(errClosed)
		}
		w.parts[number-1] = part
	}()
	return nil
}

func (w *writer) begin() error {
	op := operation{verb: "write to", action: "s3:PutObject", key: w.key, timeout: w.store.options.RequestTimeout}
	return w.store.do(w.ctx, op, func(ctx context.Context, client *s3.Client, _ int, _ bool) error {
		out, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &w.store.bucket, Key: &w.key,
			Metadata: map[string]string{writeMark: w.mark}, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c})
		if err == nil {
			w.upload = aws.ToString(out.UploadId)
		}
		return err
	})
}

func (w *writer) sendPart(number int32, data []byte) (types.CompletedPart, error) {
	part := types.CompletedPart{PartNumber: &number}
	op := operation{verb: "write to", action: "s3:PutObject", key: w.key, timeout: w.store.uploadTimeout(len(data))}
	err := w.store.do(w.ctx, op, func(ctx context.Context, client *s3.Client, _ int, _ bool) error {
		out, err := client.UploadPart(ctx, &s3.UploadPartInput{Bucket: &w.store.bucket, Key: &w.key, UploadId: &w.upload, PartNumber: &number,
			Body: bytes.NewReader(data), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c})
		if err == nil {
			part.ETag, part.ChecksumCRC32C = out.ETag, out.ChecksumCRC32C
		}
		return err
	})
	return part, err
}

func (w *writer) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

// Commit implements objstore.Writer.
func (w *writer) Commit(ctx context.Context) (objstore.Object, error) {
	if w.done {
		return objstore.Object{}, sqlerr.Internal("file %q was closed twice", w.key)
	}
	if err := ctx.Err(); err != nil {
		w.Abort()
		return objstore.Object{}, err
	}
	if w.upload == "" {
		w.done = true
		defer w.cancel(errClosed)
		data := w.buffer
		w.buffer = nil
		return w.store.Put(ctx, w.key, data)
	}
	stop := context.AfterFunc(ctx, func() { w.cancel(errClosed) })
	defer stop()
	if len(w.buffer) > 0 {
		if err := w.send(); err != nil {
			w.Abort()
			return objstore.Object{}, err
		}
	}
	w.sending.Wait()
	err := w.failure()
	var object objstore.Object
	if err == nil {
		object, err = w.complete(ctx)
	}
	if err != nil {
		w.Abort()
		if cancelled := ctx.Err(); cancelled != nil {
			err = cancelled
		}
		return objstore.Object{}, err
	}
	w.done = true
	w.cancel(errClosed)
	return object, nil
}

// complete makes the parts one object.
func (w *writer) complete(ctx context.Context) (objstore.Object, error) {
	object := objstore.Object{Path: w.key, Size: w.size, Modified: time.Now()}
	op := operation{verb: "write to", action: "s3:PutObject", key: w.key, timeout: 3*w.store.options.RequestTimeout + time.Duration(len(w.parts)/10)*time.Second}
	err := w.store.do(ctx, op, func(ctx context.Context, client *s3.Client, _ int, ambiguous bool) error {
		out, err := client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &w.store.bucket, Key: &w.key, UploadId: &w.upload,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: w.parts}})
		if err == nil {
			object.ETag = etagOf(out.ETag, object.Size, nil)
			return nil
		}
		if codeOf(err) == "NoSuchUpload" && ambiguous {
			etag, ours, failed := w.store.wrote(ctx, client, w.key, w.mark)
			if failed != nil {
				return failed
			}
			if ours {
				object.ETag = etag
				return nil
			}
		}
		return err
	})
	return object, err
}

// Abort implements objstore.Writer.
func (w *writer) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	w.cancel(errClosed)
	w.sending.Wait()
	w.buffer = nil
	if w.upload == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), abortTime)
	defer cancel()
	return w.store.abortUpload(ctx, w.key, w.upload)
}
