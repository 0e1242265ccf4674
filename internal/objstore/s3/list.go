package s3

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/tarnlake/tarn/internal/objstore"
)

// afterPrefix, behind a prefix, is greater than every key below it.
const afterPrefix = "\U0010FFFF"

// ListPage implements objstore.Store. Empty objects whose keys end in "/", which consoles make for
// directories, are left out.
func (s *Store) ListPage(ctx context.Context, request objstore.ListRequest) (objstore.Page, error) {
	limit := int32(1000)
	if request.Limit > 0 && request.Limit < 1000 {
		limit = int32(request.Limit)
	}
	input := &s3.ListObjectsV2Input{Bucket: &s.bucket, MaxKeys: &limit, EncodingType: types.EncodingTypeUrl}
	if request.Prefix != "" {
		input.Prefix = &request.Prefix
	}
	if request.Delimiter != "" {
		input.Delimiter = &request.Delimiter
	}
	if after := request.StartAfter; after != "" {
		if request.Delimiter != "" && strings.HasSuffix(after, request.Delimiter) {
			after += afterPrefix // a prefix was the last entry: go on behind it
		}
		input.StartAfter = &after
	}
	var out *s3.ListObjectsV2Output
	op := operation{verb: "list", action: "s3:ListBucket", key: request.Prefix, timeout: 3 * s.options.RequestTimeout}
	err := s.do(ctx, op, func(ctx context.Context, client *s3.Client, _ int, _ bool) (err error) {
		out, err = client.ListObjectsV2(ctx, input)
		return err
	})
	if err != nil {
		return objstore.Page{}, err
	}
	s.seen()
	return page(request, out)
}

// page converts an answer.
func page(request objstore.ListRequest, out *s3.ListObjectsV2Output) (objstore.Page, error) {
	var p objstore.Page
	decode := func(text *string) string { return aws.ToString(text) }
	if out.EncodingType == types.EncodingTypeUrl {
		decode = func(text *string) string {
			if plain, err := url.QueryUnescape(aws.ToString(text)); err == nil {
				return plain
			}
			return aws.ToString(text)
		}
	}
	last := ""
	for _, entry := range out.Contents {
		key := decode(entry.Key)
		last = max(last, key)
		if key > request.StartAfter && !isMarker(key) {
			p.Objects = append(p.Objects, objstore.Object{Path: key, Size: aws.ToInt64(entry.Size), ETag: etagOf(entry.ETag, aws.ToInt64(entry.Size), entry.LastModified),
				Modified: aws.ToTime(entry.LastModified)})
		}
	}
	for _, entry := range out.CommonPrefixes {
		prefix := decode(entry.Prefix)
		last = max(last, prefix)
		if prefix > request.StartAfter {
			p.Prefixes = append(p.Prefixes, prefix)
		}
	}
	if aws.ToBool(out.IsTruncated) {
		p.Next = last
	}
	return p, nil
}

// RemoveTemporary aborts the multipart uploads below prefix that crashed writers have left, when
// older than age.
func (s *Store) RemoveTemporary(ctx context.Context, prefix string, age time.Duration) (removed int, err error) {
	limit := time.Now().Add(-age)
	input := &s3.ListMultipartUploadsInput{Bucket: &s.bucket, Prefix: &prefix}
	for {
		var out *s3.ListMultipartUploadsOutput
		op := operation{verb: "list unfinished uploads below", action: "s3:ListBucketMultipartUploads", key: prefix, timeout: 3 * s.options.RequestTimeout}
		err := s.do(ctx, op, func(ctx context.Context, client *s3.Client, _ int, _ bool) (err error) {
			out, err = client.ListMultipartUploads(ctx, input)
			return err
		})
		if err != nil {
			return removed, err
		}
		for _, upload := range out.Uploads {
			if aws.ToTime(upload.Initiated).After(limit) || !strings.HasPrefix(aws.ToString(upload.Key), prefix) {
				continue
			}
			if err := s.abortUpload(ctx, aws.ToString(upload.Key), aws.ToString(upload.UploadId)); err != nil {
				return removed, err
			}
			removed++
		}
		if !aws.ToBool(out.IsTruncated) || aws.ToString(out.NextKeyMarker) == "" {
			return removed, nil
		}
		input.KeyMarker, input.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
}
