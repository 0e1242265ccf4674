package rpc

import (
	"encoding/binary"
	"io"
	"net/http"
	"strconv"

	"github.com/pierrec/lz4/v4"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
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

// writePages sends pages; whoever asked may have gone.
func writePages(w http.ResponseWriter, p Pages, compress bool) {
	sent := make([][]byte, len(p.Pages))
	total := 0
	for i, page := range p.Pages {
		sent[i] = page
		if compress {
			sent[i] = pack(page)
		}
		total += frameBytes + (len(sent[i])+7)&^7
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(total))
	if p.End {
		w.Header().Set(endHeader, "true")
	}
	var frame [frameBytes]byte
	for i, bytes := range sent {
		binary.LittleEndian.PutUint32(frame[:], uint32(len(bytes)))
		binary.LittleEndian.PutUint32(frame[4:], uint32(len(p.Pages[i])))
		if _, err := w.Write(frame[:]); err != nil {
			return
		}
		if _, err := w.Write(bytes); err != nil {
			return
		}
		if _, err := w.Write(padding[:-len(bytes)&7]); err != nil {
			return
		}
	}
}

// pack compresses a page when that makes it smaller by an eighth at least.
func pack(page []byte) []byte {
	if len(page) < worthPacking {
		return page
	}
	out := make([]byte, lz4.CompressBlockBound(len(page)))
	n, err := lz4.CompressBlock(page, out, nil)
	if err != nil || n == 0 || n > len(page)/8*7 {
		return page
	}
	return out[:n]
}

// readPages reads a reply of a known length. The pages share one piece of memory.
func readPages(r io.Reader, length int64) ([][]byte, error) {
	if length < 0 || length > largestReply {
		return nil, sqlerr.New(sqlerr.ProtocolViolation, "a reply with pages has an impossible length of %d bytes", length)
	}
	body := vec.AlignedBytes(int(length))
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	return splitPages(body)
}

func splitPages(body []byte) ([][]byte, error) {
	var pages [][]byte
	for len(body) > 0 {
		if len(body) < frameBytes {
			return nil, malformedPages()
		}
		sent, raw := int(binary.LittleEndian.Uint32(body)), int(binary.LittleEndian.Uint32(body[4:]))
		body = body[frameBytes:]
		padded := (sent + 7) &^ 7
		if padded > len(body) || raw < sent || raw > largestReply || raw != sent && raw > 255*sent+64 {
			return nil, malformedPages()
		}
		page := body[:sent:sent]
		body = body[padded:]
		if raw != sent {
			unpacked := vec.AlignedBytes(raw)
			if n, err := lz4.UncompressBlock(page, unpacked); err != nil || n != raw {
				return nil, malformedPages()
			}
			page = unpacked
		}
		pages = append(pages, page)
	}
	return pages, nil
}

func malformedPages() error {
	return sqlerr.New(sqlerr.DataCorrupted, "a reply with pages of rows is damaged")
}
