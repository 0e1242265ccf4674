package types

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func toBig(a Int128) *big.Int {
	v := new(big.Int).Lsh(big.NewInt(a.Hi), 64)
	return v.Add(v, new(big.Int).SetUint64(a.Lo))
}

func randomInt128(r *rand.Rand) Int128 {
	a := Int128{r.Uint64(), int64(r.Uint64())}
	switch r.IntN(5) {
	case 0:
		return Int128FromInt64(int64(r.Uint64()))
	case 1:
		return Int128FromInt64(r.Int64N(200) - 100)
	case 2:
		return Int128{a.Lo, a.Hi >> r.IntN(64)}
	case 3:
		return pow10[r.IntN(39)]
	}
	return a
}

func TestInt128AgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	limit := new(big.Int).Lsh(big.NewInt(1), 127)
	fits := func(v *big.Int) bool {
		return v.Cmp(limit) < 0 && v.Cmp(new(big.Int).Neg(limit)) > 0
	}
	for range 200_000 {
		a, b := randomInt128(r), randomInt128(r)
		x, y := toBig(a), toBig(b)
		if got, ok := a.AddChecked(b); ok != fits(new(big.Int).Add(x, y)) && toBig(got).BitLen() < 127 || ok && toBig(got).Cmp(new(big.Int).Add(x, y)) != 0 {
			t.Fatalf("%v + %v = %v, %v", x, y, got, ok)
		}
		if got, ok := a.SubChecked(b); ok && toBig(got).Cmp(new(big.Int).Sub(x, y)) != 0 {
			t.Fatalf("%v - %v = %v", x, y, got)
		}
		want := new(big.Int).Mul(x, y)
		if got, ok := a.MulChecked(b); ok != fits(want) && want.CmpAbs(limit) != 0 || ok && toBig(got).Cmp(want) != 0 {
			t.Fatalf("%v * %v = %v, %v, want %v", x, y, got, ok, want)
		}
		if b.Sign() != 0 {
			q, m := a.DivMod(b)
			wq, wm := new(big.Int).QuoRem(x, y, new(big.Int))
			if wq.CmpAbs(limit) < 0 && (toBig(q).Cmp(wq) != 0 || toBig(m).Cmp(wm) != 0) {
				t.Fatalf("%v / %v = %v rem %v, want %v rem %v", x, y, q, m, wq, wm)
			}
		}
		if a.Compare(b) != x.Cmp(y) {
			t.Fatalf("compare %v %v", x, y)
		}
		if a.String() != x.String() && x.CmpAbs(limit) != 0 {
			t.Fatalf("string %v: %s", x, a)
		}
	}
}

func TestAppendDecimal(t *testing.T) {
	for _, c := range []struct {
		v     int64
		scale int
		want  string
	}{{0, 0, "0"}, {0, 2, "0.00"}, {5, 2, "0.05"}, {-5, 2, "-0.05"}, {12345, 2, "123.45"}, {100, 2, "1.00"},
		{-100, 1, "-10.0"}, {1, 20, "0.00000000000000000001"}, {9223372036854775807, 19, "0.9223372036854775807"},
		{9223372036854775807, 18, "9.223372036854775807"}} {
		if got := string(AppendDecimal(nil, Int128FromInt64(c.v), c.scale)); got != c.want {
			t.Errorf("%d scale %d: %s, want %s", c.v, c.scale, got, c.want)
		}
	}
	wide, _ := pow10[30].MulChecked(Int128FromInt64(-123))
	if got := string(AppendDecimal(nil, wide, 30)); got != "-123.000000000000000000000000000000" {
		t.Error(got)
	}
}
