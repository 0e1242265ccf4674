package types

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// What a value's key begins with: PostgreSQL orders kinds of values so, but for an empty array that
// stands alone, which comes first of all.
const (
	orderEmptyArray = 1 + iota
	orderNull
	orderString
	orderNumber
	orderBool
	orderArray
	orderObject
)

// AppendJSONBOrder appends bytes that compare as PostgreSQL compares jsonb values: kinds, then for
// numbers their value whatever their scale, for arrays and objects the number of members and then
// these in turn.
func AppendJSONBOrder(dst, b []byte) []byte {
	l := jsonLexer{text: b}
	l.next()
	var root jsonNode
	if l.fault == "" {
		l.value(0, &root)
	}
	if l.finish() != nil {
		return dst
	}
	if root.kind == '[' && len(root.members) == 0 {
		return append(dst, orderEmptyArray)
	}
	return root.appendOrder(dst)
}

func (n *jsonNode) appendOrder(dst []byte) []byte {
	switch n.kind {
	case '{', '[':
		tag := byte(orderArray)
		if n.kind == '{' {
			tag = orderObject
		}
		dst = binary.BigEndian.AppendUint32(append(dst, tag), uint32(len(n.members)))
		for i := range n.members {
			if n.kind == '{' {
				dst = append(append(dst, n.keys[i]...), 0)
			}
			dst = n.members[i].appendOrder(dst)
		}
		return dst
	}
	switch n.scalar[0] {
	case 'n':
		return append(dst, orderNull)
	case 'f':
		return append(dst, orderBool, 0)
	case 't':
		return append(dst, orderBool, 1)
	case '"':
		dst = append(dst, orderString)
		return append(append(dst, UnescapeJSON(n.scalar[1:len(n.scalar)-1])...), 0)
	}
	return appendNumberOrder(append(dst, orderNumber), n.scalar)
}

// appendNumberOrder writes sign, the place of the first digit, and the digits; those of negative
// numbers inverted.
func appendNumberOrder(dst, number []byte) []byte {
	digits, negative := bytes.CutPrefix(number, []byte("-"))
	exponent := 0
	if at := bytes.IndexAny(digits, "eE"); at >= 0 {
		exponent, _ = strconv.Atoi(string(digits[at+1:]))
		digits = digits[:at]
	}
	whole, fraction, _ := bytes.Cut(digits, []byte("."))
	all := append(append([]byte(nil), whole...), fraction...)
	significant := bytes.TrimLeft(all, "0")
	place := len(whole) + exponent - (len(all) - len(significant))
	significant = bytes.TrimRight(significant, "0")
	if len(significant) == 0 {
		return append(dst, 1)
	}
	sign := byte(2)
	if negative {
		sign = 0
	}
	dst = append(dst, sign)
	from := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(int32(place))^1<<31)
	dst = append(append(dst, significant...), 0)
	if negative {
		for i := from; i < len(dst); i++ {
			dst[i] = ^dst[i]
		}
	}
	return dst
}
