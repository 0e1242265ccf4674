package shell

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/internal/memory"
)

// progressCode is the SQLSTATE of the server's progress notices.
const progressCode = "00T01"

// progressReport is the detail of such a notice.
type progressReport struct {
	Rows        int64  `json:"rows"`
	Bytes       int64  `json:"bytes"`
	Done        int64  `json:"rows_done"`
	Expected    int64  `json:"rows_expected"`
	SplitsDone  int64  `json:"splits_done"`
	SplitsTotal int64  `json:"splits_total"`
	Workers     int64  `json:"workers"`
	Spilled     int64  `json:"spilled_bytes"`
	Queued      int    `json:"queued"` // place among those that wait to be run
	Reason      string `json:"reason"`
	// Stages are the parts that run on several nodes.
	Stages []stageReport `json:"stages"`
}

type stageReport struct {
	Number      int    `json:"stage"`
	Reads       string `json:"reads"`
	Nodes       int    `json:"nodes"`
	Running     int    `json:"running"`
	SplitsDone  int64  `json:"splits_done"`
	SplitsTotal int64  `json:"splits_total"`
	Rows        int64  `json:"rows"`
	RowsOut     int64  `json:"rows_out"`
}

// mostStageLines is how many stages are shown at once.
const mostStageLines = 8

// progressLine shows how far the running statement is, on one line of a terminal, and below it a line
// for each stage of a statement that runs on several nodes. The cursor stays on the first line.
type progressLine struct {
	w       io.Writer
	enabled bool

	mu      sync.Mutex
	started time.Time
	shown   bool
	tall    bool // the last report took several lines
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
		lines := append([]string{report.line(time.Since(p.started))}, report.stageLines()...)
		text := "\r" + strings.Join(lines, "\x1b[K\r\n") + "\x1b[K"
		if n := len(lines) - 1; n > 0 {
			text = fmt.Sprintf("\x1b[?7l%s\x1b[J\r\x1b[%dA\x1b[?7h", text, n) // long lines must not wrap
		} else if p.tall {
			text += "\x1b[J"
		}
		p.tall = len(lines) > 1
		_, _ = io.WriteString(p.w, text)
	}
	return true
}

// line is what a person reads.
func (r progressReport) line(elapsed time.Duration) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if r.Queued > 0 {
		add("queued, place %d: %s", r.Queued, strings.TrimSuffix(r.Reason, "."))
	}
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

// stageLines describe the stages that are not done yet, those that read tables first of all.
func (r progressReport) stageLines() (lines []string) {
	width := 0
	for _, s := range r.Stages {
		width = max(width, min(utf8.RuneCountInString(s.Reads), 24))
	}
	for _, s := range r.Stages {
		if s.Running == 0 {
			continue
		}
		if len(lines) == mostStageLines {
			return append(lines, "  …")
		}
		lines = append(lines, s.line(width))
	}
	return lines
}

func (s stageReport) line(width int) string {
	const cells = 10
	bar := strings.Repeat(" ", cells+2)
	if s.SplitsTotal > 0 {
		done := int(min(s.SplitsDone, s.SplitsTotal) * cells / s.SplitsTotal)
		bar = "[" + strings.Repeat("#", done) + strings.Repeat(".", cells-done) + "]"
	}
	reads := []rune(s.Reads)
	if len(reads) > width {
		reads = append(reads[:width-1:width-1], '…')
	}
	text := fmt.Sprintf("  stage %-2d %-*s %s", s.Number, width, string(reads), bar)
	if s.SplitsTotal > 0 {
		text += fmt.Sprintf("  %d/%d splits", s.SplitsDone, s.SplitsTotal)
	}
	if s.Rows > 0 {
		text += fmt.Sprintf("  %s rows read", grouped(s.Rows))
	}
	if s.RowsOut > 0 {
		text += fmt.Sprintf("  %s given on", grouped(s.RowsOut))
	}
	if s.Nodes > 1 {
		text += fmt.Sprintf("  %d of %d nodes at work", s.Running, s.Nodes)
	}
	return strings.TrimRight(text, " ")
}

// part is how much has been done, from 0 (unknown) to 1: by splits where all are known, or by the rows
// that scans were expected to give.
func (r progressReport) part() (part float64) {
	if r.Expected > 0 {
		part = min(float64(r.Done)/float64(r.Expected), 0.99)
	}
	if r.SplitsTotal > 0 {
		part = max(part, min(float64(r.SplitsDone)/float64(r.SplitsTotal), 1))
	}
	return part
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
		end := "\r\x1b[K"
		if p.tall {
			end = "\r\x1b[J"
		}
		p.shown, p.tall = false, false
		_, _ = io.WriteString(p.w, end)
	}
}
