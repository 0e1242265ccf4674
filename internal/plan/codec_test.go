package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
)

func sample() Node {
	bigint := types.Of(types.Int64)
	column := &expr.Column{ID: 0, Name: "k", T: bigint}
	scan := &Scan{Header: Header{ID: 2, Rows: 12.5, Out: types.Schema{{Name: "k", Type: bigint}}},
		Scan: connectors.Scan{Connector: "lake", Handle: json.RawMessage(`{"id": 9007199254740993}`), Options: map[string]string{"version": "3"},
			Columns: []connectors.ScanColumn{{ID: 3, Name: "k", Type: bigint}, {Ordinal: 1, Name: "r", Type: types.RowOf(types.Field{Name: "a", Type: bigint}), Subfields: [][]int{{0}, {1, 2}}}},
			Domains: []connectors.Domain{{Column: 0, Values: []types.Datum{}, Nulls: true}}},
		Filter: &expr.And{Args: []expr.Expr{
			&expr.Compare{Op: expr.Greater, Left: column, Right: &expr.Literal{Value: types.IntDatum(math.MaxInt64), T: bigint}},
			&expr.In{Arg: column, List: []expr.Expr{&expr.Literal{Value: types.NullDatum(), T: bigint}}},
			&expr.Compare{Left: &expr.Literal{Value: types.FloatDatum(math.Inf(-1)), T: types.Of(types.Float64)}, Right: &expr.Literal{Value: types.FloatDatum(math.Copysign(0, -1)), T: types.Of(types.Float64)}},
			&expr.Case{Whens: []expr.When{{Condition: column, Result: column}}, T: bigint},
		}}, Output: []int{}}
	values := &Values{Rows: [][]expr.Expr{{&expr.Literal{Value: types.StringDatum("\xff\x00bad"), T: types.Of(types.Bytea)}}}}
	return &HashJoin{Kind: Anti, Left: scan, Right: &Union{All: []Node{values}}, LeftKeys: []int{0}, RightKeys: []int{0}, NullEqual: []bool{false}}
}

func TestCodecRoundTrip(t *testing.T) {
	plan := sample()
	data, err := Encode(plan)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	again, err := Encode(back)
	if err != nil || string(again) != string(data) {
		t.Fatalf("second encoding differs: %v\n%s\n%s", err, data, again)
	}
	j := back.(*HashJoin)
	if string(j.Left.(*Scan).Scan.Handle) != `{"id":9007199254740993}` {
		t.Fatal("raw handle changed", string(j.Left.(*Scan).Scan.Handle))
	}
	if j.Output != nil || j.Left.(*Scan).Output == nil {
		t.Fatal("none and empty lists are mixed up")
	}
	want := plan.(*HashJoin)
	want.Left.(*Scan).Scan.Handle = j.Left.(*Scan).Scan.Handle
	if !reflect.DeepEqual(want, j) {
		t.Fatalf("decoded plan differs\n%s", data)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, bad := range []string{``, `null`, `[]`, `{}`, `{"kind":"Nope"}`, `{"kind":"Limit","Surprise":1}`, `{"kind":"Limit","Limit":5}`,
		`{"kind":"Limit","Limit":"5","Input":{"kind":"Column"}}`, `{"kind":"Limit"} x`, "{\"kind\":\"Limit\"}\x00", `{"kind":"Filter","Predicate":{"kind":"Scan"}}`,
		`{"kind":"Values","Rows":[[{"kind":"Literal","Value":{"I64":"99999999999999999999"}}]]}`, `{"Limit":"5","kind":"Limit"}`,
		`{"kind":"Limit","Limit":"5","Limit":"6"}`, `{"kind":"Limit","Limit":"5",}`, `{"kind":"Limit" "Limit":"5"}`, `{"kind":"Limit","Limit":"5"`,
		`{"kind":"Scan","Scan":{"Handle":{"a":[1,}}}`, `{"kind":"Scan","Output":[1 2]}`, `{"kind":"Scan","Output":nul}`} {
		if n, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%s decoded to %T", bad, n)
		}
	}
}

// A plan is decoded in time proportional to its size, however deep it is.
func TestDecodeDeepPlan(t *testing.T) {
	var root Node = sample()
	for range 3_000 {
		root = &Limit{Input: root, Offset: 1}
	}
	data, err := Encode(root)
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	back, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(started); took > 5*time.Second {
		t.Fatalf("%v for %d bytes", took, len(data))
	}
	if again, err := Encode(back); err != nil || string(again) != string(data) {
		t.Fatal("second encoding differs:", err)
	}
	deep := strings.Repeat(`{"kind":"Limit","Input":`, maxDepth+1) + "null" + strings.Repeat("}", maxDepth+1)
	if _, err := Decode([]byte(deep)); err == nil || !strings.Contains(err.Error(), "nested too deeply") && !strings.Contains(fmt.Sprint(errors.Unwrap(err)), "nested too deeply") {
		t.Fatal(err)
	}
}

// FuzzDecode decodes any text: what is accepted has one written form, which is not much longer.
func FuzzDecode(f *testing.F) {
	data, err := Encode(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for kind := range nodeKinds {
		f.Add([]byte(`{"kind":"` + kind + `","Input":{"kind":"Values"},"Left":{"kind":"Values"}}`))
	}
	for kind := range exprKinds {
		f.Add([]byte(`{"kind":"Filter","Predicate":{"kind":"` + kind + `","Args":[{"kind":"Literal"}],"Arg":{"kind":"Column"},"T":{"Kind":3}}}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := Decode(data)
		if err != nil {
			return
		}
		first, err := Encode(n)
		if err != nil {
			t.Fatalf("decoded but cannot be encoded: %v", err)
		}
		again, err := Decode(first)
		if err != nil {
			t.Fatalf("%s\nis encoded as %s\nwhich cannot be decoded: %v", data, first, err)
		}
		if second, err := Encode(again); err != nil || string(second) != string(first) {
			t.Fatalf("%s\nis encoded as %s\nand then as %s: %v", data, first, second, err)
		}
	})
}
