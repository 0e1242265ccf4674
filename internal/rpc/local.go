package rpc

import (
	"context"
	"net"
	"os"
	"syscall"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Nodes of one machine need no TCP: a socket in the kernel's abstract namespace, which exists as long as
// its listener, costs half as much for each byte. It is named by the address at which others reach the
// node, so that whoever dials that address can look for it first. Whatever guards TCP guards it too: TLS
// and the signatures of requests. Besides, either side must be of the same user.
const localPrefix = "@tarn-rpc/"

// ListenLocally listens for nodes of this machine that talk to the node at an address.
func ListenLocally(address string) (net.Listener, error) {
	l, err := net.Listen("unix", localPrefix+address)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.IOError, "could not listen for nodes of this machine")
	}
	return localListener{l}, nil
}

type localListener struct{ net.Listener }

// Accept gives the next connection of a process of the same user.
func (l localListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if sameUser(conn) {
			return localConn{conn}, nil
		}
		_ = conn.Close()
	}
}

// localConn comes from this machine, for the logs; it has no port.
type localConn struct{ net.Conn }

func (localConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// dialLocally connects to the node at an address if it runs on this machine, and listens so; nil if not.
func dialLocally(ctx context.Context, address string) net.Conn {
	if !ofThisMachine(address) {
		return nil
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", localPrefix+address)
	if err != nil {
		return nil
	}
	if !sameUser(conn) {
		_ = conn.Close()
		return nil
	}
	return conn
}

func ofThisMachine(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	if err != nil || ip == nil || ip.IsLoopback() {
		return err == nil && ip != nil
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range own {
		if network, ok := a.(*net.IPNet); ok && network.IP.Equal(ip) {
			return true
		}
	}
	return false
}

// sameUser tells whether the process at the other end is of this process's user.
func sameUser(conn net.Conn) bool {
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return false
	}
	same := false
	err = raw.Control(func(fd uintptr) {
		other, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
		same = err == nil && int(other.Uid) == os.Geteuid()
	})
	return err == nil && same
}
