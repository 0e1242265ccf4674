package orc

import (
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tarnlake/tarn/internal/types"
)

// appendWide writes a number of any size, seven bits a byte.
func appendWide(to []byte, v *big.Int) []byte {
	u := new(big.Int).Lsh(new(big.Int).Abs(v), 1)
	if v.Sign() < 0 {
		u.Sub(u, big.NewInt(1))
	}
	for u.BitLen() > 7 {
		to = append(to, byte(u.Uint64())|0x80)
		u.Rsh(u, 7)
	}
	return append(to, byte(u.Uint64()))
}

// decimalsIn gives a reader of decimals(precision, scale) whose numbers lie in data.
func decimalsIn(data []byte, precision int, scale int64) *decimalValues {
	v := &decimalValues{typ: types.DecimalOf(precision, int(scale)), scale: scale, precision: precision}
	v.data.buffer = data
	return v
}

// TestShortDecimals decodes runs of numbers of one, two and mixed lengths, up to the last byte at hand.
func TestShortDecimals(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		var data []byte
		want := make([]int64, 1+r.IntN(60))
		lengths := []int{1 + r.IntN(9), 1 + r.IntN(9), 1, 2}
		for i := range want {
			bits := min(7*lengths[i*len(lengths)/len(want)], 63)
			if r.IntN(20) == 0 {
				bits = 63
			}
			want[i] = int64(r.Uint64()>>(64-bits)) - 1<<(bits-1)
			data = binary.AppendUvarint(data, zigzag(want[i]))
		}
		v := decimalsIn(data, 18, 2)
		got := make([]int64, len(want))
		if err := v.readShort(got, nil); err != nil || !slices.Equal(got, want) || v.data.at != len(data) {
			t.Fatalf("read %v instead of %v, up to byte %d of %d (%v)", got, want, v.data.at, len(data), err)
		}
	}
	v := decimalsIn(binary.AppendUvarint(nil, zigzag(1<<40))[:3], 18, 2)
	if err := v.readShort(make([]int64, 1), nil); err != errStreamEnd {
		t.Fatalf("a number that is cut off gives %v", err)
	}
}

// TestDecimalsOfOtherScales reads numbers with scales of their own, before and behind one of more than 64 bits.
func TestDecimalsOfOtherScales(t *testing.T) {
	wide, _ := new(big.Int).SetString("-10000000000000000000000", 10)
	data := binary.AppendUvarint(nil, zigzag(5))
	data = binary.AppendUvarint(data, zigzag(-1234567))
	data = appendWide(data, wide)
	data = binary.AppendUvarint(data, zigzag(7))
	v := decimalsIn(data, 18, 2)
	got := make([]int64, 4)
	if err := v.readShort(got, []int64{0, 4, 20, 1}); err != nil || !slices.Equal(got, []int64{500, -12346, -10000, 70}) {
		t.Fatalf("read %v (%v)", got, err)
	}
}
