package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// sharePeriod is the period of CPU quotas, in microseconds: short, so that a node is never stopped for long.
const sharePeriod = 10_000

// newShare makes a control group whose processes get at most a part of one CPU, as if they had a slow machine
// of their own. It needs root, and Linux's control groups of version 1 or 2.
func newShare(name string, part float64) (string, error) {
	quota := strconv.Itoa(int(part * sharePeriod))
	directory := filepath.Join("/sys/fs/cgroup", name)
	files := [][2]string{{"cpu.max", quota + " " + strconv.Itoa(sharePeriod)}}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); errors.Is(err, os.ErrNotExist) {
		directory = filepath.Join("/sys/fs/cgroup/cpu", name)
		files = [][2]string{{"cpu.cfs_period_us", strconv.Itoa(sharePeriod)}, {"cpu.cfs_quota_us", quota}}
	}
	if err := os.Mkdir(directory, 0o755); err != nil {
		return "", fmt.Errorf("-share needs a control group for each node: %w", err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(directory, f[0]), []byte(f[1]), 0); err != nil {
			return "", errors.Join(fmt.Errorf("-share needs a control group for each node: %w", err), syscall.Rmdir(directory))
		}
	}
	return directory, nil
}

// inShare is the command that enters a control group and becomes another command.
func inShare(directory string, command []string) []string {
	return append([]string{"sh", "-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, directory}, command...)
}
