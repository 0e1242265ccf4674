package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// writeMark is the metadata key under which an object keeps the random number of its write, by which
// a write whose answer was lost is recognised.
const writeMark = "tarn-write"

func newMark() string {
	var random [8]byte
	rand.Read(random[:])
	return hex.EncodeToString(random[:])
}

// slowestUpload is the bytes a second below which an upload counts as stalled.
const slowestUpload = 128 << 10

func (s *Store) uploadTimeout(size int) time.Duration {
	return s.options.RequestTimeout + time.Duration(size/slowestUpload)*time.Second
}

// Put implements objstore.Store.
func (s *Store) Put(ctx context.Context, key string, data []byte) (objstore.Object, error) {
	return s.put(ctx, &s3.PutObjectInput{Key: &key}, data)
}

// PutIfAbsent implements objstore.Store.
func (s *Store) PutIfAbsent(ctx context.Context, key string, data []byte) (objstore.Object, error) {
	return s.put(ctx, &s3.PutObjectInput{Key: &key, IfNoneMatch: aws.String("*")}, data)
}

// PutIfMatch implements objstore.Store.
func (s *Store) PutIfMatch(ctx context.Context, key string, data []byte, etag string) (objstore.Object, error) {
	return s.put(ctx, &s3.PutObjectInput{Key: &key, IfMatch: aws.String(`"` + etag + `"`)}, data)
}

// put writes an object with one request, whose checksum the server verifies.
func (s *Store) put(ctx context.Context, input *s3.PutObjectInput, data []byte) (objstore.Object, error) {
	key := *input.Key
	if err := checkKey(key); err != nil {
		return objstore.Object{}, err
	}
	mark := newMark()
	input.Bucket, input.Metadata = &s.bucket, map[string]string{writeMark: mark}
	input.ChecksumAlgorithm = types.ChecksumAlgorithmCrc32c
	object := objstore.Object{Path: key, Size: int64(len(data)), Modified: time.Now()}
	op := operation{verb: "write to", action: "s3:PutObject", key: key, timeout: s.uploadTimeout(len(data))}
	err := s.do(ctx, op, func(ctx context.Context, client *s3.Client, _ int, ambiguous bool) error {
		input.Body = bytes.NewReader(data)
		out, err := client.PutObject(ctx, input)
		if err == nil {
			object.ETag = etagOf(out.ETag, object.Size, nil)
			return nil
		}
		if !isRefused(input, err) {
			return err
		}
		if ambiguous {
			etag, ours, failed := s.wrote(ctx, client, key, mark)
			if failed != nil {
				return failed // it is not known yet who wrote what is there
			}
			if ours {
				object.ETag = etag
				return nil
			}
		}
		return s.refused(input, err)
	})
	if err != nil {
		return objstore.Object{}, err
	}
	s.seen()
	return object, nil
}

// isRefused tells that the condition of a put does not hold.
func isRefused(input *s3.PutObjectInput, err error) bool {
	return statusOf(err) == http.StatusPreconditionFailed || input.IfMatch != nil && codeOf(err) == "NoSuchKey"
}

func (s *Store) refused(input *s3.PutObjectInput, err error) error {
	key := *input.Key
	switch {
	case input.IfNoneMatch != nil:
		return sqlerr.Wrap(objstore.ErrPrecondition, sqlerr.DuplicateFile, "file %q already exists", s.Shown(key))
	case codeOf(err) == "NoSuchKey":
		return sqlerr.Wrap(objstore.ErrPrecondition, sqlerr.UndefinedFile, "file %q does not exist", s.Shown(key))
	}
	return s.changed(key, strings.Trim(aws.ToString(input.IfMatch), `"`), "")
}

// wrote tells whether an object is the one that a write with this mark made. Without the right to look
// at it, it is not.
func (s *Store) wrote(ctx context.Context, client *s3.Client, key, mark string) (etag string, ours bool, err error) {
	out, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &key})
	switch statusOf(err) {
	case http.StatusNotFound, http.StatusForbidden:
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	return etagOf(out.ETag, aws.ToInt64(out.ContentLength), out.LastModified), out.Metadata[writeMark] == mark, nil
}

// mostDeletions is what one request can delete.
const mostDeletions = 1000

// DeleteMany implements objstore.Store.
func (s *Store) DeleteMany(ctx context.Context, _ string, keys []string) error {
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	for len(keys) > 0 {
		n := min(len(keys), mostDeletions)
		if err := s.deleteSome(ctx, keys[:n]); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

func (s *Store) deleteSome(ctx context.Context, keys []string) error {
	left := keys
	op := operation{verb: "remove", action: "s3:DeleteObject", key: keys[0], timeout: 3 * s.options.RequestTimeout}
	return s.do(ctx, op, func(ctx context.Context, client *s3.Client, _ int, _ bool) error {
		request := &types.Delete{Quiet: aws.Bool(true)}
		for i := range left {
			request.Objects = append(request.Objects, types.ObjectIdentifier{Key: &left[i]})
		}
		out, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &s.bucket, Delete: request})
		if err != nil {
			return err
		}
		left = nil
		var first error
		for _, e := range out.Errors {
			if aws.ToString(e.Code) == "NoSuchKey" {
				continue
			}
			left = append(left, aws.ToString(e.Key))
			if first == nil {
				first = &deletionError{code: aws.ToString(e.Code), message: aws.ToString(e.Message)}
			}
		}
		return first
	})
}

// deletionError is the reason for which one of many objects could not be deleted. It implements
// smithy.APIError, so that it is understood as an answer's own error is.
type deletionError struct {
	code, message string
}

func (e *deletionError) Error() string                 { return e.code + ": " + e.message }
func (e *deletionError) ErrorCode() string             { return e.code }
func (e *deletionError) ErrorMessage() string          { return e.message }
func (e *deletionError) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

// mostAborts bounds how often an upload is aborted whose parts keep arriving; VACUUM tries again.
const mostAborts = 6

// abortUpload forgets an unfinished multipart upload; one that is gone already is no error. A part that
// was under way may be stored after the abort, so it is repeated until no part is listed.
func (s *Store) abortUpload(ctx context.Context, key, id string) error {
	op := operation{verb: "abort the upload of", action: "s3:AbortMultipartUpload", key: key, timeout: s.options.RequestTimeout}
	for try := 1; ; try++ {
		err := s.do(ctx, op, func(ctx context.Context, client *s3.Client, _ int, _ bool) error {
			_, err := client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: &key, UploadId: &id})
			if codeOf(err) == "NoSuchUpload" {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
		left, err := s.hasParts(ctx, key, id)
		if err != nil || !left || try == mostAborts {
			return err
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// hasParts tells whether an upload has any; where that may not be asked it is taken to have none.
func (s *Store) hasParts(ctx context.Context, key, id string) (found bool, err error) {
	op := operation{verb: "list the parts of", action: "s3:ListMultipartUploadParts", key: key, timeout: s.options.RequestTimeout}
	err = s.do(ctx, op, func(ctx context.Context, client *s3.Client, _ int, _ bool) error {
		out, err := client.ListParts(ctx, &s3.ListPartsInput{Bucket: &s.bucket, Key: &key, UploadId: &id, MaxParts: aws.Int32(1)})
		if err == nil {
			found = len(out.Parts) > 0
			return nil
		}
		switch statusOf(err) {
		case http.StatusNotFound, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotImplemented:
			return nil
		}
		return err
	})
	return found, err
}

// errClosed is an upload's end when its writer was aborted.
var errClosed = errors.New("writer is closed")
