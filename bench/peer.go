package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// peer is an Engine that peers.py runs.
type peer struct {
	name    string
	version string
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// startWithDuckDB starts a server of tarn and DuckDB beside it; the caller closes both.
func startWithDuckDB(ctx context.Context, o options) (*tarn, *peer, error) {
	t, err := startTarn(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	duck, err := startPeer(o, "duckdb")
	if err != nil {
		return nil, nil, errors.Join(err, t.Close())
	}
	return t, duck, nil
}

// startPeer starts DuckDB or Polars over the files of the data folder.
func startPeer(o options, name string, more ...string) (*peer, error) {
	arguments := append([]string{filepath.Join(o.folder, "peers.py"), name, "--data", o.dir, "--threads", strconv.Itoa(o.threads)}, more...)
	command := exec.Command(o.python, arguments...)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &peer{name: name, command: command, in: in, out: bufio.NewReaderSize(out, 1<<20)}
	var hello struct{ Version string }
	if err := p.receive(&hello); err != nil {
		p.Close()
		return nil, fmt.Errorf("%s does not start (are the packages of requirements.txt installed?): %w", name, err)
	}
	p.version = hello.Version
	return p, nil
}

func (p *peer) Name() string    { return p.name }
func (p *peer) Version() string { return p.version }
func (p *peer) PIDs() []int     { return []int{p.command.Process.Pid} }

// receive reads one line of the peer.
func (p *peer) receive(into any) error {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, into)
}

// Run sends a query. When ctx ends before the answer, the peer is killed and fails from then on.
func (p *peer) Run(ctx context.Context, sql string) (answer, error) {
	request, err := json.Marshal(map[string]string{"sql": sql})
	if err != nil {
		return answer{}, err
	}
	if _, err := p.in.Write(append(request, '\n')); err != nil {
		return answer{}, fmt.Errorf("%s is gone: %w", p.name, err)
	}
	defer context.AfterFunc(ctx, func() { p.command.Process.Kill() })()
	var reply struct {
		Seconds, CPU float64
		Rows         [][]cell
		Error        string
	}
	if err := p.receive(&reply); err != nil {
		if ctx.Err() != nil {
			return answer{}, ctx.Err()
		}
		return answer{}, fmt.Errorf("%s is gone: %w", p.name, err)
	}
	if reply.Error != "" {
		return answer{}, errors.New(reply.Error)
	}
	return answer{rows: reply.Rows, seconds: reply.Seconds, cpu: reply.CPU}, nil
}

// Close ends the process.
func (p *peer) Close() error {
	p.in.Close()
	return p.command.Wait()
}
