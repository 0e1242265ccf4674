package gossip

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
)

// wire is a transport whose messages a test makes.
type wire struct {
	packets chan *memberlist.Packet
	streams chan net.Conn
}

func (w *wire) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return net.IPv4(127, 0, 0, 1), 7946, nil
}
func (w *wire) WriteTo([]byte, string) (time.Time, error) { return time.Now(), nil }
func (w *wire) PacketCh() <-chan *memberlist.Packet       { return w.packets }
func (w *wire) StreamCh() <-chan net.Conn                 { return w.streams }
func (w *wire) Shutdown() error                           { return nil }
func (w *wire) DialTimeout(string, time.Duration) (net.Conn, error) {
	return nil, net.ErrClosed
}

// member is a node without a network; a secret makes it encrypt.
func member(f *testing.F, secret string) (*Cluster, *wire) {
	w := &wire{packets: make(chan *memberlist.Packet), streams: make(chan net.Conn)}
	c := &Cluster{config: Config{Name: "a", Listen: "127.0.0.1:7946", Secret: secret}, stop: make(chan struct{})}
	c.config.Log = slog.New(slog.DiscardHandler)
	settings, err := c.settings()
	if err != nil {
		f.Fatal(err)
	}
	settings.Transport, settings.TCPTimeout = w, 2*time.Second
	settings.ProbeInterval, settings.PushPullInterval, settings.GossipInterval = time.Hour, 0, 0
	if c.list, err = memberlist.Create(settings); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = c.list.Shutdown() })
	return c, w
}

// FuzzMessages sends a node anything, as packets and as streams, with and without encryption: it goes
// on, and lists itself.
func FuzzMessages(f *testing.F) {
	plain, plainWire := member(f, "")
	secret, secretWire := member(f, "hush")
	_, name := plain.list, plain.list.LocalNode().Name
	for _, seed := range []string{"", "\x00", "\x01\x82\xa5SeqNo\x01\xa4Node\xa1a", "\x04\x84\xabIncarnation\x01\xa4Node\xa1b\xa4Addr\xc4\x04\x7f\x00\x00\x01\xa4Meta\xa2{}",
		"\x07\x02\x00\x01\x00\x01\x01\x02", "\x06\x83\xa5Nodes\x01", "\x09\xff\xff", "\x0c\x00\x00\x00\x00", "\xf4\x01x", "\x05\x82\xa4Node\xa1a", strings.Repeat("\x07", 300), "\x0a\xff\xff\xff\xff"} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	from := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}
	f.Fuzz(func(t *testing.T, message []byte, stream bool) {
		for _, w := range []*wire{plainWire, secretWire} {
			if stream {
				near, far := net.Pipe()
				w.streams <- far
				go func() {
					_, _ = near.Write(message)
					_ = near.Close()
				}()
				drain := make([]byte, 4096)
				for {
					if _, err := near.Read(drain); err != nil {
						break
					}
				}
			} else {
				w.packets <- &memberlist.Packet{Buf: bytes.Clone(message), From: from, Timestamp: time.Now()}
			}
		}
		for _, c := range []*Cluster{plain, secret} {
			c.Nodes()
		}
		if secret.list.NumMembers() != 1 || plain.list.LocalNode().Name != name {
			t.Fatalf("strangers got in: %v", secret.list.Members())
		}
	})
}

// FuzzFacts reads what a node tells of itself, which may be anything.
func FuzzFacts(f *testing.F) {
	f.Add([]byte(`{"r":"worker","a":":8481","p":3,"v":"1","c":2,"m":100,"s":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"a":"[::1]:99999999"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, meta []byte) {
		var n Node
		if n.read(&memberlist.Node{Addr: net.IPv4(10, 0, 0, 1), Meta: meta}) == nil {
			if _, _, err := net.SplitHostPort(n.RPC); err != nil {
				t.Fatalf("%q: %v", n.RPC, err)
			}
		}
	})
}
