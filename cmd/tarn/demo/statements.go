package demo

import "fmt"

// step is one statement and what to call it when it is timed.
type step struct{ title, sql string }

// definitions creates the schemas and tables; they may exist from an earlier run.
func definitions(raw string) []step {
	return []step{
		{"schemas", `CREATE SCHEMA IF NOT EXISTS raw; CREATE SCHEMA IF NOT EXISTS dwh`},
		{"raw tables over the CSV files", fmt.Sprintf(`
DROP TABLE IF EXISTS raw.orders; DROP TABLE IF EXISTS raw.events;
CREATE EXTERNAL TABLE raw.orders (order_id bigint, customer_id bigint, product_id integer, quantity integer,
  amount decimal(12,2), status text, ordered_at timestamp) PARTITIONED BY (ds date) STORED AS CSV LOCATION '%[1]s/orders/' WITH (header = true);
CREATE EXTERNAL TABLE raw.events (customer_id bigint, action text, device text, product_id integer,
  happened_at timestamp) PARTITIONED BY (ds date) STORED AS CSV LOCATION '%[1]s/events/' WITH (header = true)`, raw)},
		{"warehouse tables", `
CREATE TABLE IF NOT EXISTS dwh.orders (order_id bigint, customer_id bigint, product_id integer, quantity integer,
  amount decimal(12,2), status text, ordered_at timestamp, ds date) PARTITIONED BY (ds) STORED AS PARQUET;
CREATE TABLE IF NOT EXISTS dwh.events (customer_id bigint, action text, device text, product_id integer,
  happened_at timestamp, ds date) PARTITIONED BY (ds) STORED AS ORC;
CREATE TABLE IF NOT EXISTS dwh.customers (customer_id bigint, name text, country text, segment text, since date, ds date)
  PARTITIONED BY (ds) STORED AS ORC;
CREATE TABLE IF NOT EXISTS dwh.products (product_id integer, title text, category text, list_price decimal(10,2), ds date)
  PARTITIONED BY (ds) STORED AS PARQUET;
CREATE TABLE IF NOT EXISTS dwh.revenue (category text, country text, orders bigint, revenue decimal(38,2), ds date)
  PARTITIONED BY (ds) STORED AS PARQUET`},
	}
}

// night is the job of one ds: every statement replaces exactly that day's partition, so that the
// job can be run again.
func night(raw, ds string) []step {
	return []step{
		{"orders", fmt.Sprintf(`INSERT OVERWRITE dwh.orders PARTITION (ds = DATE '%[1]s')
SELECT order_id, customer_id, product_id, quantity, amount, status, ordered_at FROM raw.orders WHERE ds = DATE '%[1]s'`, ds)},
		{"events", fmt.Sprintf(`INSERT OVERWRITE dwh.events PARTITION (ds = DATE '%[1]s')
SELECT customer_id, action, device, product_id, happened_at FROM raw.events WHERE ds = DATE '%[1]s'`, ds)},
		{"customers", fmt.Sprintf(`INSERT OVERWRITE dwh.customers PARTITION (ds = DATE '%[2]s')
SELECT customer_id::bigint, name, country, segment, since::date FROM read_csv('%[1]s/customers.csv', header => true)`, raw, ds)},
		{"products", fmt.Sprintf(`INSERT OVERWRITE dwh.products PARTITION (ds = DATE '%[2]s')
SELECT product_id::integer, title, category, list_price::decimal(10,2) FROM read_csv('%[1]s/products.csv', header => true)`, raw, ds)},
		{"revenue", fmt.Sprintf(`INSERT OVERWRITE dwh.revenue PARTITION (ds = DATE '%[1]s')
SELECT p.category, c.country, count(*), sum(o.amount)
FROM dwh.orders o JOIN dwh.products p ON p.product_id = o.product_id AND p.ds = o.ds
JOIN dwh.customers c ON c.customer_id = o.customer_id AND c.ds = o.ds
WHERE o.ds = DATE '%[1]s' AND o.status <> 'cancelled' GROUP BY p.category, c.country`, ds)},
	}
}

// views points the _latest views at the newest partition.
func views() []step {
	var out []step
	for _, t := range []string{"orders", "events", "customers", "products", "revenue"} {
		out = append(out, step{t + "_latest", fmt.Sprintf(
			`CREATE OR REPLACE VIEW dwh.%[1]s_latest AS SELECT * FROM dwh.%[1]s WHERE ds = latest_partition('dwh.%[1]s')`, t)})
	}
	return out
}

// dashboard is what people look at in the morning.
func dashboard() []step {
	return []step{
		{"orders and revenue by day", `SELECT ds, count(*) AS orders, sum(amount) AS revenue FROM dwh.orders GROUP BY ds ORDER BY ds`},
		{"top categories yesterday", `SELECT category, sum(revenue) AS revenue FROM dwh.revenue_latest GROUP BY category ORDER BY revenue DESC LIMIT 5`},
		{"revenue by country", `SELECT c.country, sum(o.amount) AS revenue FROM dwh.orders o JOIN dwh.customers_latest c USING (customer_id) GROUP BY c.country ORDER BY revenue DESC`},
		{"returns by segment", `SELECT c.segment, count(*) FILTER (WHERE o.status = 'returned') AS returned, count(*) AS orders,
  round(100.0 * count(*) FILTER (WHERE o.status = 'returned') / count(*), 2) AS percent
FROM dwh.orders o JOIN dwh.customers_latest c USING (customer_id) GROUP BY c.segment ORDER BY c.segment`},
		{"best customers", `SELECT c.name, c.country, count(*) AS orders, sum(o.amount) AS spent FROM dwh.orders o JOIN dwh.customers_latest c USING (customer_id)
WHERE o.status IN ('paid', 'shipped') GROUP BY c.name, c.country ORDER BY spent DESC LIMIT 5`},
		{"conversion by device", `SELECT device, count(*) FILTER (WHERE action = 'view') AS views, count(*) FILTER (WHERE action = 'checkout') AS checkouts
FROM dwh.events GROUP BY device ORDER BY device`},
		{"busiest hours", `SELECT extract(hour FROM ordered_at) AS hour, count(*) AS orders FROM dwh.orders GROUP BY 1 ORDER BY orders DESC, hour LIMIT 5`},
		{"growth from day to day", `SELECT ds, revenue, round(100 * (revenue / lag(revenue) OVER (ORDER BY ds) - 1), 2) AS growth
FROM (SELECT ds, sum(amount) AS revenue FROM dwh.orders GROUP BY ds) AS d ORDER BY ds`},
		{"visitors who never bought", `SELECT count(DISTINCT customer_id) AS visitors FROM dwh.events_latest e
WHERE NOT EXISTS (SELECT 1 FROM dwh.orders o WHERE o.customer_id = e.customer_id)`},
		{"median order by category", `SELECT p.category, percentile_cont(0.5) WITHIN GROUP (ORDER BY o.amount::double precision) AS median
FROM dwh.orders_latest o JOIN dwh.products_latest p USING (product_id) GROUP BY p.category ORDER BY p.category`},
	}
}

// nodes shows the work of the nodes since they started.
func nodes() step {
	return step{"since the start", `SELECT name AS node, tasks_done AS tasks, splits_done AS splits, rows_read AS rows, round(bytes_read / 1e6, 1) AS "MB read",
  round(cpu_ms::numeric / 1000, 2) AS "CPU s", get_requests AS "GET", put_requests AS "PUT", list_requests AS "LIST"
FROM system.nodes ORDER BY roles <> 'coordinator', name`}
}
