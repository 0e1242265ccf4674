package kernel

// Map computes out[i] = f(a[i]) for all i of out.
func Map[A, R any](out []R, a []A, f func(A) R) {
	a = a[:len(out)]
	for i := range out {
		out[i] = f(a[i])
	}
}

// MapAt computes out[r] = f(a[r]) for the rows listed.
func MapAt[A, R any](out []R, a []A, rows []int32, f func(A) R) {
	for _, r := range rows {
		out[r] = f(a[r])
	}
}

// Zip computes out[i] = f(a[i], b[i]) for all i of out.
func Zip[A, B, R any](out []R, a []A, b []B, f func(A, B) R) {
	a, b = a[:len(out)], b[:len(out)]
	for i := range out {
		out[i] = f(a[i], b[i])
	}
}

// ZipAt computes out[r] = f(a[r & maskA], b[r & maskB]) for the rows listed: a mask of 0 stands for a
// constant, -1 for a column (see Mask).
func ZipAt[A, B, R any](out []R, a []A, b []B, maskA, maskB int32, rows []int32, f func(A, B) R) {
	for _, r := range rows {
		out[r] = f(a[r&maskA], b[r&maskB])
	}
}

// pick lists the i for which f(a[i]) holds; dst is as long as a. It gives their number.
func pick[A any](dst []int32, a []A, f func(A) bool) int {
	dst = dst[:len(a)]
	n := 0
	for i, x := range a {
		dst[n] = int32(i)
		if f(x) {
			n++
		}
	}
	return n
}

// pickAt is pick among the rows listed; dst may be rows itself.
func pickAt[A any](dst []int32, a []A, rows []int32, f func(A) bool) int {
	dst = dst[:len(rows)]
	n := 0
	for _, r := range rows {
		dst[n] = r
		if f(a[r]) {
			n++
		}
	}
	return n
}

// pick2 lists the i for which f(a[i], b[i]) holds.
func pick2[A any](dst []int32, a, b []A, f func(A, A) bool) int {
	dst, b = dst[:len(a)], b[:len(a)]
	n := 0
	for i, x := range a {
		dst[n] = int32(i)
		if f(x, b[i]) {
			n++
		}
	}
	return n
}

// pick2At is pick2 among the rows listed.
func pick2At[A any](dst []int32, a, b []A, rows []int32, f func(A, A) bool) int {
	dst = dst[:len(rows)]
	n := 0
	for _, r := range rows {
		dst[n] = r
		if f(a[r], b[r]) {
			n++
		}
	}
	return n
}
