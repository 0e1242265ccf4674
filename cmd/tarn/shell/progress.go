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
	if r.SplitsTotal > 0 {
		const cells = 20
		done := int(min(r.SplitsDone, r.SplitsTotal) * cells / r.SplitsTotal)
		parts = append(parts, "["+strings.Repeat("#", done)+strings.Repeat(".", cells-done)+"]"+fmt.Sprintf(" %d/%d splits", r.SplitsDone, r.SplitsTotal))
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
	if r.SplitsDone > 0 && r.SplitsDone < r.SplitsTotal {
		left := time.Duration(float64(elapsed) * float64(r.SplitsTotal-r.SplitsDone) / float64(r.SplitsDone))
		add("%.0f s left", left.Seconds())
	}
	return strings.Join(parts, "  ")
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
