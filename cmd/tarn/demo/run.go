package demo

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
)

// Options say where the warehouse is made and how big it is.
type Options struct {
	URL    string // of the server
	Stores objstore.Locator
	Raw    string // location of the raw files
	Size   Size
	// Cluster spreads every query over the workers, however small, and shows at the end what each node did.
	Cluster bool
}

// Run makes the warehouse and writes what it does to out.
func Run(ctx context.Context, out io.Writer, o Options) error {
	conn, err := pgconn.Connect(ctx, o.URL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	d := &demo{out: out, conn: conn}
	size, raw := o.Size, o.Raw
	if o.Cluster {
		d.run(ctx, step{"setting", "SET distribute_from_rows = 0"})
	}
	d.title("The import left raw CSV files")
	started := time.Now()
	bytes, err := Generate(ctx, o.Stores, raw, size)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  %d days, %d orders, %d events, %s in %s  %s\n", size.Days, size.Days*size.OrdersPerDay, size.Days*size.EventsPerDay,
		memory.FormatBytes(bytes), raw, since(started))
	d.title("Tables")
	d.steps(ctx, definitions(raw))
	for day := range size.Days {
		ds := size.Day(day)
		d.title("The nightly job of ds=" + ds)
		d.steps(ctx, night(raw, ds))
	}
	d.title("The newest partitions get their views")
	d.steps(ctx, views())
	d.title("The dashboard in the morning")
	for _, s := range dashboard() {
		d.show(ctx, s)
	}
	if o.Cluster {
		d.title("What each node did")
		d.show(ctx, nodes())
	}
	return d.failure
}

// demo runs steps until one fails.
type demo struct {
	out     io.Writer
	conn    *pgconn.PgConn
	failure error
}

func (d *demo) title(text string) {
	if d.failure == nil {
		fmt.Fprintf(d.out, "\n== %s\n", text)
	}
}

func since(t time.Time) string { return fmt.Sprintf("%.0f ms", float64(time.Since(t))/1e6) }

func (d *demo) run(ctx context.Context, s step) []*pgconn.Result {
	if d.failure != nil {
		return nil
	}
	results, err := d.conn.Exec(ctx, s.sql).ReadAll()
	if err != nil {
		d.failure = fmt.Errorf("%s: %w\n%s", s.title, err, s.sql)
		return nil
	}
	return results
}

func (d *demo) steps(ctx context.Context, steps []step) {
	for _, s := range steps {
		started := time.Now()
		results := d.run(ctx, s)
		if d.failure != nil {
			return
		}
		fmt.Fprintf(d.out, "  %-32s %-18s %8s\n", s.title, results[len(results)-1].CommandTag, since(started))
	}
}

// show prints a query's rows as a table.
func (d *demo) show(ctx context.Context, s step) {
	started := time.Now()
	results := d.run(ctx, s)
	if d.failure != nil || len(results) == 0 {
		return
	}
	fmt.Fprintf(d.out, "\n%s (%s)\n", s.title, since(started))
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	header := table.Row{}
	for _, f := range results[0].FieldDescriptions {
		header = append(header, f.Name)
	}
	t.AppendHeader(header)
	for _, row := range results[0].Rows {
		line := table.Row{}
		for _, v := range row {
			line = append(line, string(v))
		}
		t.AppendRow(line)
	}
	fmt.Fprintln(d.out, t.Render())
}
