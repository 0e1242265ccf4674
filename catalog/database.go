package catalog

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"github.com/tarnlake/tarn/catalog/migrations"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// database is the SQL store: SQLite with one writing connection and several reading ones, or
// PostgreSQL.
type database struct {
	write, read *sql.DB
	postgres    bool
	name        string // for messages, without secrets
	location    string // of PostgreSQL
}

func openSQLite(ctx context.Context, file string) (*database, error) {
	const pragmas = "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_pragma=temp_store(MEMORY)"
	d := &database{name: file}
	if file == "" {
		db, err := sql.Open("sqlite", "file::memory:"+pragmas)
		if err != nil {
			return nil, d.wrap(ctx, err)
		}
		db.SetMaxOpenConns(1) // each connection would be a database of its own
		d.write, d.read, d.name = db, db, "in memory"
		return d, nil
	}
	path := "file:" + (&url.URL{Path: file}).EscapedPath() + pragmas
	var err error
	if d.write, err = sql.Open("sqlite", path+"&_txlock=immediate"); err != nil {
		return nil, d.wrap(ctx, err)
	}
	d.write.SetMaxOpenConns(1)
	if d.read, err = sql.Open("sqlite", path+"&_pragma=query_only(1)"); err != nil {
		return nil, d.wrap(ctx, err)
	}
	d.read.SetMaxOpenConns(4)
	d.read.SetMaxIdleConns(4)
	return d, nil
}

