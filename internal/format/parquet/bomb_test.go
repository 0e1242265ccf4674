package parquet

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// footerOnly makes a file of nothing but a footer.
func footerOnly(footer []byte) []byte {
	file := append([]byte("PAR1"), footer...)
	return append(binary.LittleEndian.AppendUint32(file, uint32(len(footer))), "PAR1"...)
}

// structs is a list of n structs in field id of a footer, each of them these bytes.
func structs(id byte, n int, each []byte) []byte {
	list := binary.AppendUvarint([]byte{id<<4 | thriftList, 0xf0 | thriftStruct}, uint64(n))
	return append(list, bytes.Repeat(each, n)...)
}

func TestFootersAreBounded(t *testing.T) {
	const n = 2_000_000
	nested := append([]byte{0x48, 1, 'r', 0x15, 2, 0}, bytes.Repeat([]byte{0x48, 1, 'g', 0x15, 2, 0}, 10)...)
	long := strings.Repeat("n", 100_000)
	wide := append([]byte{0x48}, binary.AppendUvarint(nil, uint64(len(long)))...)
	wide = append(append(wide, long...), 0x15, 0xa0, 0x1f, 0) // a group of 2,000 fields
	leaf := []byte{0x15, 2, 0x38, 1, 'x', 0}
	paths := append([]byte{0x29, 0xfc}, binary.AppendUvarint(nil, 2002)...)
	paths = append(append(append(paths, 0x48, 1, 'r', 0x15, 2, 0), wide...), bytes.Repeat(leaf, 2000)...)
	cases := map[string][]byte{
		"elements without anything": append(structs(2, n, []byte{0}), 0x16, 0, 0),
		"row groups":                append(structs(4, n, []byte{0x36, 0, 0}), 0),
		"deep groups":               append(structs(2, n/10, nested), 0),
		"long paths":                append(paths, 0x16, 0, 0x19, 0x0c, 0),
	}
	for name, footer := range cases {
		store := oneObject{data: footerOnly(footer)}
		pool := memory.NewRoot("test", 32<<20)
		budget, release := scan.PoolBudget(context.Background(), pool, "footer")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := OpenObject(context.Background(), store, store.object(), budget)
		runtime.ReadMemStats(&after)
		release()
		if code := sqlerr.CodeOf(err); code != sqlerr.OutOfMemory {
			t.Errorf("%s: %v, should be out of memory", name, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 96<<20 {
			t.Errorf("%s: took %d bytes", name, took)
		}
		if left := pool.Used(); left != 0 {
			t.Errorf("%s: %d bytes stay reserved", name, left)
		}
	}
}

func TestFooterEndsWithItsQuery(t *testing.T) {
	store := oneObject{data: footerOnly(append(structs(2, 2_000_000, []byte{0}), 0x16, 0, 0))}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	budget, release := scan.PoolBudget(ctx, nil, "footer")
	defer release()
	if _, err := OpenObject(context.Background(), store, store.object(), budget); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, should be canceled", err)
	}
}

// Pages that hold more than they declare, or declare what they cannot hold, take no memory for it.
func TestPagesThatLie(t *testing.T) {
	encoder, _ := zstd.NewWriter(nil)
	bomb := encoder.EncodeAll(make([]byte, 256<<20), nil)
	var streamed bytes.Buffer // whose frame does not tell its size
	w, _ := zstd.NewWriter(&streamed)
	for range 256 {
		w.Write(make([]byte, 1<<20))
	}
	w.Close()
	var pool codecPool
	for name, data := range map[string][]byte{"sized": bomb, "streamed": streamed.Bytes()} {
		var before, after runtime.MemStats
		if plausible(codecZstd, data, 8000) {
			runtime.ReadMemStats(&before)
			if _, err := pool.decompress(codecZstd, nil, data, 8000); err == nil {
				t.Errorf("%s: 256 MB pass for 8,000 bytes", name)
			}
			runtime.ReadMemStats(&after)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
			t.Errorf("%s: took %d bytes", name, took)
		}
	}
	for _, codec := range []codecID{codecZstd, codecGzip, codecLZ4Raw, codecSnappy, codecLZ4Hadoop} {
		if plausible(codec, []byte{0, 1, 2, 3, 4, 5, 6, 7}, 1<<30) && codec != codecSnappy {
			t.Errorf("codec %d: 8 bytes may be a gigabyte", codec)
		}
	}
}

// What fails while an index or a filter is read is not called damage of the file.
func TestOnlyDamageIsDamage(t *testing.T) {
	r := &Reader{file: &File{}}
	short := sqlerr.New(sqlerr.OutOfMemory, "out of memory")
	gone := sqlerr.New(sqlerr.ObjectNotInPrerequisiteState, "file has changed")
	for _, c := range []struct {
		err  error
		want sqlerr.Code
	}{{short, sqlerr.OutOfMemory}, {gone, sqlerr.ObjectNotInPrerequisiteState}, {errThrift, sqlerr.DataCorrupted}} {
		if got := sqlerr.CodeOf(r.damaged(c.err, 0, "x", "page index")); got != c.want {
			t.Errorf("%v becomes %s", c.err, got)
		}
	}
	if err := r.damaged(context.Canceled, 0, "x", "page index"); !errors.Is(err, context.Canceled) || sqlerr.CodeOf(err) == sqlerr.DataCorrupted {
		t.Errorf("a cancel becomes %v", err)
	}
}
