package gossip

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/tarnlake/tarn/internal/refusal"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Facts is what a node tells of itself. As JSON it must not exceed 512 bytes.
type Facts struct {
	Roles    string    `json:"r"` // "coordinator", "worker" or "coordinator,worker"
	RPC      string    `json:"a"` // address of its RPC
	Plans    int       `json:"p"` // version of the plans that it understands
	Version  string    `json:"v"`
	Zone     string    `json:"z,omitempty"`
	CPUs     int       `json:"c"`
	Memory   int64     `json:"m"`           // its limit, in bytes
	Used     int64     `json:"u,omitempty"` // of it, some seconds ago
	Tasks    int       `json:"t,omitempty"` // running, some seconds ago
	Busy     float64   `json:"b,omitempty"` // CPUs in use, some seconds ago
	Signer   string    `json:"k,omitempty"` // a mark of the authority that signed its certificate
	Draining bool      `json:"d,omitempty"` // takes no new work
	Started  time.Time `json:"s"`
}

// Node is a member of the cluster.
type Node struct {
	Name    string
	Process string // differs each time the node is started
	Facts
}

// Config says how to take part.
type Config struct {
	Name      string // unique in the cluster
	Listen    string // host:port, both TCP and UDP
	Advertise string // host that others reach this node at; "" is found out
	Join      []string
	Secret    string // nodes with another one are not let in; "" lets all in
	// OtherSecrets are understood as well, while a new one takes the place of an old one.
	OtherSecrets []string
	Facts        Facts
	Log          *slog.Logger
	// Changed is called, never concurrently, when nodes come, go or change; it must not block.
	Changed func()
}

// Cluster is a node's view of the cluster. All methods may be called concurrently.
type Cluster struct {
	list    *memberlist.Memberlist
	config  Config
	address string
	changes sync.Mutex

	// The library's own list may be read only while it reports changes.
	known   sync.Mutex
	members map[string]memberlist.Node // copies, by unique name

	mu    sync.Mutex
	facts Facts
	stop  chan struct{}
	ended sync.WaitGroup
}

// joinEvery is how long a node waits before it asks again those that it does not know.
const joinEvery = 2 * time.Second

// Start begins to take part. Nodes of Join that do not answer yet are asked again until one does.
func Start(config Config) (*Cluster, error) {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	c := &Cluster{config: config, facts: config.Facts, stop: make(chan struct{})}
	settings, err := c.settings()
	if err != nil {
		return nil, err
	}
	if c.list, err = memberlist.Create(settings); err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.ConfigFileError, "could not listen for the cluster on %s", config.Listen).
			WithHint("Set cluster.gossip_listen to a free address of this machine.")
	}
	own := c.list.LocalNode()
	c.address = own.Address()
	if len(config.Join) > 0 {
		c.ended.Add(1)
		go c.join()
	}
	return c, nil
}

func (c *Cluster) settings() (*memberlist.Config, error) {
	host, port, err := splitAddress(c.config.Listen)
	if err != nil {
		return nil, err
	}
	m := memberlist.DefaultLANConfig()
	m.Name, m.BindAddr, m.BindPort, m.AdvertisePort = unique(c.config.Name), host, port, port
	if c.config.Advertise != "" {
		addresses, err := net.LookupHost(c.config.Advertise)
		if err != nil || len(addresses) == 0 {
			return nil, sqlerr.New(sqlerr.ConfigFileError, "cluster.advertise: there is no host \"%s\"", c.config.Advertise)
		}
		m.AdvertiseAddr = addresses[0]
	}
	if c.config.Secret != "" {
		var others [][]byte
		for _, secret := range c.config.OtherSecrets {
			others = append(others, keyOf(secret))
		}
		if m.Keyring, err = memberlist.NewKeyring(others, keyOf(c.config.Secret)); err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.ConfigFileError, "cluster.secret cannot be used")
		}
	}
	// A dead node shall be known as such within a few seconds.
	m.ProbeInterval, m.ProbeTimeout, m.SuspicionMult = 500*time.Millisecond, 250*time.Millisecond, 3
	m.Delegate, m.Events = delegate{c}, events{c}
	m.LogOutput = lines{c.config.Log, refusal.New(c.config.Log)}
	return m, nil
}

// keyOf makes the key that encrypts messages.
func keyOf(secret string) []byte {
	key := sha256.Sum256([]byte("tarn gossip " + secret))
	return key[:]
}

// The library knows a process by a name that nobody had before. So one that is started again, perhaps
// at another address, need not wait until all others have noticed that the one before is dead.
const nameMark = "#"

func unique(name string) string {
	return fmt.Sprintf("%s%s%016x", name, nameMark, time.Now().UnixNano())
}

// givenName takes a unique name apart: later processes of the same name have the greater start.
func givenName(unique string) (name, start string) {
	if at := strings.LastIndex(unique, nameMark); at >= 0 {
		return unique[:at], unique[at+len(nameMark):]
	}
	return unique, ""
}

func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil || port < 0 || port > 65535 {
		return "", 0, sqlerr.New(sqlerr.ConfigFileError, "\"%s\" is no address such as 0.0.0.0:7946", address)
	}
	if host == "" {
		host = "0.0.0.0"
	}
	return host, port, nil
}

