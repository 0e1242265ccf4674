package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec/page"
)

// Client talks to other nodes. It may be used concurrently.
type Client struct {
	http   *http.Client
	secret []byte
	name   string          // of the node that asks, for the logs of others
	own    *http.Transport // nil: given by the caller

	buffers page.Buffers
}

// NewClient makes a client; a nil transport is the normal one, others are for tests.
func NewClient(secret string, transport http.RoundTripper) *Client {
	c := &Client{}
	if secret != "" {
		c.secret = keyOf(secret)
	}
	if transport == nil {
		c.own = NewTransport()
		transport = c.own
	}
	c.http = &http.Client{Transport: transport}
	return c
}

// Name says which node the client belongs to, for the logs of those that it talks to. It comes before
// the first request.
func (c *Client) Name(node string) { c.name = node }

// NewTransport is HTTP/1.1 over many connections, one for each stream at a time: by TCP, or without it
// to nodes of the same machine that listen so.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: time.Second, KeepAlive: 15 * time.Second}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if conn := dialLocally(ctx, address); conn != nil {
			return conn, nil
		}
		return dialer.DialContext(ctx, network, address)
	}
	return &http.Transport{
		DialContext: dial, MaxIdleConns: 1024, MaxIdleConnsPerHost: 128, IdleConnTimeout: 90 * time.Second,
		DisableCompression: true, WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10, ForceAttemptHTTP2: false,
	}
}

// Close ends idle connections.
func (c *Client) Close() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// Unreachable is the failure to talk to a node: whether the request arrived is unknown.
type Unreachable struct {
	Address string
	Cause   error
}

// Error names the node and what went wrong.
func (u *Unreachable) Error() string {
	return "could not reach node " + u.Address + ": " + u.Cause.Error()
}

// Unwrap gives the cause.
func (u *Unreachable) Unwrap() error { return u.Cause }

// IsUnreachable tells whether err is the failure to talk to a node, not an answer of it.
func IsUnreachable(err error) bool {
	var u *Unreachable
	return errors.As(err, &u)
}

// Call sends in to a path of a node and reads the reply into out. An error is what the node answered,
// Unreachable, or ctx's cause.
func (c *Client) Call(ctx context.Context, address, path string, in, out any) error {
	response, err := c.send(ctx, address, path, in)
	if err != nil {
		return err
	}
	defer drain(response)
	body, err := io.ReadAll(io.LimitReader(response.Body, largestRequest))
	if err != nil {
		return c.unreachable(ctx, address, err)
	}
	return decode(bytes.NewReader(body), out)
}

// Buffers gives the memory that pages are read into: whoever makes pages can use it, too.
func (c *Client) Buffers() *page.Buffers { return &c.buffers }

// Pages asks a node for pages.
func (c *Client) Pages(ctx context.Context, address string, in PageRequest) (Pages, error) {
	response, err := c.send(ctx, address, PagesPath, in)
	if err != nil {
		return Pages{}, err
	}
	defer drain(response)
	pages, err := readPages(response.Body, response.ContentLength, &c.buffers)
	if err != nil {
		var answer *sqlerr.Error
		if errors.As(err, &answer) {
			return Pages{}, err
		}
		return Pages{}, c.unreachable(ctx, address, err)
	}
	return Pages{Pages: pages, End: response.Header.Get(endHeader) == "true"}, nil
}

// send gives a successful response, whose body the caller drains.
func (c *Client) send(ctx context.Context, address, path string, in any) (*http.Response, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, sqlerr.Internal("message to another node: %v", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+path, bytes.NewReader(body))
	if err != nil {
		return nil, sqlerr.Internal("address of another node: %v", err)
	}
	// Requests are safe to repeat, so the transport may send one again on a connection that died idle.
	request.Header["Idempotency-Key"] = nil
	if c.name != "" {
		request.Header.Set(nodeHeader, c.name)
	}
	sign(request, c.secret, body)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.unreachable(ctx, address, explain(err))
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer drain(response)
	return nil, c.refusal(ctx, address, response)
}

// refusal reads the error that a node answered with.
func (c *Client) refusal(ctx context.Context, address string, response *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return c.unreachable(ctx, address, err)
	}
	var answer Error
	if err := decode(bytes.NewReader(text), &answer); err != nil || answer.Code == "" {
		if bytes.Contains(text, []byte("HTTP request to an HTTPS server")) {
			return c.unreachable(ctx, address, errors.New("it uses TLS: "+setTLS))
		}
		return c.unreachable(ctx, address, errors.New("it answers "+response.Status))
	}
	return answer.Err()
}

func (c *Client) unreachable(ctx context.Context, address string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &Unreachable{Address: address, Cause: err}
}

// drain lets the connection be used again.
func drain(r *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 256<<10))
	_ = r.Body.Close()
}
