package pgwire

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Codes of the first packet, where a protocol version would stand.
const (
	codeCancel = 80877102
	codeTLS    = 80877103
	codeGSS    = 80877104

	mostStartup  = 10_000 // bytes of a start-up packet, as in PostgreSQL
	newestMinor  = 2      // of protocol 3
	tlsHandshake = 0x16   // first byte of a TLS record: the client skipped the SSLRequest
)

// startup is what a client asked for.
type startup struct {
	minor      uint32 // of protocol 3
	user       string
	database   string
	parameters []session.ReportedSetting
	options    string   // command-line style settings
	unknown    []string // _pq_ options
}

// errDone ends a connection that has nothing more to say: a cancel request, a vanished client.
var errDone = errors.New("connection is done")

// handshake reads packets until the start-up message, answering requests for encryption on the way.
func (c *conn) handshake() (*startup, error) {
	if err := c.directTLS(); err != nil {
		return nil, err
	}
	askedTLS, askedGSS := false, false
	for {
		code, body, err := c.startupPacket()
		if err != nil {
			return nil, err
		}
		switch {
		case code == codeCancel:
			c.cancelRequest(body)
			return nil, errDone
		case code == codeTLS && !askedTLS:
			askedTLS = true
			if err := c.upgrade(); err != nil {
				return nil, err
			}
		case code == codeGSS && !askedGSS:
			askedGSS = true
			if _, err := c.nc.Write([]byte{'N'}); err != nil {
				return nil, errDone
			}
		case code>>16 == 3:
			return parseStartup(code&0xffff, body)
		default:
			return nil, sqlerr.New(sqlerr.FeatureNotSupported,
				"unsupported frontend protocol %d.%d: server supports 3.0 to 3.%d", code>>16, code&0xffff, newestMinor)
		}
	}
}

func (c *conn) startupPacket() (code uint32, body []byte, err error) {
	if err := c.in.need(8); err != nil {
		return 0, nil, errDone
	}
	length := binary.BigEndian.Uint32(c.in.buf[c.in.r:])
	code = binary.BigEndian.Uint32(c.in.buf[c.in.r+4:])
	if length < 8 || length > mostStartup {
		return 0, nil, sqlerr.New(sqlerr.ProtocolViolation, "invalid length of startup packet")
	}
	if err := c.in.need(int(length)); err != nil {
		return 0, nil, errDone
	}
	body = c.in.buf[c.in.r+8 : c.in.r+int(length)]
	c.in.r += int(length)
	return code, body, nil
}

// directTLS starts TLS when the client began with a handshake instead of an SSLRequest.
func (c *conn) directTLS() error {
	if c.server.tls == nil {
		return nil
	}
	if err := c.in.need(1); err != nil {
		return errDone
	}
	if c.in.buf[c.in.r] != tlsHandshake {
		return nil
	}
	return c.startTLS(&replayConn{Conn: c.nc, pending: c.in.take()}, true)
}

// take gives the unread bytes and forgets them.
func (r *reader) take() []byte {
	pending := append([]byte(nil), r.buf[r.r:r.w]...)
	r.r, r.w = 0, 0
	return pending
}

// replayConn gives bytes that were read already before those of the connection.
type replayConn struct {
	net.Conn
	pending []byte
}

func (r *replayConn) Read(b []byte) (int, error) {
	if len(r.pending) > 0 {
		n := copy(b, r.pending)
		r.pending = r.pending[n:]
		return n, nil
	}
	return r.Conn.Read(b)
}

// upgrade answers an SSLRequest. Bytes that came before the answer could have been injected by a
// man in the middle and end the connection.
func (c *conn) upgrade() error {
	if c.server.tls == nil || c.isTLS {
		if _, err := c.nc.Write([]byte{'N'}); err != nil {
			return errDone
		}
		return nil
	}
	if c.in.r != c.in.w {
		return sqlerr.New(sqlerr.ProtocolViolation, "received unencrypted data after SSL request").
			WithDetail("This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.")
	}
	if _, err := c.nc.Write([]byte{'S'}); err != nil {
		return errDone
	}
	return c.startTLS(c.nc, false)
}

// startTLS makes the connection an encrypted one. A direct start must have negotiated our protocol.
func (c *conn) startTLS(raw net.Conn, direct bool) error {
	secure := tls.Server(raw, c.server.tls)
	if err := secure.HandshakeContext(c.server.base); err != nil {
		c.server.config.Log.Debug("TLS handshake failed", "client", c.remote(), "error", err)
		return errDone
	}
	if direct && secure.ConnectionState().NegotiatedProtocol != "postgresql" {
		return errDone
	}
	c.mu.Lock()
	c.nc, c.isTLS = secure, true
	c.mu.Unlock()
	c.in.nc = secure
	return nil
}

func (c *conn) cancelRequest(body []byte) {
	if len(body) >= 4 {
		c.server.config.Manager.Cancel(int32(binary.BigEndian.Uint32(body)), body[4:])
	}
}

