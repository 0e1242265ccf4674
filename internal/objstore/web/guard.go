package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Options say what may be read and how.
type Options struct {
	// Disabled refuses every URL.
	Disabled bool
	// AllowedHosts, if not empty, are the only ones: names, or *.name for those below.
	AllowedHosts []string
	// AllowPrivate lets addresses be read of private networks and of the machine itself, AllowLinkLocal
	// those of the link.
	AllowPrivate, AllowLinkLocal bool
	// MaxDownload bounds a file whose server cannot send parts of it; 0 is 4 GiB.
	MaxDownload int64
	// Timeout is how long a server may take to answer, and to go on with an answer; 0 is 20 seconds.
	Timeout time.Duration
	// Temporary is the directory of such files; "" is the system's.
	Temporary string
}

func (o Options) withDefaults() Options {
	if o.MaxDownload <= 0 {
		o.MaxDownload = 4 << 30
	}
	if o.Timeout <= 0 {
		o.Timeout = 20 * time.Second
	}
	return o
}

const maxRedirects = 5

// allowsHost tells whether a host may be asked.
func (o *Options) allowsHost(host string) bool {
	if len(o.AllowedHosts) == 0 {
		return true
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return slices.ContainsFunc(o.AllowedHosts, func(allowed string) bool {
		allowed = strings.ToLower(allowed)
		if domain, below := strings.CutPrefix(allowed, "*."); below {
			return strings.HasSuffix(host, "."+domain)
		}
		return host == allowed
	})
}

// metadataServers are addresses of clouds' services for their machines that are not link-local.
var metadataServers = []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("168.63.129.16")}

var sharedNetwork = netip.MustParsePrefix("100.64.0.0/10")

// allowsAddress tells whether an address may be connected to. Where it may not, hint says what would
// allow it; "" where nothing does.
func (o *Options) allowsAddress(address netip.Addr) (allowed bool, hint string) {
	address = address.Unmap().WithZone("")
	if embedded, ok := translated(address); ok {
		address = embedded
	}
	switch {
	case address.IsUnspecified(), address.IsMulticast(), !address.IsValid():
		return false, ""
	case address.IsLinkLocalUnicast(), slices.Contains(metadataServers, address):
		if o.AllowLinkLocal {
			return true, ""
		}
		return false, "Set storage.http.allow_link_local if whoever writes SQL may read the credentials of this machine."
	case address.IsLoopback(), address.IsPrivate(), sharedNetwork.Contains(address), address.Is4() && address.As4()[0] == 0:
		if o.AllowPrivate {
			return true, ""
		}
		return false, "Set storage.http.allow_private if files are to be read from servers of the private network."
	}
	return true, ""
}

var translation, sixToFour = netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("2002::/16")

// translated gives the IPv4 address that an IPv6 address of a gateway stands for.
func translated(address netip.Addr) (netip.Addr, bool) {
	b := address.As16()
	switch {
	case !address.Is6():
	case translation.Contains(address):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case sixToFour.Contains(address):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return address, false
}

// refused is the error of an address that may not be connected to.
type refused struct{ address, hint string }

func (r refused) Error() string { return "address " + r.address + " is not allowed" }

// control sees every address before it is connected to.
func (o *Options) control(_, address string, _ syscall.RawConn) error {
	place, err := netip.ParseAddrPort(address)
	if err != nil {
		return refused{address: address}
	}
	if allowed, hint := o.allowsAddress(place.Addr()); !allowed {
		return refused{address, hint}
	}
	return nil
}

// client makes the client of all stores. Proxies of the environment are not used: addresses could not be
// judged.
func (o *Options) client() *http.Client {
	dialer := &net.Dialer{Timeout: o.Timeout, Control: o.control}
	return &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: o.Timeout, ResponseHeaderTimeout: o.Timeout,
			IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: mostReads, MaxConnsPerHost: 2 * mostReads, DisableCompression: true, ForceAttemptHTTP2: true,
			MaxResponseHeaderBytes: 1 << 20},
		CheckRedirect: o.checkRedirect,
	}
}

func (o *Options) checkRedirect(request *http.Request, via []*http.Request) error {
	last := via[len(via)-1].URL
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("more than %d redirections", maxRedirects)
	case request.URL.Scheme != "https" && request.URL.Scheme != "http", last.Scheme == "https" && request.URL.Scheme == "http":
		return fmt.Errorf("it redirects from %s:// to %s://", last.Scheme, request.URL.Scheme)
	case !o.allowsHost(request.URL.Hostname()):
		return errHost(request.URL.Hostname())
	}
	return nil
}

func errHost(host string) error {
	return sqlerr.New(sqlerr.InsufficientPrivilege, "files of web server %q may not be read", host).
		WithHint("storage.http.allowed_hosts names those that may.")
}
