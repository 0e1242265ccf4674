package s3

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// errTimeout says that a server did not answer in time, or stopped in the middle.
var errTimeout = errors.New("the server did not answer in time")

// reason is what a failed attempt means for the next one.
type reason struct {
	passing   bool // may succeed when repeated
	throttled bool // the server asks to slow down
	ambiguous bool // a write may have taken effect
	attempts  int  // most attempts; 0 is the store's
	cost      int  // of a repetition, from the budget
}

// classify tells whether to try again.
func classify(err error) reason {
	var known *sqlerr.Error
	if errors.As(err, &known) {
		return reason{}
	}
	code, status := codeOf(err), statusOf(err)
	switch code {
	case "SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequests", "RequestLimitExceeded", "BandwidthLimitExceeded":
		return reason{passing: true, throttled: true, cost: throttleCost}
	case "InternalError", "RequestTimeout", "ConditionalRequestConflict", "OperationAborted", "BadDigest", "XAmzContentChecksumMismatch", "IncompleteBody":
		return reason{passing: true, ambiguous: true, cost: retryCost}
	}
	switch {
	case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		return reason{passing: true, throttled: true, cost: throttleCost}
	case status >= 500 && status != http.StatusNotImplemented:
		return reason{passing: true, ambiguous: true, cost: retryCost}
	case status != 0 && status != http.StatusOK && !isCut(err):
		return reason{}
	case errors.Is(err, syscall.ECONNREFUSED):
		return reason{passing: true, attempts: 4, cost: retryCost}
	case isMissingHost(err):
		return reason{passing: true, attempts: 2, cost: retryCost}
	case isCredentials(err) || isCertificate(err):
		return reason{}
	case errors.Is(err, errTimeout):
		return reason{passing: true, ambiguous: true, attempts: 5, cost: retryCost}
	}
	var build *smithy.SerializationError
	if errors.As(err, &build) {
		return reason{}
	}
	return reason{passing: true, ambiguous: true, cost: retryCost}
}

// isCut tells that an answer broke off, so that what it says is not known.
func isCut(err error) bool {
	var unreadable *smithy.DeserializationError
	var network net.Error
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.As(err, &unreadable) || errors.As(err, &network)
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func statusOf(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

func isMissingHost(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

func isCredentials(err error) bool {
	text := err.Error()
	return strings.Contains(text, "get credentials") || strings.Contains(text, "failed to refresh cached credentials") || strings.Contains(text, "get identity")
}

func isCertificate(err error) bool { return strings.Contains(err.Error(), "x509:") }

// expecting finds the region in what AWS answers to a request signed for another.
var expecting = regexp.MustCompile(`expecting '([a-z0-9-]+)'`)

// rightRegion gives the region that an answer names as the bucket's.
func rightRegion(err error) string {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil && response.Response.Header != nil {
		switch response.HTTPStatusCode() {
		case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest:
			if region := response.Response.Header.Get("X-Amz-Bucket-Region"); region != "" {
				return region
			}
		}
	}
	if m := expecting.FindStringSubmatch(err.Error()); m != nil && codeOf(err) == "AuthorizationHeaderMalformed" {
		return m[1]
	}
	return ""
}

// betterRegion gives the region to try next: the one that the server names, unless one was configured.
func (s *Store) betterRegion(err error) string {
	region := rightRegion(err)
	if s.options.Region != "" || region == s.usedRegion() {
		return ""
	}
	return region
}

// explain turns a final error into one that says what is wrong and what to do.
func (s *Store) explain(ctx context.Context, op operation, err error, tries int) error {
	var known *sqlerr.Error
	if errors.As(err, &known) {
		return err
	}
	if statusOf(err) >= 300 && codeOf(err) == "" || isBareCode(codeOf(err)) {
		err = s.askAgain(ctx, op, err)
	}
	if e := s.explainCode(op, err); e != nil {
		return e
	}
	if e := s.explainNetwork(err); e != nil {
		return e
	}
	text := reasonText(err)
	if tries > 1 {
		return sqlerr.New(sqlerr.IOError, "could not %s %q: %s (%d attempts)", op.verb, s.Shown(op.key), text, tries)
	}
	return sqlerr.New(sqlerr.IOError, "could not %s %q: %s", op.verb, s.Shown(op.key), text)
}

// isBareCode tells that the code was made up of a status: answers to HEAD have no body.
func isBareCode(code string) bool {
	switch code {
	case "NotFound", "Forbidden", "BadRequest", "MovedPermanently", "UnknownError", "301", "400", "403", "404":
		return true
	}
	return false
}

// askAgain asks for the same object, or for the bucket, in a way that has the error in the answer.
func (s *Store) askAgain(ctx context.Context, op operation, err error) error {
	client, failed := s.connect(ctx)
	if failed != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.RequestTimeout)
	defer cancel()
	one := int32(1)
	if statusOf(err) == http.StatusNotFound || op.key == "" {
		if _, failed = client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &s.bucket, MaxKeys: &one}); failed == nil {
			s.seen()
			return err
		}
		if codeOf(failed) == "AccessDenied" {
			return err
		}
	} else {
		first := "bytes=0-0"
		var out *s3.GetObjectOutput
		if out, failed = client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &op.key, Range: &first}); failed == nil {
			out.Body.Close()
			return err
		}
	}
	if code := codeOf(failed); code != "" && !isBareCode(code) {
		return failed
	}
	return err
}

