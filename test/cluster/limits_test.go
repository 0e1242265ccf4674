package cluster

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/internal/config"
)

// A query may read query_bytes on all nodes together.
func TestQueryBytesBoundTheSumOfTheNodes(t *testing.T) {
	const limit = config.Size(5 << 19)
	conn, data := serveWith(t, 3, nil, func(c *config.Config) {
		c.ResourceGroups = map[string]config.ResourceGroup{"bounded": {CPUWeight: 1, QueryBytes: limit}}
	})
	must(t, conn, "CREATE TABLE t PARTITIONED BY (p) STORED AS PARQUET AS SELECT md5(g::text) AS m, g % 6 AS p FROM generate_series(1, 200000) AS s(g)", "")
	var size int64
	err := filepath.WalkDir(filepath.Join(data, "warehouse"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil || size*9/10 < int64(limit) || size/2 > int64(limit) {
		t.Fatalf("%d bytes: more than one node may read, and less than two are wanted: %v", size, err)
	}
	must(t, conn, "SELECT count(m) FROM t", "200000")
	must(t, conn, "SET resource_group = bounded", "")
	must(t, conn, "SELECT count(m) FROM t WHERE p < 2", "66667")
	var refused *pgconn.PgError
	if _, err := query(t, conn, "SELECT count(m) FROM t"); !errors.As(err, &refused) || refused.Code != "57014" ||
		refused.Message != `canceling statement due to the limits of resource group "bounded"` || refused.Detail != "resource_groups.bounded.query_bytes is "+limit.String()+"." {
		t.Errorf("%v", err)
	}
	must(t, conn, "RESET resource_group; SELECT count(m) FROM t", "200000")
}
