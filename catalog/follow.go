package catalog

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// A shared catalog has other servers, whose commits a snapshot must not miss: whoever begins a
// transaction reads the newest commit's number first, which is one short query that all who begin at
// once share. Being told of commits is for the time between statements: each commit notifies, and
// every server keeps a connection that listens, so that it has loaded the new names before a
// statement asks for them. A notification that is lost costs nothing but time: every Poll the number
// is read anyway.

const (
	newestCommit = "SELECT value FROM tarn_counters WHERE name = 'commit'"
	// commitChannel is where commits notify, with their number.
	commitChannel = "tarn_commits"
	// DefaultPoll is how often a server looks for commits that it was not told of.
	DefaultPoll = 500 * time.Millisecond
	// answerWithin is how long PostgreSQL may take to answer a read of one number.
	answerWithin = 10 * time.Second
	// firstRetry and lastRetry bound the time until a listening connection is made anew.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 10 * time.Second
)

// newestReader reads the newest commit's number for many at once.
type newestReader struct {
	db *database

	mu      sync.Mutex
	running bool
	next    *reading // begins when the one under way has ended
}

// reading is one query of the number; commit and err stand when done is closed.
type reading struct {
	done   chan struct{}
	commit int64
	err    error
}

func newNewestReader(db *database) *newestReader { return &newestReader{db: db} }

// read gives the newest commit's number as of a moment after the call: who calls while a query is
// under way, which may have begun before, shares the next one.
func (r *newestReader) read(ctx context.Context) (int64, error) {
	r.mu.Lock()
	if r.next == nil {
		r.next = &reading{done: make(chan struct{})}
	}
	mine := r.next
	if !r.running {
		r.running = true
		go r.run()
	}
	r.mu.Unlock()
	select {
	case <-mine.done:
		return mine.commit, mine.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// run queries until nobody asks.
func (r *newestReader) run() {
	for {
		r.mu.Lock()
		now := r.next
		r.next = nil
		r.running = now != nil
		r.mu.Unlock()
		if now == nil {
			return
		}
		now.commit, now.err = r.query()
		close(now.done)
	}
}

func (r *newestReader) query() (commit int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	if err = r.db.read.QueryRowContext(ctx, newestCommit).Scan(&commit); ctx.Err() != nil {
		return 0, r.db.unreachable(errors.New("it does not answer"))
	}
	return commit, r.db.wrap(ctx, err)
}

// follow keeps latest near the newest commit until ctx ends.
func (c *Catalog) follow(ctx context.Context) {
	delay := firstRetry
	for lost := false; ; {
		heard, err := c.listen(ctx, func() {
			if lost {
				lost = false
				c.options.Log.Info("the catalog tells of commits again", "catalog", c.db.name)
			}
		})
		if ctx.Err() != nil {
			return
		}
		if heard {
			delay = firstRetry
		}
		if !lost {
			lost = true
			c.options.Log.Warn("the catalog's connection that tells of commits is lost", "catalog", c.db.name, "error", err,
				"polling every", c.options.Poll.String())
		}
		c.poll(ctx, delay+rand.N(delay/2))
		delay = min(2*delay, lastRetry)
	}
}

// poll looks for commits now and then until a time has passed.
func (c *Catalog) poll(ctx context.Context, duration time.Duration) {
	for end := time.Now().Add(duration); ; {
		left := time.Until(end)
		if left <= 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(left, c.options.Poll)):
		}
		c.refresh(ctx) // a catalog that is down tells nothing
	}
}

// listen follows commits on a connection of its own until that fails; heard tells whether it ever did.
func (c *Catalog) listen(ctx context.Context, began func()) (heard bool, err error) {
	connecting, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	settings, err := pgx.ParseConfig(c.db.location)
	if err != nil {
		return false, err
	}
	if settings.RuntimeParams["application_name"] == "" {
		settings.RuntimeParams["application_name"] = "tarn listener"
	}
	conn, err := pgx.ConnectConfig(connecting, settings)
	if err != nil {
		return false, err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		conn.Close(closing)
	}()
	if _, err := conn.Exec(connecting, "LISTEN "+commitChannel); err != nil {
		return false, err
	}
	began()
	for {
		if err := c.lookAt(ctx, conn); err != nil {
			return true, err
		}
		for told := true; told; {
			if told, err = c.await(ctx, conn); err != nil {
				return true, err
			}
		}
	}
}

// lookAt reads the newest commit's number on the listening connection, which thereby proves that it
// is alive.
func (c *Catalog) lookAt(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	var commit int64
	if err := conn.QueryRow(ctx, newestCommit).Scan(&commit); err != nil {
		return err
	}
	_, err := c.advance(ctx, commit)
	return err
}

// await waits for a notification and follows it; told is false when none came within Poll.
func (c *Catalog) await(ctx context.Context, conn *pgx.Conn) (told bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, c.options.Poll)
	defer cancel()
	notification, err := conn.WaitForNotification(waiting)
	if err != nil {
		if ctx.Err() == nil && waiting.Err() != nil && !conn.IsClosed() {
			return false, nil
		}
		return false, err
	}
	commit, err := strconv.ParseInt(notification.Payload, 10, 64)
	if err != nil {
		return true, nil // somebody else's
	}
	advancing, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	_, err = c.advance(advancing, commit)
	return true, err
}
