package pgwire

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tarnlake/tarn/coordinator/session"
)

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.ParseIP("127.0.0.1")}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// guarded asks everybody for a password.
func guarded(t *testing.T, withTLS, cleartext bool) *fixture {
	verifier, err := NewVerifier("s3crèt")
	if err != nil {
		t.Fatal(err)
	}
	return newFixture(t, func(c *Config, _ *session.Config) {
		c.TrustLoopback, c.AllowCleartext = false, cleartext
		c.Passwords = StaticPasswords{"ana": verifier}
		if withTLS {
			c.TLS = &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}
		}
	})
}

func pgxConnect(f *fixture, options string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return pgx.Connect(ctx, "postgres://"+f.address+"/lake?"+options)
}

func TestPasswords(t *testing.T) {
	for _, c := range []struct {
		name, options, fails string
		tls, cleartext       bool
	}{
		{"scram", "user=ana&password=s3cr%C3%A8t&sslmode=disable", "", false, false},
		{"scram over tls", "user=ana&password=s3cr%C3%A8t&sslmode=require", "", true, false},
		{"bound to the channel", "user=ana&password=s3cr%C3%A8t&sslmode=require&channel_binding=require", "", true, false},
		{"direct tls", "user=ana&password=s3cr%C3%A8t&sslmode=require&sslnegotiation=direct", "", true, false},
		{"cleartext over tls", "user=ana&password=s3cr%C3%A8t&sslmode=require", "", true, true},
		{"no cleartext without tls", "user=ana&password=s3cr%C3%A8t&sslmode=disable", "", false, true},
		{"wrong password", "user=ana&password=wrong&sslmode=disable", `password authentication failed for user "ana" (SQLSTATE 28P01)`, false, false},
		{"wrong cleartext", "user=ana&password=wrong&sslmode=require", `password authentication failed for user "ana" (SQLSTATE 28P01)`, true, true},
		{"unknown user", "user=bob&password=x&sslmode=disable", `password authentication failed for user "bob" (SQLSTATE 28P01)`, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := pgxConnect(guarded(t, c.tls, c.cleartext), c.options)
			if err == nil {
				defer conn.Close(context.Background())
				var n int
				err = conn.QueryRow(context.Background(), "select 1").Scan(&n)
			}
			if c.fails == "" && err != nil || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Fatalf("got %v, want %q", err, c.fails)
			}
		})
	}
}

func TestPsqlProvesItself(t *testing.T) {
	psql, err := exec.LookPath("psql")
	if err != nil {
		t.Log("psql is not installed; pgx covers the same exchange")
		return
	}
	f := guarded(t, true, false)
	host, port, _ := net.SplitHostPort(f.address)
	command := exec.Command(psql, "-X", "-A", "-t", "-c", "select 1", fmt.Sprintf("host=%s port=%s user=ana dbname=lake sslmode=require channel_binding=require", host, port))
	command.Env = append(command.Environ(), "PGPASSWORD=s3crèt", "LC_ALL=C.UTF-8")
	out, err := command.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "1" {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestStartRequests(t *testing.T) {
	request := func(code uint32) []byte {
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 8), code)
	}
	f := newFixture(t, nil)
	c := f.dial()
	for _, code := range []uint32{codeGSS, codeTLS} {
		if _, err := c.nc.Write(request(code)); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 1)
		if _, err := io.ReadFull(c.nc, answer); err != nil || answer[0] != 'N' {
			t.Fatalf("%d answered %q %v", code, answer, err)
		}
	}
	// The version of PostgreSQL 18's clients is negotiated, and so is one that does not exist yet.
	for _, minor := range []uint32{2, 9999} {
		c := f.dial()
		body := binary.BigEndian.AppendUint32(nil, 3<<16|minor)
		body = append(body, "user\x00ana\x00_pq_.novelty\x00on\x00\x00"...)
		if _, err := c.nc.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+4)), body...)); err != nil {
			t.Fatal(err)
		}
		m, err := c.Receive()
		negotiate, ok := m.(*pgproto3.NegotiateProtocolVersion)
		if err != nil || !ok || negotiate.NewestMinorProtocol&0xffff != 2 || len(negotiate.UnrecognizedOptions) != 1 {
			t.Fatalf("%v %v", m, err)
		}
		if lines := c.until('Z'); lines[len(lines)-1] != "ready I" {
			t.Fatal(lines)
		}
	}
	for _, bad := range []struct {
		bytes []byte
		want  string
	}{
		{request(2 << 16), "FATAL 0A000: unsupported frontend protocol 2.0: server supports 3.0 to 3.2"},
		{[]byte{0, 0, 0, 4, 0, 0, 0, 0}, "FATAL 08P01: invalid length of startup packet"},
		{append([]byte{0, 0, 0, 13, 0, 3, 0, 0}, "user\x00"...), "FATAL 08P01: invalid startup packet layout: expected terminator as last byte"},
		{append([]byte{0, 0, 0, 9, 0, 3, 0, 0}, 0), "FATAL 28000: no PostgreSQL user name specified in startup packet"},
	} {
		c := f.dial()
		if _, err := c.nc.Write(bad.bytes); err != nil {
			t.Fatal(err)
		}
		expect(t, c.until('Z'), bad.want, "closed")
	}
	_, lines := f.connect("no_such_setting", "1")
	expect(t, lines, `FATAL 42704: unrecognized configuration parameter "no_such_setting"`, "closed")
	_, lines = f.connect("client_encoding", "LATIN1")
	expect(t, lines, `FATAL 22023: invalid value for parameter "client_encoding": "LATIN1"`, "closed")
}

func TestStrangersAreRefusedWithoutPasswords(t *testing.T) {
	f := newFixture(t, func(c *Config, _ *session.Config) { c.TrustLoopback = false })
	_, lines := f.connect()
	expect(t, lines, `FATAL 28000: no pg_hba.conf entry for host "127.0.0.1", user "ana"`, "closed")
}

func TestTooManyConnections(t *testing.T) {
	f := newFixture(t, func(_ *Config, s *session.Config) { s.MaxSessions = 2 })
	first, _ := f.connect()
	f.connect()
	_, lines := f.connect()
	expect(t, lines, "FATAL 53300: sorry, too many clients already", "closed")
	first.Send(&pgproto3.Terminate{})
	if err := first.Flush(); err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		if _, lines := f.connect(); lines[len(lines)-1] == "ready I" {
			return
		}
		if time.Since(start) > 5*time.Second {
			t.Fatal("the place of a client that left was not given on")
		}
	}
}
