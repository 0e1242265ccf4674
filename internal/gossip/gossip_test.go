package gossip_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/gossip"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

func start(t *testing.T, name, secret string, join ...string) *gossip.Cluster {
	t.Helper()
	c, err := gossip.Start(gossip.Config{Name: name, Listen: "127.0.0.1:0", Join: join, Secret: secret,
		Facts: gossip.Facts{Roles: "worker", RPC: name + ":1", Plans: 3, CPUs: 2, Started: time.Unix(1, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sees waits until a node knows just these others, as name or as name and "draining".
func sees(t *testing.T, c *gossip.Cluster, want string) {
	t.Helper()
	got := ""
	for range 1500 {
		got = ""
		for _, n := range c.Nodes() {
			got += n.Name
			if n.Draining {
				got += "-draining"
			}
			got += " "
		}
		if got == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("sees %q, not %q", got, want)
}

func TestNodesFindEachOtherAndNoticeChanges(t *testing.T) {
	a := start(t, "a", "hush")
	defer a.Leave()
	b := start(t, "b", "hush", a.Address())
	defer b.Leave()
	c := start(t, "c", "hush", b.Address())
	for _, node := range []*gossip.Cluster{a, b, c} {
		sees(t, node, "a b c ")
	}
	if n := a.Nodes()[2]; n.RPC != "c:1" || n.Plans != 3 || n.CPUs != 2 || !n.Started.Equal(time.Unix(1, 0)) {
		t.Errorf("%+v", n)
	}
	c.Update(func(f *gossip.Facts) { f.Draining = true })
	sees(t, a, "a b c-draining ")
	c.Leave()
	sees(t, a, "a b ")
	sees(t, b, "a b ")
}

func TestANodeIsAskedAgainUntilItAnswers(t *testing.T) {
	first := start(t, "late", "")
	address := first.Address()
	first.Leave()
	waiting := start(t, "early", "", address)
	defer waiting.Leave()
	sees(t, waiting, "early ")
	late, err := gossip.Start(gossip.Config{Name: "late", Listen: address, Facts: gossip.Facts{RPC: "x:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer late.Leave()
	sees(t, late, "early late ")
}

func TestAKilledNodeComesBack(t *testing.T) {
	seed := start(t, "seed", "hush")
	address := seed.Address()
	a := start(t, "a", "hush", address)
	defer a.Leave()
	b := start(t, "b", "hush", address)
	sees(t, a, "a b seed ")
	sees(t, b, "a b seed ")

	// One that nobody joins by comes back at another address.
	b.Vanish()
	gone := b.Address()
	b = start(t, "b", "hush", address)
	defer b.Leave()
	if b.Address() == gone {
		t.Fatal("the address is the same")
	}
	sees(t, a, "a b seed ")
	sees(t, b, "a b seed ")

	// The one that all others join by comes back at its own, and knows nobody.
	seed.Vanish()
	sees(t, a, "a b ")
	sees(t, b, "a b ")
	seed, err := gossip.Start(gossip.Config{Name: "seed", Listen: address, Secret: "hush", Facts: gossip.Facts{RPC: "x:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer seed.Leave()
	for _, node := range []*gossip.Cluster{seed, a, b} {
		sees(t, node, "a b seed ")
	}
}

func TestBadAddresses(t *testing.T) {
	for _, address := range []string{"", "nowhere", "1.2.3.4:port", "300.0.0.1:99999"} {
		_, err := gossip.Start(gossip.Config{Name: "x", Listen: address})
		if sqlerr.CodeOf(err) != sqlerr.ConfigFileError {
			t.Error(address, fmt.Sprint(err))
		}
	}
}
