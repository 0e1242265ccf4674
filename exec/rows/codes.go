package rows

import "github.com/tarnlake/tarn/internal/vec"

// codeCache remembers the groups of combinations of dictionary codes, as long as the same
// dictionaries come: then a row's group is one load from an array.
type codeCache struct {
	dictionaries []*vec.Vector // per key
	factors      []int32
	groups       []int32 // by combination, group+1; 0: not known yet
	combos       []int32
	unknown      []int32 // positions
	rows         []int32
	found        []int32
}

// mostCombos bounds the array.
const mostCombos = 1 << 14

func (c *codeCache) forget() { c.dictionaries = c.dictionaries[:0] }

// prepare tells whether the keys are codes of few combinations, and readies the array for them.
func (c *codeCache) prepare(keys []*vec.Vector) bool {
	combos, same := 1, len(c.dictionaries) == len(keys) && len(keys) > 0
	for k, v := range keys {
		if v.Enc != vec.Dict {
			return false
		}
		if combos *= v.Dict.Len + 1; combos > mostCombos {
			return false
		}
		same = same && c.dictionaries[k] == v.Dict
	}
	if same || len(keys) == 0 {
		return same
	}
	c.dictionaries, c.factors = c.dictionaries[:0], c.factors[:0]
	factor := int32(1)
	for _, v := range keys {
		c.dictionaries, c.factors = append(c.dictionaries, v.Dict), append(c.factors, factor)
		factor *= int32(v.Dict.Len + 1)
	}
	if cap(c.groups) < combos {
		c.groups = make([]int32, combos)
	}
	c.groups = c.groups[:combos]
	clear(c.groups)
	return true
}

// find is Groups.Find by combinations; those that are new take the long way once.
func (c *codeCache) find(g *Groups, keys []*vec.Vector, list []int32, groups []int32) error {
	if cap(c.combos) < len(list) {
		c.combos = make([]int32, len(list))
	}
	combos := c.combos[:len(list)]
	for k, v := range keys {
		c.add(k, v, list, combos)
	}
	c.unknown, c.rows = c.unknown[:0], c.rows[:0]
	for i, combo := range combos {
		group := c.groups[combo]
		groups[i] = group - 1
		if group == 0 {
			c.groups[combo] = -1 // asked for once
			c.rows = append(c.rows, list[i])
		}
		if group <= 0 {
			c.unknown = append(c.unknown, int32(i))
		}
	}
	if len(c.unknown) == 0 {
		return nil
	}
	if cap(c.found) < len(c.rows) {
		c.found = make([]int32, len(c.rows))
	}
	if err := g.find(keys, c.rows, c.found[:len(c.rows)]); err != nil {
		c.forget()
		return err
	}
	next := 0
	for _, i := range c.unknown {
		combo := combos[i]
		if c.groups[combo] < 0 {
			c.groups[combo] = c.found[next] + 1
			next++
		}
		groups[i] = c.groups[combo] - 1
	}
	return nil
}

// add adds a key's codes to the combinations; NULL counts as one code more.
func (c *codeCache) add(k int, v *vec.Vector, list, combos []int32) {
	codes, factor, null := v.Codes(), c.factors[k], int32(v.Dict.Len)
	switch {
	case v.Valid != nil:
		if k == 0 {
			clear(combos)
		}
		for i, r := range list {
			code := codes[r]
			if !v.Valid.Get(int(r)) {
				code = null
			}
			combos[i] += code * factor
		}
	case k == 0:
		for i, r := range list {
			combos[i] = codes[r]
		}
	default:
		for i, r := range list {
			combos[i] += codes[r] * factor
		}
	}
}
