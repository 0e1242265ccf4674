package cluster

import (
	"net"
	"net/http"
	"testing"

	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/coordinator/schedule"
)

// list is a fixed list of workers.
type list []schedule.Node

func (l list) Nodes() []schedule.Node { return l }

// Attach gives a server workers of its own, in this process, over loopback HTTP. It returns what ends
// them, to be called when no session is left; by then each must have run something, for which the
// server's setting distribute_from_rows must be 0.
func Attach(t testing.TB, system *wiring.System, workers int, transport http.RoundTripper) (end func()) {
	t.Helper()
	var nodes list
	var listeners []net.Listener
	for i := range workers + 1 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, listener)
		nodes = append(nodes, schedule.Node{ID: "worker-" + string(rune('0'+i)), Address: listener.Addr().String()})
	}
	var members []*wiring.Member
	for i, node := range nodes {
		options := wiring.ClusterOptions{Self: node, Secret: secret, Transport: transport}
		if i == 0 {
			options.Nodes = nodes[1:]
			members = append(members, system.Join(options))
		} else {
			members = append(members, system.NewWorker(options))
		}
	}
	var servers []*http.Server
	for i, m := range members {
		server := &http.Server{Handler: m.Mux}
		servers = append(servers, server)
		go func() { _ = server.Serve(listeners[i]) }()
	}
	return func() {
		for i, m := range members {
			if n := m.Worker.Queries(); n > 0 {
				t.Errorf("%s has %d queries left", nodes[i].ID, n)
			}
			if i > 0 && m.Worker.Started() == 0 {
				t.Errorf("%s ran nothing", nodes[i].ID)
			}
			m.Close()
		}
		for _, server := range servers {
			_ = server.Close()
		}
	}
}
