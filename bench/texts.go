package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// This file measures reading text files: about 1 GB (at scale 1) of lineitem as CSV with a header and as JSON lines, written
// once by DuckDB, whose types both engines find out by themselves. Queries over all columns, over four and over
// none, and a table made of the rows; engines take turns in one run.

// textFile is a file of some rows of lineitem.
type textFile struct {
	name, reader, rows, options string
}

func textFiles() []textFile {
	return []textFile{
		{"lineitem.csv", "read_csv", "SELECT * FROM lineitem UNION ALL SELECT * FROM lineitem WHERE l_linenumber < 3", "FORMAT csv, HEADER"},
		{"lineitem.ndjson", "read_json", "SELECT * FROM lineitem WHERE l_linenumber < 3", "FORMAT json"},
	}
}

// textQueries lists what is asked of a file; %s is the call that reads it.
func textQueries() []struct{ name, sql string } {
	var all []string
	for _, column := range strings.Fields("l_orderkey l_partkey l_suppkey l_linenumber l_quantity l_extendedprice l_discount l_tax") {
		all = append(all, "sum("+column+")")
	}
	for _, column := range strings.Fields("l_returnflag l_linestatus l_shipdate l_commitdate l_receiptdate l_shipinstruct l_shipmode l_comment") {
		all = append(all, "min("+column+")", "max("+column+")")
	}
	return []struct{ name, sql string }{
		{"all 16 columns", "SELECT " + strings.Join(all, ", ") + " FROM %s"},
		{"4 columns", "SELECT sum(l_quantity), sum(l_extendedprice), min(l_shipdate), max(l_discount) FROM %s"},
		{"count(*)", "SELECT count(*) FROM %s"},
		{"CREATE TABLE AS", "CREATE OR REPLACE TABLE copied AS SELECT * FROM %s"},
	}
}

// texts measures them and prints a table.
func texts(ctx context.Context, o options, out io.Writer) error {
	t, duck, err := startWithDuckDB(ctx, o)
	if err != nil {
		return err
	}
	defer t.Close()
	defer duck.Close()
	fmt.Fprintf(out, "| file | query | Tarn, s | DuckDB, s | speed to DuckDB | Tarn, CPU s | DuckDB, CPU s | CPU to DuckDB |\n|---|---|---:|---:|---:|---:|---:|---:|\n")
	for _, f := range textFiles() {
		path := filepath.Join(o.dir, f.name)
		if _, err := os.Stat(path); err != nil {
			if _, err := duck.Run(ctx, fmt.Sprintf("COPY (%s) TO '%s' (%s)", f.rows, path, f.options)); err != nil {
				return err
			}
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		for _, q := range textQueries() {
			sql := fmt.Sprintf(q.sql, fmt.Sprintf("%s('%s')", f.reader, path))
			result, err := measureQuery(ctx, []Engine{t, duck}, query{sql: sql}, o.runs, o.timeout)
			if err != nil {
				return err
			}
			own, peer := result.runs[0], result.runs[1]
			for _, m := range result.runs {
				if m.err != nil || m.differs != "" && strings.HasPrefix(sql, "SELECT") {
					return fmt.Errorf("%s: %s", sql, m.text())
				}
			}
			fmt.Fprintf(out, "| %s, %d MB | %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f |\n", f.name, info.Size()>>20, q.name, own.seconds, peer.seconds,
				peer.seconds/own.seconds, own.cpu, peer.cpu, own.cpu/peer.cpu)
		}
	}
	return nil
}
