package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/hymkor/go-multiline-ny"
	"github.com/nyaosorg/go-readline-ny"
	"github.com/nyaosorg/go-readline-ny/keys"
	"github.com/nyaosorg/go-ttyadapter"
	"github.com/nyaosorg/go-ttyadapter/tty8pe"
)

// prompt reads and runs what is typed until the user leaves.
func (s *shell) prompt(ctx context.Context) error {
	fmt.Fprint(s.Out, s.Banner)
	entries := loadHistory(s.History)
	s.words = newVocabulary(s.Connect)
	defer s.words.close()
	editor := s.newEditor(entries)
	// Between a statement and the prompt Ctrl-C has nothing to cancel.
	idle := make(chan os.Signal, 1)
	signal.Notify(idle, os.Interrupt)
	defer signal.Stop(idle)
	for {
		s.words.refresh(ctx)
		asSignal := interruptAsKey(s.In)
		lines, err := editor.Read(ctx)
		asSignal()
		switch {
		case errors.Is(err, readline.CtrlC):
			fmt.Fprintln(s.Out)
			editor.SetDefault(nil)
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(s.Out)
			return nil
		case err != nil:
			s.complain("%s", err)
			return err
		}
		text := strings.Join(lines, "\n")
		entries.add(text)
		if err := s.runTyped(ctx, text); errors.Is(err, errQuit) {
			s.failed = false
			return errQuit
		}
		s.failed = false
	}
}

// runTyped runs what was entered at the prompt: a backslash command or statements.
func (s *shell) runTyped(ctx context.Context, text string) error {
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, `\`) {
		return s.runMeta(ctx, trimmed)
	}
	statements, _ := cutStatements(text, true)
	for _, st := range statements {
		if err := s.runStatement(ctx, st, nil); err != nil {
			return err
		}
	}
	return nil
}

func (s *shell) newEditor(entries *history) *multiline.Editor {
	editor := &multiline.Editor{}
	editor.SetWriter(s.Out)
	editor.SetHistory(entries)
	editor.SetPrompt(func(w io.Writer, line int) (int, error) {
		if line == 0 {
			return io.WriteString(w, s.promptText())
		}
		return io.WriteString(w, "    -> ")
	})
	if s.Color {
		editor.Highlight = highlighting()
		editor.ResetColor = "\x1b[0m"
	}
	clipboard := &pasteBuffer{}
	editor.LineEditor.Clipboard = clipboard
	editor.SetTty(&pastingTty{Tty: &tty8pe.Tty{}, into: clipboard, screen: s.Out})
	editor.SubmitOnEnterWhen(func(lines []string, _ int) bool { return complete(strings.Join(lines, "\n")) })
	_ = editor.BindKey(keys.CtrlI, &completion{editor: editor, words: s.words})
	_ = editor.BindKey(pasteKey, readline.AnonymousCommand(editor.CmdYank))
	return editor
}

// promptText shows the database and the state of the transaction.
func (s *shell) promptText() string {
	mark := ">"
	switch s.conn.TxStatus() {
	case 'T':
		mark = "*>"
	case 'E':
		mark = "!>"
	}
	return "tarn" + mark + " "
}

// Terminals that know bracketed paste enclose what is pasted. The editor does not: a pasted tab
// would complete, and every line would be drawn again and again. pastingTty collects the paste and
// hands it on as one key.
const (
	pasteOn    = "\x1b[?2004h"
	pasteOff   = "\x1b[?2004l"
	pasteStart = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
	pasteKey   = keys.Code("\x1b[tarn-paste")
)

// pasteBuffer is the editor's clipboard.
type pasteBuffer struct{ text string }

func (p *pasteBuffer) Read() (string, error) { return p.text, nil }

func (p *pasteBuffer) Write(text string) error {
	p.text = text
	return nil
}

type pastingTty struct {
	ttyadapter.Tty
	into    *pasteBuffer
	screen  io.Writer
	pending []string
}

func (t *pastingTty) Open(onResize func(int, int)) error {
	err := t.Tty.Open(onResize)
	if err == nil {
		fmt.Fprint(t.screen, pasteOn)
	}
	return err
}

func (t *pastingTty) Close() error {
	fmt.Fprint(t.screen, pasteOff)
	return t.Tty.Close()
}

// GetKey gives the next key; the start of a paste may arrive in pieces.
func (t *pastingTty) GetKey() (string, error) {
	if len(t.pending) > 0 {
		key := t.pending[0]
		t.pending = t.pending[1:]
		return key, nil
	}
	key, err := t.Tty.GetKey()
	if err != nil || len(key) < 3 || !strings.HasPrefix(pasteStart, key) && !strings.HasPrefix(key, pasteStart) {
		return key, err
	}
	pieces := []string{key}
	text := key
	for len(text) < len(pasteStart) && strings.HasPrefix(pasteStart, text) {
		if key, err = t.Tty.GetKey(); err != nil {
			return "", err
		}
		pieces = append(pieces, key)
		text += key
	}
	rest, found := strings.CutPrefix(text, pasteStart)
	if !found {
		t.pending = pieces[1:]
		return pieces[0], nil
	}
	return t.paste(rest)
}

// paste collects up to the end mark.
func (t *pastingTty) paste(text string) (string, error) {
	for {
		if at := strings.Index(text, pasteEnd); at >= 0 {
			if after := text[at+len(pasteEnd):]; after != "" {
				t.pending = append(t.pending, after)
			}
			t.into.text = strings.ReplaceAll(strings.ReplaceAll(text[:at], "\r\n", "\n"), "\r", "\n")
			return string(pasteKey), nil
		}
		key, err := t.Tty.GetKey()
		if err != nil {
			return "", err
		}
		text += key
	}
}
