//go:build peers

package orc

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/types"
)

// TestPeersReadOurFiles has ORC's Java reader and ORC C++ read what the Writer writes; test/orcpeers/run.sh
// prepares them.
func TestPeersReadOurFiles(t *testing.T) {
	cache, python := os.Getenv("ORC_JAVA"), os.Getenv("ORC_PYTHON")
	if cache == "" || python == "" {
		t.Fatal("run test/orcpeers/run.sh")
	}
	java := []string{"java", "-Xmx512m", "-Duser.timezone=UTC", "-Dlog4j2.level=OFF", "-cp", cache + "/classes:" + cache + "/lib/*", "Dump"}
	schema := everyType()
	for seed := range uint64(7) {
		random := rand.New(rand.NewPCG(seed, 77))
		rows := []int{0, 1, 999, 10_000, 12_345}[seed%5]
		moments := int64(9_000_000_000_000_000) // pyarrow's timestamps are nanoseconds
		if seed >= 5 {
			moments = anyMoment
		}
		batches, want := randomRowsWithin(random, schema, rows, moments)
		options := WriterOptions{Compression: Compression(seed % 5), StripeBytes: []int64{0, 1, 50_000}[seed%3], Bloom: []int{2, 3, 9}}
		path := filepath.Join(t.TempDir(), fmt.Sprintf("%d.orc", seed))
		writeFile(t, path, schema, batches, options)
		t.Logf("seed %d: codec %d, %d rows", seed, seed%5, len(want))
		comparePeer(t, "Java", append(java, path), schema, want)
		if seed < 5 {
			comparePeer(t, "C++", append(strings.Fields(python), path), schema, want)
		}
		for _, column := range []int{3, 9} {
			counts := map[string]int{}
			for _, row := range want {
				if !row[column].Null {
					counts[fmt.Sprint(datumText(row[column], schema[column].Type))]++
				}
			}
			tried := 0
			for value, count := range counts {
				if tried++; tried > 1 {
					break
				}
				command := append(append([]string{}, java...), path, schema[column].Name, value)
				if got := strings.TrimSpace(run(t, command)); got != fmt.Sprint(count) {
					t.Errorf("seed %d: Java finds %s rows of %q in column %s, there are %d", seed, got, value, schema[column].Name, count)
				}
			}
		}
	}
}

func run(t *testing.T, command []string) string {
	t.Helper()
	var problems bytes.Buffer
	c := exec.Command(command[0], command[1:]...)
	c.Stderr = &problems
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s", command, err, problems.String())
	}
	return string(out)
}

func comparePeer(t *testing.T, peer string, command []string, schema types.Schema, want [][]types.Datum) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(run(t, command)))
	lines.Buffer(nil, 1<<24)
	at, wrong := 0, 0
	for ; lines.Scan(); at++ {
		var row []any
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil || at >= len(want) {
			t.Fatalf("%s, row %d of %d: %v", peer, at, len(want), err)
		}
		for c, field := range schema {
			got, expected := row[c], peerText(want[at][c], field.Type)
			if s, isText := got.(string); isText && field.Type.Kind == types.Char {
				got = strings.TrimRight(s, " ")
			}
			if !reflect.DeepEqual(got, expected) {
				if wrong++; wrong < 5 {
					t.Errorf("%s, row %d, column %s: %v, want %v", peer, at, field.Name, got, expected)
				}
			}
		}
	}
	if at != len(want) {
		t.Errorf("%s: %d rows, want %d", peer, at, len(want))
	}
}

// peerText is datumText for top-level columns, in the peers' form.
func peerText(d types.Datum, t types.Type) any {
	switch {
	case d.Null:
		return nil
	case t.Kind == types.UUID:
		var b [16]byte
		for i := range 8 {
			b[i], b[8+i] = byte(uint64(d.I128.Hi)>>(56-8*i)), byte(d.I128.Lo>>(56-8*i))
		}
		return hex.EncodeToString(b[:])
	case t.Kind == types.JSON:
		return d.Str
	case (t.Kind == types.Float32 || t.Kind == types.Float64) && d.F64 != d.F64:
		return "nan"
	}
	return datumText(d, t)
}
