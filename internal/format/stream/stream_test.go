package stream

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

const first, second = "id,name\n1,a\n", "2,b\n" // fifty times each

// members are the two texts as compressed files of their own, which may follow each other in one.
func members(t *testing.T, kind Compression) [2][]byte {
	t.Helper()
	var out [2][]byte
	for i, text := range []string{strings.Repeat(first, 50), strings.Repeat(second, 50)} {
		var b bytes.Buffer
		switch kind {
		case Gzip:
			w := gzip.NewWriter(&b)
			w.Write([]byte(text))
			w.Close()
		case Zstd:
			w, err := zstd.NewWriter(&b)
			if err != nil {
				t.Fatal(err)
			}
			w.Write([]byte(text))
			w.Close()
		case Bzip2: // written by Python's bz2
			made := []string{"QlpoOTFBWSZTWSz4uD4AAPnZAAAQAAQgACYjIABAUqh5RoQZMRqLEWItRYi1FxF8i4ixF8i1F+LuSKcKEgWfFwfA", "QlpoOTFBWSZTWTFVw4IAAErZAAAQAAQQABAAIAAgpUegzTTIsi+iyLhdyRThQkDFVw4I"}[i]
			data, err := base64.StdEncoding.DecodeString(made)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(data)
		}
		out[i] = b.Bytes()
	}
	return out
}

func readFile(t *testing.T, name string, data []byte, step int) (string, error) {
	t.Helper()
	store, err := objstore.OpenLocal(t.TempDir(), objstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	object, err := store.Put(t.Context(), name, data)
	if err != nil {
		t.Fatal(err)
	}
	in := Open(store, object, Auto, 0, object.Size, scan.Counters{})
	defer in.Close()
	var out []byte
	p := make([]byte, step)
	for {
		n, err := in.Read(context.Background(), p)
		if err != nil || n == 0 {
			return string(out), err
		}
		out = append(out, p[:n]...)
	}
}

func TestCompressedFilesOfSeveralMembers(t *testing.T) {
	want := strings.Repeat(first, 50) + strings.Repeat(second, 50)
	for name, kind := range map[string]Compression{"f.csv.gz": Gzip, "f.json.zst": Zstd, "f.csv.bz2": Bzip2} {
		parts := members(t, kind)
		whole := append(append([]byte(nil), parts[0]...), parts[1]...)
		for _, step := range []int{1, 7, 800, 1 << 20} {
			if got, err := readFile(t, name, whole, step); err != nil || got != want {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		}
		// Cut anywhere but between the members the file is known to be.
		for cut := 1; cut < len(whole); cut++ {
			if cut == len(parts[0]) {
				continue
			}
			_, err := readFile(t, name, whole[:cut], 64)
			if sqlerr.CodeOf(err) != sqlerr.DataCorrupted || !strings.Contains(err.Error(), name) {
				t.Fatalf("%s cut at %d of %d: %v", name, cut, len(whole), err)
			}
		}
		if _, err := readFile(t, name, whole[:len(whole)-1], 64); !strings.Contains(err.Error(), "is truncated: its "+kind.String()+" data ends too early") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
