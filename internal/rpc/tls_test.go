package rpc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/test/certificates"
)

// journal is a log that tests read.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

const echoPath = "/v1/test/echo"

// serve gives the address and the log of a node with a secret.
func serve(t *testing.T, secret string, identity *Identity) (string, *journal) {
	t.Helper()
	j := &journal{}
	mux := NewMux(secret, slog.New(slog.NewTextHandler(j, nil)))
	Handle(mux, echoPath, func(_ context.Context, in Pages) (Pages, error) { return in, nil })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if identity != nil {
		listener = identity.Listener(listener)
	}
	server := mux.Server()
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return address, j
}

func call(t *testing.T, secret string, identity *Identity, address string) error {
	t.Helper()
	client := NewSecureClient(secret, identity)
	defer client.Close()
	client.Name("node-7")
	var out Pages
	err := client.Call(t.Context(), address, echoPath, Pages{End: true}, &out)
	if err == nil && !out.End {
		t.Error("no answer")
	}
	return err
}

func identity(t *testing.T, a *certificates.Authority, name string) *Identity {
	t.Helper()
	certificate, key := a.Node(t, name, 2*time.Hour)
	i, err := LoadIdentity(certificate, key, a.File)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func says(t *testing.T, what fmt.Stringer, parts ...string) {
	t.Helper()
	for _, part := range parts {
		for end := time.Now().Add(10 * time.Second); !strings.Contains(what.String(), part); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("no %q in %s", part, what)
			}
		}
	}
}

func tells(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v, without %q", err, part)
		}
	}
}

func TestNodesShowEachOtherCertificates(t *testing.T) {
	ours, theirs := certificates.New(t, "our authority"), certificates.New(t, "another authority")
	a, b, stranger := identity(t, ours, "a"), identity(t, ours, "b"), identity(t, theirs, "stranger")
	address, log := serve(t, "hush", a)
	if err := call(t, "hush", b, address); err != nil {
		t.Fatal(err)
	}
	if log.String() != "" {
		t.Errorf("the log: %s", log)
	}

	// The stranger refuses a as much as a refuses it, so it is made to believe in our authority.
	credulous := &Identity{pair: stranger.pair, roots: b.roots}
	err := call(t, "hush", credulous, address)
	tells(t, err, "it refuses this node's certificate, which must be signed by the authority in its cluster.tls_ca")
	if !IsUnreachable(err) {
		t.Errorf("%T", err)
	}
	says(t, log, `msg="refused a connection" from=127.0.0.1:`, `the certificate of \"CN=stranger\" is not one of this cluster`, "unknown authority")
	tells(t, call(t, "hush", stranger, address), `the certificate of "CN=a" is not one of this cluster`)

	if !a.Trusts(b.Signer()) || a.Trusts(stranger.Signer()) || a.Trusts("") || (*Identity)(nil).Trusts(a.Signer()) || !(*Identity)(nil).Trusts("") {
		t.Error("marks of authorities are wrong")
	}
	expired, key := ours.Node(t, "late", time.Minute)
	_, err = LoadIdentity(expired, key, ours.File)
	if sqlerr.CodeOf(err) != sqlerr.ConfigFileError || !strings.Contains(err.Error(), "other nodes will refuse cluster.tls_cert") {
		t.Error(err)
	}
	if err := call(t, "loud", b, address); sqlerr.CodeOf(err) != sqlerr.InvalidAuthorizationSpecification {
		t.Errorf("a certificate without the secret: %v", err)
	}
}

func TestTLSOnOneSideOnly(t *testing.T) {
	authority := certificates.New(t, "authority")
	secure, secureLog := serve(t, "hush", identity(t, authority, "a"))
	plain, _ := serve(t, "hush", nil)
	tells(t, call(t, "hush", nil, secure), "it uses TLS: set cluster.tls_cert, cluster.tls_key and cluster.tls_ca on all nodes")
	says(t, secureLog, `msg="refused a connection" from=127.0.0.1:`)
	tells(t, call(t, "hush", identity(t, authority, "b"), plain), "it does not use TLS: set cluster.tls_cert")
}

func TestIdentitiesThatCannotBeLoaded(t *testing.T) {
	a, b := certificates.New(t, "a"), certificates.New(t, "b")
	certificate, key := a.Node(t, "n", 2*time.Hour)
	_, otherKey := b.Node(t, "m", 2*time.Hour)
	for want, files := range map[string][3]string{
		"could not load cluster.tls_cert and cluster.tls_key": {certificate, otherKey, a.File},
		"could not read cluster.tls_ca":                       {certificate, key, "/nowhere"},
		"holds no PEM certificate":                            {certificate, key, key},
		"other nodes will refuse cluster.tls_cert":            {certificate, key, b.File},
	} {
		_, err := LoadIdentity(files[0], files[1], files[2])
		if sqlerr.CodeOf(err) != sqlerr.ConfigFileError {
			t.Error(err)
		}
		tells(t, err, want)
	}
}

func TestStrangersAreRefusedLoggedAndNotReadOut(t *testing.T) {
	address, log := serve(t, "hush", nil)
	for range 20 {
		err := call(t, "loud", nil, address)
		if sqlerr.CodeOf(err) != sqlerr.InvalidAuthorizationSpecification || sqlerr.From(err).Hint != "Set cluster.secret to the same value on all nodes." {
			t.Fatal(err)
		}
	}
	says(t, log, `msg="refused a request" from=127.0.0.1:`, "node=node-7", "path=/v1/test/echo", "without the cluster's secret")
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines: %s", n, log)
	}
	// What has no signature is refused before its body is read.
	body, feed := io.Pipe()
	defer feed.Close()
	response, err := http.Post("http://"+address+echoPath, "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Error(response.Status)
	}
}

func TestASecretIsExchanged(t *testing.T) {
	mux := NewMux("new", nil)
	mux.Accept("old", "")
	Handle(mux, echoPath, func(_ context.Context, in Pages) (Pages, error) { return in, nil })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := mux.Server()
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	for secret, allowed := range map[string]bool{"new": true, "old": true, "": false, "older": false} {
		if err := call(t, secret, nil, listener.Addr().String()); (err == nil) != allowed {
			t.Errorf("%q: %v", secret, err)
		}
	}
}
