package shell

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// mostHistory bounds the entries that are kept.
const mostHistory = 5000

// history remembers what was typed; its file holds one JSON string a line, so that entries may have
// several lines.
type history struct {
	file    string
	entries []string
}

func loadHistory(file string) *history {
	h := &history{file: file}
	if file == "" {
		return h
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return h
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		var entry string
		if json.Unmarshal([]byte(line), &entry) == nil && entry != "" {
			h.entries = append(h.entries, entry)
		}
	}
	if len(h.entries) > 2*mostHistory {
		h.entries = h.entries[len(h.entries)-mostHistory:]
		h.rewrite()
	}
	return h
}

// Len and At make it a history of the editor.
func (h *history) Len() int        { return len(h.entries) }
func (h *history) At(i int) string { return h.entries[i] }

// add appends an entry unless it repeats the last one or holds a password.
func (h *history) add(entry string) {
	entry = strings.TrimSpace(entry)
	if entry == "" || len(h.entries) > 0 && h.entries[len(h.entries)-1] == entry {
		return
	}
	h.entries = append(h.entries, entry)
	if h.file == "" || strings.Contains(strings.ToLower(entry), "password") {
		return
	}
	if err := os.MkdirAll(filepath.Dir(h.file), 0o700); err != nil {
		return
	}
	file, err := os.OpenFile(h.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer file.Close()
	line, err := json.Marshal(entry)
	if err == nil {
		_, _ = file.Write(append(line, '\n'))
	}
}

func (h *history) rewrite() {
	var text strings.Builder
	for _, entry := range h.entries {
		if line, err := json.Marshal(entry); err == nil {
			text.Write(append(line, '\n'))
		}
	}
	temporary := h.file + ".new"
	if os.WriteFile(temporary, []byte(text.String()), 0o600) == nil {
		_ = os.Rename(temporary, h.file)
	}
}
