package kernel

import "github.com/tarnlake/tarn/internal/vec"

// Count is the number of rows that a list stands for.
func Count(rows []int32, n int) int {
	if rows == nil {
		return n
	}
	return len(rows)
}

// All writes 0 … n-1 to dst's memory.
func All(dst []int32, n int) []int32 {
	dst = Room(dst, n)
	for i := range dst {
		dst[i] = int32(i)
	}
	return dst
}

// Room gives dst with length n, reallocated when it is too short; never nil.
func Room(dst []int32, n int) []int32 {
	if cap(dst) < n || dst == nil {
		return make([]int32, n, max(n, 64))
	}
	return dst[:n]
}

// Mask is the row mask that ZipAt takes for v.
func Mask(v *vec.Vector) int32 {
	if v.Enc == vec.Const {
		return 0
	}
	return -1
}

// Dense tells whether an operation that cannot fail should run over all n rows rather than over the
// list.
func Dense(rows []int32, n int) bool { return rows == nil || len(rows) >= n>>2 }

// Valid lists the rows whose bit is set; rows itself when all are. dst may be rows.
func Valid(dst []int32, rows []int32, valid vec.Bitmap, n int) []int32 {
	if valid == nil {
		return rows
	}
	if rows == nil {
		dst = Room(dst, n)
		count := 0
		for i := range n {
			dst[count] = int32(i)
			count += int(valid[i>>6] >> (uint(i) & 63) & 1)
		}
		return dst[:count]
	}
	dst = Room(dst, len(rows))
	count := 0
	for _, r := range rows {
		dst[count] = r
		count += int(valid[r>>6] >> (uint(r) & 63) & 1)
	}
	return dst[:count]
}

// Invalid lists the rows whose bit is clear.
func Invalid(dst []int32, rows []int32, valid vec.Bitmap, n int) []int32 {
	if valid == nil {
		return Room(dst, 0)
	}
	count := 0
	if rows == nil {
		dst = Room(dst, n)
		for i := range n {
			dst[count] = int32(i)
			count += int(^valid[i>>6] >> (uint(i) & 63) & 1)
		}
		return dst[:count]
	}
	dst = Room(dst, len(rows))
	for _, r := range rows {
		dst[count] = r
		count += int(^valid[r>>6] >> (uint(r) & 63) & 1)
	}
	return dst[:count]
}

// Subtract lists the rows (nil: all n) that are not in taken, which is a subset of them. dst may be
// rows itself.
func Subtract(dst []int32, rows, taken []int32, n int) []int32 {
	if rows == nil {
		dst = Room(dst, n)
		count, next := 0, 0
		for _, t := range taken {
			for ; next < int(t); next++ {
				dst[count] = int32(next)
				count++
			}
			next++
		}
		for ; next < n; next++ {
			dst[count] = int32(next)
			count++
		}
		return dst[:count]
	}
	dst = Room(dst, len(rows))
	count, at := 0, 0
	for _, r := range rows {
		if at < len(taken) && taken[at] == r {
			at++
			continue
		}
		dst[count] = r
		count++
	}
	return dst[:count]
}

// Union merges two disjoint ascending lists into dst, which is neither of them.
func Union(dst []int32, a, b []int32) []int32 {
	dst = Room(dst, len(a)+len(b))
	i, j := 0, 0
	for k := range dst {
		if j == len(b) || i < len(a) && a[i] < b[j] {
			dst[k] = a[i]
			i++
		} else {
			dst[k] = b[j]
			j++
		}
	}
	return dst
}
