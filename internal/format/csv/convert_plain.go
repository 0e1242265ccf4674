package csv

import (
	"github.com/tarnlake/tarn/internal/format/digits"
	"github.com/tarnlake/tarn/internal/types"
)

// The loops below read what is plainly written; other fields go through slow one by one.

func integers[T int16 | int32 | int64](c *converter, out []T, spans []span, parse func([]byte) (T, error)) error {
	out = out[:len(spans)]
	data, longest := c.reader.tokens.data, c.reader.longestNull
	for i, s := range spans {
		if n := s.flags &^ quotedFlag; n-1 < 17 && s.flags > longest {
			if v, ok := digits.Integer(data, int(s.at), int(n)); ok && int64(T(v)) == v {
				out[i] = T(v)
				continue
			}
		}
		if err := slow(c, out, i, s, parse); err != nil {
			return err
		}
	}
	return nil
}

func (c *converter) floats(out []float64, spans []span) error {
	out = out[:len(spans)]
	data, longest := c.reader.tokens.data, c.reader.longestNull
	for i, s := range spans {
		if n := s.flags &^ quotedFlag; n-1 < 17 && s.flags > longest {
			if v, ok := digits.Float(data, int(s.at), int(n)); ok {
				out[i] = v
				continue
			}
		}
		if err := slow(c, out, i, s, types.ParseFloat64); err != nil {
			return err
		}
	}
	return nil
}

func (c *converter) shortDecimals(out []int64, spans []span) error {
	precision, scale := int(c.typ.Precision), int(c.typ.Scale)
	out = out[:len(spans)]
	data, longest := c.reader.tokens.data, c.reader.longestNull
	for i, s := range spans {
		if n := s.flags &^ quotedFlag; n-1 < 17 && s.flags > longest {
			if v, ok := digits.Decimal(data, int(s.at), int(n), precision, scale); ok {
				out[i] = v
				continue
			}
		}
		err := slow(c, out, i, s, func(b []byte) (int64, error) { return types.ParseDecimal64(b, precision, scale) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *converter) dates(out []int32, spans []span) error {
	out = out[:len(spans)]
	data, longest := c.reader.tokens.data, c.reader.longestNull
	for i, s := range spans {
		if s.flags&^quotedFlag == 10 && s.flags > longest {
			if v, ok := digits.Date(data, int(s.at), 10); ok {
				out[i] = v
				continue
			}
		}
		if err := slow(c, out, i, s, types.ParseDate); err != nil {
			return err
		}
	}
	return nil
}

func (c *converter) timestamps(out []int64, spans []span) error {
	if digits, declared := c.typ.FractionDigits(); declared && digits != types.MaxFractionDigits {
		return fixed(c, out, spans, c.rounded(types.ParseTimestamp))
	}
	out = out[:len(spans)]
	data, longest := c.reader.tokens.data, c.reader.longestNull
	for i, s := range spans {
		if n := s.flags &^ quotedFlag; n < 27 && s.flags > longest {
			if v, ok := digits.Timestamp(data, int(s.at), int(n)); ok {
				out[i] = v
				continue
			}
		}
		if err := slow(c, out, i, s, types.ParseTimestamp); err != nil {
			return err
		}
	}
	return nil
}