// explainCode knows the server's error codes.
func (s *Store) explainCode(op operation, err error) error {
	where := s.options.Where
	if region := rightRegion(err); region != "" {
		return sqlerr.New(sqlerr.ConfigFileError, "bucket %q is in region %q, not in %q", s.bucket, region, s.usedRegion()).
			WithHint("Set region = %q in [%s].", region, where)
	}
	switch codeOf(err) {
	case "NoSuchKey", "NotFound":
		return sqlerr.New(sqlerr.UndefinedFile, "could not open file %q: No such file or directory", s.Shown(op.key))
	case "NoSuchBucket":
		return sqlerr.New(sqlerr.UndefinedObject, "bucket %q does not exist at %s", s.bucket, s.place()).
			WithHint("Check the bucket's name, and endpoint and region in [%s].", where)
	case "AccessDenied", "Forbidden", "AllAccessDisabled", "AccountProblem":
		e := sqlerr.New(sqlerr.InsufficientPrivilege, "permission denied to %s %q", op.verb, s.Shown(op.key))
		if s.options.Anonymous {
			return e.WithHint("Requests to this bucket are not signed: anonymous = true in [%s].", where)
		}
		return e.WithHint("The credentials in use need the right %s on the bucket.", op.action)
	case "InvalidAccessKeyId", "XAdminUserNotFound", "InvalidClientTokenId":
		return sqlerr.New(sqlerr.InvalidAuthorizationSpecification, "the access key for bucket %q is not known at %s", s.bucket, s.place()).
			WithHint("Set access_key_id and secret_access_key in [%s], or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.", where)
	case "SignatureDoesNotMatch":
		return sqlerr.New(sqlerr.InvalidAuthorizationSpecification, "the secret key for bucket %q is wrong", s.bucket).
			WithHint("Set secret_access_key in [%s], or AWS_SECRET_ACCESS_KEY.", where)
	case "ExpiredToken", "TokenRefreshRequired", "InvalidToken":
		return sqlerr.New(sqlerr.InvalidAuthorizationSpecification, "the session token for bucket %q has expired or is invalid", s.bucket).
			WithHint("Renew the credentials of [%s].", where)
	case "RequestTimeTooSkewed", "RequestExpired":
		return sqlerr.New(sqlerr.SystemError, "the clock of this machine differs too much from that of %s", s.place()).
			WithHint("Set the clock right, for example by running an NTP client.")
	case "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect", "MovedPermanently":
		return sqlerr.New(sqlerr.ConfigFileError, "bucket %q is not in region %q", s.bucket, s.usedRegion()).
			WithHint("Set region (and endpoint, if there is one) in [%s].", where)
	case "InvalidBucketName":
		return sqlerr.New(sqlerr.InvalidParameterValue, "%q is not the name of a bucket", s.bucket)
	case "SlowDown", "ServiceUnavailable", "Throttling", "TooManyRequests":
		return sqlerr.New(sqlerr.InsufficientResources, "%s keeps asking to slow down", s.place()).
			WithHint("Try again later, or lower max_connections in [%s].", where)
	case "EntityTooLarge", "KeyTooLongError":
		return sqlerr.New(sqlerr.ProgramLimitExceeded, "could not %s %q: %s", op.verb, s.Shown(op.key), reasonText(err))
	}
	return nil
}

// explainNetwork knows the ways not to reach a server.
func (s *Store) explainNetwork(err error) error {
	where := s.options.Where
	var address *url.Error
	switch {
	case isCredentials(err):
		return sqlerr.New(sqlerr.InvalidAuthorizationSpecification, "no credentials were found for bucket %q", s.bucket).
			WithDetail("%s", reasonText(err)).
			WithHint("Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or access_key_id and secret_access_key in [%s], or anonymous = true for a public bucket.", where)
	case isCertificate(err):
		return sqlerr.New(sqlerr.ConnectionFailure, "the certificate of %s is not trusted: %s", s.place(), reasonText(err)).
			WithHint("Check endpoint in [%s]; AWS_CA_BUNDLE names a file of further authorities.", where)
	case isMissingHost(err), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return sqlerr.New(sqlerr.ConnectionFailure, "could not reach %s: %s", s.place(), reasonText(err)).
			WithHint("Check endpoint and region in [%s].", where)
	case errors.Is(err, errTimeout):
		return sqlerr.New(sqlerr.ConnectionFailure, "%s did not answer in time", s.place()).
			WithHint("Check endpoint in [%s] and the network.", where)
	case errors.As(err, &address):
		return sqlerr.New(sqlerr.ConnectionFailure, "the connection to %s was lost: %s", s.place(), reasonText(err))
	}
	return nil
}

// place names the server.
func (s *Store) place() string {
	if s.options.Endpoint != "" {
		return s.options.Endpoint
	}
	return "Amazon S3 in region " + s.usedRegion()
}

// reasonText is the innermost part of an error's text.
func reasonText(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return strings.TrimSuffix(strings.TrimSpace(api.ErrorCode()+": "+api.ErrorMessage()), ":")
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		if _, ok := err.(*net.OpError); ok {
			return err.Error()
		}
		err = inner
	}
}

// changed says that an object is not the version that was asked for.
func (s *Store) changed(key, expected, found string) error {
	e := sqlerr.Wrap(objstore.ErrPrecondition, sqlerr.ObjectNotInPrerequisiteState, "file %q has changed", s.Shown(key)).
		WithHint(objstore.ChangedHint)
	if found == "" {
		return e.WithDetail("Expected version %s.", expected)
	}
	return e.WithDetail("Expected version %s, found %s.", expected, found)
}
