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
