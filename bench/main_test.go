package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/connectors/tpch/generator"
)

func TestLoadQueries(t *testing.T) {
	for suite, count := range map[string]int{"tpch": 22, "tpcds": 99} {
		queries, err := loadQueries("queries/"+suite, "")
		if err != nil || len(queries) != count {
			t.Fatalf("%s has %d queries, %v", suite, len(queries), err)
		}
		for i, q := range queries {
			if q.number != i+1 || !strings.HasSuffix(q.sql, ";\n") {
				t.Errorf("%s: query %d has number %d, and ends in %q", suite, i+1, q.number, q.sql[len(q.sql)-3:])
			}
		}
	}
	some, err := loadQueries("queries/tpch", "3,7-9,22")
	if err != nil || len(some) != 5 || some[0].number != 3 || some[4].number != 22 {
		t.Errorf("five queries: %v, %v", some, err)
	}
	for _, list := range []string{"x", "1,", "9-7", "1-", "99"} {
		if queries, err := loadQueries("queries/tpch", list); err == nil {
			t.Errorf("%q gives %v", list, queries)
		}
	}
}

func TestWriteCSV(t *testing.T) {
	scale, err := generator.ParseScale("0.01")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := writeCSV(&out, generator.New(), generator.Customer, scale); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	const want = "9|Customer#000000009|xKiAFTjUsCuxfeleNqefumTrjS|8|18-338-906-3675|8324.07|FURNITURE|" +
		"r theodolites according to the requests wake thinly excuses: pending requests haggle furiousl"
	if len(lines) != 1501 || lines[8] != want {
		t.Errorf("%d lines, the ninth is %q", len(lines), lines[8])
	}
	if types := duckDBTypes(generator.Orders); types[3] != [2]string{"o_totalprice", "DECIMAL(15,2)"} || types[4][1] != "DATE" {
		t.Errorf("types: %v", types)
	}
}
