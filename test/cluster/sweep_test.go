package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/internal/rpc"
)

// TestQueriesOnABadNetwork runs queries of TPC-H in random order, some of them cancelled, some of them writing, while
// requests of every kind are held up, lost, repeated and cut: each query ends in time, with the answer that it has
// without workers or with an error that says to try again, and leaves nothing.
func TestQueriesOnABadNetwork(t *testing.T) {
	rounds := 1
	if os.Getenv(allVariable) != "" {
		rounds = 8
	}
	alone, _ := serve(t, 0, nil)
	queries := tpch(t, alone, "sf0_01", false)
	answers := map[string][]string{}
	for name, sql := range queries {
		rows, err := query(t, alone, sql)
		if err != nil {
			t.Fatal(name, err)
		}
		answers[name] = rows
	}
	for round := range uint64(rounds) {
		t.Run(fmt.Sprint(round), func(t *testing.T) { sweep(t, 2+round, queries, answers) })
	}
}

func sweep(t *testing.T, seed uint64, queries map[string]string, answers map[string][]string) {
	random := rand.New(rand.NewPCG(seed, 4))
	faults, every := NewFaults(seed, 0), 8+random.IntN(60)
	conn, data := serve(t, 3, faults)
	tpch(t, conn, "sf0_01", false)
	must(t, conn, "CREATE TABLE target STORED AS PARQUET AS SELECT * FROM orders LIMIT 0", "")
	kept := files(t, data)
	faults.Every(every)
	names := slices.Sorted(maps.Keys(queries))
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	right, cancelled, written, failed := 0, 0, 0, 0
	var longest time.Duration
	for _, name := range names {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		stop := func() bool { return true }
		if random.IntN(4) == 0 {
			stop = time.AfterFunc(time.Duration(random.IntN(80))*time.Millisecond, func() { _ = conn.CancelRequest(ctx) }).Stop
		}
		began := time.Now()
		rows, err := Query(ctx, conn, queries[name])
		longest = max(longest, time.Since(began))
		called := !stop()
		cancel()
		switch code := codeOf(err); {
		case err == nil && slices.Equal(rows, answers[name]):
			right++
		case code == "57014" && called:
			cancelled++
		case code == "08006":
			failed++
			t.Log(name, err)
		default:
			t.Errorf("%s: %v\n%q\n%q", name, err, rows, answers[name])
		}
		if called { // it may come late
			time.Sleep(50 * time.Millisecond)
		}
		switch _, err = query(t, conn, "INSERT INTO target SELECT * FROM orders WHERE o_orderkey % 3 = 0"); {
		case err == nil:
			written++
		case codeOf(err) != "08006" && codeOf(err) != "57014":
			t.Errorf("INSERT: %v", err)
		}
	}
	total, paths := faults.Struck()
	t.Logf("%d right, %d cancelled, %d failed, %d writes; longest %v; %d faults, one in %d: %v", right, cancelled, failed, written, longest, total, every, paths)
	for _, path := range []string{rpc.StartPath, rpc.StatusPath, rpc.ReleasePath, rpc.FiltersPath, rpc.PagesPath, rpc.SplitsPath} {
		if paths[path] == 0 {
			t.Errorf("no request to %s was in trouble", path)
		}
	}
	faults.Every(0)
	must(t, conn, fmt.Sprintf("SELECT count(*) = %d * (SELECT count(*) FROM orders WHERE o_orderkey %% 3 = 0) FROM target", written), "t")
	must(t, conn, "TRUNCATE target", "")
	must(t, conn, "VACUUM (history '0 s', grace '1 day')", "")
	if n := files(t, data); n != kept {
		t.Errorf("%d files are left of writes", n-kept)
	}
}

func codeOf(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}
