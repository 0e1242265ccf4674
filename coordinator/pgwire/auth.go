package pgwire

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/xdg-go/scram"
	"github.com/xdg-go/stringprep"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Codes of Authentication messages.
const (
	authOK           int32 = 0
	authCleartext    int32 = 3
	authSASL         int32 = 10
	authSASLContinue int32 = 11
	authSASLFinal    int32 = 12
)

// Names of the mechanisms.
const (
	mechanismPlain   = "SCRAM-SHA-256"
	mechanismBinding = "SCRAM-SHA-256-PLUS"
	verifierPrefix   = "SCRAM-SHA-256$"
	iterations       = 4096
	mostAuthMessage  = 64 << 10
)

func appendAuthentication(dst []byte, code int32, data []byte) ([]byte, int) {
	dst, start := startMessage(dst, 'R')
	dst = append(append32(dst, code), data...)
	return endMessage(dst, start), start
}

// authenticate makes sure that the client is who it says.
func (c *conn) authenticate(user string) error {
	config := &c.server.config
	local := isLoopback(c.nc.RemoteAddr())
	if config.TrustLoopback && local {
		return nil
	}
	if config.RequireTLS && !c.isTLS && !local {
		return sqlerr.New(sqlerr.InvalidAuthorizationSpecification,
			"no pg_hba.conf entry for host %q, user %q, no encryption", hostOf(c.remote()), user).
			WithHint("Connect with sslmode=require.")
	}
	if config.Passwords == nil {
		return sqlerr.New(sqlerr.InvalidAuthorizationSpecification,
			"no pg_hba.conf entry for host %q, user %q", hostOf(c.remote()), user).
			WithHint("Configure users, or connect from this machine.")
	}
	verifier, err := config.Passwords.Verifier(c.server.base, user)
	if err != nil {
		return err
	}
	stored, known := parseVerifier(verifier)
	if !known {
		stored = strangerCredentials(user)
	}
	if config.AllowCleartext && c.isTLS {
		err = c.cleartext(stored)
	} else {
		err = c.scram(stored)
	}
	if err == nil && !known {
		err = errWrongPassword
	}
	if errors.Is(err, errWrongPassword) {
		return sqlerr.New(sqlerr.InvalidPassword, "password authentication failed for user %q", user)
	}
	return err
}

var errWrongPassword = errors.New("wrong password")

func isLoopback(addr net.Addr) bool {
	switch a := addr.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return addr.Network() == "pipe"
}

func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// authMessage sends an Authentication message and gives the body of the client's answer.
func (c *conn) authMessage(code int32, data []byte) ([]byte, error) {
	c.out, _ = appendAuthentication(c.out, code, data)
	if err := c.flush(); err != nil {
		return nil, errDone
	}
	kind, body, err := c.in.message()
	if err != nil {
		return nil, errDone
	}
	if kind != 'p' {
		return nil, sqlerr.New(sqlerr.ProtocolViolation, "expected password response, got message type %d", kind)
	}
	return body, nil
}

func (c *conn) cleartext(stored scram.StoredCredentials) error {
	body, err := c.authMessage(authCleartext, nil)
	if err != nil {
		return err
	}
	var message pgproto3.PasswordMessage
	if err := message.Decode(body); err != nil {
		return sqlerr.New(sqlerr.ProtocolViolation, "invalid password packet size")
	}
	if !hmac.Equal(storedKey(message.Password, stored.Salt, stored.Iters), stored.StoredKey) {
		return errWrongPassword
	}
	return nil
}

