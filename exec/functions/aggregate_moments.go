package functions

import (
	"math"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// central holds count, mean and sums of powers of the distances from the mean: variance and its like.
type central struct{ n, mean, m2, m3, m4 float64 }

func (c *central) add(x float64) {
	before := c.n
	c.n++
	delta := x - c.mean
	step := delta / c.n
	square := step * step
	term := delta * step * before
	c.mean += step
	c.m4 += term*square*(c.n*c.n-3*c.n+3) + 6*square*c.m2 - 4*step*c.m3
	c.m3 += term*step*(c.n-2) - 3*step*c.m2
	c.m2 += term
}

func (c *central) merge(o central) {
	switch {
	case o.n == 0:
		return
	case c.n == 0:
		*c = o
		return
	}
	n := c.n + o.n
	delta := o.mean - c.mean
	d2 := delta * delta
	m4 := c.m4 + o.m4 + d2*d2*c.n*o.n*(c.n*c.n-c.n*o.n+o.n*o.n)/(n*n*n) +
		6*d2*(c.n*c.n*o.m2+o.n*o.n*c.m2)/(n*n) + 4*delta*(c.n*o.m3-o.n*c.m3)/n
	m3 := c.m3 + o.m3 + d2*delta*c.n*o.n*(c.n-o.n)/(n*n) + 3*delta*(c.n*o.m2-o.n*c.m2)/n
	*c = central{n: n, mean: c.mean + delta*o.n/n, m2: c.m2 + o.m2 + d2*c.n*o.n/n, m3: m3, m4: m4}
}

// moments is the accumulator of the functions of central.
type moments struct {
	states []central
	args   [5]argument
	result func(c *central) (float64, bool)
}

func (m *moments) Resize(n int) { m.states = grow(m.states, n) }
func (m *moments) Reset()       { m.states = m.states[:0] }
func (m *moments) Bytes() int64 { return int64(cap(m.states)) * 40 }

func (m *moments) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	a := &m.args[0]
	a.read(groups, args[0], rows)
	if len(a.groups) == 0 {
		return nil
	}
	values := vec.Values[float64](a.flat)
	for k, g := range a.groups {
		m.states[g].add(values[a.position(k)])
	}
	return nil
}

func (m *moments) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	var columns [5][]float64
	for i := range columns {
		m.args[i].read(groups, partial[i], rows)
		if len(m.args[i].groups) == 0 {
			return nil
		}
		columns[i] = vec.Values[float64](m.args[i].flat)
	}
	at := func(i, k int) float64 { return columns[i][m.args[i].position(k)] }
	for k, g := range m.args[0].groups {
		m.states[g].merge(central{at(0, k), at(1, k), at(2, k), at(3, k), at(4, k)})
	}
	return nil
}

func (m *moments) Partial(from, n int, out []*vec.Vector) error {
	for i := range out {
		out[i].Resize(double, n)
		column := vec.Values[float64](out[i])
		for k, s := range m.states[from : from+n] {
			column[k] = [...]float64{s.n, s.mean, s.m2, s.m3, s.m4}[i]
		}
	}
	return nil
}

func (m *moments) Final(from, n int, out *vec.Vector) error {
	out.Resize(double, n)
	for i := range n {
		d := types.NullDatum()
		if v, ok := m.result(&m.states[from+i]); ok {
			d = types.FloatDatum(v)
		}
		out.SetDatum(i, d)
	}
	return nil
}

func momentAggregate(result func(c *central) (float64, bool)) fn.Aggregate {
	return fn.Aggregate{New: accumulate(func(fn.Call) fn.Accumulator { return &moments{result: result} }),
		Partial: partialTypes(double, double, double, double, double), IgnoresOrder: true}
}

func statisticsRow(o fn.Overload) fn.Overload {
	o.Category = categoryStatistics
	return o
}

