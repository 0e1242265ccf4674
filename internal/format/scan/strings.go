package scan

import (
	"bytes"
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Strings gives the check that strings of type from are values of type to, whose layout is the same;
// nil when there is nothing to check. As in an assignment, blanks beyond varchar(n) are cut, and char(n)
// is held without the ones at its end.
func Strings(from, to types.Type) Cast {
	c := &stringCheck{to: to, trim: to.Kind == types.Char && from.Kind != types.Char}
	switch {
	case to.Kind == types.JSON && from.Kind != types.JSON && from.Kind != types.JSONB:
		c.json = true
	case to.Kind == types.Text || to.Kind == types.Char:
		if to.Kind == types.Char && to.Length == 0 {
			to.Length = 1
		}
		isShorter := (from.Kind == types.Text || from.Kind == types.Char) && from.Length > 0 && from.Length <= to.Length
		if to.Length > 0 && !isShorter {
			c.limit = int(to.Length)
		}
	}
	if c.limit == 0 && !c.json && !c.trim {
		return nil
	}
	return c.apply
}

// MayBeCut tells whether a string that is read as type to may be longer in a file, where it is of type from:
// followed by blanks that to has no room for.
func MayBeCut(from, to types.Type, value string) bool {
	if to.Kind != types.Text || to.Length == 0 || from.Kind == types.Text && from.Length > 0 && from.Length <= to.Length {
		return false
	}
	return types.CountCharacters(value) >= int(to.Length)
}

type stringCheck struct {
	to    types.Type
	limit int // in characters, 0 for none
	trim  bool
	json  bool
	flat  vec.Vector
}

func (c *stringCheck) apply(dst, src *vec.Vector) error {
	if c.good(src) {
		dst.Alias(src)
		if src.Enc != vec.Dict {
			dst.Type = c.to
		}
		return nil
	}
	vec.Flatten(&c.flat, src)
	dst.Resize(c.to, c.flat.Len)
	for i := range c.flat.Len {
		if c.flat.IsNull(i) {
			dst.SetBytes(i, nil)
			continue
		}
		value, err := c.value(c.flat.Bytes(i))
		if err != nil {
			return &ValueError{At: i, Cause: err}
		}
		dst.SetBytes(i, value)
	}
	dst.Valid = c.flat.Valid
	return nil
}

// good tells whether all strings can stay as they are; those of NULL rows, and entries of a small
// dictionary that no row has, may count.
func (c *stringCheck) good(src *vec.Vector) bool {
	if c.json {
		return false
	}
	base := src
	if src.Enc == vec.Dict {
		base = src.Dict
	}
	views := vec.Values[vec.View](base)
	if src.Enc == vec.Dict && base.Len > src.Len {
		for i, code := range src.Codes() {
			if src.Valid.Get(i) && !c.stays(&views[code], base.Buffers) {
				return false
			}
		}
		return true
	}
	for i := range views {
		if !c.stays(&views[i], base.Buffers) {
			return false
		}
	}
	return true
}

func (c *stringCheck) stays(v *vec.View, buffers [][]byte) bool {
	n := v.Len()
	if c.limit > 0 && n > c.limit && types.CountCharacters(v.String(buffers)) > c.limit {
		return false
	}
	return !c.trim || n == 0 || v.Bytes(buffers)[n-1] != ' '
}

// value gives a string as it is held.
func (c *stringCheck) value(b []byte) ([]byte, error) {
	if c.json {
		return b, types.ValidateJSON(b)
	}
	if c.trim {
		b = bytes.TrimRight(b, " ")
	}
	if c.limit == 0 || len(b) <= c.limit || types.CountCharacters(string(b)) <= c.limit {
		return b, nil
	}
	at := types.CharacterOffset(string(b), c.limit)
	if strings.Trim(string(b[at:]), " ") != "" {
		return nil, sqlerr.New(sqlerr.StringDataRightTruncation, "value too long for type %s", c.to)
	}
	return b[:at], nil
}

// Within gives the check that integers lie between bounds.
func Within(to types.Type, least, most int64) Cast {
	return eachCast(to, func(v int64) (int64, bool) { return v, v >= least && v <= most })
}
