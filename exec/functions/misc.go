package functions

import (
	"math/rand/v2"
	"strconv"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
)

// miscFunctions are what fits no other family.
func miscFunctions() []fn.Overload {
	random := fn.Overload{ResultType: uuid, Volatility: fn.Volatile, Category: categorySystem, Doc: "A random UUID (version 4).",
		Impl: value(func(row) types.Int128 {
			high, low := rand.Uint64(), rand.Uint64()
			high = high&^0xF000 | 0x4000
			low = low&^(0xC0<<56) | 0x80<<56
			return types.Int128{Hi: int64(high), Lo: low}
		})}
	gen, short := random, random
	gen.Name, gen.Example = "gen_random_uuid", "gen_random_uuid() → 5b30857f-0bfa-48b5-ac0b-5c64e28078d1"
	short.Name, short.Example = "uuid", "uuid() → 5b30857f-0bfa-48b5-ac0b-5c64e28078d1"
	pretty := func(p fn.Param, bytes func(r row) types.Int128) fn.Overload {
		return fn.Overload{Name: "pg_size_pretty", Params: []fn.Param{p}, ResultType: text, Category: categorySystem, Doc: "A number of bytes with a unit that people can read.",
			Example: "pg_size_pretty(123456789::bigint) → 118 MB", Impl: appendText(func(dst []byte, r row) []byte { return appendSize(dst, bytes(r)) })}
	}
	return []fn.Overload{gen, short,
		pretty(fn.Param{Name: "bytes", Type: bigint}, func(r row) types.Int128 { return types.Int128FromInt64(r.int64(0)) }),
		pretty(family("bytes", fn.Numeric), func(r row) types.Int128 {
			v, _ := r.wide(0).Rescale(int(r.args[0].Type.Scale), 0, types.MaxDecimalPrecision)
			return v
		}),
	}
}

// appendSize goes to the next unit at ten of it, as PostgreSQL does, rounding half away from zero.
func appendSize(dst []byte, v types.Int128) []byte {
	units := [...]string{"bytes", "kB", "MB", "GB", "TB", "PB"}
	limit := types.Int128FromInt64(10 * 1024)
	at := 0
	if v.Abs().Compare(limit) >= 0 {
		// keep one extra bit for rounding
		v, _ = v.DivMod(types.Int128FromInt64(512))
		limit = types.Int128FromInt64(20*1024 - 1)
		for at = 1; at < len(units)-1 && v.Abs().Compare(limit) >= 0; at++ {
			v, _ = v.DivMod(types.Int128FromInt64(1024))
		}
		v = v.DivRound(types.Int128FromInt64(2))
	}
	n, _ := v.Int64()
	return append(append(strconv.AppendInt(dst, n, 10), ' '), units[at]...)
}