func momentAggregates() []fn.Overload {
	population := func(c *central) (float64, bool) { return c.m2 / c.n, c.n > 0 }
	sample := func(c *central) (float64, bool) { return c.m2 / (c.n - 1), c.n > 1 }
	root := func(f func(c *central) (float64, bool)) func(c *central) (float64, bool) {
		return func(c *central) (float64, bool) {
			v, ok := f(c)
			return math.Sqrt(v), ok
		}
	}
	row := func(name, doc, example string, f func(c *central) (float64, bool)) fn.Overload {
		return statisticsRow(aggregateRow(name, doc, example, params("x", double), double, momentAggregate(f)))
	}
	out := aliases([]fn.Overload{row("var_samp", "Variance of a sample: the sum of squared distances over n - 1.", "var_samp(x) → 1", sample)}, "variance")
	out = append(out, aliases([]fn.Overload{row("stddev_samp", "Standard deviation of a sample.", "stddev_samp(x) → 1", root(sample))}, "stddev")...)
	return append(out,
		row("var_pop", "Variance of a population: the sum of squared distances over n.", "var_pop(x) → 0.6666666666666666", population),
		row("stddev_pop", "Standard deviation of a population.", "stddev_pop(x) → 0.816496580927726", root(population)),
		row("skewness", "Skewness of the values.", "skewness(x) → 0", func(c *central) (float64, bool) {
			return math.Sqrt(c.n) * c.m3 / math.Pow(c.m2, 1.5), c.n > 2
		}),
		row("kurtosis", "Excess kurtosis of the values.", "kurtosis(x) → -1.2", func(c *central) (float64, bool) {
			n := c.n
			return (n-1)*n*(n+1)/((n-2)*(n-3))*c.m4/(c.m2*c.m2) - 3*(n-1)*(n-1)/((n-2)*(n-3)), n > 3
		}),
		statisticsRow(aggregateRow("geometric_mean", "The n-th root of the product of n values.", "geometric_mean(x) → 1.8171205928321397", params("x", double), double,
			fn.Aggregate{New: accumulate(func(fn.Call) fn.Accumulator { return &logMean{} }), Partial: partialTypes(double, bigint), IgnoresOrder: true})),
	)
}

// logMean averages logarithms.
type logMean struct {
	floatSum
}

func (l *logMean) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	l.arg.read(groups, args[0], rows)
	if len(l.arg.groups) == 0 {
		return nil
	}
	values := vec.Values[float64](l.arg.flat)
	for k, g := range l.arg.groups {
		l.sums[g] += math.Log(values[l.arg.position(k)])
		l.counts[g]++
	}
	return nil
}

func (l *logMean) Final(from, n int, out *vec.Vector) error {
	out.Resize(double, n)
	for i := range n {
		g := from + i
		d := types.NullDatum()
		if l.counts[g] > 0 {
			d = types.FloatDatum(math.Exp(l.sums[g] / float64(l.counts[g])))
		}
		out.SetDatum(i, d)
	}
	return nil
}

// pairs holds the sums that correlation and regression need, by Youngs and Cramer's updates as in
// PostgreSQL.
type pairs struct{ n, sx, sxx, sy, syy, sxy float64 }

func (p *pairs) add(y, x float64) {
	p.n++
	p.sx += x
	p.sy += y
	if p.n > 1 {
		tx, ty := x*p.n-p.sx, y*p.n-p.sy
		scale := 1 / (p.n * (p.n - 1))
		p.sxx += tx * tx * scale
		p.syy += ty * ty * scale
		p.sxy += tx * ty * scale
	}
}

func (p *pairs) merge(o pairs) {
	switch {
	case o.n == 0:
		return
	case p.n == 0:
		*p = o
		return
	}
	n := p.n + o.n
	tx, ty := p.sx/p.n-o.sx/o.n, p.sy/p.n-o.sy/o.n
	weight := p.n * o.n / n
	*p = pairs{n, p.sx + o.sx, p.sxx + o.sxx + weight*tx*tx, p.sy + o.sy, p.syy + o.syy + weight*ty*ty, p.sxy + o.sxy + weight*tx*ty}
}

// regressions is the accumulator of the functions of pairs; rows with a NULL in either argument do
// not count.
type regressions struct {
	states []pairs
	result func(p *pairs) (float64, bool)
}

func (r *regressions) Resize(n int) { r.states = grow(r.states, n) }
func (r *regressions) Reset()       { r.states = r.states[:0] }
func (r *regressions) Bytes() int64 { return int64(cap(r.states)) * 48 }

func (r *regressions) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	for k, g := range groups {
		at := rowAt(rows, k)
		if args[0].IsNull(at) || args[1].IsNull(at) {
			continue
		}
		r.states[g].add(floatAt(args[0], at), floatAt(args[1], at))
	}
	return nil
}

// floatAt reads a double under any encoding.
func floatAt(v *vec.Vector, r int) float64 {
	flat, index, constant := v.Base()
	switch {
	case constant:
		r = 0
	case index != nil:
		r = int(index[r])
	}
	return vec.Values[float64](flat)[r]
}

func (r *regressions) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	for k, g := range groups {
		at := rowAt(rows, k)
		var v [6]float64
		for i := range v {
			v[i] = floatAt(partial[i], at)
		}
		r.states[g].merge(pairs{v[0], v[1], v[2], v[3], v[4], v[5]})
	}
	return nil
}

