package s3

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/tarnlake/tarn/internal/objstore"
)

// countingTransport counts every attempt and its bytes, for the bucket and for the query.
type countingTransport struct {
	base     http.RoundTripper
	counters *objstore.Counters
}

// RoundTrip implements http.RoundTripper.
func (t *countingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	event := objstore.Event{Kind: kindOf(request), Requests: 1}
	if request.ContentLength > 0 && event.Kind == objstore.PutRequest {
		event.BytesWritten = request.ContentLength
	}
	objstore.Count(ctx, t.counters, event)
	response, err := t.base.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusServiceUnavailable || response.StatusCode == http.StatusTooManyRequests {
		objstore.Count(ctx, t.counters, objstore.Event{Throttled: 1})
	}
	if event.Kind == objstore.GetRequest {
		response.Body = &countingBody{response.Body, ctx, t.counters}
	}
	return response, nil
}

// kindOf tells what a request is billed as.
func kindOf(request *http.Request) objstore.RequestKind {
	query := request.URL.Query()
	switch request.Method {
	case http.MethodGet:
		if query.Has("list-type") || query.Has("uploads") {
			return objstore.ListRequests
		}
		return objstore.GetRequest
	case http.MethodHead:
		return objstore.HeadRequest
	case http.MethodDelete:
		return objstore.DeleteRequest
	case http.MethodPost:
		if query.Has("delete") {
			return objstore.DeleteRequest
		}
	}
	return objstore.PutRequest
}

// countingBody counts what is read of an answer.
type countingBody struct {
	io.ReadCloser
	ctx      context.Context
	counters *objstore.Counters
}

func (b *countingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		objstore.Count(b.ctx, b.counters, objstore.Event{BytesRead: int64(n)})
	}
	return n, err
}

// trimETag takes the quotes off, which some servers leave out in places.
func trimETag(etag *string) string {
	if etag == nil {
		return ""
	}
	return strings.Trim(*etag, `"`)
}

func quoteETag(etag string) *string {
	quoted := `"` + etag + `"`
	return &quoted
}
