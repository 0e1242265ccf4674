package window

import (
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

// place computes a function of where rows are: the first is the stream's next; groups holds their
// groups of peers.
type place func(out *vec.Vector, s *Stream, argument *vec.Vector, groups []int64) error

// placeOf gives the place function of a name, nil for none.
func placeOf(name string) place {
	switch name {
	case "row_number":
		return placeRowNumber
	case "rank":
		return placeRank
	case "dense_rank":
		return placeDenseRank
	case "percent_rank":
		return placePercentRank
	case "cume_dist":
		return placeCumeDist
	case "ntile":
		return placeNtile
	}
	return nil
}

func placeRowNumber(out *vec.Vector, s *Stream, _ *vec.Vector, _ []int64) error {
	for i := range out.Len {
		vec.Values[int64](out)[i] = s.at + int64(i) + 1
	}
	return nil
}

func placeRank(out *vec.Vector, s *Stream, _ *vec.Vector, groups []int64) error {
	for i, g := range groups {
		vec.Values[int64](out)[i] = s.ahead.group(g).start + 1
	}
	return nil
}

func placeDenseRank(out *vec.Vector, _ *Stream, _ *vec.Vector, groups []int64) error {
	for i, g := range groups {
		vec.Values[int64](out)[i] = g + 1
	}
	return nil
}

func placePercentRank(out *vec.Vector, s *Stream, _ *vec.Vector, groups []int64) error {
	for i, g := range groups {
		vec.Values[float64](out)[i] = 0
		if s.rows > 1 {
			vec.Values[float64](out)[i] = float64(s.ahead.group(g).start) / float64(s.rows-1)
		}
	}
	return nil
}

func placeCumeDist(out *vec.Vector, s *Stream, _ *vec.Vector, groups []int64) error {
	for i, g := range groups {
		vec.Values[float64](out)[i] = float64(s.ahead.group(g).end) / float64(s.rows)
	}
	return nil
}

func placeNtile(out *vec.Vector, s *Stream, argument *vec.Vector, _ []int64) error {
	d := argument.Datum(0)
	if !d.Null && d.I64 <= 0 {
		return sqlerr.New(sqlerr.Code("22014"), "argument of ntile must be greater than zero")
	}
	for i := range out.Len {
		if d.Null {
			out.SetNull(i)
			continue
		}
		row, size, larger := s.at+int64(i), s.rows/d.I64, s.rows%d.I64
		bucket := row / (size + 1)
		if cut := larger * (size + 1); row >= cut {
			bucket = larger + (row-cut)/max(size, 1)
		}
		vec.Values[int32](out)[i] = int32(bucket + 1)
	}
	return nil
}
