package generator

// The generator of dbgen is Lehmer's: x' = 16807 x mod 2^31-1. Every column draws from streams of its own, and every
// row of a table uses a fixed allotment of each stream (dbgen's "boundary"), whatever it really draws, so that the
// stream's state at any row follows from the row's number alone.
const (
	multiplier = 16807
	modulus    = 1<<31 - 1
)

// stream is one of dbgen's random streams: its seed, and its allotment of draws a row.
type stream struct {
	seed    uint64
	allowed uint64
}

// at gives the state of the stream before the first draw of row (counted from 0).
func (s stream) at(row int64) lehmer {
	return lehmer(s.seed * power(uint64(row)*s.allowed) % modulus)
}

// lehmer is a stream's state, between 1 and modulus-1.
type lehmer uint64

// next moves on by one draw.
func (x lehmer) next() lehmer { return x.times(multiplier) }

// times multiplies the state; times(power(n)) moves on by n draws. by must be below 2^31.
func (x lehmer) times(by uint64) lehmer {
	product := uint64(x) * by
	folded := product&modulus + product>>31 // at most 2^32-2, congruent to the product
	if folded >= modulus {
		folded -= modulus
	}
	return lehmer(folded)
}

// power gives 16807^n mod 2^31-1.
func power(n uint64) uint64 {
	result, base := uint64(1), uint64(multiplier)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			result = result * base % modulus
		}
		base = base * base % modulus
	}
	return result
}

// pick maps the state onto 0 … span-1 exactly as dbgen does, in double precision.
func (x lehmer) pick(span int64) int64 {
	return int64(float64(x) / modulus * float64(span))
}

// bits gives the draw that dbgen takes for random bits: its range of 2^31 overflows 32 bits, so the result is negative.
func (x lehmer) bits() int64 {
	return int64(float64(x) / modulus * -(1 << 31))
}
