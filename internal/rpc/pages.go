package rpc

import (
	"encoding/binary"
	"io"
	"net/http"
	"strconv"

	"github.com/pierrec/lz4/v4"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec/page"
)

// A reply with pages is, for each, its bytes as sent and as they are (two 32-bit numbers, equal when
// not compressed), and then the bytes, filled up to a multiple of eight. So pages lie on 8-byte
// boundaries of the reply.
const (
	endHeader    = "Tarn-End"
	frameBytes   = 8
	largestReply = 1 << 30
	// worthPacking is the size from which compressing a page may pay.
	worthPacking = 4096
)

var padding [8]byte

// writePages sends pages, and gives their shares back; whoever asked may have gone.
func writePages(w http.ResponseWriter, p Pages, compress bool, buffers *page.Buffers) {
	defer p.release()
	sent := make([][]byte, len(p.Pages)) // compressed ones; nil: as they are
	total := 0
	for i, page := range p.Pages {
		n := len(page.Bytes)
		if compress {
			if packed := pack(page.Bytes, buffers); packed != nil {
				defer packed.Release()
				sent[i] = packed.Bytes()
				n = len(sent[i])
			}
		}
		total += frameBytes + (n+7)&^7
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(total))
	if p.End {
		w.Header().Set(endHeader, "true")
	}
	for i, page := range p.Pages {
		if err := writePage(w, page, sent[i]); err != nil {
			return
		}
	}
}

// writePage sends one page, in one piece where it can: small pieces would go out as packets of their own.
func writePage(w io.Writer, p page.Page, packed []byte) error {
	bytes := packed
	if packed == nil {
		if framed, ok := p.Framed(); ok && len(framed)&7 == 0 {
			_, err := w.Write(framed)
			return err
		}
		bytes = p.Bytes
	}
	var frame [frameBytes]byte
	binary.LittleEndian.PutUint32(frame[:], uint32(len(bytes)))
	binary.LittleEndian.PutUint32(frame[4:], uint32(len(p.Bytes)))
	if _, err := w.Write(frame[:]); err != nil {
		return err
	}
	if _, err := w.Write(bytes); err != nil {
		return err
	}
	_, err := w.Write(padding[:-len(bytes)&7])
	return err
}

// release gives all shares back.
func (p Pages) release() {
	for _, page := range p.Pages {
		page.Release()
	}
}

// pack compresses a page, or gives nil when that does not make it smaller by an eighth at least.
func pack(bytes []byte, buffers *page.Buffers) *page.Memory {
	if len(bytes) < worthPacking {
		return nil
	}
	out := buffers.Take(lz4.CompressBlockBound(len(bytes)))
	n, err := lz4.CompressBlock(bytes, out.Bytes(), nil)
	if err != nil || n == 0 || n > len(bytes)/8*7 {
		out.Release()
		return nil
	}
	out.Shrink(n)
	return out
}

// readPages reads a reply of a known length. The pages share one piece of memory.
func readPages(r io.Reader, length int64, buffers *page.Buffers) ([]page.Page, error) {
	if length < 0 || length > largestReply {
		return nil, sqlerr.New(sqlerr.ProtocolViolation, "a reply with pages has an impossible length of %d bytes", length)
	}
	body := buffers.Take(int(length))
	defer body.Release()
	if _, err := io.ReadFull(r, body.Bytes()); err != nil {
		return nil, err
	}
	return splitPages(body, buffers)
}

func splitPages(body *page.Memory, buffers *page.Buffers) ([]page.Page, error) {
	var pages []page.Page
	rest := body.Bytes()
	for len(rest) > 0 {
		if len(rest) < frameBytes {
			return nil, malformedPages()
		}
		sent, raw := int(binary.LittleEndian.Uint32(rest)), int(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[frameBytes:]
		padded := (sent + 7) &^ 7
		if padded > len(rest) || raw < sent || raw > largestReply || raw != sent && raw > 255*sent+64 {
			return nil, malformedPages()
		}
		bytes := rest[:sent:sent]
		rest = rest[padded:]
		if raw == sent {
			body.Share(1)
			pages = append(pages, body.Page(bytes))
			continue
		}
		unpacked := buffers.Take(raw)
		if n, err := lz4.UncompressBlock(bytes, unpacked.Bytes()); err != nil || n != raw {
			return nil, malformedPages()
		}
		pages = append(pages, unpacked.Page(unpacked.Bytes()))
	}
	return pages, nil
}

func malformedPages() error {
	return sqlerr.New(sqlerr.DataCorrupted, "a reply with pages of rows is damaged")
}