func (r *regressions) Partial(from, n int, out []*vec.Vector) error {
	for i := range out {
		out[i].Resize(double, n)
		column := vec.Values[float64](out[i])
		for k, s := range r.states[from : from+n] {
			column[k] = [...]float64{s.n, s.sx, s.sxx, s.sy, s.syy, s.sxy}[i]
		}
	}
	return nil
}

func (r *regressions) Final(from, n int, out *vec.Vector) error {
	out.Resize(double, n)
	for i := range n {
		d := types.NullDatum()
		if v, ok := r.result(&r.states[from+i]); ok {
			d = types.FloatDatum(v)
		}
		out.SetDatum(i, d)
	}
	return nil
}

func regressionAggregates() []fn.Overload {
	row := func(name, doc, example string, f func(p *pairs) (float64, bool)) fn.Overload {
		return statisticsRow(aggregateRow(name, doc, example, params("y", double, "x", double), double,
			fn.Aggregate{New: accumulate(func(fn.Call) fn.Accumulator { return &regressions{result: f} }),
				Partial: partialTypes(double, double, double, double, double, double), IgnoresOrder: true}))
	}
	return []fn.Overload{
		row("corr", "Correlation coefficient of two columns.", "corr(y, x) → 1", func(p *pairs) (float64, bool) {
			return p.sxy / math.Sqrt(p.sxx*p.syy), p.n > 0 && p.sxx != 0 && p.syy != 0
		}),
		row("covar_pop", "Covariance of a population.", "covar_pop(y, x) → 1.3333333333333333", func(p *pairs) (float64, bool) { return p.sxy / p.n, p.n > 0 }),
		row("covar_samp", "Covariance of a sample.", "covar_samp(y, x) → 2", func(p *pairs) (float64, bool) { return p.sxy / (p.n - 1), p.n > 1 }),
		row("regr_avgx", "Mean of x over the rows where neither is NULL.", "regr_avgx(y, x) → 2", func(p *pairs) (float64, bool) { return p.sx / p.n, p.n > 0 }),
		row("regr_avgy", "Mean of y over the rows where neither is NULL.", "regr_avgy(y, x) → 4", func(p *pairs) (float64, bool) { return p.sy / p.n, p.n > 0 }),
		row("regr_sxx", "Sum of squared distances of x from its mean.", "regr_sxx(y, x) → 2", func(p *pairs) (float64, bool) { return p.sxx, p.n > 0 }),
		row("regr_syy", "Sum of squared distances of y from its mean.", "regr_syy(y, x) → 8", func(p *pairs) (float64, bool) { return p.syy, p.n > 0 }),
		row("regr_sxy", "Sum of products of the distances of x and y from their means.", "regr_sxy(y, x) → 4", func(p *pairs) (float64, bool) { return p.sxy, p.n > 0 }),
		row("regr_slope", "Slope of the least-squares line.", "regr_slope(y, x) → 2", func(p *pairs) (float64, bool) { return p.sxy / p.sxx, p.n > 0 && p.sxx != 0 }),
		row("regr_intercept", "Where the least-squares line meets the y axis.", "regr_intercept(y, x) → 0", func(p *pairs) (float64, bool) {
			return (p.sy - p.sx*p.sxy/p.sxx) / p.n, p.n > 0 && p.sxx != 0
		}),
		row("regr_r2", "Square of the correlation coefficient.", "regr_r2(y, x) → 1", func(p *pairs) (float64, bool) {
			if p.syy == 0 {
				return 1, p.n > 0 && p.sxx != 0
			}
			return p.sxy * p.sxy / (p.sxx * p.syy), p.n > 0 && p.sxx != 0
		}),
		regressionCount(),
	}
}

// regressionCount counts the rows where neither argument is NULL.
func regressionCount() fn.Overload {
	return statisticsRow(aggregateRow("regr_count", "Number of rows where neither is NULL.", "regr_count(y, x) → 3", params("y", double, "x", double), bigint,
		fn.Aggregate{New: accumulate(func(fn.Call) fn.Accumulator { return &pairCounts{} }), Partial: partialTypes(bigint), IgnoresOrder: true, EmptyIsZero: true}))
}

type pairCounts struct{ counts }

func (c *pairCounts) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	for k, g := range groups {
		if at := rowAt(rows, k); !args[0].IsNull(at) && !args[1].IsNull(at) {
			c.values[g]++
		}
	}
	return nil
}
