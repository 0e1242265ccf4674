package test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/cmd/tarn/wiring"
)

// TestGroupingInSteps runs random aggregations over joins with and without the passes that cut
// aggregations in steps: the answers must be the same, and often enough the passes must have fired.
func TestGroupingInSteps(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	conn, err := pgconn.Connect(ctx, startServer(t, cell{options: wiring.Options{Drivers: 2}}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	run := func(sql string) []string {
		t.Helper()
		results, err := conn.Exec(ctx, sql).ReadAll()
		if err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
		var rows []string
		for _, row := range results[len(results)-1].Rows {
			var line []string
			for _, v := range row {
				if v == nil {
					line = append(line, "NULL")
				} else {
					line = append(line, string(v))
				}
			}
			rows = append(rows, strings.Join(line, "|"))
		}
		slices.Sort(rows)
		return rows
	}
	run(`CREATE TABLE many (k int, g int, h text, day date, price numeric(9,2), pieces int, big bigint, open boolean);
		INSERT INTO many SELECT CASE WHEN i % 19 = 0 THEN NULL ELSE i % 30 END, i * 7 % 5, 'h' || i % 4, date '2024-01-01' + i % 9,
			CASE WHEN i % 13 = 0 THEN NULL ELSE (i % 97)::numeric / 4 END, i % 50 - 10, i * 1000003::bigint, CASE WHEN i % 4 > 0 THEN i % 3 = 0 END
			FROM generate_series(1, 11000) AS s(i);
		CREATE TABLE few (k int, g int, name text);
		INSERT INTO few SELECT i, i % 6, CASE WHEN i % 5 > 0 THEN 'name ' || i % 7 END FROM generate_series(0, 29) AS s(i);
		INSERT INTO few VALUES (4, 1, 'twice'), (NULL, NULL, 'nobody'), (77, 3, 'unsold')`)
	random, fired := rand.New(rand.NewPCG(1, 2)), 0
	for range 80 {
		sql := aggregation(random)
		run("RESET disabled_passes")
		if strings.Contains(strings.Join(run("EXPLAIN "+sql), "\n"), "Partial HashAggregate") {
			fired++
		}
		got := run(sql)
		run("SET disabled_passes = cascade_grouping_sets, push_aggregates")
		if want := run(sql); !slices.Equal(got, want) {
			t.Errorf("%s\nin steps: %v\nat once:  %v", sql, got, want)
		}
	}
	if fired < 30 {
		t.Errorf("only %d of 80 aggregations were cut in steps", fired)
	}
}

// aggregation makes a query over many and few.
func aggregation(r *rand.Rand) string {
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	some := func(most int, of ...string) []string {
		r.Shuffle(len(of), func(i, k int) { of[i], of[k] = of[k], of[i] })
		return of[:1+r.IntN(most)]
	}
	from := "many m " + one("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN") + " few f ON m.k = f.k"
	if r.IntN(3) == 0 {
		from += " " + one("JOIN", "LEFT JOIN") + " few e ON e.g = m.g"
	}
	keys := some(3, "f.name", "m.g", "f.g", "m.h", "m.k", "m.g % 2", "coalesce(f.name, m.h)")
	calls := some(5, "count(*)", "count(m.price)", "sum(m.price)", "sum(m.pieces)", "sum(m.big)", "round(avg(m.price), 6)", "min(m.day)", "max(m.h)",
		"bool_and(m.open)", "bool_or(m.open)", "sum(m.price * 2.5)", "sum(coalesce(m.pieces, 1))", "sum(m.pieces) FILTER (WHERE m.open)",
		"count(*) FILTER (WHERE m.pieces > 0)", "sum(CASE WHEN m.open THEN m.price END)")
	if r.IntN(8) == 0 {
		calls = append(calls, one("max(f.name)", "count(DISTINCT m.g)", "sum(f.g)"))
	}
	list := strings.Join(keys, ", ")
	by := one("%s", "%s", "%s", "ROLLUP (%s)", "CUBE (%s)", "GROUPING SETS ((%s), ())")
	where := one("", "", " WHERE f.g > 1", " WHERE m.pieces <> 3", " WHERE EXISTS (SELECT FROM few x WHERE x.k = m.g)")
	if r.IntN(8) == 0 {
		return fmt.Sprintf("SELECT DISTINCT %s FROM %s%s", list, from, where)
	}
	return fmt.Sprintf("SELECT %s, %s FROM %s%s GROUP BY "+by, list, strings.Join(calls, ", "), from, where, list)
}
