package s3

import (
	"testing"

	"github.com/tarnlake/tarn/internal/objstore/objtest"
	"github.com/tarnlake/tarn/test/s3test"
)

func options(url string) Options {
	return Options{Endpoint: url, Region: "us-east-1", PathStyle: true, AccessKey: s3test.AccessKey, SecretKey: s3test.SecretKey}
}

func TestS3IsAStore(t *testing.T) {
	server := s3test.Start(t)
	objtest.Run(t, New(s3test.Bucket, options(server.URL)))
	if left := s3test.Visible(server.Objects(t, s3test.Bucket)); len(left) > 0 {
		t.Errorf("left on the server: %q", left)
	}
}
