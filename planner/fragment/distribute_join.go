package fragment

import (
	"slices"

	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
)

// manyRows is what is taken for the rows of a node of which nothing is known.
const manyRows = 1e9

// stringWidth is the expected size of a value of variable length.
const stringWidth = 24

func rows(n plan.Node) float64 {
	if r := n.Head().Rows; r >= 0 {
		return r
	}
	return manyRows
}

// bytes estimates the size of a node's rows.
func bytes(n plan.Node) float64 {
	width := 0
	for _, f := range n.Schema() {
		if w := f.Type.Physical().Width(); w > 0 && !f.Type.IsString() {
			width += w
		} else {
			width += stringWidth
		}
	}
	return rows(n) * float64(max(width, 1))
}

// marksRight tells whether a join gives right rows without a match, or once however many match: then
// each right row must be in one task.
func marksRight(k plan.JoinKind) bool {
	return k == plan.Right || k == plan.Full || k == plan.RightSemi || k == plan.RightAnti
}

func (d *distributor) hashJoin(n *plan.HashJoin) (plan.Node, error) {
	left, err := d.place(n.Left)
	if err != nil {
		return nil, err
	}
	right, err := d.place(n.Right)
	if err != nil {
		return nil, err
	}
	if d.atSession(n.Residual) {
		left, right = d.gather(left), d.gather(right)
	}
	keys := hashableKeys(n, left, right)
	l, r := d.at[left], d.at[right]
	switch {
	case l.single && r.single:
	case l.single && (len(keys) == 0 || rows(right) <= rows(left)):
		right = d.gather(right)
	case !marksRight(n.Kind) && !l.single && (len(keys) == 0 || d.broadcastPays(left, right, n, keys)):
		right = d.exchange(right, plan.Broadcast, nil, nil)
	case len(keys) == 0:
		left, right = d.gather(left), d.gather(right)
	default:
		left, right = d.partition(n, left, right, keys)
	}
	out := n.WithInputs([]plan.Node{left, right})
	return d.put(out, d.joined(n, left, right)), nil
}

// hashableKeys lists the keys by which both sides can be partitioned: all, except that whether a NULL
// or nothing is on the right of NOT IN must be known in every task, for each group of the keys that
// correlate.
func hashableKeys(n *plan.HashJoin, left, right plan.Node) []int {
	var out []int
	for i := range n.LeftKeys {
		same := hashAlike(left.Schema()[n.LeftKeys[i]].Type, right.Schema()[n.RightKeys[i]].Type)
		aware := n.NullAware || n.Kind == plan.NullAwareAnti
		if same && (!aware || n.NullEqual[i]) {
			out = append(out, i)
		}
	}
	return out
}

// hashAlike tells whether equal values of two types have equal hashes.
func hashAlike(a, b types.Type) bool { return a.Equal(b) || a.IsString() && a.Kind == b.Kind }

// broadcastPays compares what has to be sent.
func (d *distributor) broadcastPays(left, right plan.Node, n *plan.HashJoin, keys []int) bool {
	if d.colocated(n, left, right, keys) {
		return false
	}
	size := bytes(right)
	if size > d.env.BroadcastBytes {
		return false
	}
	all := size * float64(max(d.env.Tasks-1, 0))
	each := 0.0
	if _, ok := aligned(d.at[left].keys, n.LeftKeys, keys); !ok {
		each += bytes(left)
	}
	if _, ok := aligned(d.at[right].keys, n.RightKeys, keys); !ok {
		each += size
	}
	return all <= each
}

func (d *distributor) colocated(n *plan.HashJoin, left, right plan.Node, keys []int) bool {
	l, okLeft := aligned(d.at[left].keys, n.LeftKeys, keys)
	r, okRight := aligned(d.at[right].keys, n.RightKeys, keys)
	return okLeft && okRight && slices.Equal(l, r)
}