// scram runs SCRAM-SHA-256. The user name inside its messages is ignored: clients send "", "*" or
// the name.
func (c *conn) scram(stored scram.StoredCredentials) error {
	bound := c.isTLS && c.server.binding != nil
	mechanisms := mechanismPlain + "\x00\x00"
	if bound {
		mechanisms = mechanismBinding + "\x00" + mechanisms
	}
	body, err := c.authMessage(authSASL, []byte(mechanisms))
	if err != nil {
		return err
	}
	var first pgproto3.SASLInitialResponse
	if err := first.Decode(body); err != nil {
		return sqlerr.New(sqlerr.ProtocolViolation, "malformed SCRAM message")
	}
	withBinding := strings.HasPrefix(string(first.Data), "p=")
	switch {
	case first.AuthMechanism != mechanismPlain && (first.AuthMechanism != mechanismBinding || !bound):
		return sqlerr.New(sqlerr.ProtocolViolation, "client selected an invalid SASL authentication mechanism")
	case withBinding != (first.AuthMechanism == mechanismBinding):
		return sqlerr.New(sqlerr.ProtocolViolation, "malformed SCRAM message").
			WithDetail("The channel binding flag does not fit the selected mechanism.")
	}
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
	if err != nil {
		return sqlerr.Wrap(err, sqlerr.InternalError, "could not start SCRAM")
	}
	talk := server.NewConversation()
	if bound {
		talk = server.NewConversationWithChannelBinding(scram.ChannelBinding{Type: scram.ChannelBindingTLSServerEndpoint, Data: c.server.binding})
	}
	challenge, err := talk.Step(string(first.Data))
	if err != nil {
		return sqlerr.New(sqlerr.ProtocolViolation, "malformed SCRAM message").WithDetail("%s", err.Error())
	}
	if body, err = c.authMessage(authSASLContinue, []byte(challenge)); err != nil {
		return err
	}
	final, err := talk.Step(string(body))
	if err != nil || !talk.Valid() {
		return errWrongPassword
	}
	c.out, _ = appendAuthentication(c.out, authSASLFinal, []byte(final))
	return nil
}

// saltedPassword is RFC 5802's Hi(Normalize(password), salt, i); a password that SASLprep refuses is
// used as it is, as PostgreSQL does.
func saltedPassword(password, salt string, iters int) []byte {
	if prepared, err := stringprep.SASLprep.Prepare(password); err == nil {
		password = prepared
	}
	key, err := pbkdf2.Key(sha256.New, password, []byte(salt), iters, sha256.Size)
	if err != nil {
		return make([]byte, sha256.Size)
	}
	return key
}

func keyOf(salted []byte, name string) []byte {
	mac := hmac.New(sha256.New, salted)
	mac.Write([]byte(name))
	return mac.Sum(nil)
}

func storedKey(password, salt string, iters int) []byte {
	key := sha256.Sum256(keyOf(saltedPassword(password, salt, iters), "Client Key"))
	return key[:]
}

// NewVerifier makes what a server keeps instead of a password, in PostgreSQL's form
// "SCRAM-SHA-256$4096:salt$StoredKey:ServerKey".
func NewVerifier(password string) (string, error) {
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", sqlerr.Wrap(err, sqlerr.SystemError, "could not generate random salt")
	}
	salted := saltedPassword(password, string(salt), iterations)
	stored := sha256.Sum256(keyOf(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return verifierPrefix + strconv.Itoa(iterations) + ":" + encode(salt) + "$" + encode(stored[:]) + ":" +
		encode(keyOf(salted, "Server Key")), nil
}

// parseVerifier reads NewVerifier's form.
func parseVerifier(verifier string) (scram.StoredCredentials, bool) {
	rest, ok := strings.CutPrefix(verifier, verifierPrefix)
	factors, keys, ok2 := strings.Cut(rest, "$")
	iters, salt, ok3 := strings.Cut(factors, ":")
	stored, server, ok4 := strings.Cut(keys, ":")
	if !ok || !ok2 || !ok3 || !ok4 {
		return scram.StoredCredentials{}, false
	}
	n, err := strconv.Atoi(iters)
	saltBytes, err2 := base64.StdEncoding.DecodeString(salt)
	storedBytes, err3 := base64.StdEncoding.DecodeString(stored)
	serverBytes, err4 := base64.StdEncoding.DecodeString(server)
	if err := errors.Join(err, err2, err3, err4); err != nil || n < 1 {
		return scram.StoredCredentials{}, false
	}
	return scram.StoredCredentials{KeyFactors: scram.KeyFactors{Salt: string(saltBytes), Iters: n},
		StoredKey: storedBytes, ServerKey: serverBytes}, true
}

// strangerCredentials makes an exchange for an unknown user look like that of a known one: the same
// user gets the same salt while the process lives.
func strangerCredentials(user string) scram.StoredCredentials {
	salt := sha256.Sum256([]byte("tarn unknown user\x00" + user))
	return scram.StoredCredentials{KeyFactors: scram.KeyFactors{Salt: string(salt[:16]), Iters: iterations},
		StoredKey: make([]byte, sha256.Size), ServerKey: make([]byte, sha256.Size)}
}

// StaticPasswords is a PasswordStore of a fixed list, user to verifier.
type StaticPasswords map[string]string

// Verifier gives the user's verifier.
func (s StaticPasswords) Verifier(_ context.Context, user string) (string, error) {
	return s[user], nil
}
