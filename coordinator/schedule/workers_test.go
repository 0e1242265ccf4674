package schedule

import (
	"slices"
	"testing"
)

type fixedNodes []Node

func (f fixedNodes) Nodes() []Node { return f }

// TestLostNodesAreBetterThanNone: queries do without nodes that others have lost while there are some left.
func TestLostNodesAreBetterThanNone(t *testing.T) {
	a, b, c := Node{ID: "a"}, Node{ID: "b"}, Node{ID: "c"}
	s := New(Config{Nodes: fixedNodes{a, b, c}})
	for _, step := range []struct {
		lose Node
		want []Node
	}{{a, []Node{b, c}}, {b, []Node{c}}, {c, []Node{a, b, c}}} {
		s.avoid(step.lose)
		if got := s.workers(nil); !slices.Equal(got, step.want) {
			t.Errorf("after the loss of %s: %v, want %v", step.lose.ID, got, step.want)
		}
	}
	if got := s.workers(map[string]bool{"c": true}); !slices.Equal(got, []Node{a, b}) {
		t.Errorf("without c: %v", got)
	}
}
