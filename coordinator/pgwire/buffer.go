package pgwire

import (
	"encoding/binary"
	"io"
	"net"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Sizes of a connection's buffers.
const (
	firstInput    = 4 << 10   // of the input buffer; it grows with what arrives
	keepInput     = 64 << 10  // an empty input buffer larger than this is given back
	flushOutput   = 64 << 10  // output goes out when this much has gathered
	keepOutput    = 128 << 10 // an empty output buffer larger than this is given back
	pipelineInput = 1 << 20   // read ahead at most so much while a query runs
)

// reader takes messages off a connection. Its memory grows with the bytes that really arrived,
// never with the length that a message claims.
type reader struct {
	nc   net.Conn
	buf  []byte
	r, w int // buf[r:w] is unread
	most int // longest message body
}

// fill reads once from the connection, after the unread bytes.
func (r *reader) fill() error {
	if r.w == len(r.buf) {
		grown := make([]byte, max(firstInput, 2*(r.w-r.r)))
		r.w = copy(grown, r.buf[r.r:r.w])
		r.r = 0
		r.buf = grown
	}
	n, err := r.nc.Read(r.buf[r.w:])
	r.w += n
	if n > 0 {
		return nil
	}
	return err
}

// need makes n unread bytes available. The bytes of the message before are gone.
func (r *reader) need(n int) error {
	if r.r == r.w {
		r.r, r.w = 0, 0
		if len(r.buf) > keepInput && n <= firstInput {
			r.buf = nil
		}
	} else if r.r > 0 && len(r.buf)-r.r < n {
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	for r.w-r.r < n {
		if err := r.fill(); err != nil {
			if err == io.EOF && r.w > r.r {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// message gives the next message, valid until the next call.
func (r *reader) message() (kind byte, body []byte, err error) {
	if err := r.need(5); err != nil {
		return 0, nil, err
	}
	kind = r.buf[r.r]
	length := int64(binary.BigEndian.Uint32(r.buf[r.r+1:])) - 4
	if length < 0 || length > int64(r.most) {
		return 0, nil, sqlerr.New(sqlerr.ProtocolViolation, "invalid message length")
	}
	if err := r.need(5 + int(length)); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	body = r.buf[r.r+5 : r.r+5+int(length) : r.r+5+int(length)]
	r.r += 5 + int(length)
	return kind, body, nil
}

// startMessage opens a message of the given kind; endMessage fills in its length.
func startMessage(dst []byte, kind byte) (out []byte, start int) {
	return append(dst, kind, 0, 0, 0, 0), len(dst) + 1
}

func endMessage(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst
}

func appendString(dst []byte, s string) []byte { return append(append(dst, s...), 0) }

func append16(dst []byte, v int) []byte { return binary.BigEndian.AppendUint16(dst, uint16(v)) }

func append32(dst []byte, v int32) []byte { return binary.BigEndian.AppendUint32(dst, uint32(v)) }

// appendEmpty appends a message without a body.
func appendEmpty(dst []byte, kind byte) []byte { return append(dst, kind, 0, 0, 0, 4) }
