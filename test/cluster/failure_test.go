package cluster

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/exec/op/optest"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

func TestMain(m *testing.M) {
	// Most of these tests wait: for what has been lost to be noticed.
	if err := flag.Set("test.parallel", "5"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		RemoveBinary()
		os.Exit(code)
	}))
}

// endless is a query whose workers never come to an end, and send nothing or all they read.
func endless(data *optest.Tables, silent bool) []plan.Fragment {
	data.Endless = "t"
	three := []types.Type{long, long, text}
	var below plan.Node = data.Scan("t")
	if silent {
		below = out(&plan.Sort{Input: below, Keys: []plan.SortKey{{Column: 1}}}, three...)
	}
	return fragments(plan.Fragment{Root: read(1, 0, plan.Gather, three...)},
		plan.Fragment{Root: below, Output: plan.Output{Kind: plan.Gather}})
}

// idle waits until nothing is left of any query.
func idle(t *testing.T, c *Cluster) {
	t.Helper()
	until(t, "the end of all tasks", c.Idle)
}

func TestAnErrorOfOneTaskEndsTheQueryAsItWas(t *testing.T) {
	data := tables(3000)
	c := start(t, 3, data)
	list := fragments(plan.Fragment{Root: read(1, 0, plan.Gather, long)},
		plan.Fragment{Root: out(&plan.NestedLoopJoin{Kind: plan.Single, Left: data.Scan("small"), Right: data.Scan("t"), Output: []int{0}}, long), Output: plan.Output{Kind: plan.Gather}})
	_, err := rows(t, c, list, false)
	if sqlerr.CodeOf(err) != sqlerr.CardinalityViolation || !strings.Contains(err.Error(), "more than one row returned") {
		t.Fatal(err)
	}
	idle(t, c)
}

func TestALimitStopsTheProducers(t *testing.T) {
	data := tables(3000)
	c := start(t, 2, data)
	list := endless(data, false)
	list[0].Root = out(&plan.Limit{Input: list[0].Root, Limit: 1000}, long, long, text)
	got, err := rows(t, c, fragments(list...), false)
	if err != nil || len(got) != 1000 {
		t.Fatal(len(got), err)
	}
	idle(t, c)
	// In the middle of a plan, too: the reader in between ends, so the scan's tasks must.
	list = fragments(plan.Fragment{Root: read(1, 0, plan.Gather, long, long, text)},
		plan.Fragment{Root: out(&plan.Limit{Input: read(2, 0, plan.Gather, long, long, text), Limit: 700}, long, long, text), Single: true, Output: plan.Output{Kind: plan.Gather}},
		plan.Fragment{Root: data.Scan("t"), Output: plan.Output{Kind: plan.Gather}})
	if got, err = rows(t, c, list, false); err != nil || len(got) != 700 {
		t.Fatal(len(got), err)
	}
	idle(t, c)
}

func TestClosingCancelsEverywhere(t *testing.T) {
	data := tables(3000)
	c := start(t, 2, data)
	for _, silent := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		running, err := c.Scheduler.Run(ctx, c.Request(endless(data, silent)))
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(100*time.Millisecond, cancel)
		for err == nil {
			_, err = running.Next(ctx)
		}
		if sqlerr.CodeOf(err) != sqlerr.QueryCanceled {
			t.Fatal(err)
		}
		_ = running.Close() // the query never ends by itself
		idle(t, c)
	}
}

