package wiring

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/tarnlake/tarn/coordinator/schedule"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/gossip"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/refusal"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// drainPath asks a node to take no new work and to end when it is idle.
const drainPath = "/v1/node/drain"

// lastAnswers is how long a node that leaves may take to send the answers it has begun.
const lastAnswers = time.Second

// Drain asks the node at an address of RPC to take no new work and to end when it is idle.
func Drain(ctx context.Context, c config.Cluster, address string) error {
	identity, err := identityOf(c)
	if err != nil {
		return err
	}
	client := rpc.NewSecureClient(c.Secret, identity)
	client.Name("tarn node drain")
	defer client.Close()
	return client.Call(ctx, address, drainPath, rpc.Empty{}, &rpc.Empty{})
}

// identityOf reads the node's certificate; nil without one.
func identityOf(c config.Cluster) (*rpc.Identity, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	return rpc.LoadIdentity(c.TLSCert, c.TLSKey, c.TLSCA)
}

// Membership is a process's place in a cluster of processes.
type Membership struct {
	name     string
	member   *Member
	gossip   *gossip.Cluster
	listener net.Listener
	web      *http.Server
	system   *System
	identity *rpc.Identity // nil: nodes do not use TLS
	refused  *refusal.Log
	stop     chan struct{}
	drained  chan struct{} // closed when the node has been asked to drain
}

// tellEvery is how often a node tells the others how busy it is.
const tellEvery = 2 * time.Second

// Enter lets the process take part in the cluster of its configuration.
func (s *System) Enter(c *config.Config, version string, log *slog.Logger) (*Membership, error) {
	m := &Membership{system: s, stop: make(chan struct{}), drained: make(chan struct{}), refused: refusal.New(log)}
	identity, err := identityOf(c.Cluster)
	if err != nil {
		return nil, err
	}
	if m.listener, err = net.Listen("tcp", c.Server.RPCListen); err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.ConfigFileError, "could not listen on %s", c.Server.RPCListen).
			WithHint("Set server.rpc_listen to a free address of this machine.")
	}
	_, port, _ := net.SplitHostPort(m.listener.Addr().String())
	name := c.Cluster.Name
	if name == "" {
		name = s.nodeName() + ":" + port
	}
	m.name, m.identity = name, identity
	m.gossip, err = gossip.Start(gossip.Config{Name: name, Listen: c.Cluster.GossipListen, Advertise: c.Cluster.Advertise, Join: c.Cluster.Join,
		Secret: c.Cluster.Secret, OtherSecrets: c.Cluster.OtherSecrets, Log: log, Facts: gossip.Facts{Roles: roles(c.Cluster), RPC: ":" + port, Plans: plan.Version, Version: version, Signer: identity.Signer(),
			Zone: c.Cluster.Zone, CPUs: cpuSlots(c), Memory: int64(c.Memory.MemoryLimit()), Started: time.Now().UTC().Truncate(time.Second)}})
	if err != nil {
		_ = m.listener.Close()
		return nil, err
	}
	options := ClusterOptions{Self: schedule.Node{ID: name, Address: m.own(name)}, Secret: c.Cluster.Secret, Identity: identity, Log: log}
	if c.Cluster.Coordinates() {
		options.Nodes = m
	}
	m.member = s.Join(options)
	rpc.Handle(m.member.Mux, drainPath, func(context.Context, rpc.Empty) (rpc.Empty, error) {
		m.Drain()
		return rpc.Empty{}, nil
	})
	rpc.Handle(m.member.Mux, reportPath, func(context.Context, rpc.Empty) (nodeReport, error) { return s.report(), nil })
	if c.Cluster.Coordinates() {
		go newStandingsTeller(m).run()
	}
	m.member.Mux.Accept(c.Cluster.OtherSecrets...)
	m.web = m.member.Mux.Server()
	listeners := []net.Listener{m.listener}
	if local, err := rpc.ListenLocally(options.Self.Address); err == nil {
		listeners = append(listeners, local)
	} else {
		log.Warn("nodes of this machine are reached by TCP only", "error", err)
	}
	for _, l := range listeners {
		if identity != nil {
			l = identity.Listener(l)
		}
		go func() {
			if err := m.web.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				log.Error("the cluster's requests are no longer served", "error", err)
			}
		}()
	}
	go m.tell()
	s.membership.Store(m)
	return m, nil
}

func roles(c config.Cluster) string {
	var out []string
	if c.Coordinates() {
		out = append(out, "coordinator")
	}
	if c.Works() {
		out = append(out, "worker")
	}
	return strings.Join(out, ",")
}

// own gives the address at which others reach this node.
func (m *Membership) own(name string) string {
	for _, n := range m.gossip.Nodes() {
		if n.Name == name {
			return n.RPC
		}
	}
	return m.listener.Addr().String()
}

// Nodes lists the workers that take tasks and understand the same plans.
func (m *Membership) Nodes() []schedule.Node {
	var out []schedule.Node
	for _, n := range m.gossip.Nodes() {
		if isWorker(n) && n.Plans == plan.Version && !n.Draining && m.identity.Trusts(n.Signer) {
			out = append(out, schedule.Node{ID: n.Name, Address: n.RPC, Process: n.Process})
		}
	}
	return out
}

// logStrangers tells of nodes that know the secret but are refused for their certificate.
func (m *Membership) logStrangers() {
	for _, n := range m.gossip.Nodes() {
		if !m.identity.Trusts(n.Signer) {
			m.refused.Warn(n.RPC, "no work with a node whose certificate is of another authority, or that has none", "node", n.Name,
				"hint", "Let one authority sign cluster.tls_cert of all nodes, and name it in cluster.tls_ca of all.")
		}
	}
}

// tell keeps the others informed of how busy the node is.
func (m *Membership) tell() {
	ticker := time.NewTicker(tellEvery)
	defer ticker.Stop()
	var cpu load
	cpu.busy(time.Now())
	for {
		select {
		case <-m.stop:
			return
		case <-ticker.C:
			m.logStrangers()
			busy := cpu.busy(time.Now())
			m.gossip.Update(func(f *gossip.Facts) {
				f.Used, f.Tasks, f.Busy = m.system.Memory.Used()>>20<<20, int(m.system.Runner.totals.Running.Load()), busy
			})
		}
	}
}

// Drain makes the node take no new work; Drained tells its process to end.
func (m *Membership) Drain() {
	m.gossip.Update(func(f *gossip.Facts) {
		if !f.Draining {
			f.Draining = true
			close(m.drained)
		}
	})
}

// Addresses gives where other nodes find this one, and where they send it requests.
func (m *Membership) Addresses() (gossip, rpc string) {
	return m.gossip.Address(), m.member.Worker.Address()
}

// Drained is closed when the node has been asked to drain.
func (m *Membership) Drained() <-chan struct{} { return m.drained }

// Leave tells the others that the node goes, waits until its tasks have ended or ctx is done, and
// ends. It comes before the system's Close.
func (m *Membership) Leave(ctx context.Context) {
	m.Drain()
	for m.member.Worker.Queries() > 0 && ctx.Err() == nil {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	close(m.stop)
	m.gossip.Leave()
	m.member.Close()
	answering, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
	defer cancel()
	if m.web.Shutdown(answering) != nil { // an answer under way, such as that to whoever asked for the drain, is sent whole
		_ = m.web.Close()
	}
}

// nodeName is the machine's.
func (s *System) nodeName() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}
