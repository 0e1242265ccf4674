package durability

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tarnlake/tarn/cmd/tarn/node"
	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/test/pgserver"
)

// serverVariable holds the site, as JSON, that the test binary is to serve.
const serverVariable = "TARN_TEST_DURABILITY_SERVER"

func TestMain(m *testing.M) {
	if text := os.Getenv(serverVariable); text != "" {
		var s site
		err := json.Unmarshal([]byte(text), &s)
		if err == nil {
			err = serve(&s)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	pgserver.Stop()
	os.Exit(code)
}

// site is what servers that come after one another serve.
type site struct {
	Data    string
	Catalog string // a postgres:// URL, or "" for SQLite
	Listen  string // an address
	Power   bool   // the server can lose power
	Drivers int
	Set     map[string]string // further configuration
	// FileLimit, if positive, is the most bytes that a file may have.
	FileLimit uint64
}

// serve runs a server that obeys its input until it is killed.
func serve(s *site) error {
	ctx := context.Background()
	loaded, err := config.Load(config.Sources{Flags: s.Set})
	if err != nil {
		return err
	}
	c := loaded.Config
	c.Server.PgListen, c.Server.HTTPListen, c.Server.Data, c.Catalog.URL = s.Listen, "", s.Data, s.Catalog
	if s.FileLimit > 0 {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: s.FileLimit, Max: s.FileLimit}); err != nil {
			return err
		}
	}
	d := &doom{seen: map[string]int{}}
	root, err := filepath.Abs(s.Data)
	if err != nil {
		return err
	}
	store, err := objstore.OpenLocal(root, objstore.Options{FailPoint: func(step objstore.Step, _ string) error { return d.pass("store." + string(step)) }})
	if err != nil {
		return err
	}
	if s.Power {
		d.lossy = objstore.MakeLossy(store)
		installPowerSwitch()
	}
	system, err := wiring.Open(ctx, wiring.Options{Config: c, Drivers: s.Drivers, FailPoint: d.pass, Stores: objstore.NewStoreLocator(store)})
	if err != nil {
		return err
	}
	n, err := node.Start(ctx, node.Options{Config: c, Version: "test", Engine: system.Engine, Parse: parser.Parse, Listen: true})
	if err != nil {
		return err
	}
	system.UseSessions(n.Manager())
	system.BoundMemory()
	d.memory = system.Memory
	fmt.Println("ready", n.Address())
	return d.obey()
}

// doom ends the process at a step.
type doom struct {
	lossy  *objstore.Lossy
	memory *memory.Pool

	mu   sync.Mutex
	step string
	left int // passes through step
	seen map[string]int
}

// pass is called at every step.
func (d *doom) pass(step string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen[step]++
	if step != d.step {
		return nil
	}
	if d.left--; d.left == 0 {
		d.end()
	}
	return nil
}

// end does not return. With the lock held no goroutine passes another step.
func (d *doom) end() {
	if d.lossy != nil {
		if err := errors.Join(d.lossy.PowerOff(), catalogPowerOff()); err != nil {
			fmt.Println("failed", err)
		}
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// obey reads commands: "arm STEP PASSES", and "seen", which tells how often each step was passed
// since it was asked last, "held", which tells the number of goroutines and the bytes
// reserved, and "heap", which tells the bytes that Go has in use.
func (d *doom) obey() error {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		d.mu.Lock()
		switch words[0] {
		case "arm":
			d.step = words[1]
			d.left, _ = strconv.Atoi(words[2])
			fmt.Println("armed")
		case "heap":
			var m runtime.MemStats
			runtime.GC()
			runtime.GC() // what finalizers let go of
			runtime.ReadMemStats(&m)
			fmt.Println("heap", m.HeapAlloc)
		case "held":
			fmt.Println("held", runtime.NumGoroutine(), d.memory.Used())
		case "seen":
			text, _ := json.Marshal(d.seen)
			d.seen = map[string]int{}
			fmt.Println("seen", string(text))
		}
		d.mu.Unlock()
	}
	return errors.New("the parent is gone")
}
