package main

import (
	"context"
	"fmt"
	"strings"
)

// Engine answers queries in a process of its own, or in several.
type Engine interface {
	Name() string
	Version() string
	// PIDs are the engine's processes, none when they are not known.
	PIDs() []int
	// Run answers one query. An error that is not the context's leaves the engine fit for the next query.
	Run(ctx context.Context, sql string) (answer, error)
	Close() error
}

// answer is a query's result and what it cost.
type answer struct {
	rows    [][]cell
	seconds float64 // until the last row was there
	cpu     float64 // of all processes, user and system
	gets    int     // requests of objects' bytes, of engines that read from S3
	heads   int
}

// cell is one value of an answer: nil for NULL, else a text with a letter for its kind before it (i integer, d decimal,
// f floating point, s anything else).
type cell *string

// startEngines starts the engines that the flags name. On an error it gives those that have been started.
func startEngines(ctx context.Context, o options) ([]Engine, error) {
	var engines []Engine
	var buckets *bucketServer
	for name := range strings.SplitSeq(o.engines, ",") {
		var engine Engine
		var err error
		switch name {
		case "tarn":
			engine, err = startTarn(ctx, o)
		case "tarn-orc", "tarn-parquet":
			engine, err = startTables(ctx, o, name)
		case "cluster":
			engine, err = startCluster(ctx, o)
		case "pair":
			engine, err = startPair(ctx, o)
		case "duckdb", "polars":
			engine, err = startPeer(o, name)
		case "tarn-s3", "tarn-cached", "duckdb-s3":
			owns := buckets == nil
			if owns {
				buckets, err = startBucketServer(o)
			}
			if err == nil {
				engine, err = startOnS3(ctx, o, name, buckets, owns)
			}
		default:
			err = fmt.Errorf("there is no engine %q (tarn, cluster, pair, duckdb, polars, tarn-s3, tarn-cached, duckdb-s3)", name)
		}
		if err != nil {
			return engines, err
		}
		engines = append(engines, engine)
	}
	return engines, nil
}

// isPeer says whether an engine is somebody else's: the measure of answers and of speed.
func isPeer(name string) bool {
	return name != "cluster" && name != "pair" && name != "tarn" && !strings.HasPrefix(name, "tarn-")
}