// join asks those of the configured nodes that are not known: at first all of them, later those that
// have gone and may have come back, which then know nobody.
func (c *Cluster) join() {
	defer c.ended.Done()
	told := ""
	for {
		if absent := c.absent(); len(absent) > 0 {
			if _, err := c.list.Join(absent); err != nil && c.list.NumMembers() <= 1 {
				told = c.tellOutside(err, told)
			}
		}
		select {
		case <-c.stop:
			return
		case <-time.After(joinEvery):
		}
	}
}

// tellOutside logs why this node stays alone, unless it has told so before. It gives what it told.
func (c *Cluster) tellOutside(err error, told string) string {
	message, hint := "no node of cluster.join answers yet", "Check cluster.join, and that those nodes run and can be reached."
	if isForeign(err.Error()) {
		message, hint = "the nodes of cluster.join refuse this one, whose secret is another one", "Set cluster.secret to the same value on all nodes."
	}
	if message != told {
		why := strings.Join(strings.Fields(err.Error()), " ")
		c.config.Log.Warn(message, "join", strings.Join(c.config.Join, ","), "error", why, "hint", hint)
	}
	return message
}

// absent lists the nodes of Join that are no members at present.
func (c *Cluster) absent() (list []string) {
	members := map[string]bool{}
	for _, m := range c.present() {
		members[m.Address()] = true
	}
	for _, entry := range c.config.Join {
		host, port, err := net.SplitHostPort(entry)
		if err != nil {
			list = append(list, entry) // without a port: the library knows what to do
			continue
		}
		known := members[entry]
		if !known && net.ParseIP(host) == nil {
			addresses, _ := net.LookupHost(host)
			known = slices.ContainsFunc(addresses, func(a string) bool { return members[net.JoinHostPort(a, port)] })
		}
		if !known {
			list = append(list, entry)
		}
	}
	return list
}

// Address gives where this node listens.
func (c *Cluster) Address() string { return c.address }

// present lists the processes that are believed to live.
func (c *Cluster) present() []memberlist.Node {
	c.known.Lock()
	defer c.known.Unlock()
	return slices.Collect(maps.Values(c.members))
}

// Nodes lists the nodes that are believed to live, this one included, by name; of several with one name
// that which was started last. An RPC address without a host is given that of the node.
func (c *Cluster) Nodes() []Node {
	latest := map[string]string{}
	byName := map[string]Node{}
	for _, m := range c.present() {
		name, start := givenName(m.Name)
		n := Node{Name: name, Process: start}
		if start < latest[name] || n.read(&m) != nil {
			continue
		}
		latest[name], byName[name] = start, n
	}
	out := slices.Collect(maps.Values(byName))
	slices.SortFunc(out, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// read understands what a member tells of itself.
func (n *Node) read(m *memberlist.Node) error {
	if err := json.Unmarshal(m.Meta, &n.Facts); err != nil {
		return err
	}
	if port, bare := strings.CutPrefix(n.RPC, ":"); bare {
		n.RPC = net.JoinHostPort(m.Addr.String(), port)
	}
	_, _, err := net.SplitHostPort(n.RPC)
	return err
}

// Update changes this node's facts and tells the others, which may take a second.
func (c *Cluster) Update(change func(*Facts)) {
	c.mu.Lock()
	before := c.facts
	change(&c.facts)
	changed := before != c.facts
	c.mu.Unlock()
	if changed {
		if err := c.list.UpdateNode(time.Second); err != nil {
			c.config.Log.Warn("could not tell the cluster of a change", "error", err)
		}
	}
}

// Leave tells the others that this node goes, and stops.
func (c *Cluster) Leave() {
	close(c.stop)
	_ = c.list.Leave(time.Second)
	_ = c.list.Shutdown()
	c.ended.Wait()
}

// delegate gives memberlist this node's facts.
type delegate struct{ c *Cluster }

func (d delegate) NodeMeta(limit int) []byte {
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	text, err := json.Marshal(d.c.facts)
	if err != nil || len(text) > limit {
		d.c.config.Log.Error("the node's facts do not fit into a message", "bytes", len(text), "most", limit)
		return nil
	}
	return text
}

func (delegate) NotifyMsg([]byte)                {}
func (delegate) GetBroadcasts(int, int) [][]byte { return nil }
func (delegate) LocalState(bool) []byte          { return nil }
func (delegate) MergeRemoteState([]byte, bool)   {}

// events passes changes on.
type events struct{ c *Cluster }

func (e events) NotifyJoin(n *memberlist.Node)   { e.keep(n); e.changed("node joined", n) }
func (e events) NotifyUpdate(n *memberlist.Node) { e.keep(n); e.changed("", n) }

// NotifyLeave is told of nodes that leave and of those that are dead.
func (e events) NotifyLeave(n *memberlist.Node) {
	e.c.known.Lock()
	delete(e.c.members, n.Name)
	e.c.known.Unlock()
	e.changed("node left", n)
}

func (e events) keep(n *memberlist.Node) {
	e.c.known.Lock()
	defer e.c.known.Unlock()
	own := *n
	own.Addr, own.Meta = slices.Clone(n.Addr), slices.Clone(n.Meta)
	if e.c.members == nil {
		e.c.members = map[string]memberlist.Node{}
	}
	e.c.members[n.Name] = own
}

func (e events) changed(what string, n *memberlist.Node) {
	e.c.changes.Lock()
	defer e.c.changes.Unlock()
	if what != "" {
		name, _ := givenName(n.Name)
		e.c.config.Log.Info(what, "node", name, "address", n.Address())
	}
	if e.c.config.Changed != nil {
		e.c.config.Changed()
	}
}
