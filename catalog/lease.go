package catalog

import (
	"context"
	"database/sql"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// A server's lease is one row: no snapshot from that commit on may lose files. It is renewed in the
// background and moves forward as transactions end; only a look at the past moves it back, under
// the lock that VACUUM takes.

// enter registers a transaction; false when its snapshot is older than what the lease protects.
func (c *Catalog) enter(tx *Tx) bool {
	c.liveMutex.Lock()
	defer c.liveMutex.Unlock()
	if tx.base.commit < c.leased {
		return false
	}
	c.live[tx.token] = tx
	c.pins[tx.base.commit]++
	return true
}

func (c *Catalog) leave(tx *Tx) {
	c.liveMutex.Lock()
	defer c.liveMutex.Unlock()
	delete(c.live, tx.token)
	c.unpin(tx.base.commit)
	for _, commit := range tx.past {
		c.unpin(commit)
	}
	tx.past = nil
}

func (c *Catalog) unpin(commit int64) {
	if c.pins[commit]--; c.pins[commit] == 0 {
		delete(c.pins, commit)
	}
}

func (c *Catalog) liveTx(token string) *Tx {
	c.liveMutex.Lock()
	defer c.liveMutex.Unlock()
	return c.live[token]
}

// oldest is the oldest commit that a transaction of this server reads, or the newest that it knows.
func (c *Catalog) oldest() int64 {
	commit := c.latest.Load().commit
	for pinned := range c.pins {
		commit = min(commit, pinned)
	}
	return commit
}

// renewLease stores the lease anew, moved forward as far as transactions allow.
func (c *Catalog) renewLease(ctx context.Context) error {
	if c.db.postgres { // another server may have committed much since
		if _, err := c.refresh(ctx); err != nil {
			return err
		}
	}
	_, err := c.db.update(ctx, func(q *sql.Tx) error {
		if err := lockVacuum(ctx, q); err != nil {
			return err
		}
		c.liveMutex.Lock()
		commit := c.oldest()
		c.leased = commit // from here on older snapshots are refused
		c.liveMutex.Unlock()
		return c.storeLease(ctx, q, commit)
	})
	return err
}

func (c *Catalog) storeLease(ctx context.Context, q querier, commit int64) error {
	now, err := c.clock(ctx, q)
	if err != nil {
		return err
	}
	expires := now + c.options.Lease.Microseconds()
	_, err = q.ExecContext(ctx, `INSERT INTO tarn_leases (server, commit_id, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (server) DO UPDATE SET commit_id = $2, expires_at = $3`, c.server, commit, expires)
	return c.db.wrap(ctx, err)
}

// clock gives the microseconds since 1970 that leases go by: those of PostgreSQL where several servers
// share it, whose own clocks may differ.
func (c *Catalog) clock(ctx context.Context, q querier) (micros int64, err error) {
	if !c.sharedClock {
		return c.options.Now().UnixMicro(), nil
	}
	err = q.QueryRowContext(ctx, "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint").Scan(&micros)
	return micros, err
}

func (c *Catalog) keepLease(ctx context.Context) {
	ticker := time.NewTicker(c.options.Lease / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			// A catalog that is down has no VACUUM either; the next tick tries again.
			c.renewLease(ctx)
		}
	}
}

// pinPast protects an old commit for tx, or tells that VACUUM was there before.
func (c *Catalog) pinPast(ctx context.Context, tx *Tx, t *Table, commit int64) error {
	c.liveMutex.Lock()
	protected := commit >= c.leased
	if protected {
		c.pins[commit]++
		tx.past = append(tx.past, commit)
	}
	c.liveMutex.Unlock()
	if protected {
		return nil
	}
	_, err := c.db.update(ctx, func(q *sql.Tx) error {
		if err := lockVacuum(ctx, q); err != nil {
			return err
		}
		var versions int64
		err := q.QueryRowContext(ctx, "SELECT COUNT(*) FROM tarn_versions WHERE table_id = $1 AND commit_id = $2", t.ID, commit).Scan(&versions)
		if err != nil {
			return err
		}
		if versions == 0 { // it was there a moment ago
			return sqlerr.New(sqlerr.ObjectNotInPrerequisiteState, "this version of table %q has been removed by VACUUM", t.Name).
				WithHint("The table property history_retention says how long versions stay.")
		}
		c.liveMutex.Lock()
		c.leased = min(c.leased, commit)
		c.pins[commit]++
		tx.past = append(tx.past, commit)
		c.liveMutex.Unlock()
		return c.storeLease(ctx, q, commit)
	})
	return err
}

// lockVacuum keeps VACUUM, and renewals of leases, out for the rest of q.
func lockVacuum(ctx context.Context, q querier) error {
	_, err := q.ExecContext(ctx, "UPDATE tarn_counters SET value = value + 1 WHERE name = 'vacuum'")
	return err
}

var (
	_ connectors.FileLister      = (*Catalog)(nil)
	_ connectors.FileHistory     = (*Catalog)(nil)
	_ connectors.FileTransaction = (*Tx)(nil)
)

// ForgetOtherServers ends the leases of all other servers, for an administrator who knows that they
// are gone; otherwise that takes as long as a lease.
func (c *Catalog) ForgetOtherServers(ctx context.Context) error {
	_, err := c.db.write.ExecContext(ctx, "DELETE FROM tarn_leases WHERE server <> $1", c.server)
	return c.db.wrap(ctx, err)
}
