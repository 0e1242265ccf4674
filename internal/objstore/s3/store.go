package s3

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Store keeps objects in one bucket. It implements objstore.Store.
type Store struct {
	bucket   string
	options  Options
	counters objstore.Counters
	http     *http.Client
	limiter  *limiter
	budget   *budget
	latency  latency
	uploads  chan struct{} // a token for each part that is under way

	mu     sync.Mutex
	client *s3.Client // nil until the first request
	region string     // learnt from the server; "" if it was not
	exists bool       // the bucket does, for sure
}

// maxUploads is how many parts of all the writers of a bucket may be under way, which bounds memory.
const maxUploads = 16

// New makes the store of a bucket. Nothing is sent before the first request.
func New(bucket string, options Options) *Store {
	return newStore(bucket, options, newTransport(options.withDefaults().MaxConnections))
}

func newStore(bucket string, options Options, transport http.RoundTripper) *Store {
	options = options.withDefaults()
	s := &Store{bucket: bucket, options: options, limiter: newLimiter(options.MaxConnections), budget: newBudget(),
		uploads: make(chan struct{}, maxUploads)}
	s.http = &http.Client{Transport: &countingTransport{transport, &s.counters},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return s
}

// Bucket gives the bucket's name.
func (s *Store) Bucket() string { return s.bucket }

// Usage gives the requests of all queries since the store was made.
func (s *Store) Usage() objstore.Usage { return s.counters.Usage() }

// connect gives the client, made at the first call.
func (s *Store) connect(ctx context.Context) (*s3.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		return s.client, nil
	}
	o := s.options
	var load []func(*config.LoadOptions) error
	load = append(load, config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(o.RequestTimeout)), config.WithLogger(logging.Nop{}))
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	switch {
	case o.Anonymous:
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	case o.AccessKey != "":
		load = append(load, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(o.AccessKey, o.SecretKey, o.SessionToken)))
	}
	loaded, err := config.LoadDefaultConfig(context.WithoutCancel(ctx), load...)
	if err != nil {
		return nil, sqlerr.New(sqlerr.ConfigFileError, "cannot set up access to bucket %q: %v", s.bucket, err).
			WithHint("Check profile in [%s] and the AWS_* environment variables.", o.Where)
	}
	region := firstOf(s.region, o.Region, loaded.Region, "us-east-1")
	s.client = s3.NewFromConfig(loaded, func(c *s3.Options) {
		c.HTTPClient = s.http
		c.Region = region
		c.UsePathStyle = o.PathStyle || strings.ContainsRune(s.bucket, '.')
		if o.Endpoint != "" {
			c.BaseEndpoint = aws.String(o.Endpoint)
		}
		c.Retryer = aws.NopRetryer{}
		c.ContinueHeaderThresholdBytes = -1
		c.DisableClockSkewCorrection = true // a wrong clock is told, not hidden
		c.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		c.DisableLogOutputChecksumValidationSkipped = true
	})
	return s.client, nil
}

// moveTo makes later requests go to another region.
func (s *Store) moveTo(region string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.region != region {
		s.region, s.client = region, nil
	}
}

func (s *Store) usedRegion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		return firstOf(s.region, s.options.Region)
	}
	return s.client.Options().Region
}

func (s *Store) seen() {
	s.mu.Lock()
	s.exists = true
	s.mu.Unlock()
}

// Shown gives the URL of a key.
func (s *Store) Shown(key string) string { return "s3://" + s.bucket + "/" + key }

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// checkKey refuses what cannot be a key.
func checkKey(key string) error {
	if key == "" || len(key) > 1024 || strings.HasSuffix(key, "/") || strings.ContainsRune(key, 0) {
		return sqlerr.New(sqlerr.InvalidParameterValue, "invalid file path %q", key)
	}
	return nil
}

// Distant tells readers to fetch ahead.
func (s *Store) Distant() bool { return true }
