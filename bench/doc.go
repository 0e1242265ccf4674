// Command bench compares Tarn with DuckDB and Polars SQL: the same queries over the same Parquet files, in place, with
// as many threads each, one engine after the other for every run, and the answers compared. README.md tells how to run it.
//
//	main.go ─▶ data.go     makes the Parquet files, once
//	        ─▶ engine.go   what an engine is: tarn.go (a server, through pgx), pair.go (two servers), cluster.go (a coordinator
//	                       and workers), peer.go (peers.py in a process of its own)
//	        ─▶ run.go      alternates the engines, keeps the fastest run, reads CPU and memory from /proc (process.go)
//	        ─▶ compare.go  compares answers
//	        ─▶ concurrency.go  many clients, cancels and slow readers of a Tarn server (flag -clients)
//	        ─▶ scans.go    reading Parquet and ORC beside DuckDB and ORC C++ (flag -scans), scans_report.go its table
//	        ─▶ texts.go    reading CSV and JSON beside DuckDB (flag -texts)
//	        ─▶ write.go    writing partitioned tables beside DuckDB's COPY (flag -write)
//	        ─▶ isolation.go  resource groups (flag -isolation), share.go the nodes' shares of CPUs
//	        ─▶ report.go   writes the table
package main
