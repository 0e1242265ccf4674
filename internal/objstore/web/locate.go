package web

import (
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Servers makes stores as URLs name web servers. It implements objstore.Locator.
type Servers struct {
	options Options
	client  *http.Client

	mu     sync.Mutex
	stores map[string]*Store // by scheme and host
}

// maxServers bounds the stores that are kept.
const maxServers = 256

// Schemes lists the schemes of URLs that Servers serve.
func Schemes() []string { return []string{"http", "https"} }

// NewServers makes a locator.
func NewServers(options Options) *Servers {
	s := &Servers{options: options.withDefaults(), stores: map[string]*Store{}}
	s.client = s.options.client()
	return s
}

// Locate implements objstore.Locator. The key is all that follows the server's name, a query too.
func (s *Servers) Locate(location string) (objstore.Store, string, error) {
	if s.options.Disabled {
		return nil, "", sqlerr.New(sqlerr.InsufficientPrivilege, "files of web servers may not be read: %q", location).
			WithHint("Set storage.http.enabled to allow it.")
	}
	at, err := url.Parse(location)
	if err != nil || at.Hostname() == "" {
		return nil, "", sqlerr.New(sqlerr.InvalidParameterValue, "%q is not a URL of a file", location).WithHint("Write https://host/path.")
	}
	if at.User != nil {
		return nil, "", sqlerr.New(sqlerr.InvalidParameterValue, "URL of web server %q holds a user name or password", at.Host).
			WithHint("Only files that anybody may read are read from web servers.")
	}
	if !s.options.allowsHost(at.Hostname()) {
		return nil, "", errHost(at.Hostname())
	}
	_, rest, _ := strings.Cut(location, "://")
	_, key, _ := strings.Cut(rest, "/")
	key, _, _ = strings.Cut(key, "#")
	return s.store(strings.ToLower(at.Scheme) + "://" + strings.ToLower(at.Host)), key, nil
}

func (s *Servers) store(origin string) *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.stores[origin]; found != nil {
		return found
	}
	if len(s.stores) >= maxServers {
		clear(s.stores) // readers keep theirs
	}
	made := &Store{origin: origin, client: s.client, options: s.options, copies: map[string]*download{}, whole: map[string]bool{}, copying: map[string]chan struct{}{}}
	s.stores[origin] = made
	return made
}
