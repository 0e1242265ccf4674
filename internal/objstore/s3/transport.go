package s3

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

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
	// The transport beneath repeats some requests by itself; each time it writes the headers again.
	trace := &httptrace.ClientTrace{WroteHeaders: func() { objstore.Count(ctx, t.counters, event) }}
	response, err := t.base.RoundTrip(request.WithContext(httptrace.WithClientTrace(ctx, trace)))
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

// madeUp begins the ETags of objects that have none: gateways serve files so that others put there.
const madeUp = "~"

// etagOf gives an object's ETag without quotes, which some servers leave out in places.
func etagOf(etag *string, size int64, modified *time.Time) string {
	if text := strings.Trim(aws.ToString(etag), `"`); text != "" {
		return text
	}
	return fmt.Sprintf("%s%x-%x", madeUp, aws.ToTime(modified).Unix(), size)
}

// ifMatch gives the condition that an object has an ETag; nil when the server does not know it.
func ifMatch(etag string) *string {
	if etag == "" || strings.HasPrefix(etag, madeUp) {
		return nil
	}
	return aws.String(`"` + etag + `"`)
}