func openPostgres(ctx context.Context, location string) (*database, error) {
	d := &database{postgres: true, name: location, location: location}
	if u, err := url.Parse(location); err == nil {
		d.name = u.Redacted()
	}
	db, err := sql.Open("pgx", location)
	if err != nil {
		return nil, d.wrap(ctx, err)
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	db.SetConnMaxIdleTime(5 * time.Minute)
	d.write, d.read = db, db
	return d, nil
}

// migrate brings the schema up to date; several servers may do so at once.
func (d *database) migrate(ctx context.Context) error {
	dialect := goose.DialectSQLite3
	if d.postgres {
		dialect = goose.DialectPostgres
		// goose's own lock covers only its version table's rows.
		conn, err := d.write.Conn(ctx)
		if err != nil {
			return d.wrap(ctx, err)
		}
		defer conn.Close()
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(7236473)"); err != nil {
			return d.wrap(ctx, err)
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(7236473)")
	}
	provider, err := goose.NewProvider(dialect, d.write, migrations.Files, goose.WithTableName("tarn_migrations"))
	if err != nil {
		return d.wrap(ctx, err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return d.wrap(ctx, err)
	}
	return nil
}

// update runs change in one transaction that may write. commitLost tells that the outcome of the
// final COMMIT is unknown.
func (d *database) update(ctx context.Context, change func(tx *sql.Tx) error) (commitLost bool, err error) {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return false, d.wrap(ctx, err)
	}
	defer tx.Rollback()
	if err := change(tx); err != nil {
		return false, d.wrap(ctx, err)
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if err := tx.Commit(); err != nil {
		return true, d.wrap(ctx, err)
	}
	return false, nil
}

// view runs look in one transaction that sees one state of the database.
func (d *database) view(ctx context.Context, look func(tx *sql.Tx) error) error {
	options := &sql.TxOptions{ReadOnly: true}
	if d.postgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	tx, err := d.read.BeginTx(ctx, options)
	if err != nil {
		return d.wrap(ctx, err)
	}
	defer tx.Rollback()
	return d.wrap(ctx, look(tx))
}

func (d *database) close() error {
	err := d.write.Close()
	if d.read != d.write {
		err = errors.Join(err, d.read.Close())
	}
	return err
}

// querier is a *sql.DB or a *sql.Tx.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// each runs a query and calls scan for every row.
func each(ctx context.Context, q querier, query string, args []any, scan func(row *sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// insert writes rows of equal width, several a statement: many to PostgreSQL, where a round trip is
// dear, few to SQLite, which looks parameters up one by one.
func (d *database) insert(ctx context.Context, q querier, into string, rows [][]any) error {
	most := 25
	if d.postgres {
		most = 400
	}
	query := ""
	for chunk := range slices.Chunk(rows, most) {
		args := make([]any, 0, len(chunk)*len(chunk[0]))
		for _, row := range chunk {
			args = append(args, row...)
		}
		if query == "" || len(chunk) < most {
			query = "INSERT INTO " + into + " VALUES " + d.tuples(len(chunk), len(chunk[0]))
		}
		if _, err := q.ExecContext(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

// tuples gives "($1,$2),($3,$4)", for SQLite "(?,?),(?,?)".
func (d *database) tuples(rows, width int) string {
	var b strings.Builder
	for i := range rows * width {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%width == 0:
			b.WriteString("),(")
		default:
			b.WriteByte(',')
		}
		if d.postgres {
			fmt.Fprintf(&b, "$%d", i+1)
		} else {
			b.WriteByte('?')
		}
	}
	b.WriteByte(')')
	return b.String()
}

// placeholders gives "$from, $from+1, …", count of them.
func placeholders(from, count int) string {
	var b strings.Builder
	for i := range count {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}

// The result codes of SQLite that users can do something about.
const (
	sqliteBusy     = 5
	sqliteLocked   = 6
	sqliteReadOnly = 8
	sqliteIOError  = 10
	sqliteCorrupt  = 11
	sqliteFull     = 13
	sqliteCantOpen = 14
	sqliteNotADB   = 26
)

// wrap words a database error for the user; sqlerr errors pass. Once ctx has ended, so has what ran in
// it: drivers tell that in words of their own (interrupted, a transaction that is done, a bad connection).
func (d *database) wrap(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var known *sqlerr.Error
	if errors.As(err, &known) {
		return err
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return d.wrapSQLite(lite)
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return d.wrapPostgres(server)
	}
	var network net.Error
	var connect *pgconn.ConnectError
	if errors.As(err, &network) || errors.As(err, &connect) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed") {
		return d.unreachable(err)
	}
	return sqlerr.Wrap(err, sqlerr.SystemError, "catalog failed")
}

func (d *database) unreachable(err error) error {
	out := sqlerr.New(sqlerr.ConnectionFailure, "the catalog cannot be reached").
		WithHint("Check that the database of catalog.url is running; the server goes on by itself once it is.")
	out.Detail = "Catalog " + d.name + ": " + firstLine(err.Error()) + "."
	out.Cause = err
	return out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return strings.TrimSuffix(line, ".")
}

func (d *database) wrapSQLite(err *sqlite.Error) error {
	switch err.Code() & 0xff {
	case sqliteBusy, sqliteLocked:
		return sqlerr.Wrap(err, sqlerr.LockNotAvailable, "the catalog is locked by another process").
			WithDetail("Catalog %s.", d.name).WithHint("End the program that holds %s open, then try again.", d.name)
	case sqliteFull:
		return sqlerr.Wrap(err, sqlerr.DiskFull, "could not write to the catalog: No space left on device").WithDetail("Catalog %s.", d.name)
	case sqliteReadOnly:
		return sqlerr.Wrap(err, sqlerr.InsufficientPrivilege, "could not write to the catalog: it is read-only").WithDetail("Catalog %s.", d.name)
	case sqliteIOError, sqliteCantOpen:
		return sqlerr.Wrap(err, sqlerr.IOError, "could not read or write the catalog").WithDetail("Catalog %s.", d.name)
	case sqliteCorrupt, sqliteNotADB:
		return sqlerr.Wrap(err, sqlerr.DataCorrupted, "the catalog is damaged").WithDetail("Catalog %s.", d.name)
	}
	return sqlerr.Wrap(err, sqlerr.SystemError, "catalog failed")
}

func (d *database) wrapPostgres(err *pgconn.PgError) error {
	switch {
	case strings.HasPrefix(err.Code, "08"), err.Code == "57P01", err.Code == "57P02", err.Code == "57P03":
		return d.unreachable(err)
	case err.Code == "53100":
		return sqlerr.Wrap(err, sqlerr.DiskFull, "could not write to the catalog")
	case err.Code == "40001", err.Code == "40P01":
		return sqlerr.Wrap(err, sqlerr.SerializationFailure, "could not serialize access due to concurrent update")
	case err.Code == "55P03":
		return sqlerr.Wrap(err, sqlerr.LockNotAvailable, "the catalog is locked")
	case strings.HasPrefix(err.Code, "28"), strings.HasPrefix(err.Code, "3D"):
		return d.unreachable(err)
	}
	return sqlerr.Wrap(err, sqlerr.SystemError, "catalog failed")
}

// transient tells whether trying again soon may help.
func transient(err error) bool {
	switch sqlerr.CodeOf(err) {
	case sqlerr.ConnectionFailure, sqlerr.LockNotAvailable:
		return true
	}
	return false
}