func parseStartup(minor uint32, body []byte) (*startup, error) {
	s := &startup{minor: minor}
	for {
		name, rest, ok := cutString(body)
		if !ok {
			return nil, badStartup()
		}
		if name == "" {
			if len(rest) != 0 {
				return nil, badStartup()
			}
			break
		}
		value, rest, ok := cutString(rest)
		if !ok {
			return nil, badStartup()
		}
		body = rest
		switch {
		case name == "user":
			s.user = value
		case name == "database":
			s.database = value
		case name == "options":
			s.options = value
		case name == "replication":
			if value != "false" && value != "off" && value != "no" && value != "0" {
				return nil, sqlerr.New(sqlerr.FeatureNotSupported, "replication connections are not supported")
			}
		case strings.HasPrefix(name, "_pq_."):
			s.unknown = append(s.unknown, name)
		default:
			s.parameters = append(s.parameters, session.ReportedSetting{Name: name, Value: value})
		}
	}
	if !utf8.ValidString(s.user) || !utf8.ValidString(s.database) {
		return nil, sqlerr.New(sqlerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\" in the startup packet")
	}
	if s.user == "" {
		return nil, sqlerr.New(sqlerr.InvalidAuthorizationSpecification, "no PostgreSQL user name specified in startup packet")
	}
	if s.database == "" {
		s.database = s.user
	}
	return s, nil
}

func badStartup() error {
	return sqlerr.New(sqlerr.ProtocolViolation, "invalid startup packet layout: expected terminator as last byte")
}

// cutString takes a zero-terminated string off b.
func cutString(b []byte) (s string, rest []byte, ok bool) {
	for i, c := range b {
		if c == 0 {
			return string(b[:i]), b[i+1:], true
		}
	}
	return "", nil, false
}

// negotiate tells a client that asked for a newer protocol, or for options, what it gets.
func (c *conn) negotiate(s *startup) {
	if s.minor <= newestMinor && len(s.unknown) == 0 {
		return
	}
	out, start := startMessage(c.out, 'v')
	out = append32(out, int32(3<<16|min(s.minor, newestMinor)))
	out = append32(out, int32(len(s.unknown)))
	for _, option := range s.unknown {
		out = appendString(out, option)
	}
	c.out = endMessage(out, start)
}

// commandLine reads options "-c name=value --other-name=value"; a backslash keeps a blank.
func commandLine(options string) ([]session.ReportedSetting, error) {
	var out []session.ReportedSetting
	words := splitOptions(options)
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "-c" && i+1 < len(words):
			i++
			word = words[i]
		case strings.HasPrefix(word, "--"):
			word = word[2:]
		case strings.HasPrefix(word, "-c"):
			word = word[2:]
		default:
			return nil, sqlerr.New(sqlerr.SyntaxError, "invalid command-line argument for server process: %s", word)
		}
		name, value, found := strings.Cut(word, "=")
		if !found {
			return nil, sqlerr.New(sqlerr.SyntaxError, "-c %s requires a value", name)
		}
		out = append(out, session.ReportedSetting{Name: strings.ReplaceAll(name, "-", "_"), Value: value})
	}
	return out, nil
}

func splitOptions(options string) []string {
	var words []string
	var word []byte
	inWord := false
	for i := 0; i < len(options); i++ {
		switch ch := options[i]; {
		case ch == '\\' && i+1 < len(options):
			i++
			word, inWord = append(word, options[i]), true
		case ch == ' ' || ch == '\t' || ch == '\n':
			if inWord {
				words, word, inWord = append(words, string(word)), nil, false
			}
		default:
			word, inWord = append(word, ch), true
		}
	}
	if inWord {
		words = append(words, string(word))
	}
	return words
}

// begin takes the connection from its first byte to the first ReadyForQuery.
func (c *conn) begin() error {
	if err := c.nc.SetDeadline(time.Now().Add(c.server.config.StartupTimeout)); err != nil {
		return errDone
	}
	asked, err := c.handshake()
	if err != nil {
		return err
	}
	c.negotiate(asked)
	if err := c.authenticate(asked.user); err != nil {
		return err
	}
	settings, err := commandLine(asked.options)
	if err != nil {
		return err
	}
	c.session, err = c.server.config.Manager.Open(c.server.base, session.Startup{User: asked.user, Database: asked.database,
		Client: c.remote(), Parameters: append(settings, asked.parameters...), Hangup: c.hangup})
	if err != nil {
		return err
	}
	if err := c.nc.SetDeadline(time.Time{}); err != nil {
		return errDone
	}
	c.out, _ = appendAuthentication(c.out, authOK, nil)
	for _, p := range c.session.Settings().Reported() {
		c.out = appendParameterStatus(c.out, p.Name, p.Value)
	}
	pid, secret := c.session.Key()
	out, start := startMessage(c.out, 'K')
	c.out = endMessage(append(append32(out, pid), secret...), start)
	return nil
}
