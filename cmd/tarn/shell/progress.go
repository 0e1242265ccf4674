package shell

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/internal/memory"
)

// progressCode is the SQLSTATE of the server's progress notices.
const progressCode = "00T01"

// progressReport is the detail of such a notice.
type progressReport struct {
	Rows        int64 `json:"rows"`
	Bytes       int64 `json:"bytes"`
	Done        int64 `json:"rows_done"`
	Expected    int64 `json:"rows_expected"`
	SplitsDone  int64 `json:"splits_done"`
	SplitsTotal int64 `json:"splits_total"`
	Workers     int64 `json:"workers"`
	Spilled     int64 `json:"spilled_bytes"`
}

// progressLine shows how far the running statement is, on one line of a terminal.
type progressLine struct {
	w       io.Writer
	enabled bool

	mu      sync.Mutex
	started time.Time
	shown   bool
}

func newProgressLine(w io.Writer, enabled bool) *progressLine {
	return &progressLine{w: w, enabled: enabled}
}

func (p *progressLine) start(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.started = now
}

// take shows a progress notice; false means that n is another kind.
func (p *progressLine) take(n *pgconn.Notice) bool {
	if n.Code != progressCode {
		return false
	}
	var report progressReport
	if p.enabled && json.Unmarshal([]byte(n.Detail), &report) == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.shown = true
		fmt.Fprintf(p.w, "\r%s\x1b[K", report.line(time.Since(p.started)))
	}
	return true
}

// line is what a person reads.
func (r progressReport) line(elapsed time.Duration) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	part := r.part()
	if part > 0 {
		const cells = 20
		done := int(part * cells)
		add("[%s%s] %.0f %%", strings.Repeat("#", done), strings.Repeat(".", cells-done), 100*part)
	}
	if r.SplitsTotal > 0 {
		add("%d/%d splits", r.SplitsDone, r.SplitsTotal)
	}
	if r.Rows > 0 {
		add("%s rows", grouped(r.Rows))
	}
	if r.Bytes > 0 {
		add("%s", memory.FormatBytes(r.Bytes))
	}
	if r.Workers > 0 {
		add("%d workers", r.Workers)
	}
	if r.Spilled > 0 {
		add("%s spilled", memory.FormatBytes(r.Spilled))
	}
	add("%.1f s", elapsed.Seconds())
	if part > 0.02 && part < 1 {
		add("about %.0f s left", elapsed.Seconds()*(1-part)/part)
	}
	return strings.Join(parts, "  ")
}

// part is how much has been done, from 0 (unknown) to 1: by splits, or else by the rows that scans
// were expected to give.
func (r progressReport) part() float64 {
	switch {
	case r.SplitsTotal > 0:
		return min(float64(r.SplitsDone)/float64(r.SplitsTotal), 1)
	case r.Expected > 0:
		return min(float64(r.Done)/float64(r.Expected), 0.99)
	}
	return 0
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// clear removes the line.
func (p *progressLine) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		p.shown = false
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
