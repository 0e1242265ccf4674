package shell

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tarnlake/tarn/coordinator/session/enginetest"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// childVariable marks the process that TestPrompt runs on a terminal of its own.
const childVariable = "TARN_TEST_PROMPT"

func TestPromptChild(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		return
	}
	engine := warehouse()
	engine.Answers["select slow"] = enginetest.Answer{Columns: types.Schema{{Name: "i", Type: types.Of(types.Int32)}},
		Rows: func(context.Context, []types.Datum, vec.Source) (vec.Source, error) {
			return &enginetest.Series{Last: 1 << 30, Size: 1, Pause: 10 * time.Millisecond}, nil
		}}
	status := Run(context.Background(), Options{Connect: connector(t, engine), In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Interactive: true,
		ErrTerminal: true, Color: true, History: os.Getenv(childVariable), Banner: "welcome\n"})
	fmt.Printf("status %d\n", status)
}

// terminal is the far side of a pseudo-terminal with a shell on it.
type terminal struct {
	t    *testing.T
	file *os.File
	mu   sync.Mutex
	seen bytes.Buffer
}

func openTerminal(t *testing.T) (*terminal, *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 120}); err != nil {
		t.Fatal(err)
	}
	return &terminal{t: t, file: master}, slave
}

func (p *terminal) read() {
	b := make([]byte, 4096)
	for {
		n, err := p.file.Read(b)
		p.mu.Lock()
		p.seen.Write(b[:n])
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// wait waits until the text has appeared since the last wait.
func (p *terminal) wait(text string) {
	p.t.Helper()
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		p.mu.Lock()
		seen := escapes.ReplaceAllString(p.seen.String(), "")
		if at := strings.Index(seen, text); at >= 0 {
			p.seen.Reset()
			p.seen.WriteString(seen[at+len(text):])
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		if time.Since(start) > 10*time.Second {
			p.t.Fatalf("no %q in %q", text, seen)
		}
	}
}

func (p *terminal) send(text string) {
	p.t.Helper()
	if _, err := p.file.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
}

func TestPrompt(t *testing.T) {
	p, slave := openTerminal(t)
	history := t.TempDir() + "/history"
	child := exec.Command(os.Args[0], "-test.run", "^TestPromptChild$")
	child.Env = append(os.Environ(), childVariable+"="+history, "TERM=xterm")
	child.Stdin, child.Stdout, child.Stderr = slave, slave, slave
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	_ = slave.Close()
	go p.read()
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()

	p.wait("welcome")
	p.wait("tarn> ")
	p.send("select 'été',\r") // not complete: the next line is asked for
	p.wait("-> ")
	p.send("42;\r")
	p.wait("été      |       42")
	p.wait("(1 row)")
	p.wait("Time: ")
	p.wait("tarn> ")
	p.send("begin;\r")
	p.wait("BEGIN")
	p.wait("tarn*> ")
	p.send("selec;\r")
	p.wait(`syntax error at or near "selec"`)
	p.wait("tarn!> ")
	p.send("rollback;\r")
	p.wait("tarn> ")
	// Ctrl-C cancels a statement, then an unfinished line.
	p.send("select slow;\r")
	time.Sleep(150 * time.Millisecond)
	p.send("\x03")
	p.wait("canceling statement due to user request")
	p.wait("tarn> ")
	// It does so wherever it falls between the keys.
	for range 20 {
		p.send("select unfinished")
		p.send("\x03")
		p.wait("\n\r\ntarn> ")
	}
	// A paste with a tab and two lines arrives as it is.
	p.send("\x1b[200~select 'a\tb',\r\n 'pasted'\x1b[201~;\r")
	p.wait(`a\tb`)
	p.wait("pasted")
	p.wait("tarn> ")
	p.send("\\tim\t on\r") // completed by Tab
	p.wait("Timing is on")
	p.wait("tarn> ")
	p.send("\x04")
	p.wait("status 0")
	entries := loadHistory(history)
	if entries.Len() < 6 || entries.At(0) != "select 'été',\n42;" {
		t.Errorf("%q", entries.entries)
	}
}
