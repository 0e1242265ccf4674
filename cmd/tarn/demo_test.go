package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tarnlake/tarn/test/pgserver"
	"github.com/tarnlake/tarn/test/s3test"
)

// runningBelow lists the command lines of processes that name a directory.
func runningBelow(t *testing.T, directory string) (found []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(all) == 0 {
		t.Fatal("no /proc", err)
	}
	for _, file := range all {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), directory) {
			found = append(found, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return found
}

func mustBeGone(t *testing.T, directory string) {
	t.Helper()
	if left := runningBelow(t, directory); len(left) > 0 {
		t.Errorf("still running: %s", strings.Join(left, "\n"))
	}
	if entries, err := os.ReadDir(directory); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

// The nightly job on a coordinator and three workers, with the catalog on PostgreSQL and files on S3:
// each worker has done a part, and the nodes together asked for exactly what the server's log shows.
func TestDemoOnWorkersWithS3(t *testing.T) {
	catalog, storage, home := pgserver.Database(t), s3test.Start(t), t.TempDir()
	command := tarn(t, "demo", "--workers", "3", "--storage", "s3://"+s3test.Bucket+"/demo", "--days", "2", "--scale", "0.02", "--exit")
	command.Env = append(command.Env, "TMPDIR="+home, "TARN_CATALOG_URL="+catalog, "TARN_STORAGE_S3_ENDPOINT="+storage.URL, "TARN_STORAGE_S3_PATH_STYLE=true",
		"TARN_STORAGE_S3_REGION=us-east-1", "TARN_STORAGE_S3_ACCESS_KEY_ID="+s3test.AccessKey, "TARN_STORAGE_S3_SECRET_ACCESS_KEY="+s3test.SecretKey)
	status, out, failures := outcome(t, command)
	if status != 0 || failures != "" || !strings.Contains(out, "A coordinator and 3 worker processes, a catalog on PostgreSQL, tables on s3://") {
		t.Fatal(status, out, failures)
	}
	rows := regexp.MustCompile(`│ (coordinator|worker-[123]) +│ (\d+) +│ (\d+) +│ (\d+) +│ [0-9.]+ +│ [0-9.]+ +│ (\d+) +│ (\d+) +│ (\d+) +│`).FindAllStringSubmatch(out, -1)
	if len(rows) != 4 {
		t.Fatal(out)
	}
	var sums [7]int
	for _, row := range rows {
		for i := range sums[:6] {
			n, err := strconv.Atoi(row[i+2])
			if err != nil {
				t.Fatal(err)
			}
			sums[i] += n
			if i < 2 && n == 0 {
				t.Errorf("%s ran no task or split", row[1])
			}
		}
	}
	logged := func(actions ...string) (n int) {
		for _, action := range actions {
			n += len(storage.Log(t, "s3_"+action+" "))
		}
		return n
	}
	gets, lists := logged("GetObject"), logged("ListObjectsV2", "ListMultipartUploads")
	puts := logged("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
	if sums[3] != gets || sums[4] != puts || sums[5] != lists || gets == 0 {
		t.Errorf("%v shown, the server saw %d GET, %d PUT, %d LIST\n%s", sums[3:6], gets, puts, lists, out)
	}
	mustBeGone(t, home)
}

// Ctrl-C in the middle of the job, and the death of the demo: nothing goes on.
func TestDemoInterrupted(t *testing.T) {
	for _, how := range []os.Signal{syscall.SIGINT, syscall.SIGKILL} {
		home := t.TempDir()
		command := tarn(t, "demo", "--workers", "2", "--scale", "0.1")
		command.Env = append(command.Env, "TMPDIR="+home)
		output, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		var seen []byte
		for buffer := make([]byte, 4096); !strings.Contains(string(seen), "nightly job"); {
			n, err := output.Read(buffer)
			if err != nil {
				t.Fatal(err, string(seen))
			}
			seen = append(seen, buffer[:n]...)
		}
		if n := len(runningBelow(t, home)); n != 2 {
			t.Errorf("%d workers run", n)
		}
		_ = command.Process.Signal(how)
		_ = command.Wait()
		if how == syscall.SIGINT {
			if status := command.ProcessState.ExitCode(); status != 0 {
				t.Error("status", status)
			}
			mustBeGone(t, home)
			continue
		}
		for until := time.Now().Add(10 * time.Second); len(runningBelow(t, home)) > 0; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatal("workers outlive the demo")
			}
		}
	}
}
