package codec

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/pierrec/lz4/v4"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestNames(t *testing.T) {
	names := Names{Zstd: {"zstd"}, Snappy: {"snappy"}, Deflate: {"zlib", "gzip"}, LZ4: {"lz4"}, Uncompressed: {"none"}}
	for name, want := range map[string]Compression{"": Zstd, "zstd": Zstd, "SNAPPY": Snappy, "gzip": Deflate, "ZLIB": Deflate, "lz4": LZ4, "none": Uncompressed} {
		if got, err := names.Parse("ORC", name); err != nil || got != want {
			t.Errorf("%q is %d, %v", name, got, err)
		}
	}
	_, err := names.Parse("ORC", "lzma")
	if e := sqlerr.From(err); err == nil || e.Code != sqlerr.InvalidParameterValue || e.Message != `unknown ORC compression "lzma"` || e.Hint != "Use zstd, snappy, zlib, lz4 or none." {
		t.Errorf("%+v", e)
	}
}

// TestBlocks: what a compressor makes of block after block is read again by decompressors used before.
func TestBlocks(t *testing.T) {
	var p Decompressors
	all := func(r io.Reader) ([]byte, error) { return io.ReadAll(r) }
	for _, o := range []Options{{Window: 1 << 20, Gzip: true}, {Window: 256 << 10, Level: 3, AllLiterals: true}, {Window: 256 << 10, Level: 9}} {
		for c := range Uncompressed + 1 {
			packer, err := NewCompressor(c, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"a", strings.Repeat("abcdefgh", 5000), "x", strings.Repeat("z", 300_000)} {
				packed, err := packer.Compress([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				var got []byte
				switch c {
				case Zstd:
					got, err = p.Zstd(Uncleared(7)[:0], packed, 1<<30)
				case Snappy:
					got, err = s2.Decode(nil, packed)
				case Deflate:
					read := p.Deflate
					if o.Gzip {
						read = p.Gzip
					}
					got, err = read(packed, all)
				case LZ4:
					got = make([]byte, len(text))
					_, err = lz4.UncompressBlock(packed, got)
				case Uncompressed:
					got = packed
				}
				if err != nil || !bytes.Equal(got, []byte(text)) {
					t.Errorf("compression %d, %+v: %d bytes of %d, %v", c, o, len(got), len(text), err)
				}
				if len(text) > 10_000 && c != Uncompressed && (len(packed) > len(text)/10 || packer.Memory() < int64(len(packed))) {
					t.Errorf("compression %d: %d bytes of %d, holding %d", c, len(packed), len(text), packer.Memory())
				}
			}
			packer.Close()
		}
	}
	if _, err := NewCompressor(99, Options{}); sqlerr.CodeOf(err) != sqlerr.InternalError {
		t.Error(err)
	}
}
