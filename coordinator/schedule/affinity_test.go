package schedule

import (
	"fmt"
	"testing"

	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/internal/format/scan"
)

// TestNodesKeepDifferentParts: files, and the pieces of one large file, are shared out evenly, and most
// keep their node when another comes or goes.
func TestNodesKeepDifferentParts(t *testing.T) {
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprintf("ds=%d/part-%d.parquet", i%9, i), files.Piece{Share: scan.Share{Part: 4 * i, Parts: 1200}}.Affinity("large.parquet"))
	}
	nodes := []Node{{ID: "a"}, {ID: "b"}, {ID: "c"}}
	share, moved, toNew := map[string]int{}, 0, 0
	for _, name := range names {
		before, after := preferred(nodes, name), preferred(append(nodes[:3:3], Node{ID: "d"}), name)
		share[before]++
		switch {
		case after == "d":
			toNew++
		case after != before:
			moved++
		}
	}
	for _, n := range nodes {
		if share[n.ID] < 150 || share[n.ID] > 250 {
			t.Errorf("node %s has %d of %d", n.ID, share[n.ID], len(names))
		}
	}
	if moved > 0 || toNew < 100 || toNew > 200 {
		t.Errorf("%d move between nodes that stay, %d to the new one", moved, toNew)
	}
}
