package functions_test

import (
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// kernelOf makes a kernel of the overload with the given name and argument types.
func kernelOf(t *testing.T, session *fn.Session, name string, result types.Type, args ...types.Type) fn.Kernel {
	t.Helper()
	for _, c := range callables(session) {
		if c.overload.Name != name || len(c.call.Args) != len(args) {
			continue
		}
		same := true
		for i := range args {
			same = same && c.call.Args[i].Equal(args[i])
		}
		if same {
			c.call.Result = result
			k, err := c.scalar.New(c.call)
			if err != nil {
				t.Fatal(err)
			}
			return k
		}
	}
	t.Fatalf("no function %s%v", name, args)
	return nil
}

func texts(rows int, list ...string) (out []*vec.Vector) {
	for _, s := range list {
		out = append(out, vec.NewConst(types.Of(types.Text), types.StringDatum(s), rows))
	}
	return out
}

// What a few arguments blow up ends as an error before it takes the server's memory.
func TestLongResultsAreRefused(t *testing.T) {
	text := types.Of(types.Text)
	session := &fn.Session{TimeZone: "UTC"}
	million := strings.Repeat("a", 1_000_000)
	for _, c := range []struct {
		name string
		args []string
	}{
		{"replace", []string{million, "a", million}},
		{"regexp_replace", []string{million, "a", million, "g"}},
	} {
		argTypes := make([]types.Type, len(c.args))
		for i := range argTypes {
			argTypes[i] = text
		}
		k := kernelOf(t, session, c.name, text, argTypes...)
		if err := k(texts(1, c.args...), 1, nil, vec.NewFlat(text, 1)); sqlerr.CodeOf(err) != sqlerr.ProgramLimitExceeded {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Templates with more places than a decimal has give what PostgreSQL gives, or number signs.
func TestLongNumberTemplates(t *testing.T) {
	text, number := types.Of(types.Text), types.DecimalOf(38, 4)
	for template, want := range map[string]string{
		"9D" + strings.Repeat("9", 60):   " 1.5" + strings.Repeat("0", 59),
		"9V" + strings.Repeat("9", 50):   " " + strings.Repeat("#", 51),
		"V" + strings.Repeat("9", 10_00): " " + strings.Repeat("#", 1000),
		"9V999":                          " 1500",
	} {
		k := kernelOf(t, &fn.Session{TimeZone: "UTC"}, "to_char", text, number, text)
		out := vec.NewFlat(text, 1)
		args := append([]*vec.Vector{vec.NewConst(number, types.Datum{I128: types.Int128FromInt64(15_000)}, 1)}, texts(1, template)...)
		if err := k(args, 1, nil, out); err != nil || out.Str(0) != want {
			t.Errorf("%.20s: %q (%v), want %q", template, out.Str(0), err, want)
		}
	}
}

// A batch of long values asks for memory before all of it is made, and gives way when there is none.
func TestLongBatchesAskForMemory(t *testing.T) {
	pool := memory.NewRoot("test", 100<<20)
	session := &fn.Session{TimeZone: "UTC", Room: func(bytes int64) error {
		if err := pool.Reserve(bytes, "an expression"); err != nil {
			return err
		}
		pool.Release(bytes)
		return nil
	}}
	text, integer := types.Of(types.Text), types.Of(types.Int32)
	k := kernelOf(t, session, "repeat", text, text, integer)
	args := append(texts(2048, "x"), vec.NewConst(integer, types.IntDatum(1_000_000), 2048))
	out := vec.NewFlat(text, 2048)
	if err := k(args, 2048, nil, out); sqlerr.CodeOf(err) != sqlerr.OutOfMemory {
		t.Fatal(err)
	}
	if size := out.Bytes64(); size > 200<<20 {
		t.Errorf("%d bytes were made", size)
	}
	split := kernelOf(t, session, "string_to_array", types.ArrayOf(text), text, text)
	if err := split(texts(1, strings.Repeat(",", 5_000_000), ","), 1, nil, vec.NewFlat(types.ArrayOf(text), 1)); sqlerr.CodeOf(err) != sqlerr.OutOfMemory {
		t.Fatal(err)
	}
	if pool.Used() != 0 {
		t.Fatal("memory is still held")
	}
}
