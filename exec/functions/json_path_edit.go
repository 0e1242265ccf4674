package functions

import (
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// pathEdit is what jsonb_set, jsonb_insert and #- do at the end of a path.
type pathEdit struct {
	path   []types.Datum
	value  []byte // nil: remove what is there
	insert bool   // keep what is there
	// option is create_if_missing (set) or insert_after.
	option bool
}

// adds tells whether the value goes where nothing was.
func (e *pathEdit) adds() bool { return e.value != nil && (e.option || e.insert) }

// edit copies b, an object or array, with what lies at the path edited.
func (e *pathEdit) edit(dst, b []byte) ([]byte, error) {
	if len(e.path) == 0 || countMembers(b) == 0 && !e.adds() {
		return append(dst, trimJSON(b)...), nil
	}
	return e.apply(dst, b, 0)
}

// apply copies b, which the path's first at elements lead to.
func (e *pathEdit) apply(dst, b []byte, at int) ([]byte, error) {
	if e.path[at].Null {
		return dst, errorf(sqlerr.NullValueNotAllowed, "path element at position %d is null", at+1)
	}
	switch jsonKind(b) {
	case "object":
		return e.member(dst, b, at)
	case "array":
		return e.element(dst, b, at)
	}
	return append(dst, trimJSON(b)...), nil
}

func (e *pathEdit) member(dst, b []byte, at int) (_ []byte, err error) {
	last, found := at == len(e.path)-1, false
	begin := len(dst)
	put := func(key, v []byte) {
		if len(dst) > begin+1 {
			dst = append(dst, ", "...)
		}
		dst = append(types.AppendJSONString(dst, string(key)), ": "...)
		dst = append(dst, v...)
	}
	dst = append(dst, '{')
	eachMember(b, func(key, v []byte) bool {
		if string(key) != e.path[at].Str {
			put(key, v)
			return true
		}
		found = true
		switch {
		case !last:
			if v, err = e.apply(nil, v, at+1); err != nil {
				return false
			}
			put(key, v)
		case e.insert:
			err = sqlerr.New(sqlerr.InvalidParameterValue, "cannot replace existing key").WithHint("Try using the function jsonb_set to replace key value.")
			return false
		case e.value != nil:
			put(key, e.value)
		}
		return true
	})
	if err != nil {
		return dst, err
	}
	if !found && last && e.adds() {
		put([]byte(e.path[at].Str), e.value)
	}
	return append(dst, '}'), nil
}

// index reads the path's element as the position in an array of count elements; negative if it lies
// before the first.
func (e *pathEdit) index(at, count int) (int, error) {
	text := e.path[at].Str
	n, err := strconv.ParseInt(strings.TrimLeft(text, " \t\n\v\f\r"), 10, 32)
	if err != nil {
		return 0, errorf(sqlerr.InvalidTextRepresentation, "path element at position %d is not an integer: \"%s\"", at+1, text)
	}
	if n < 0 {
		n += int64(count)
	}
	return int(n), nil
}

func (e *pathEdit) element(dst, b []byte, at int) (_ []byte, err error) {
	last, count := at == len(e.path)-1, countMembers(b)
	n, err := e.index(at, count)
	if err != nil {
		return dst, err
	}
	adds := last && e.adds()
	begin := len(dst)
	put := func(v []byte) {
		if len(dst) > begin+1 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, v...)
	}
	dst = append(dst, '[')
	if adds && n < 0 {
		put(e.value)
	}
	i := 0
	eachElement(b, func(v []byte) bool {
		switch {
		case i != n:
			put(v)
		case !last:
			if v, err = e.apply(nil, v, at+1); err != nil {
				return false
			}
			put(v)
		case e.insert && e.option:
			put(v)
			put(e.value)
		case e.insert:
			put(e.value)
			put(v)
		case e.value != nil:
			put(e.value)
		}
		i++
		return true
	})
	if err != nil {
		return dst, err
	}
	if adds && n >= count {
		put(e.value)
	}
	return append(dst, ']'), nil
}
