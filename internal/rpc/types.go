package rpc

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec/page"
)

// The paths of requests.
const (
	StartPath   = "/v1/worker/start"
	StatusPath  = "/v1/worker/status"
	ReleasePath = "/v1/worker/release"
	FiltersPath = "/v1/worker/filters"
	PagesPath   = "/v1/worker/pages"
	StopPath    = "/v1/worker/stop"
	SplitsPath  = "/v1/coordinator/splits"
)

// TaskID names one try of one task of one fragment of one query.
type TaskID struct {
	Query    string
	Fragment int
	Task     int
	Attempt  int
}

// String is the ID as logs and names of staged files show it.
func (t TaskID) String() string {
	return fmt.Sprintf("%s-%d-%d-%d", t.Query, t.Fragment, t.Task, t.Attempt)
}

// Producer is a task whose rows others read, and where it runs.
type Producer struct {
	Address string
	Task    TaskID
}

// Session is what functions may know of the session: an fn.Session without its catalog.
type Session struct {
	User, Database, Application string
	SearchPath                  []string
	TimeZone                    string
	StatementTime               int64
	TransactionTime             int64
	BackendPID                  int32
	Settings                    map[string]string
}

// TaskRequest is a task to run.
type TaskRequest struct {
	Task     TaskID
	Fragment json.RawMessage // an encoded plan.Fragment
	// Consumers is the number of tasks of each reader of the fragment.
	Consumers []int
	// Inlets lists the producers of each fragment that this one reads.
	Inlets []Inlet
}

// Inlet is a fragment that a task reads.
type Inlet struct {
	Source    int
	Producers []Producer
}

// StartRequest starts all tasks of a query on one worker.
type StartRequest struct {
	Query       string
	Coordinator string // address to ask for splits
	Group       string // resource group, "" for the default one
	Memory      int64  // bound on the query's memory on the worker, 0: the worker's own
	Drivers     int    // bound on drivers a pipeline, 0: the worker's own
	Session     Session
	Tasks       []TaskRequest
}

// StatusRequest asks for the tasks of a query when their status is newer than Seen, or WaitMillis later.
type StatusRequest struct {
	Query      string
	Seen       uint64
	WaitMillis int
}

// StatusReply describes all tasks of a query on one worker.
type StatusReply struct {
	Version uint64
	Memory  int64 // bytes that the query holds on this worker
	Peak    int64 // most that it held at once
	Tasks   []TaskStatus
}

// State is how far a task is.
type State string

// The states.
const (
	Running  State = "running"
	Finished State = "finished" // all rows are produced, perhaps not all read
	Failed   State = "failed"
)

// TaskStatus describes a task.
type TaskStatus struct {
	Task    TaskID
	State   State
	Failure *Error
	Nodes   []NodeStats
	Storage objstore.Usage `json:",omitzero"`  // all requests of the task to remote stores
	Filters []Filter       `json:",omitempty"` // dynamic filters that have become complete since
}

// NodeStats is what a task's plan node did so far.
type NodeStats struct {
	ID                           int
	Name                         string
	Rows, Batches, Nanos         int64
	Memory, Spilled              int64
	Detail                       string         `json:",omitempty"`
	Splits                       int64          `json:",omitempty"`
	Files, FilesPruned           int64          `json:",omitempty"`
	RowGroups, RowGroupsPruned   int64          `json:",omitempty"`
	PrunedByBloom, PrunedByIndex int64          `json:",omitempty"`
	Pages, PagesPruned           int64          `json:",omitempty"`
	RowsRead, RowsSelected       int64          `json:",omitempty"`
	BytesRead, Gets, Lists       int64          `json:",omitempty"`
	Rejected                     int64          `json:",omitempty"`
	FilesWritten, RowsWritten    int64          `json:",omitempty"`
	BytesWritten                 int64          `json:",omitempty"`
	Partitions                   int64          `json:",omitempty"`
	Storage                      objstore.Usage `json:",omitzero"`
}

// Add adds what another task's node did.
func (n *NodeStats) Add(o NodeStats) {
	n.Rows, n.Batches, n.Nanos = n.Rows+o.Rows, n.Batches+o.Batches, n.Nanos+o.Nanos
	n.Memory, n.Spilled = n.Memory+o.Memory, n.Spilled+o.Spilled
	if n.Detail == "" {
		n.Detail = o.Detail
	}
	n.Splits += o.Splits
	n.Files, n.FilesPruned = n.Files+o.Files, n.FilesPruned+o.FilesPruned
	n.RowGroups, n.RowGroupsPruned = n.RowGroups+o.RowGroups, n.RowGroupsPruned+o.RowGroupsPruned
	n.PrunedByBloom, n.PrunedByIndex = n.PrunedByBloom+o.PrunedByBloom, n.PrunedByIndex+o.PrunedByIndex
	n.Pages, n.PagesPruned = n.Pages+o.Pages, n.PagesPruned+o.PagesPruned
	n.RowsRead, n.RowsSelected = n.RowsRead+o.RowsRead, n.RowsSelected+o.RowsSelected
	n.BytesRead, n.Gets, n.Lists = n.BytesRead+o.BytesRead, n.Gets+o.Gets, n.Lists+o.Lists
	n.Rejected += o.Rejected
	n.FilesWritten, n.RowsWritten = n.FilesWritten+o.FilesWritten, n.RowsWritten+o.RowsWritten
	n.BytesWritten, n.Partitions = n.BytesWritten+o.BytesWritten, n.Partitions+o.Partitions
	n.Storage = n.Storage.Plus(o.Storage)
}