func TestALostWorkerEndsTheQuerySoon(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(c *Cluster){
		"killed": func(c *Cluster) { c.Kill(c.Members[2]) },
		"frozen": func(c *Cluster) { c.Members[2].Frozen.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			data := tables(3000)
			c := Start(t, Options{Workers: 3, Drivers: 1, Connectors: map[string]connectors.Connector{"tables": data}, Silence: 2 * time.Second})
			running, err := c.Scheduler.Run(t.Context(), c.Request(endless(data, false)))
			if err != nil {
				t.Fatal(err)
			}
			if b, err := running.Next(t.Context()); err != nil || b == nil {
				t.Fatal(b, err)
			}
			lose(c)
			began := time.Now()
			for err == nil {
				_, err = running.Next(t.Context())
			}
			if took := time.Since(began); took > errorWithin {
				t.Errorf("the error came after %v", took)
			}
			e := sqlerr.From(err)
			if e.Code != sqlerr.ConnectionFailure || !e.Retryable() || !strings.Contains(e.Message, "lost connection to worker") || e.Hint == "" {
				t.Error(err)
			}
			_ = running.Close()
			idle(t, c) // the lost worker is rid of its tasks by itself
			c.Remove(c.Members[2])
			data.Endless = ""
			check(t, c, data)
		})
	}
}

func TestAQueryThatSentNothingIsRunAgain(t *testing.T) {
	t.Parallel()
	data := tables(3000)
	c := Start(t, Options{Workers: 3, Drivers: 1, Connectors: map[string]connectors.Connector{"tables": data}, Lost: time.Second})
	c.Kill(c.Members[3])
	check(t, c, data) // the list still names the dead worker
}

func TestTasksOfASilentCoordinatorEnd(t *testing.T) {
	data := tables(3000)
	c := Start(t, Options{Workers: 1, Drivers: 1, Connectors: map[string]connectors.Connector{"tables": data}, Silence: time.Second})
	list := endless(data, true)
	encoded, err := plan.EncodeFragment(&list[1])
	if err != nil {
		t.Fatal(err)
	}
	request := rpc.StartRequest{Query: "orphan", Coordinator: c.Members[0].Address, Tasks: []rpc.TaskRequest{{
		Task: rpc.TaskID{Query: "orphan", Fragment: 1}, Fragment: encoded, Consumers: []int{1}}}}
	client := rpc.NewClient(secret, nil)
	defer client.Close()
	if err := client.Call(t.Context(), c.Members[1].Address, rpc.StartPath, request, &rpc.Empty{}); err != nil {
		t.Fatal(err)
	}
	idle(t, c)
	err = client.Call(t.Context(), c.Members[1].Address, rpc.StartPath, request, &rpc.Empty{})
	if err == nil || c.Members[1].Worker.Queries() != 0 {
		t.Fatal("an ended query was started again", err)
	}
}

func TestAnswersStayRightOnABadNetwork(t *testing.T) {
	t.Parallel()
	data := tables(4000)
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			faults := NewFaults(seed, 12)
			c := Start(t, Options{Workers: 2, Drivers: 2, Connectors: map[string]connectors.Connector{"tables": data}, Transport: faults})
			check(t, c, data)
			if total, paths := faults.Struck(); total < 20 {
				t.Fatal("too few faults:", paths)
			}
		})
	}
}

func TestStrangersAreRefused(t *testing.T) {
	c := start(t, 1, tables(10))
	address := c.Members[1].Address
	for _, own := range []string{"", "another secret"} {
		client := rpc.NewClient(own, nil)
		err := client.Call(t.Context(), address, rpc.StatusPath, rpc.StatusRequest{Query: "q"}, &rpc.StatusReply{})
		if sqlerr.CodeOf(err) != sqlerr.InvalidAuthorizationSpecification {
			t.Error(err)
		}
		client.Close()
	}
	client := rpc.NewClient(secret, nil)
	defer client.Close()
	err := client.Call(t.Context(), address, rpc.StatusPath, map[string]any{"Query": "q", "Surprise": 1}, &rpc.StatusReply{})
	if sqlerr.CodeOf(err) != sqlerr.ProtocolViolation {
		t.Error(err)
	}
	err = client.Call(t.Context(), address, rpc.StatusPath, rpc.StatusRequest{Query: "q"}, &rpc.StatusReply{})
	if sqlerr.CodeOf(err) != sqlerr.ConnectionFailure {
		t.Error(err)
	}
}
