package functions_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// callable is an overload with types for its parameters.
type callable struct {
	overload fn.Overload
	scalar   fn.Scalar
	call     fn.Call
}

// callables lists the scalar functions that can be called with plain values.
func callables(session *fn.Session) (out []callable) {
	for _, o := range functions.Registry().All() {
		scalar, ok := o.Impl.(fn.Scalar)
		if !ok || o.Category == "system" || strings.HasPrefix(o.Name, "$") {
			continue
		}
		usable, argTypes := true, []types.Type{}
		for _, p := range o.Params {
			usable = usable && p.Family != fn.Function
			argTypes = append(argTypes, concrete(p))
		}
		if !usable {
			continue
		}
		result := o.ResultType
		var err error
		if o.ResultOf != nil {
			result, err = o.ResultOf(argTypes, make([]*types.Datum, len(argTypes)))
		} else if o.Result != nil {
			result, err = o.Result(argTypes)
		}
		if err == nil {
			out = append(out, callable{o, scalar, fn.Call{Name: o.Name, Args: argTypes, Result: result, Session: session, Constants: make([]*types.Datum, len(argTypes))}})
		}
	}
	return out
}

// argument makes a value of a type from any text: the value that it spells, else one of the edges.
func argument(t types.Type, text string, zone *time.Location) types.Datum {
	switch t.Kind {
	case types.Text, types.Name:
		return types.StringDatum(text)
	case types.Bytea:
		return types.StringDatum(text)
	}
	if d, err := types.Parse(t, text, zone); err == nil {
		return d
	}
	list := edges(t)
	n := 0
	for i := range len(text) {
		n += int(text[i])
	}
	return list[n%len(list)]
}

// FuzzFunctions calls every scalar function with any texts as arguments, in a batch of three rows:
// only users' errors may come out, and values that are what their type promises, soon and of
// bounded size; and a row alone must give what it gave among others.
func FuzzFunctions(f *testing.F) {
	zone, err := types.LoadZone("America/New_York")
	if err != nil {
		f.Fatal(err)
	}
	session := &fn.Session{TimeZone: "America/New_York"}
	list := callables(session)
	for i, c := range list {
		f.Add(uint16(i), "12", "day", "3")
		if len(c.call.Args) > 1 && c.call.Args[0].Kind == types.Text {
			f.Add(uint16(i), "Tärn 2018-08-01 a(b)c", "(a|b)*%_YYYY-MM-DD 999D9", "g")
		}
		if len(c.call.Args) > 0 && (c.call.Args[0].Kind == types.JSON || c.call.Args[0].Kind == types.JSONB) {
			f.Add(uint16(i), `{"a": [1, {"b": null}], "a": "\u00e4"}`, "a", "$.a[1]")
		}
	}
	f.Fuzz(func(t *testing.T, which uint16, a, b, c string) {
		for _, text := range []string{a, b, c} {
			if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 || len(text) > 2000 {
				return
			}
		}
		target := list[int(which)%len(list)]
		texts := []string{a, b, c}
		k, err := target.scalar.New(target.call)
		if err != nil {
			t.Fatal(err)
		}
		columns := func(rows ...int) []*vec.Vector {
			var out []*vec.Vector
			for i, typ := range target.call.Args {
				v := vec.NewFlat(typ, len(rows))
				for at, row := range rows {
					v.SetDatum(at, argument(typ, texts[(i+row)%3], zone))
				}
				out = append(out, v)
			}
			return out
		}
		begin := time.Now()
		all := vec.NewFlat(target.call.Result, 3)
		together := k(columns(0, 1, 2), 3, nil, all)
		checkUserError(t, together)
		failed := false
		for row := range 3 {
			alone := vec.NewFlat(target.call.Result, 1)
			err := k(columns(row), 1, nil, alone)
			checkUserError(t, err)
			if failed = failed || err != nil; err != nil {
				continue
			}
			text := checkValue(t, target.call.Result, alone.Datum(0))
			if together == nil && target.overload.Volatility == fn.Immutable {
				if among := checkValue(t, target.call.Result, all.Datum(row)); among != text {
					t.Errorf("%s of row %d: %q alone, %q among others", functions.Signature(&target.overload), row, text, among)
				}
			}
		}
		if failed != (together != nil) {
			t.Errorf("%s: rows alone fail: %v; together: %v", functions.Signature(&target.overload), failed, together)
		}
		if spent := time.Since(begin); spent > 20*time.Second {
			t.Errorf("%s takes %v", functions.Signature(&target.overload), spent)
		}
	})
}

func checkUserError(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var user *sqlerr.Error
	if !errors.As(err, &user) || user.Code.Class() == "XX" {
		t.Fatalf("not a user's error: %v", err)
	}
	if !utf8.ValidString(user.Message + user.Detail + user.Hint) {
		t.Fatalf("an error that no client can read: %q", err)
	}
}

// checkValue wants a value that has a text, and text that is UTF-8 and JSON that is JSON.
func checkValue(t *testing.T, typ types.Type, d types.Datum) string {
	t.Helper()
	if d.Null {
		return "NULL"
	}
	text := types.Format(typ, d, nil)
	switch typ.Kind {
	case types.Text, types.Name, types.JSON, types.JSONB:
		if !utf8.ValidString(text) {
			t.Fatalf("not UTF-8: %q", text)
		}
	}
	if typ.Kind == types.JSON || typ.Kind == types.JSONB {
		if err := types.ValidateJSON([]byte(text)); err != nil {
			t.Fatalf("not JSON: %q", text)
		}
	}
	return text
}
