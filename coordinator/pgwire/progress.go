package pgwire

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// ProgressCode is the SQLSTATE of progress notices; their detail is a Progress as JSON.
const ProgressCode sqlerr.Code = "00T01"

// Progress is how far a running statement is. Totals are 0 while unknown.
type Progress struct {
	Rows        int64 `json:"rows"`
	Bytes       int64 `json:"bytes"`
	Done        int64 `json:"rows_done"`
	Expected    int64 `json:"rows_expected"`
	SplitsDone  int64 `json:"splits_done"`
	SplitsTotal int64 `json:"splits_total"`
	Workers     int64 `json:"workers"`
	Memory      int64 `json:"memory_bytes"`
	Spilled     int64 `json:"spilled_bytes"`
	// Queued is the statement's place among those that wait for their resource group, 0 when it does not wait.
	Queued int    `json:"queued,omitempty"`
	Reason string `json:"reason,omitempty"` // why it waits
	// Stages are the parts of the plan that run on several nodes.
	Stages []StageProgress `json:"stages,omitempty"`
}

// StageProgress is how far one part of the plan is, on all its nodes together.
type StageProgress struct {
	Number      int    `json:"stage"`
	Reads       string `json:"reads,omitempty"` // tables
	Nodes       int    `json:"nodes"`
	Running     int    `json:"running"` // nodes that have not finished it
	SplitsDone  int64  `json:"splits_done"`
	SplitsTotal int64  `json:"splits_total"`
	Rows        int64  `json:"rows"`     // read from tables
	RowsOut     int64  `json:"rows_out"` // given to the next stage
}

// mostStages bounds the notice.
const mostStages = 64

// stagesOf adds up the nodes of each stage; a plan in one piece has none.
func stagesOf(all []session.Stage) (out []StageProgress) {
	for _, s := range all {
		if len(out) == 0 || out[len(out)-1].Number != s.Number {
			if len(out) == mostStages {
				break
			}
			out = append(out, StageProgress{Number: s.Number, Reads: s.Reads, SplitsTotal: s.SplitsTotal})
		}
		sum := &out[len(out)-1]
		sum.Nodes++
		if s.State == "starting" || s.State == "running" {
			sum.Running++
		}
		sum.SplitsDone, sum.Rows, sum.RowsOut = sum.SplitsDone+s.SplitsDone, sum.Rows+s.Rows, sum.RowsOut+s.RowsOut
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// reporter sends progress notices from a goroutine of its own while a statement runs.
type reporter struct{ stopping, stopped chan struct{} }

// report starts sending as often as the setting progress_notices says; nil when it says never.
func (c *conn) report() *reporter {
	every := c.session.Settings().Duration("progress_notices")
	if every <= 0 {
		return nil
	}
	r := &reporter{stopping: make(chan struct{}), stopped: make(chan struct{})}
	counters := c.session.State().Progress
	go func() {
		defer close(r.stopped)
		ticker := time.NewTicker(max(every, 10*time.Millisecond))
		defer ticker.Stop()
		for {
			select {
			case <-r.stopping:
				return
			case <-ticker.C:
				c.sendProgress(counters)
			}
		}
	}()
	return r
}

func (r *reporter) stop() {
	if r != nil {
		close(r.stopping)
		<-r.stopped
	}
}

// sendProgress sends one notice between other messages, unless those are being sent right now.
func (c *conn) sendProgress(counters *session.Progress) {
	counters.Sample()
	p := Progress{Rows: counters.Rows.Load(), Bytes: counters.Bytes.Load(), Done: counters.RowsDone.Load(), Expected: counters.RowsExpected.Load(),
		SplitsDone:  counters.SplitsDone.Load(),
		SplitsTotal: counters.SplitsTotal.Load(), Workers: counters.Workers.Load(), Memory: counters.MemoryBytes.Load(),
		Spilled: counters.SpilledBytes.Load(), Stages: stagesOf(counters.Stages())}
	message := fmt.Sprintf("%d rows and %s read", p.Rows, memory.FormatBytes(p.Bytes))
	if p.Queued, p.Reason = counters.Queue(); p.Queued > 0 {
		message = fmt.Sprintf("queued at place %d", p.Queued)
	}
	detail, err := json.Marshal(p)
	if err != nil || !c.writing.TryLock() {
		return
	}
	defer c.writing.Unlock()
	if c.writeErr != nil {
		return
	}
	_, c.writeErr = c.nc.Write(appendNotice(nil, session.Notice{Severity: session.SeverityInfo, Code: ProgressCode, Detail: string(detail), Message: message}))
}
