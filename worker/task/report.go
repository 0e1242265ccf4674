package task

import (
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/rpc"
)

// Report copies statistics into the form in which they travel.
func Report(stats *Stats) []rpc.NodeStats {
	all := stats.All()
	out := make([]rpc.NodeStats, len(all))
	for i, n := range all {
		out[i] = ReportNode(n)
	}
	return out
}

// ReportNode copies the statistics of one plan node.
func ReportNode(n *pipeline.NodeStats) rpc.NodeStats {
	return rpc.NodeStats{ID: n.ID, Name: n.Name, Rows: n.Rows.Load(), Batches: n.Batches.Load(), Nanos: n.Nanos.Load(),
		Memory: n.Memory.Load(), Spilled: n.Spilled.Load(), Detail: n.Detail(),
		Splits: n.Scan.Splits.Load(), Files: n.Scan.Files.Load(), FilesPruned: n.Scan.FilesPruned.Load(), RowGroups: n.Scan.RowGroups.Load(),
		RowGroupsPruned: n.Scan.RowGroupsPruned.Load(), PrunedByBloom: n.Scan.PrunedByBloom.Load(), PrunedByIndex: n.Scan.PrunedByIndex.Load(),
		Pages: n.Scan.Pages.Load(), PagesPruned: n.Scan.PagesPruned.Load(), RowsRead: n.Scan.RowsRead.Load(), RowsSelected: n.Scan.RowsSelected.Load(),
		BytesRead: n.Scan.BytesRead.Load(), Gets: n.Scan.Gets.Load(), Lists: n.Scan.Lists.Load(), Rejected: n.Scan.Rejected.Load(),
		FilesWritten: n.Write.Files.Load(), RowsWritten: n.Write.Rows.Load(), BytesWritten: n.Write.Bytes.Load(),
		Partitions: n.Write.Partitions.Load(), Storage: n.Scan.Storage.Usage()}
}
