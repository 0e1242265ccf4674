// Command slt runs .slt files against any server that speaks the PostgreSQL protocol, or fills in
// their answers from it:
//
//	go run ./test/sqllogic/slt [--complete] [--server postgresql] --url postgres://… FILE…
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/test/sqllogic"
)

func main() {
	complete := flag.Bool("complete", false, "write the server's answers into the files")
	name := flag.String("server", "tarn", "the server's name for skipif and onlyif")
	url := flag.String("url", "postgres://127.0.0.1:5439/tarn", "the server")
	most := flag.Int("most", 10, "failures shown of a file")
	flag.Parse()
	failed, passed := 0, 0
	for _, path := range flag.Args() {
		ok, bad, err := run(path, *url, *name, *complete, *most)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		passed, failed = passed+ok, failed+bad
		fmt.Printf("%-50s %5d passed %5d failed\n", path, ok, bad)
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

func run(path, url, name string, complete bool, most int) (passed, failed int, err error) {
	ctx := context.Background()
	f, err := sqllogic.ParseFile(path)
	if err != nil {
		return 0, 0, err
	}
	conn, err := pgconn.Connect(ctx, url)
	if err != nil {
		return 0, 0, err
	}
	defer func() { conn.Close(ctx) }()
	server := &sqllogic.Server{Name: name, Conn: conn}
	if complete {
		failures := server.Complete(ctx, f)
		for _, failure := range failures {
			fmt.Println(failure)
		}
		return len(f.Records) - len(failures), len(failures), os.WriteFile(path, []byte(strings.Join(f.Lines, "\n")), 0o644)
	}
	for _, r := range f.Records {
		if !server.Applies(r) {
			continue
		}
		if failure := server.Run(ctx, r); failure != nil {
			failed++
			if failed <= most {
				fmt.Printf("%s:%d: %v\n%s\n\n", path, r.Line, failure, r.SQL)
			}
			if conn.IsClosed() {
				return passed, failed, fmt.Errorf("%s:%d: the server closed the connection", path, r.Line)
			}
			continue
		}
		passed++
	}
	return passed, failed, nil
}
