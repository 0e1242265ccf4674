package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

type doctorCommand struct{ configFlags }

// finding is one thing that was looked at: advice is empty when all is well.
type finding struct {
	what, state, advice string
	bad                 bool
}

// Run checks what a server needs; the exit status is 1 when something would keep it from working.
func (c *doctorCommand) Run() error {
	loaded, err := c.load(nil)
	if err != nil {
		return err
	}
	findings := []finding{{what: "configuration", state: "reads well"}}
	for _, check := range []func(*config.Loaded) finding{checkPort("server.pg_listen", loaded.Server.PgListen),
		checkPort("server.http_listen", loaded.Server.HTTPListen), checkData, checkSpace, checkWarehouse, checkCatalog, checkMemory, checkFiles, checkClock, checkCertificate} {
		findings = append(findings, check(loaded))
	}
	failed := false
	for _, f := range findings {
		mark := "ok  "
		if f.advice != "" {
			mark = "warn"
		}
		if f.bad {
			mark, failed = "FAIL", true
		}
		fmt.Printf("%s  %-20s %s\n", mark, f.what, f.state)
		if f.advice != "" {
			fmt.Printf("      %-20s → %s\n", "", f.advice)
		}
	}
	if failed {
		return exitStatus(exitFailure)
	}
	return nil
}

func checkPort(key, address string) func(*config.Loaded) finding {
	return func(*config.Loaded) finding {
		f := finding{what: key, state: address + " is free"}
		if address == "" {
			f.state = "off"
			return f
		}
		listener, err := net.Listen("tcp", address)
		if err == nil {
			_ = listener.Close()
			return f
		}
		f.state = err.Error()
		f.advice = "If a server runs there, this is as it should be; else set " + key + " to another address."
		var opErr *net.OpError
		if errors.As(err, &opErr) && !errors.Is(err, unix.EADDRINUSE) {
			f.bad, f.advice = true, "Set "+key+" to an address of this machine that you may listen on."
		}
		return f
	}
}

func checkData(l *config.Loaded) finding {
	f := finding{what: "server.data", state: l.Server.Data + " can be written"}
	dir := existingAncestor(l.Server.Data)
	probe, err := os.CreateTemp(dir, ".tarn-doctor-")
	if err != nil {
		return finding{what: f.what, state: err.Error(), bad: true, advice: "Give this user the right to write there, or set server.data to another directory."}
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	return f
}

// existingAncestor is the directory itself or the nearest one above it that exists.
func existingAncestor(dir string) string {
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return dir
		}
		dir = parent
	}
}

func checkSpace(l *config.Loaded) finding {
	var stat unix.Statfs_t
	if err := unix.Statfs(existingAncestor(l.Server.Data), &stat); err != nil {
		return finding{what: "disk space", state: err.Error(), advice: "Check server.data."}
	}
	free := config.Size(stat.Bavail) * config.Size(stat.Bsize)
	f := finding{what: "disk space", state: fmt.Sprintf("%d GB free for data and spill", free>>30)}
	if free < 1<<30 {
		f.advice = "Queries that spill, and writes, will fail with 53100 when the disk is full: free some space."
	}
	return f
}

// checkWarehouse writes, reads and removes an object where tables go.
func checkWarehouse(l *config.Loaded) finding {
	f := finding{what: "storage.warehouse", state: l.Storage.Warehouse + " can be written"}
	if !objstore.IsRemote(l.Storage.Warehouse) {
		f.state = "on the local disk"
		return f
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := wiring.ProbeWarehouse(ctx, l.Config); err != nil {
		f.bad, f.state, f.advice = true, err.Error(), "Check [storage.s3] and the rights on the bucket."
		var explained *sqlerr.Error
		if errors.As(err, &explained) && explained.Hint != "" {
			f.advice = explained.Hint
		}
	}
	return f
}

func checkCatalog(l *config.Loaded) finding {
	f := finding{what: "catalog", state: "opens"}
	if l.Catalog.URL == "" {
		if _, err := os.Stat(filepath.Join(l.Server.Data, "catalog.db")); errors.Is(err, os.ErrNotExist) {
			f.state = "will be made at the first start"
			return f
		}
	}
	system, err := wiring.Open(context.Background(), wiring.Options{Config: l.Config})
	if err != nil {
		return finding{what: "catalog", state: err.Error(), advice: "If a server is running on it, this is as it should be; else see the message."}
	}
	_ = system.Close()
	return f
}

func checkMemory(l *config.Loaded) finding {
	limit := l.Memory.MemoryLimit()
	f := finding{what: "memory.limit", state: fmt.Sprintf("%d MB", limit>>20)}
	if limit < 512<<20 {
		f.advice = "Queries will spill early; 512MB or more is better."
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil && uint64(limit) > info.Totalram*uint64(info.Unit) {
		f.advice = "It is more than the machine has: the process may be killed. Lower memory.limit."
	}
	return f
}

func checkFiles(l *config.Loaded) finding {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return finding{what: "open files", state: err.Error()}
	}
	f := finding{what: "open files", state: fmt.Sprintf("at most %d", limit.Cur)}
	if limit.Cur < uint64(l.Server.MaxConnections)+1024 {
		f.advice = fmt.Sprintf("Raise the limit (ulimit -n) to %d, or lower server.max_connections.", l.Server.MaxConnections+1024)
	}
	return f
}

func checkClock(*config.Loaded) finding {
	now := time.Now()
	f := finding{what: "clock", state: now.UTC().Format(time.RFC3339)}
	if now.Year() < 2024 {
		f.bad, f.advice = true, "Set the clock: times of commits and certificates depend on it."
	}
	return f
}

func checkCertificate(l *config.Loaded) finding {
	if l.TLS.Certificate == "" {
		f := finding{what: "tls", state: "off"}
		if host, _, err := net.SplitHostPort(l.Server.PgListen); err == nil && host != "localhost" && !net.ParseIP(host).IsLoopback() {
			f.advice = "Clients of other machines connect unencrypted: set tls.certificate and tls.key."
		}
		return f
	}
	pair, err := tls.LoadX509KeyPair(l.TLS.Certificate, l.TLS.Key)
	if err != nil {
		return finding{what: "tls", state: err.Error(), bad: true, advice: "Give the PEM files of one certificate and its key."}
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return finding{what: "tls", state: err.Error(), bad: true}
	}
	f := finding{what: "tls", state: "certificate valid until " + leaf.NotAfter.Format(time.DateOnly)}
	switch {
	case time.Now().After(leaf.NotAfter):
		f.bad, f.advice = true, "The certificate has expired: renew it."
	case time.Until(leaf.NotAfter) < 14*24*time.Hour:
		f.advice = "Renew the certificate soon."
	case leaf.Issuer.String() == "":
		f.advice = "The issuer's name is empty, which Java clients refuse: make the certificate with one."
	}
	return f
}
