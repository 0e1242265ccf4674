package config

import "net"

// Cluster says how a server takes part in a cluster.
type Cluster struct {
	Role         string   `toml:"role" doc:"coordinator (serves clients), worker (runs tasks) or both."`
	Join         []string `toml:"join" doc:"Addresses (host:port of cluster.gossip_listen) of some nodes that are there already."`
	GossipListen string   `toml:"gossip_listen" doc:"Address, TCP and UDP, at which nodes find each other, such as 0.0.0.0:7946; empty: the server is alone."`
	Advertise    string   `toml:"advertise" doc:"Host or address that other nodes reach this one at; empty is found out."`
	Name         string   `toml:"name" doc:"The node's name, unique in the cluster; empty is the host's name and the port of its RPC."`
	Secret       string   `toml:"secret" doc:"What all nodes of the cluster know and nobody else: it encrypts gossip and signs requests."`
	OtherSecrets []string `toml:"other_secrets" doc:"Secrets that are accepted beside cluster.secret, while a new one takes the place of an old one."`
	TLSCert      string   `toml:"tls_cert" doc:"File of the node's PEM certificate chain: nodes talk TLS and refuse those without a certificate of tls_ca; empty turns that off."`
	TLSKey       string   `toml:"tls_key" doc:"File of its PEM private key."`
	TLSCA        string   `toml:"tls_ca" doc:"File of the PEM certificates of the authority that signs the certificates of this cluster's nodes and of nobody else."`
	Zone         string   `toml:"zone" doc:"Where the node stands, shown in system.nodes."`
}

// ClusterActive tells whether the server takes part in a cluster.
func (c *Config) ClusterActive() bool { return c.Cluster.GossipListen != "" }

// Coordinates tells whether the server serves clients.
func (c Cluster) Coordinates() bool { return c.Role != "worker" }

// Works tells whether the server runs tasks of other nodes' queries.
func (c Cluster) Works() bool { return c.Role != "coordinator" }

// checkCluster refuses what cannot work or would let strangers in.
func (l *Loaded) checkCluster() error {
	switch l.Cluster.Role {
	case "coordinator", "worker", "both":
	default:
		return bad("cluster.role (%s): %q is not coordinator, worker or both", l.Origin("cluster.role"), l.Cluster.Role)
	}
	if !l.ClusterActive() {
		if len(l.Cluster.Join) > 0 || l.Cluster.Role != "both" {
			return bad("cluster.role and cluster.join need cluster.gossip_listen").WithHint("Set cluster.gossip_listen = \"0.0.0.0:7946\".")
		}
		return nil
	}
	files := 0
	for _, file := range []string{l.Cluster.TLSCert, l.Cluster.TLSKey, l.Cluster.TLSCA} {
		if file != "" {
			files++
		}
	}
	if files != 0 && files != 3 {
		return bad("cluster.tls_cert, cluster.tls_key and cluster.tls_ca must be set together")
	}
	if len(l.Cluster.OtherSecrets) > 0 && l.Cluster.Secret == "" {
		return bad("cluster.other_secrets needs cluster.secret")
	}
	if l.Cluster.Secret == "" && !(loopback(l.Cluster.GossipListen) && loopback(l.Server.RPCListen)) {
		return bad("cluster.secret must be set when other machines can reach the node").
			WithHint("Give all nodes the same long random text, for example in TARN_CLUSTER_SECRET.")
	}
	return nil
}

// loopback tells whether an address is reached from this machine only.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}
