package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// bucketServer is an S3 server (versitygw) with the files of the data folder in two buckets: in "cold"
// they become new versions before each query, so that nobody can have kept anything of them; in "kept"
// they stay as they are.
type bucketServer struct {
	command   *exec.Cmd
	in        io.WriteCloser
	directory string
	url       string
	versions  int
}

func startBucketServer(o options) (*bucketServer, error) {
	program, err := filepath.Abs(o.s3server)
	if err != nil {
		return nil, err
	}
	s := &bucketServer{}
	if s.directory, err = os.MkdirTemp(filepath.Dir(o.dir), "s3-"); err != nil {
		return nil, err
	}
	if err := s.fill(o.dir); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.command = exec.Command(program, "-dir", filepath.Join(s.directory, "buckets"), "-buckets", "cold,kept", "-log", s.log())
	s.command.Dir, s.command.Stderr = s.directory, os.Stderr
	s.command.Env = append(os.Environ(), "GOMAXPROCS=1")
	if s.in, err = s.command.StdinPipe(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	out, err := s.command.StdoutPipe()
	if err == nil {
		err = s.command.Start()
	}
	if err != nil {
		s.command = nil
		return nil, errors.Join(fmt.Errorf("no S3 server (make s3server builds it): %w", err), s.Close())
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "http://") {
			s.url = lines.Text()
			return s, nil
		}
	}
	return nil, errors.Join(errors.New("the S3 server did not start"), s.Close())
}

func (s *bucketServer) log() string { return filepath.Join(s.directory, "access.log") }

// fill copies the data folder's files into one bucket and links them into the other.
func (s *bucketServer) fill(from string) error {
	paths, err := filepath.Glob(filepath.Join(from, "*.parquet"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		for bucket, place := range map[string]func(from, to string) error{"cold": copyFile, "kept": os.Link} {
			to := filepath.Join(s.directory, "buckets", bucket, filepath.Base(path))
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			if err := place(path, to); err != nil {
				return err
			}
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// renew makes new versions of the objects of the bucket "cold": a file without metadata of its own has
// its time of change as its version.
func (s *bucketServer) renew() error {
	s.versions++
	paths, err := filepath.Glob(filepath.Join(s.directory, "buckets", "cold", "*"))
	if err != nil {
		return err
	}
	changed := time.Now().Add(time.Duration(s.versions-100_000) * time.Second)
	for _, path := range paths {
		if err := os.Chtimes(path, changed, changed); err != nil {
			return err
		}
	}
	return nil
}

// reads counts the GETs and HEADs in the access log.
func (s *bucketServer) reads() (gets, heads int, err error) {
	text, err := os.ReadFile(s.log())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, 0, err
	}
	return strings.Count(string(text), " s3_GetObject "), strings.Count(string(text), " s3_HeadObject "), nil
}

// environment tells Tarn, and what uses the AWS chain, how to reach the server.
func (s *bucketServer) environment() []string {
	return []string{"TARN_STORAGE_S3_ENDPOINT=" + s.url, "TARN_STORAGE_S3_REGION=us-east-1", "TARN_STORAGE_S3_PATH_STYLE=true",
		"TARN_STORAGE_S3_ACCESS_KEY_ID=tarn", "TARN_STORAGE_S3_SECRET_ACCESS_KEY=tarn-secret"}
}

// Close ends the server and removes its files.
func (s *bucketServer) Close() error {
	if s.command != nil {
		s.in.Close()
		_ = s.command.Process.Kill()
		_ = s.command.Wait()
	}
	return os.RemoveAll(s.directory)
}

// onS3 is an Engine whose tables lie on an S3 server, whose requests it counts.
type onS3 struct {
	Engine
	name   string
	server *bucketServer
	cold   bool
	owns   bool // the server ends with it
}

// startOnS3 starts "tarn-s3" or "duckdb-s3", which find every file new, or "tarn-cached", which keeps
// ranges on the local disk.
func startOnS3(ctx context.Context, o options, name string, server *bucketServer, owns bool) (Engine, error) {
	out := &onS3{name: name, server: server, cold: name != "tarn-cached", owns: owns}
	bucket := "kept"
	if out.cold {
		bucket = "cold"
	}
	o.environment = append(o.environment, server.environment()...)
	var err error
	if strings.HasPrefix(name, "duckdb") {
		o.python = o.pythonS3
		out.Engine, err = startPeer(o, "duckdb", "--s3", server.url+"/"+bucket)
	} else {
		if !out.cold {
			o.environment = append(o.environment, "TARN_CACHE_SIZE=64GB")
		}
		o.url, o.setup = "", strings.ReplaceAll(o.setup, "{path}", "s3://"+bucket+"/{table}.parquet")
		out.Engine, err = startTarn(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Name implements Engine.
func (e *onS3) Name() string { return e.name }

// Run implements Engine, and counts what the server saw.
func (e *onS3) Run(ctx context.Context, sql string) (answer, error) {
	if e.cold {
		if err := e.server.renew(); err != nil {
			return answer{}, err
		}
	}
	gets, heads, err := e.server.reads()
	if err != nil {
		return answer{}, err
	}
	a, err := e.Engine.Run(ctx, sql)
	if err != nil {
		return a, err
	}
	after, headsAfter, err := e.server.reads()
	a.gets, a.heads = after-gets, headsAfter-heads
	return a, err
}

// Close implements Engine.
func (e *onS3) Close() error {
	err := e.Engine.Close()
	if e.owns {
		err = errors.Join(err, e.server.Close())
	}
	return err
}
