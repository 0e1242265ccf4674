package s3

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/test/s3test"
)

// explained checks an error's code, and that message and hint hold words.
func explained(t *testing.T, what string, err error, code sqlerr.Code, message, hint string) {
	t.Helper()
	var e *sqlerr.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, message) || !strings.Contains(e.Hint, hint) {
		t.Errorf("%s: %#v\nwant %s, %q, hint %q", what, err, code, message, hint)
	}
}

// operations are requests of every kind.
func operations(t *testing.T, s *Store) map[string]error {
	ctx := t.Context()
	out := map[string]error{}
	_, out["stat"] = s.Stat(ctx, "dir/a")
	out["read"] = s.ReadRanges(ctx, "dir/a", "", []objstore.Range{{Length: 1}}, [][]byte{make([]byte, 1)})
	_, out["list"] = s.ListPage(ctx, objstore.ListRequest{Prefix: "dir/"})
	_, out["put"] = s.Put(ctx, "dir/a", []byte("x"))
	out["delete"] = s.DeleteMany(ctx, "", []string{"dir/a"})
	return out
}

func TestErrorsOfARealServer(t *testing.T) {
	server := s3test.Start(t)
	for what, c := range map[string]struct {
		bucket        string
		change        func(*Options)
		code          sqlerr.Code
		message, hint string
	}{
		"missing bucket": {"nowhere", func(*Options) {}, sqlerr.UndefinedObject, `bucket "nowhere" does not exist`, "storage.s3"},
		"wrong secret": {s3test.Bucket, func(o *Options) { o.SecretKey = "wrong" }, sqlerr.InvalidAuthorizationSpecification,
			"secret key", "secret_access_key"},
		"unknown key": {s3test.Bucket, func(o *Options) { o.AccessKey = "nobody" }, sqlerr.InvalidAuthorizationSpecification,
			"access key", "access_key_id"},
		"wrong region": {s3test.Bucket, func(o *Options) { o.Region = "eu-west-1" }, sqlerr.ConfigFileError, "region", "region"},
		"no rights":    {s3test.Bucket, func(o *Options) { o.Anonymous, o.AccessKey = true, "" }, sqlerr.InsufficientPrivilege, "permission denied", "anonymous"},
		"nobody there": {s3test.Bucket, func(o *Options) { o.Endpoint = "http://127.0.0.1:1" }, sqlerr.ConnectionFailure, "could not reach", "endpoint"},
	} {
		o := options(server.URL)
		c.change(&o)
		for operation, err := range operations(t, New(c.bucket, o)) {
			explained(t, what+": "+operation, err, c.code, c.message, c.hint)
		}
	}
	_, err := New(s3test.Bucket, options(server.URL)).Stat(t.Context(), "dir/a")
	explained(t, "missing key", err, sqlerr.UndefinedFile, `"s3://lake/dir/a"`, "")
}

// TestErrorsOfAWS answers as AWS does where the test server does not.
func TestErrorsOfAWS(t *testing.T) {
	for what, c := range map[string]struct {
		status        int
		xmlCode       string
		header        string
		code          sqlerr.Code
		message, hint string
	}{
		"clock":         {403, "RequestTimeTooSkewed", "", sqlerr.SystemError, "clock", "NTP"},
		"no rights":     {403, "AccessDenied", "", sqlerr.InsufficientPrivilege, "permission denied", "s3:"},
		"region":        {301, "PermanentRedirect", "eu-central-1", sqlerr.ConfigFileError, `is in region "eu-central-1", not in "us-east-1"`, `region = "eu-central-1" in [storage.buckets.b]`},
		"expired token": {400, "ExpiredToken", "", sqlerr.InvalidAuthorizationSpecification, "expired", "credentials"},
		"bucket":        {404, "NoSuchBucket", "", sqlerr.UndefinedObject, "does not exist", "name"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c.header != "" {
				w.Header().Set("X-Amz-Bucket-Region", c.header)
			}
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(c.status)
			if r.Method != http.MethodHead {
				fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>m</Message></Error>`, c.xmlCode)
			}
		}))
		o := options(server.URL)
		o.Where = "storage.buckets.b"
		for operation, err := range operations(t, New("b", o)) {
			explained(t, what+": "+operation, err, c.code, c.message, c.hint)
		}
		server.Close()
	}
}

// TestRegionIsFollowed: without a configured region the one that AWS names is used.
func TestRegionIsFollowed(t *testing.T) {
	t.Setenv("AWS_REGION", "us-east-1")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amz-Bucket-Region", "eu-central-1")
		if !strings.Contains(r.Header.Get("Authorization"), "/eu-central-1/s3/") {
			w.WriteHeader(http.StatusMovedPermanently)
			return
		}
		w.Header().Set("Content-Length", "7")
	}))
	defer server.Close()
	o := options(server.URL)
	o.Region = ""
	if object, err := New("b", o).Stat(t.Context(), "a"); err != nil || object.Size != 7 {
		t.Error(object, err)
	}
}

func TestNoCredentials(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	started := time.Now()
	_, err := New("b", Options{Endpoint: "http://127.0.0.1:1", Region: "us-east-1", PathStyle: true}).Stat(t.Context(), "a")
	explained(t, "no credentials", err, sqlerr.InvalidAuthorizationSpecification, "no credentials", "AWS_ACCESS_KEY_ID")
	if time.Since(started) > 5*time.Second {
		t.Error("it took", time.Since(started))
	}
}

func TestCredentialsChain(t *testing.T) {
	server := s3test.Start(t)
	t.Setenv("AWS_ACCESS_KEY_ID", s3test.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3test.SecretKey)
	t.Setenv("AWS_REGION", "us-east-1")
	if _, err := New(s3test.Bucket, Options{Endpoint: server.URL, PathStyle: true}).Put(t.Context(), "a", []byte("x")); err != nil {
		t.Error(err)
	}
}