// aligned gives the numbers of the join's keys, among those usable, that a placement consists of.
func aligned(placed, joinKeys, usable []int) ([]int, bool) {
	var out []int
	for _, column := range placed {
		at := slices.IndexFunc(usable, func(k int) bool { return joinKeys[k] == column })
		if at < 0 {
			return nil, false
		}
		out = append(out, usable[at])
	}
	return out, len(out) > 0
}

// partition brings equal keys of both sides together; a side that is placed well already stays.
func (d *distributor) partition(n *plan.HashJoin, left, right plan.Node, keys []int) (plan.Node, plan.Node) {
	if d.colocated(n, left, right, keys) {
		return left, right
	}
	chosen := keys
	if l, ok := aligned(d.at[left].keys, n.LeftKeys, keys); ok && !d.at[left].single {
		chosen = l
	} else if r, ok := aligned(d.at[right].keys, n.RightKeys, keys); ok && !d.at[right].single {
		chosen = r
	}
	move := func(side plan.Node, joinKeys []int) plan.Node {
		columns := make([]int, len(chosen))
		for i, k := range chosen {
			columns[i] = joinKeys[k]
		}
		if slices.Equal(d.at[side].keys, columns) {
			return side
		}
		return d.exchange(side, plan.Hash, columns, nil)
	}
	return move(left, n.LeftKeys), move(right, n.RightKeys)
}

// joined tells where a join's rows are, by the left keys or, where those may be NULL for want of a
// left row, the right ones.
func (d *distributor) joined(n *plan.HashJoin, left, right plan.Node) placement {
	p := d.at[left]
	if p.single {
		return onCoordinator
	}
	width, keys, offset := len(left.Schema()), p.keys, 0
	switch n.Kind {
	case plan.Full:
		return anywhere
	case plan.Right, plan.RightSemi, plan.RightAnti:
		keys, offset = d.at[right].keys, width
	}
	out := placement{}
	for _, k := range keys {
		at := k + offset
		if n.Output != nil {
			at = slices.Index(n.Output, at)
		} else if n.Kind == plan.RightSemi || n.Kind == plan.RightAnti {
			at = k
		}
		if at < 0 && n.Kind == plan.Inner {
			at = d.otherKey(n, right, k, width)
		}
		if at < 0 {
			return anywhere
		}
		out.keys = append(out.keys, at)
	}
	return out
}

// otherKey finds the right key that an inner join has made equal to left column k, in its output.
func (d *distributor) otherKey(n *plan.HashJoin, right plan.Node, k, width int) int {
	for i, column := range n.LeftKeys {
		if column == k && hashAlike(right.Schema()[n.RightKeys[i]].Type, n.Left.Schema()[k].Type) {
			if at := slices.Index(n.Output, width+n.RightKeys[i]); at >= 0 {
				return at
			}
		}
	}
	return -1
}

// nestedLoopJoin gives every task all rows of one side.
func (d *distributor) nestedLoopJoin(n *plan.NestedLoopJoin) (plan.Node, error) {
	left, err := d.place(n.Left)
	if err != nil {
		return nil, err
	}
	right, err := d.place(n.Right)
	if err != nil {
		return nil, err
	}
	single := d.at[left].single && d.at[right].single
	p := anywhere
	switch {
	case single:
		p = onCoordinator
	case d.atSession(n.Condition), n.Kind == plan.Full, d.at[left].single && !marksRight(n.Kind) && n.Kind != plan.Inner:
		left, right, p = d.gather(left), d.gather(right), onCoordinator
	case marksRight(n.Kind), n.Kind == plan.Inner && (d.at[left].single || bytes(left) < bytes(right)) && !d.at[right].single:
		left = d.exchange(left, plan.Broadcast, nil, nil)
		if d.at[right].single {
			right = d.exchange(right, plan.RoundRobin, nil, nil)
		}
	default:
		right = d.exchange(right, plan.Broadcast, nil, nil)
	}
	return d.put(n.WithInputs([]plan.Node{left, right}), p), nil
}
