package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tarnlake/tarn/connectors/tpch/generator"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// prepareData makes the suite's Parquet files where they are missing.
func prepareData(ctx context.Context, o options) error {
	if o.suite != "tpch" {
		return prepareTPCDS(ctx, o)
	}
	scale, err := generator.ParseScale(o.scale)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	rows := generator.New()
	for _, table := range generator.Tables() {
		path := filepath.Join(o.dir, table.Name()+".parquet")
		if _, err := os.Stat(path); err == nil {
			continue
		}
		fmt.Fprintf(os.Stderr, "writing %s\n", path)
		if o.dataBy == "tarn" {
			err = writeByTarn(ctx, o, table, path)
		} else {
			err = writeByDuckDB(ctx, o, rows, table, scale, path)
		}
		if err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
	}
	return nil
}

// prepareTPCDS has DuckDB make the TPC-DS tables.
func prepareTPCDS(ctx context.Context, o options) error {
	if found, _ := filepath.Glob(filepath.Join(o.dir, "*.parquet")); len(found) > 0 {
		return nil
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, o.python, filepath.Join(o.folder, "peers.py"), "tpcds", "--scale", o.scale, "--out", o.dir)
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%w (the wheel duckdb==1.0.0 contains the tpcds extension; name its Python with -python and add -prepare)", err)
	}
	return nil
}

// writeByDuckDB pipes the generator's rows as CSV into DuckDB.
func writeByDuckDB(ctx context.Context, o options, rows *generator.Generator, table generator.Table, scale generator.Scale, path string) error {
	columns, err := json.Marshal(duckDBTypes(table))
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, o.python, filepath.Join(o.folder, "peers.py"), "parquet", "--columns", string(columns), "--out", path)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	written := writeCSV(in, rows, table, scale)
	return errors.Join(written, in.Close(), command.Wait())
}

// duckDBTypes gives the columns' names and types as DuckDB's own generator has them.
func duckDBTypes(table generator.Table) [][2]string {
	var out [][2]string
	for _, column := range table.Columns() {
		name := "VARCHAR"
		switch column.Type.Kind {
		case types.Int64:
			name = "BIGINT"
		case types.Int32:
			name = "INTEGER"
		case types.Date:
			name = "DATE"
		case types.Decimal:
			name = fmt.Sprintf("DECIMAL(%d,%d)", column.Type.Precision, column.Type.Scale)
		}
		out = append(out, [2]string{column.Name, name})
	}
	return out
}

// writeCSV writes a table with | between the values, which never hold one.
func writeCSV(to io.Writer, rows *generator.Generator, table generator.Table, scale generator.Scale) error {
	w := bufio.NewWriterSize(to, 1<<20)
	columns := make([]*vec.Vector, len(table.Columns()))
	days := dayNames()
	r := rows.Reader(table, scale, 0, table.Units(scale), vec.BatchSize)
	var line []byte
	for n := r.Next(); n > 0; n = r.Next() {
		for i := range columns {
			columns[i] = r.Column(i)
		}
		for row := range n {
			line = line[:0]
			for _, v := range columns {
				line = append(appendText(line, v, row, days), '|')
			}
			line[len(line)-1] = '\n'
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
	}
	return w.Flush()
}

// firstDay is the first that dayNames names.
const firstDay = 8000

// dayNames gives the days from 1991 to 1999 as texts.
func dayNames() []string {
	names := make([]string, 3000)
	for i := range names {
		names[i] = time.Unix(int64(firstDay+i)*86400, 0).UTC().Format(time.DateOnly)
	}
	return names
}

func appendText(line []byte, v *vec.Vector, row int, days []string) []byte {
	if v.Enc == vec.Dict {
		return append(line, v.Bytes(row)...)
	}
	switch v.Type.Kind {
	case types.Int64:
		return strconv.AppendInt(line, vec.Values[int64](v)[row], 10)
	case types.Int32:
		return strconv.AppendInt(line, int64(vec.Values[int32](v)[row]), 10)
	case types.Date:
		return append(line, days[vec.Values[int32](v)[row]-firstDay]...)
	case types.Decimal:
		cents := vec.Values[int64](v)[row]
		if cents < 0 {
			line, cents = append(line, '-'), -cents
		}
		line = strconv.AppendInt(line, cents/100, 10)
		return append(line, '.', byte('0'+cents/10%10), byte('0'+cents%10))
	}
	return append(line, v.Bytes(row)...)
}

// writeByTarn has a tarn server copy a table of its tpch catalog.
func writeByTarn(ctx context.Context, o options, table generator.Table, path string) error {
	t, err := startServer(ctx, o)
	if err != nil {
		return err
	}
	defer t.Close()
	schema := "sf" + strings.Replace(o.scale, ".", "_", 1)
	_, err = t.Run(ctx, fmt.Sprintf("COPY (SELECT * FROM tpch.%s.%s) TO '%s' (FORMAT parquet)", schema, table.Name(), path))
	return err
}
