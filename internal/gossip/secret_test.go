package gossip_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/gossip"
)

// journal is a log that tests read.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// shows waits for a text.
func (j *journal) shows(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		for end := time.Now().Add(15 * time.Second); !strings.Contains(j.String(), part); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("no %q in %s", part, j)
			}
		}
	}
}

func startWith(t *testing.T, name, secret string, others []string, join ...string) (*gossip.Cluster, *journal) {
	t.Helper()
	j := &journal{}
	c, err := gossip.Start(gossip.Config{Name: name, Listen: "127.0.0.1:0", Join: join, Secret: secret, OtherSecrets: others,
		Log: slog.New(slog.NewTextHandler(j, nil)), Facts: gossip.Facts{RPC: name + ":1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Leave)
	return c, j
}

func TestANodeWithAnotherSecretIsRefusedAndLogged(t *testing.T) {
	for _, secrets := range [][2]string{{"hush", "loud"}, {"hush", ""}, {"", "loud"}} {
		inside, log := startWith(t, "inside", secrets[0], nil)
		outside, outsideLog := startWith(t, "outside", secrets[1], nil, inside.Address())
		log.shows(t, `msg="refused a message of gossip from a machine that has another cluster.secret, or none" from=127.0.0.1:`, "crypt")
		outsideLog.shows(t, `msg="the nodes of cluster.join refuse this one, whose secret is another one" join=`+inside.Address(),
			`hint="Set cluster.secret to the same value on all nodes."`)
		time.Sleep(2500 * time.Millisecond) // it asks again
		if n := strings.Count(log.String(), "level=WARN"); n != 1 {
			t.Errorf("%d lines of one stranger: %s", n, log)
		}
		sees(t, inside, "inside ")
		sees(t, outside, "outside ")
	}
}

// TestASecretIsExchanged replaces a secret node by node: first all accept the new one, then each uses it,
// and at last the old one is forgotten.
func TestASecretIsExchanged(t *testing.T) {
	a, err := gossip.Start(gossip.Config{Name: "a", Listen: "127.0.0.1:0", Secret: "old", OtherSecrets: []string{"new"}, Facts: gossip.Facts{RPC: "a:1"}})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := startWith(t, "b", "new", []string{"old"}, a.Address())
	sees(t, a, "a b ")
	sees(t, b, "a b ")
	a.Leave()
	sees(t, b, "b ")
	c, _ := startWith(t, "c", "new", nil, b.Address())
	sees(t, b, "b c ")
	sees(t, c, "b c ")
	late, log := startWith(t, "late", "old", nil, c.Address())
	log.shows(t, "refuse this one")
	sees(t, late, "late ")
}

func TestANodeThatIsNotThereIsToldApartFromOneThatRefuses(t *testing.T) {
	_, log := startWith(t, "early", "hush", nil, "127.0.0.1:1")
	log.shows(t, "no node of cluster.join answers yet", "connection refused", "Check cluster.join")
}
