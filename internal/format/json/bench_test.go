package json

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/types"
)

// lineitems makes lines like those of TPC-H's largest table.
func lineitems(rows int) []byte {
	var out strings.Builder
	for i := range rows {
		fmt.Fprintf(&out, `{"l_orderkey":%d,"l_partkey":%d,"l_suppkey":%d,"l_linenumber":%d,"l_quantity":%d.0,"l_extendedprice":%d.%02d,"l_discount":0.0%d,"l_tax":0.0%d,"l_returnflag":"N","l_linestatus":"O","l_shipdate":"1996-03-%02d","l_commitdate":"1996-02-12","l_receiptdate":"1996-03-22","l_shipinstruct":"DELIVER IN PERSON","l_shipmode":"TRUCK","l_comment":"egular courts above the %d"}`+"\n",
			i/4+1, i*7919%200_000, i*31%10_000, i%7+1, i%50+1, i*104729%100_000, i%100, i%10, i%9, i%28+1, i)
	}
	return []byte(out.String())
}

// BenchmarkRead reads all columns, four of them, and none.
func BenchmarkRead(b *testing.B) {
	data := lineitems(100_000)
	store, object := oneObject{data: data}, objstore.Object{Path: "f.json", Size: int64(len(data))}
	sample, err := Infer(context.Background(), store, object, DefaultFormat(), 1)
	if err != nil {
		b.Fatal(err)
	}
	schema := sample.Schema()
	for name, wanted := range map[string][]int{"all": {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, "four": {0, 4, 10, 15}, "none": nil} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			var options ReadOptions
			for _, c := range wanted {
				options.Columns = append(options.Columns, ColumnRequest{Key: schema[c].Name, Type: schema[c].Type})
			}
			for b.Loop() {
				r, err := NewReader(store, object, DefaultFormat(), options)
				if err != nil {
					b.Fatal(err)
				}
				for {
					batch, err := r.Next(context.Background())
					if err != nil {
						b.Fatal(err)
					}
					if batch == nil {
						break
					}
				}
				r.Close()
			}
		})
	}
	if schema[10].Type.Kind != types.Date {
		b.Fatal(schema)
	}
}
