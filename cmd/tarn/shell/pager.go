package shell

import (
	"bytes"
	"io"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// screenRows is the height of the terminal.
func (s *shell) screenRows() int {
	if size, err := unix.IoctlGetWinsize(int(os.Stdout.Fd()), unix.TIOCGWINSZ); err == nil && size.Row > 0 {
		return int(size.Row)
	}
	return 24
}

// pagedWriter prints what fits on the screen, and starts the pager for what does not.
type pagedWriter struct {
	shell   *shell
	rows    int
	held    bytes.Buffer
	lines   int
	command *exec.Cmd
	pipe    io.WriteCloser
	plain   bool // the pager did not start
}

func (p *pagedWriter) Write(b []byte) (int, error) {
	switch {
	case p.pipe != nil:
		return p.pipe.Write(b)
	case p.plain:
		return p.shell.Out.Write(b)
	}
	p.held.Write(b)
	p.lines += bytes.Count(b, []byte{'\n'})
	if p.lines < p.rows-2 {
		return len(b), nil
	}
	p.startPager()
	if _, err := p.destination().Write(p.held.Bytes()); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (p *pagedWriter) destination() io.Writer {
	if p.pipe != nil {
		return p.pipe
	}
	return p.shell.Out
}

func (p *pagedWriter) startPager() {
	p.plain = true
	p.command = exec.Command("/bin/sh", "-c", p.shell.Pager)
	p.command.Stdout, p.command.Stderr = p.shell.Out, p.shell.Err
	if os.Getenv("LESS") == "" {
		p.command.Env = append(os.Environ(), "LESS=SRFX")
	}
	pipe, err := p.command.StdinPipe()
	if err != nil || p.command.Start() != nil {
		return
	}
	p.pipe, p.plain = pipe, false
}

func (p *pagedWriter) close() {
	if p.pipe != nil {
		_ = p.pipe.Close()
		_ = p.command.Wait()
		return
	}
	if !p.plain {
		_, _ = p.shell.Out.Write(p.held.Bytes())
	}
}
