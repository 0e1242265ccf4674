package pgwire

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/coordinator/session/enginetest"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/parser"
)

// FuzzConnection sends arbitrary bytes, at the start and after it: the server must neither panic nor
// hang.
func FuzzConnection(f *testing.F) {
	encode := func(messages ...interface{ Encode([]byte) ([]byte, error) }) []byte {
		var b []byte
		for _, m := range messages {
			b, _ = m.Encode(b)
		}
		return b
	}
	start := &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "a", "options": "-c search_path=b"}}
	f.Add(false, encode(start, &pgproto3.Query{String: "begin; select 1"}))
	f.Add(false, encode(&pgproto3.SSLRequest{}, start))
	f.Add(false, encode(&pgproto3.CancelRequest{ProcessID: 1, SecretKey: []byte{1, 2, 3, 4}}))
	f.Add(true, encode(&pgproto3.Parse{Query: "select $1, $2", ParameterOIDs: []uint32{23}}, &pgproto3.Describe{ObjectType: 'S'},
		&pgproto3.Bind{ParameterFormatCodes: []int16{1}, Parameters: [][]byte{{0, 0, 0, 1}, nil}}, &pgproto3.Execute{MaxRows: 1}, &pgproto3.Flush{},
		&pgproto3.Close{ObjectType: 'P'}, &pgproto3.Sync{}))
	f.Add(true, encode(&pgproto3.Query{String: "begin; declare c scroll cursor for select * from series(3); fetch last c; move backward all c"}))
	f.Add(true, encode(&pgproto3.Query{String: "set local timezone to 'x'; show all; discard all"}, &pgproto3.CopyData{Data: []byte("1\t2\n")}, &pgproto3.CopyDone{}))
	f.Fuzz(func(t *testing.T, started bool, input []byte) {
		engine := &enginetest.Engine{Answers: map[string]enginetest.Answer{"select $1, $2": echo(types.Of(types.Int32), types.ArrayOf(types.DecimalOf(9, 2)))}}
		manager := session.NewManager(session.Config{Engine: engine, Parse: parser.Parse})
		server, err := NewServer(context.Background(), Config{Manager: manager, TrustLoopback: true})
		if err != nil {
			t.Fatal(err)
		}
		near, far := net.Pipe()
		_ = near.SetDeadline(time.Now().Add(10 * time.Second))
		done := make(chan struct{})
		go func() {
			defer close(done)
			server.ServeConn(far)
		}()
		go func() { _, _ = io.Copy(io.Discard, near) }()
		if started {
			b, _ := start.Encode(nil)
			_, _ = near.Write(b)
		}
		_, _ = near.Write(input)
		_ = near.Close()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("the connection hangs")
		}
		if engine.Open.Load() != 0 {
			t.Fatal("a source was not closed")
		}
	})
}

// FuzzBinaryParameters decodes arbitrary bytes as values of every type, and what decodes must come
// back from its own binary form.
func FuzzBinaryParameters(f *testing.F) {
	list := samples()
	f.Add(0, []byte{1})
	f.Add(9, []byte{0, 1, 0, 0, 0, 0, 0, 2, 0, 5})
	f.Add(28, []byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, which int, b []byte) {
		typ := list[uint(which)%uint(len(list))].typ
		d, err := decodeBinary(typ, b)
		if err != nil || d.Null || typ.Kind == types.InternalChar { // "char" keeps one byte of a character
			return
		}
		again, err := decodeBinary(typ, appendBinaryDatum(nil, typ, d))
		if err != nil {
			t.Fatalf("%s %x: %v", typ, b, err)
		}
		if a, b := types.Format(typ, d, nil), types.Format(typ, again, nil); a != b {
			t.Fatalf("%s: %q became %q", typ, a, b)
		}
	})
}

// FuzzCopyInput reads arbitrary bytes in each of COPY's formats: errors are fine, panics are not,
// and what was read as text must survive being written and read again.
func FuzzCopyInput(f *testing.F) {
	f.Add(uint8(0), []byte("1\ta\\tb\t\\N\n\\.\n"))
	f.Add(uint8(1), []byte("1,\"a \"\"b\"\"\",\n2,,1.5\r\n"))
	f.Add(uint8(2), []byte(binaryCopyHeader+"\x00\x03\x00\x00\x00\x04\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"))
	columns := types.Schema{{Name: "a", Type: types.Of(types.Int32)}, {Name: "b", Type: types.Of(types.Text)}, {Name: "c", Type: types.DecimalOf(9, 2)}}
	f.Fuzz(func(t *testing.T, which uint8, input []byte) {
		o := &copyOptions{format: copyFormat(which % 3), delimiter: '\t', null: `\N`}
		if o.format == copyCSV {
			o = &copyOptions{format: copyCSV, delimiter: ',', quote: '"', escape: '"'}
		}
		read := func(input []byte) (*vec.Batch, error) {
			return newCopySource(bytes.NewReader(input), o, columns, "t", nil).Next(context.Background())
		}
		b, err := read(input)
		if err != nil || b == nil || o.format == copyBinary {
			return
		}
		w := &copyWriter{options: o, names: []string{"a", "b", "c"}, plain: make([]bool, 3), force: make([]bool, 3), encoder: newEncoder(columns, nil, nil)}
		w.encoder.use(b)
		var written []byte
		for i := range b.Len {
			frame := w.appendRow(nil, i)
			written = append(written, frame[5:]...)
		}
		again, err := read(written)
		if err != nil || again == nil || again.Len != b.Len {
			t.Fatalf("%q was written as %q: %v", input, written, err)
		}
		for i := range b.Len {
			for c := range columns {
				if x, y := b.Cols[c].Datum(i), again.Cols[c].Datum(i); x.Null != y.Null || types.Format(columns[c].Type, x, nil) != types.Format(columns[c].Type, y, nil) {
					t.Fatalf("row %d column %d: %v became %v", i, c, x, y)
				}
			}
		}
	})
}
