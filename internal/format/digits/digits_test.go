package digits

import (
	"fmt"
	"math"
	"math/rand"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/types"
)

// padded gives text within other digits, as in a file.
func padded(text string) (data []byte, at, n int) {
	return []byte("71." + text + "." + strings.Repeat("3-", 16)), 3, len(text)
}

// check compares what is read of a text with what the full parsers make of it.
func check(t *testing.T, text string) {
	t.Helper()
	data, at, n := padded(text)
	if v, ok := Integer(data, at, n); ok {
		if want, err := types.ParseInt64([]byte(text)); err != nil || v != want {
			t.Fatalf("integer %q is %d, want %d, %v", text, v, want, err)
		}
	}
	if v, ok := Float(data, at, n); ok {
		if want, err := types.ParseFloat64([]byte(text)); err != nil || math.Float64bits(v) != math.Float64bits(want) {
			t.Fatalf("float %q is %v, want %v, %v", text, v, want, err)
		}
	}
	for _, size := range [][2]int{{4, 2}, {18, 0}, {18, 18}, {12, 2}, {15, 4}, {1, 0}} {
		if v, ok := Decimal(data, at, n, size[0], size[1]); ok {
			if want, err := types.ParseDecimal64([]byte(text), size[0], size[1]); err != nil || v != want {
				t.Fatalf("decimal(%d,%d) %q is %d, want %d, %v", size[0], size[1], text, v, want, err)
			}
		}
	}
	if v, ok := Date(data, at, n); ok {
		if want, err := types.ParseDate([]byte(text)); err != nil || v != want {
			t.Fatalf("date %q is %d, want %d, %v", text, v, want, err)
		}
	}
	if v, ok := Timestamp(data, at, n); ok {
		if want, err := types.ParseTimestamp([]byte(text)); err != nil || v != want {
			t.Fatalf("timestamp %q is %d, want %d, %v", text, v, want, err)
		}
	}
}

func TestPlainTextsAreRead(t *testing.T) {
	data, at, n := padded("-1234567890123456")
	if v, ok := Integer(data, at, n); !ok || v != -1234567890123456 {
		t.Errorf("%d, %v", v, ok)
	}
	data, at, n = padded("-21168.23")
	if v, ok := Float(data, at, n); !ok || v != -21168.23 {
		t.Errorf("%v, %v", v, ok)
	}
	if v, ok := Decimal(data, at, n, 12, 3); !ok || v != -21168230 {
		t.Errorf("%v, %v", v, ok)
	}
	data, at, n = padded("2024-02-29")
	if v, ok := Date(data, at, n); !ok || v != 19782 {
		t.Errorf("%v, %v", v, ok)
	}
	data, at, n = padded("2024-02-29T23:59:58.25")
	if v, ok := Timestamp(data, at, n); !ok || v != 19782*86400e6+86398.25e6 {
		t.Errorf("%v, %v", v, ok)
	}
}

func TestDatesOfAllYearsAreRead(t *testing.T) {
	for days := int64(-719162); days <= 2932896; days += 3 {
		year, month, day := types.CivilFromDays(days)
		text := fmt.Sprintf("%04d-%02d-%02d", year, month, day)
		data, at, n := padded(text)
		if v, ok := Date(data, at, n); !ok || int64(v) != days {
			t.Fatalf("%q is %d, %v, want %d", text, v, ok, days)
		}
	}
}

func TestWhatIsReadAgreesWithTheParsers(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for _, text := range []string{"", "-", ".", "-.", "5.", ".5", "0", "-0", "-0.0", "00", "1..2", "1-2", "--1", "+1", " 1", "1 ", "1e5", "9007199254740993", "0000000000000001",
		"2023-02-29", "0000-01-01", "2024-13-01", "2024-00-10", "2024-01-00", "1900-02-29", "2000-02-29", "2024-02-29 24:00:00", "2024-02-29 23:59:60", "2024-02-29 12:00:00."} {
		check(t, text)
	}
	const alphabet = "0123456789012345678901234567890123456789.-: T+e_\x00\x80\xff/;"
	for range 60_000 {
		b := make([]byte, random.Intn(28))
		for i := range b {
			b[i] = alphabet[random.Intn(len(alphabet))]
		}
		check(t, string(b))
		plain := []byte("2024-11-21 21:03:59.123456")[:random.Intn(27)]
		for range random.Intn(3) {
			if len(plain) > 0 {
				plain[random.Intn(len(plain))] = alphabet[random.Intn(len(alphabet))]
			}
		}
		check(t, string(plain))
		check(t, strings.TrimLeft(fmt.Sprintf("%.*f", random.Intn(8), (random.Float64()-0.5)*math.Pow10(random.Intn(12))), " "))
	}
}
