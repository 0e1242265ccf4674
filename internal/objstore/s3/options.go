package s3

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"time"
)

// Options say how a bucket is reached. The zero value asks the SDK's chain for region and
// credentials: environment, shared configuration, web identity, container and instance roles.
type Options struct {
	Endpoint  string // URL of a server other than AWS
	Region    string
	PathStyle bool // bucket in the path rather than in the host's name
	Anonymous bool // requests are not signed
	// AccessKey and SecretKey, if set, are used instead of the chain's.
	AccessKey, SecretKey, SessionToken string
	Profile                            string // of the shared configuration
	// Where names the section of the configuration that holds these options, for hints.
	Where string

	MaxConnections int           // requests at once; 0 is 64
	RequestTimeout time.Duration // until an answer begins; 0 is 20 s
	IdleTimeout    time.Duration // without a byte in an answer; 0 is 15 s
	MaxAttempts    int           // of one request, as long as none makes progress; 0 is 10
	PartSize       int           // of multipart uploads; 0 is 8 MiB, at least 5 MiB
}

func (o Options) withDefaults() Options {
	if o.MaxConnections <= 0 {
		o.MaxConnections = 64
	}
	if o.RequestTimeout <= 0 {
		o.RequestTimeout = 20 * time.Second
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = 15 * time.Second
	}
	if o.MaxAttempts <= 0 {
		o.MaxAttempts = 10
	}
	if o.PartSize <= 0 {
		o.PartSize = 8 << 20
	}
	o.PartSize = max(o.PartSize, 5<<20)
	if o.Where == "" {
		o.Where = "storage.s3"
	}
	return o
}

// newTransport makes the connections of all buckets of a process; connections limits those to one host.
func newTransport(connections int) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext,
		MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections, IdleConnTimeout: 60 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: authorities()},
		ReadBufferSize: 64 << 10, WriteBufferSize: 64 << 10,
	}
}

// authorities gives the system's certificate authorities and those of the file that AWS_CA_BUNDLE
// names; nil is the system's.
func authorities() *x509.CertPool {
	bundle, err := os.ReadFile(os.Getenv("AWS_CA_BUNDLE"))
	if err != nil {
		return nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(bundle)
	return pool
}
