package catalog

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Options of a Catalog.
type Options struct {
	// Warehouse is the URL or directory below which tables without a location of their own lie.
	Warehouse string
	// Lease is how long a server that has gone still protects its snapshots from VACUUM; 0 is a minute.
	Lease time.Duration
	// Poll is how often a server of a shared catalog looks for commits of others that it was not told of;
	// 0 is DefaultPoll.
	Poll time.Duration
	Log  *slog.Logger // nil discards
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// FailPoint, if set, is called before each step of a commit; its error fails the step, and a
	// test may end the process in it.
	FailPoint func(step string) error
}

// Catalog is a handle on the metadata store, safe for concurrent use.
type Catalog struct {
	db      *database
	options Options
	guard   *guard
	server  string // names this handle's lease
	// sharedClock makes leases go by the clock of the database.
	sharedClock bool

	newest    *newestReader
	advancing chan struct{}             // holds a token while latest moves
	latest    atomic.Pointer[directory] // the newest names known; never goes back
	stale     atomic.Bool               // latest could not be advanced after a commit
	data      *dataCache

	idMutex       sync.Mutex
	idNext, idEnd int64

	liveMutex sync.Mutex
	live      map[string]*Tx // by token
	pins      map[int64]int  // running statements, by commit
	leased    int64          // the commit that the stored lease protects
	stop      context.CancelFunc
	stopped   sync.WaitGroup
}

// Open opens the catalog at location, creating or migrating it as needed: "memory:", the path of a
// SQLite file (or sqlite:PATH), or a postgres:// URL. A SQLite file admits one process at a time.
func Open(ctx context.Context, location string, options Options) (*Catalog, error) {
	ownClock := options.Now != nil
	if !ownClock {
		options.Now = time.Now
	}
	if options.Lease <= 0 {
		options.Lease = time.Minute
	}
	if options.Poll <= 0 {
		options.Poll = DefaultPoll
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	c := &Catalog{options: options, data: newDataCache(), live: map[string]*Tx{}, pins: map[int64]int{}, server: newToken(),
		advancing: make(chan struct{}, 1)}
	if err := c.connect(ctx, location); err != nil {
		return nil, err
	}
	c.sharedClock = c.db.postgres && !ownClock
	if err := c.start(ctx); err != nil {
		c.db.close()
		c.guard.release()
		return nil, err
	}
	return c, nil
}

func (c *Catalog) connect(ctx context.Context, location string) (err error) {
	switch {
	case strings.HasPrefix(location, "postgres://"), strings.HasPrefix(location, "postgresql://"):
		c.db, err = openPostgres(ctx, location)
	case location == "memory:":
		c.db, err = openSQLite(ctx, "")
	case location == "":
		return sqlerr.New(sqlerr.ConfigFileError, "the catalog has no location")
	case strings.Contains(location, "://") && !strings.HasPrefix(location, "file://"):
		return sqlerr.New(sqlerr.ConfigFileError, "catalog.url %q is not supported", location).
			WithHint("Use the path of a SQLite file or postgres://user@host/database.")
	default:
		file := strings.TrimPrefix(strings.TrimPrefix(location, "sqlite:"), "file://")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return sqlerr.Wrap(err, sqlerr.IOError, "could not create the catalog's directory")
		}
		if c.guard, err = lockFile(file + ".lock"); err != nil {
			return err
		}
		if c.db, err = openSQLite(ctx, file); err != nil {
			c.guard.release()
		}
	}
	return err
}

func (c *Catalog) start(ctx context.Context) error {
	if err := c.db.migrate(ctx); err != nil {
		return err
	}
	if !c.db.postgres { // no other process has this file: leases are left from earlier runs
		if _, err := c.db.write.ExecContext(ctx, "DELETE FROM tarn_leases"); err != nil {
			return c.db.wrap(ctx, err)
		}
	}
	c.newest = newNewestReader(c.db)
	if _, err := c.refresh(ctx); err != nil {
		return err
	}
	if err := c.renewLease(ctx); err != nil {
		return err
	}
	background, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.stopped.Go(func() { c.keepLease(background) })
	if c.db.postgres {
		c.stopped.Go(func() { c.follow(background) })
	}
	return nil
}

// Close gives the lease back and closes the database. Transactions must have ended.
func (c *Catalog) Close() error {
	c.stop()
	c.stopped.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	c.db.write.ExecContext(ctx, "DELETE FROM tarn_leases WHERE server = $1", c.server)
	err := c.db.close()
	c.guard.release()
	return err
}

// Warehouse is where tables without a location of their own lie.
func (c *Catalog) Warehouse() string { return c.options.Warehouse }

// Commit gives the number of the newest commit that this server knows of.
func (c *Catalog) Commit() int64 { return c.latest.Load().commit }

func (c *Catalog) fail(step string) error {
	if c.options.FailPoint == nil {
		return nil
	}
	return c.options.FailPoint(step)
}

func newToken() string {
	var b [12]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// newID gives an object's ID, unique in the catalog. IDs are taken in blocks; unused ones are lost.
func (c *Catalog) newID(ctx context.Context) (int64, error) {
	c.idMutex.Lock()
	defer c.idMutex.Unlock()
	if c.idNext == c.idEnd {
		const block = 64
		_, err := c.db.update(ctx, func(tx *sql.Tx) error {
			return tx.QueryRowContext(ctx, "UPDATE tarn_counters SET value = value + $1 WHERE name = 'object' RETURNING value",
				block).Scan(&c.idEnd)
		})
		if err != nil {
			c.idEnd = c.idNext
			return 0, err
		}
		c.idNext = c.idEnd - block
	}
	c.idNext++
	return c.idNext, nil
}
