package pgwire

import (
	"errors"
	"os"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// watchAfter is how long a statement runs before its client is watched: most end sooner, and a
// client that vanishes is noticed well within 200 ms.
const watchAfter = 50 * time.Millisecond

// watcher reads ahead from the client while its statement runs, to notice when it is gone.
type watcher struct {
	conn     *conn
	timer    *time.Timer
	done     chan struct{}
	reporter *reporter
}

// watch starts watching, and reporting progress to clients that want it; stop must be called before the connection is read again.
func (c *conn) watch() *watcher {
	w := &watcher{conn: c, done: make(chan struct{}), reporter: c.report()}
	w.timer = time.AfterFunc(watchAfter, w.run)
	return w
}

func (w *watcher) run() {
	defer close(w.done)
	in := &w.conn.in
	for in.w-in.r < pipelineInput {
		if err := in.fill(); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				w.conn.vanished()
			}
			return
		}
	}
}

// stop ends watching.
func (w *watcher) stop() {
	w.reporter.stop()
	if w.timer.Stop() {
		return
	}
	w.conn.mu.Lock()
	_ = w.conn.nc.SetReadDeadline(time.Now())
	w.conn.mu.Unlock()
	<-w.done
	w.conn.waitUntil(time.Time{})
}

// vanished cancels what runs for a client that is gone; a blocked write ends too.
func (c *conn) vanished() {
	c.session.Interrupt(sqlerr.New(sqlerr.ConnectionFailure, "connection to client lost"))
	_ = c.nc.SetWriteDeadline(time.Now())
}

// interruptRead makes a read under way, or the next one, end; resumeRead lets reads wait again.
func (c *conn) interruptRead() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.nc.SetReadDeadline(time.Now())
}

func (c *conn) resumeRead() { c.waitUntil(time.Time{}) }
