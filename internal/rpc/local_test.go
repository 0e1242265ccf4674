package rpc

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestNodesOfOneMachineNeedNoTCP talks to a node that listens on both kinds of sockets, and to one that
// listens by TCP only.
func TestNodesOfOneMachineNeedNoTCP(t *testing.T) {
	mux := NewMux("s", nil)
	Handle(mux, "/where", func(ctx context.Context, _ Empty) (string, error) {
		return ctx.Value(http.LocalAddrContextKey).(interface{ Network() string }).Network(), nil
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	ask := func() string {
		client := NewClient("s", nil)
		defer client.Close()
		var network string
		if err := client.Call(t.Context(), address, "/where", Empty{}, &network); err != nil {
			t.Fatal(err)
		}
		return network
	}
	if by := ask(); by != "tcp" {
		t.Fatal("without a socket of its own the node was reached by", by)
	}
	listener, err := ListenLocally(address)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- server.Config.Serve(listener) }()
	if by := ask(); by != "unix" {
		t.Fatal("reached by", by)
	}
	if _, err := ListenLocally(address); err == nil {
		t.Fatal("two nodes listen at one address")
	}
	_ = listener.Close()
	<-served
	if by := ask(); by != "tcp" {
		t.Fatal("after it was closed the socket was used:", by)
	}
	for address, want := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "192.0.2.7:80": false, "name:80": false, "127.0.0.1": false, "": false} {
		if ofThisMachine(address) != want {
			t.Errorf("%q: %v", address, !want)
		}
	}
}
