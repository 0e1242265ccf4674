package rpc

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/refusal"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Identity is a node's certificate, and what signs those of the nodes that it talks to: who holds one
// is a node. Names in certificates do not count, as nodes are known by addresses that change.
type Identity struct {
	pair    tls.Certificate
	roots   *x509.CertPool
	trusted map[string]bool // marks of roots
	signer  string
}

// handshakeWithin bounds how long two nodes take to agree on TLS.
const handshakeWithin = 10 * time.Second

// LoadIdentity reads PEM files: a certificate chain, its key, and the certificates of the authority.
func LoadIdentity(certificate, key, authority string) (*Identity, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.ConfigFileError, "could not load cluster.tls_cert and cluster.tls_key")
	}
	text, err := os.ReadFile(authority)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.ConfigFileError, "could not read cluster.tls_ca")
	}
	i := &Identity{pair: pair, roots: x509.NewCertPool(), trusted: map[string]bool{}}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if root, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			i.roots.AddCert(root)
			i.trusted[markOf(root)] = true
		}
	}
	if len(i.trusted) == 0 {
		return nil, sqlerr.New(sqlerr.ConfigFileError, "cluster.tls_ca: %s holds no PEM certificate", authority)
	}
	var chain []*x509.Certificate
	for _, der := range pair.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.ConfigFileError, "could not load cluster.tls_cert")
		}
		chain = append(chain, c)
	}
	if i.signer, err = i.verify(chain); err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.ConfigFileError, "other nodes will refuse cluster.tls_cert").
			WithHint("Let the authority whose certificate cluster.tls_ca holds sign it anew.")
	}
	return i, nil
}

// markOf names a certificate briefly.
func markOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:8])
}

// Signer is a mark of the authority that has signed the node's certificate; "" without an identity.
func (i *Identity) Signer() string {
	if i == nil {
		return ""
	}
	return i.signer
}

// Trusts tells whether nodes whose certificates the authority with a mark has signed are let in; without
// an identity only those without one are.
func (i *Identity) Trusts(signer string) bool {
	if i == nil {
		return signer == ""
	}
	return i.trusted[signer]
}

// verify gives the mark of the authority that has signed a node's chain of certificates, or tells why
// it is not that of a node.
func (i *Identity) verify(chain []*x509.Certificate) (signer string, err error) {
	if len(chain) == 0 {
		return "", errors.New("it shows no certificate")
	}
	options := x509.VerifyOptions{Roots: i.roots, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for _, c := range chain[1:] {
		options.Intermediates.AddCert(c)
	}
	verified, err := chain[0].Verify(options)
	if err != nil {
		return "", fmt.Errorf("the certificate of %q is not one of this cluster: %w", chain[0].Subject.String(), err)
	}
	return markOf(verified[0][len(verified[0])-1]), nil
}

func (i *Identity) verifyConnection(state tls.ConnectionState) error {
	_, err := i.verify(state.PeerCertificates)
	return err
}

// Listener makes a listener one that lets in only nodes with a certificate of the cluster.
func (i *Identity) Listener(inner net.Listener) net.Listener {
	// No list of authorities is sent, so that a stranger shows the certificate that it has.
	return tls.NewListener(inner, &tls.Config{Certificates: []tls.Certificate{i.pair}, MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequireAnyClientCert, VerifyConnection: i.verifyConnection})
}

// Transport is NewTransport over TLS.
func (i *Identity) Transport() *http.Transport {
	t := NewTransport()
	dial := t.DialContext
	// verifyConnection takes the place of the check that is skipped, which is by the host's name.
	settings := &tls.Config{Certificates: []tls.Certificate{i.pair}, MinVersion: tls.VersionTLS13,
		InsecureSkipVerify: true, VerifyConnection: i.verifyConnection}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		secure := tls.Client(conn, settings)
		ctx, cancel := context.WithTimeout(ctx, handshakeWithin)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return secure, nil
	}
	return t
}

// NewSecureClient makes a client of a node with this identity; without one it is NewClient.
func NewSecureClient(secret string, i *Identity) *Client {
	c := NewClient(secret, nil)
	if i != nil {
		c.own = i.Transport()
		c.http.Transport = c.own
	}
	return c
}

const setTLS = "set cluster.tls_cert, cluster.tls_key and cluster.tls_ca on all nodes"

// explain says what to do about TLS where that is why a node cannot be reached.
func explain(err error) error {
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &header), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Errorf("it does not use TLS: %s", setTLS)
	case strings.Contains(err.Error(), "remote error: tls: "):
		return fmt.Errorf("it refuses this node's certificate, which must be signed by the authority in its cluster.tls_ca: %w", err)
	}
	return err
}

// handshakeErrors is what http.Server says of a connection that it has refused.
type handshakeErrors struct{ refused *refusal.Log }

// Write implements io.Writer for a log.Logger.
func (h handshakeErrors) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if rest, found := strings.CutPrefix(text, "http: TLS handshake error from "); found {
		from, why, _ := strings.Cut(rest, ": ")
		h.refused.Warn(from, "refused a connection", "error", why)
	} else {
		h.refused.Warn("", "connection failed", "error", text)
	}
	return len(line), nil
}

// Server makes a server of what the mux handles.
func (m *Mux) Server() *http.Server {
	return &http.Server{Handler: m, ReadHeaderTimeout: handshakeWithin, ErrorLog: log.New(handshakeErrors{m.refused}, "", 0)}
}
