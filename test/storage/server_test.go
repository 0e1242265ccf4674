package storage

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/cmd/tarn/node"
	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/test/cluster"
	"github.com/tarnlake/tarn/test/s3test"
)

// client is a connection to a server of its own whose warehouse lies on S3.
type client struct {
	t      *testing.T
	conn   *pgconn.PgConn
	system *wiring.System
}

// start runs a server in this process. endpoint is that of the S3 server, or of a proxy before it.
func start(t *testing.T, endpoint string, change func(*config.Config)) *client {
	t.Helper()
	return startCluster(t, endpoint, 0, change)
}

// startCluster is start with workers, in this process too, over which all queries are spread.
func startCluster(t *testing.T, endpoint string, workers int, change func(*config.Config)) *client {
	t.Helper()
	ctx := context.Background()
	c := config.Default()
	c.Server.PgListen, c.Server.HTTPListen = "127.0.0.1:0", ""
	c.Storage.Warehouse = "s3://" + s3test.Bucket + "/warehouse"
	c.Storage.S3.Endpoint, c.Storage.S3.PathStyle, c.Storage.S3.Region = endpoint, true, "us-east-1"
	c.Storage.S3.AccessKeyID, c.Storage.S3.SecretAccessKey = s3test.AccessKey, s3test.SecretKey
	if change != nil {
		change(c)
	}
	endWorkers := func() {}
	if workers > 0 {
		c.Settings["distribute_from_rows"] = "0"
	}
	system, err := wiring.Open(ctx, wiring.Options{Config: c, InMemory: true, Drivers: 2})
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.Start(ctx, node.Options{Config: c, Version: "test", Engine: system.Engine, Parse: parser.Parse, Listen: true})
	if err != nil {
		t.Fatal(err)
	}
	system.UseSessions(n.Manager())
	if workers > 0 {
		endWorkers = cluster.Attach(t, system, workers, nil)
	}
	conn, err := pgconn.Connect(ctx, "postgres://tester@"+n.Address()+"/tarn?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close(ctx)
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		n.Stop(ctx)
		endWorkers()
		if err := system.Close(); err != nil {
			t.Error(err)
		}
	})
	return &client{t, conn, system}
}

// try runs statements and gives the rows of the last one, columns joined by "|" and rows by newlines.
func (c *client) try(sql string) (string, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	results, err := c.conn.Exec(ctx, sql).ReadAll()
	if err != nil || len(results) == 0 {
		return "", err
	}
	var rows []string
	for _, row := range results[len(results)-1].Rows {
		var values []string
		for _, v := range row {
			values = append(values, string(v))
		}
		rows = append(rows, strings.Join(values, "|"))
	}
	return strings.Join(rows, "\n"), nil
}

func (c *client) run(sql string) string {
	c.t.Helper()
	out, err := c.try(sql)
	if err != nil {
		c.t.Fatalf("%v\n%s", err, sql)
	}
	return out
}

func (c *client) want(sql, want string) {
	c.t.Helper()
	if got := c.run(sql); got != want {
		c.t.Errorf("%s\ngives\n%s\nwant\n%s", sql, got, want)
	}
}

// series makes a table of n rows in days partitions.
func series(table string, n, days int) string {
	return fmt.Sprintf(`CREATE TABLE %s PARTITIONED BY (ds) STORED AS PARQUET AS
SELECT i AS id, 'row ' || i AS name, DATE '2020-01-01' + (i %% %d)::int AS ds FROM generate_series(1, %d) AS g(i)`, table, days, n)
}
