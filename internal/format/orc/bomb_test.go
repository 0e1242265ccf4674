package orc

import (
	"bytes"
	"context"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// bombFile makes a file of a few kilobytes whose footer expands to count copies of a message.
func bombFile(message []byte, count int) []byte {
	encoder, _ := zstd.NewWriter(nil)
	packed := encoder.EncodeAll(bytes.Repeat(message, count), nil)
	header := len(packed) << 1
	footer := append([]byte{byte(header), byte(header >> 8), byte(header >> 16)}, packed...)
	number := func(to []byte, field int, v uint64) []byte {
		return binary.AppendUvarint(binary.AppendUvarint(to, uint64(field<<3)), v)
	}
	ps := number(number(number(nil, 1, uint64(len(footer))), 2, uint64(compressZstd)), 3, maxBlockSize)
	ps = append(binary.AppendUvarint(ps, 8000<<3|wireBytes), 3, 'O', 'R', 'C')
	return append(append(append([]byte("ORC"), footer...), ps...), byte(len(ps)))
}

func TestFootersAreBounded(t *testing.T) {
	for name, message := range map[string][]byte{
		"stripes":    {3<<3 | wireBytes, 0},
		"statistics": {7<<3 | wireBytes, 0},
		"types":      {4<<3 | wireBytes, 2, 1 << 3, byte(kindLong)},
		"pairs":      {5<<3 | wireBytes, 0},
	} {
		data := bombFile(message, (32<<20)/len(message))
		pool := memory.NewRoot("test", 64<<20)
		budget, release := scan.PoolBudget(context.Background(), pool, "footer")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := OpenObject(context.Background(), oneObject{data: data}, objstore.Object{Path: "bomb.orc", Size: int64(len(data))}, budget)
		runtime.ReadMemStats(&after)
		release()
		if sqlerr.CodeOf(err) != sqlerr.OutOfMemory {
			t.Errorf("%s: %v, should be out of memory", name, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 200<<20 {
			t.Errorf("%s: a file of %d bytes took %d bytes", name, len(data), took)
		}
		if left := pool.Used(); left != 0 {
			t.Errorf("%s: %d bytes stay reserved", name, left)
		}
	}
}