// Actual is the form in which EXPLAIN ANALYZE shows the node.
func (n *NodeStats) Actual() *plan.Actual {
	a := &plan.Actual{Rows: n.Rows, Batches: n.Batches, Time: time.Duration(n.Nanos), Memory: n.Memory, Spilled: n.Spilled}
	if n.RowsRead > 0 || n.Files > 0 || n.RowGroups > 0 {
		a.Notes = append(a.Notes, fmt.Sprintf("Files: %d read, %d pruned; Row Groups: %d read, %d pruned%s; Rows: %d read, %d selected; Bytes: %s in %d requests",
			n.Files-n.FilesPruned, n.FilesPruned, n.RowGroups-n.RowGroupsPruned, n.RowGroupsPruned, n.prunedBy(),
			n.RowsRead, n.RowsSelected, memory.FormatBytes(n.BytesRead), n.Gets))
		if n.Storage.Total() > 0 {
			a.Notes = append(a.Notes, fmt.Sprintf("Storage: %s; %s read; $%.7f", n.Storage, memory.FormatBytes(n.Storage.BytesRead), n.Storage.Dollars()))
		}
		if caches := n.Storage.Caches(); caches != "" {
			a.Notes = append(a.Notes, "Cache Hits: "+caches)
		}
	}
	return a
}

// prunedBy says by what row groups and pages were pruned, "" where none were.
func (n *NodeStats) prunedBy() string {
	var reasons []string
	for _, reason := range []struct {
		count int64
		name  string
	}{{n.RowGroupsPruned - n.PrunedByBloom - n.PrunedByIndex, "statistics"}, {n.PrunedByBloom, "Bloom filters"}, {n.PrunedByIndex, "indexes"}} {
		if reason.count > 0 {
			reasons = append(reasons, fmt.Sprintf("%d by %s", reason.count, reason.name))
		}
	}
	out := ""
	if len(reasons) > 0 {
		out = " (" + strings.Join(reasons, ", ") + ")"
	}
	if n.Pages > 0 {
		out += fmt.Sprintf("; Pages: %d read, %d pruned", n.Pages-n.PagesPruned, n.PagesPruned)
	}
	return out
}

// Filter is what a task's join build has learnt about the values of one of its keys.
type Filter struct {
	ID     int
	Learnt json.RawMessage
}

// FilterRequest hands merged filters to the tasks of a query on one worker.
type FilterRequest struct {
	Query   string
	Filters []Filter
}

// ReleaseRequest ends a query on one worker: what still runs is cancelled, what is kept is dropped.
// Failed tells that nothing of the query will be committed: staged files are removed.
type ReleaseRequest struct {
	Query  string
	Failed bool
}

// SplitRequest asks for splits of a scan. Sequence counts a task's requests for one scan from 1: a
// repeated one gets the same splits again.
type SplitRequest struct {
	Task     TaskID
	Scan     int // the plan node's ID
	Sequence int
	Most     int
}

// SplitReply hands out splits; none of them left over is the end.
type SplitReply struct {
	Splits []connectors.Split
	End    bool
}

// StopRequest tells a producer that one of its consumers wants no more rows.
type StopRequest struct {
	Task      TaskID
	Reader    int
	Partition int
}

// Empty is a reply without content.
type Empty struct{}

// Error is a sqlerr.Error on its way.
type Error struct {
	Code     sqlerr.Code
	Message  string
	Detail   string `json:",omitempty"`
	Hint     string `json:",omitempty"`
	Position int    `json:",omitempty"`
	Where    string `json:",omitempty"`
}

// ToError makes the form in which an error travels; nil stays nil.
func ToError(err error) *Error {
	if err == nil {
		return nil
	}
	e := sqlerr.From(err)
	return &Error{Code: e.Code, Message: e.Error(), Detail: e.Detail, Hint: e.Hint, Position: e.Position, Where: e.Where}
}

// Err gives the error as it was.
func (e *Error) Err() error {
	if e == nil {
		return nil
	}
	return &sqlerr.Error{Code: e.Code, Message: e.Message, Detail: e.Detail, Hint: e.Hint, Position: e.Position, Where: e.Where}
}

// PageRequest asks for pages of one consumer's stream from sequence number Sequence on; all before
// it have arrived. The reply comes when there are some, at the stream's end, or after WaitMillis.
type PageRequest struct {
	Task       TaskID
	Reader     int
	Partition  int
	Sequence   uint64
	MostBytes  int
	WaitMillis int
	Compress   bool
}

// Pages is an answer to a PageRequest: pages Sequence … Sequence+len(Pages)-1. Whoever gets it has a share
// of each page.
type Pages struct {
	Pages []page.Page
	End   bool // no pages follow these
}

// Version is the plan version that requests carry.
const Version = plan.Version
