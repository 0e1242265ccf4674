package gossip

import (
	"log/slog"
	"strings"

	"github.com/tarnlake/tarn/internal/refusal"
)

// lines hands the library's log lines to the log. Those about what came from an address, which anybody
// can cause, are kept from flooding it.
type lines struct {
	log     *slog.Logger
	refused *refusal.Log
}

// Write implements io.Writer for a log.Logger.
func (l lines) Write(line []byte) (int, error) {
	level, text := levelOf(strings.TrimSpace(string(line)))
	switch {
	case level < slog.LevelWarn:
		l.log.Debug(text)
	default:
		l.warn(text)
	}
	return len(line), nil
}

// levelOf takes apart what the library writes: a time, a level in brackets, and the text.
func levelOf(line string) (slog.Level, string) {
	open := strings.IndexByte(line, '[')
	if open < 0 {
		return slog.LevelDebug, line
	}
	mark, text, _ := strings.Cut(line[open+1:], "] ")
	text = strings.TrimPrefix(text, "memberlist: ")
	switch mark {
	case "WARN", "ERR", "ERROR":
		return slog.LevelWarn, text
	}
	return slog.LevelDebug, text
}

// isForeign tells by what the library says of a message that another secret made it, or none.
func isForeign(text string) bool {
	text = strings.ToLower(text)
	for _, known := range []string{"installed keys could decrypt", "not encrypted", "encryption is not configured", "too small to decrypt", "encryption version"} {
		if strings.Contains(text, known) {
			return true
		}
	}
	return false
}

func (l lines) warn(text string) {
	what, from, _ := strings.Cut(text, "from=")
	from, rest, _ := strings.Cut(from, " ")
	what = strings.TrimSpace(strings.TrimSpace(what) + " " + rest)
	if isForeign(what) {
		l.refused.Warn(from, "refused a message of gossip from a machine that has another cluster.secret, or none", "error", what)
		return
	}
	if from != "" {
		l.refused.Warn(from, "could not read a message of gossip", "error", what)
		return
	}
	// Those without an address: one a minute of each kind, which the first words tell.
	kind, _, _ := strings.Cut(what, ":")
	l.refused.Warn("", "gossip: "+kind, "error", what)
}
