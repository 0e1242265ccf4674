// Package s3test starts an S3 server for tests, and a proxy that makes trouble in front of it.
//
// The server is built from test/s3server, a module of its own, which needs the Go module proxy the
// first time.
package s3test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// The keys of every server.
const (
	AccessKey = "tarn"
	SecretKey = "tarn-secret"
	Bucket    = "lake"
)

// Server is a running S3 server.
type Server struct {
	URL string
	// Directory holds a directory for each bucket.
	Directory string

	log     string
	command *exec.Cmd
	stdin   interface{ Close() error }
}

var binary = sync.OnceValues(build)

// build makes bin/s3server below the module's root. Test binaries that run side by side take turns.
func build() (string, error) {
	root, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "test", "s3server", "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(root)
		if parent == root {
			return "", fmt.Errorf("test/s3server was not found above the working directory")
		}
		root = parent
	}
	if err := os.MkdirAll(filepath.Join(root, "bin"), 0o755); err != nil {
		return "", err
	}
	lock, err := os.Create(filepath.Join(root, "bin", ".s3server.lock"))
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	out := filepath.Join(root, "bin", "s3server")
	command := exec.Command("go", "build", "-o", out, ".")
	command.Dir = filepath.Join(root, "test", "s3server")
	if text, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build in test/s3server: %v\n%s", err, text)
	}
	return out, nil
}

// Start starts a server with the bucket Bucket and others, and stops it at the end of the test.
func Start(t testing.TB, buckets ...string) *Server {
	t.Helper()
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	s := &Server{Directory: filepath.Join(directory, "buckets"), log: filepath.Join(directory, "access.log")}
	s.command = exec.Command(program, "-dir", s.Directory, "-buckets", strings.Join(append(buckets, Bucket), ","),
		"-access", AccessKey, "-secret", SecretKey, "-log", s.log)
	s.command.Dir = directory
	stdin, err := s.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.stdin = stdin
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.command.Stderr = os.Stderr
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "http://") {
			s.URL = lines.Text()
			return s
		}
	}
	t.Fatal("the S3 server did not start")
	return nil
}

// Stop ends the server.
func (s *Server) Stop() {
	s.stdin.Close()
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
}

// Log gives the lines of the access log that hold text, such as "s3_GetObject".
func (s *Server) Log(t testing.TB, text string) []string {
	t.Helper()
	content, err := os.ReadFile(s.log)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(content)) {
		if strings.Contains(line, text) && !strings.HasPrefix(line, "log starts") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

// Objects lists the files of a bucket as the server's disk has them, unfinished uploads included.
func (s *Server) Objects(t testing.TB, bucket string) []string {
	t.Helper()
	root := filepath.Join(s.Directory, bucket)
	var out []string
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(root, path)
			out = append(out, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Visible drops from a list of Objects the parts of aborted uploads: one that was under way when its
// upload was aborted may be stored afterwards, as S3's AbortMultipartUpload allows. No request shows it.
func Visible(objects []string) []string {
	return slices.DeleteFunc(objects, func(name string) bool { return strings.HasPrefix(name, ".sgwtmp/multipart/") })
}
