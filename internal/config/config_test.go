package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "tarn.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func entry(l *Loaded, key string) Entry {
	for _, e := range l.Entries() {
		if e.Key == key {
			return e
		}
	}
	return Entry{}
}

func TestEachSourceWinsOverTheOneBefore(t *testing.T) {
	name := file(t, `
[server]
pg_listen = "0.0.0.0:1"
http_listen = "0.0.0.0:2"
data = "/lake"
[memory]
limit = "4GB"
[spill]
enabled = false
[auth.users]
ana = "SCRAM-SHA-256$x"
[settings]
statement_timeout = "5min"
`)
	l, err := Load(Sources{File: name, Environment: []string{"TARN_SERVER_HTTP_LISTEN=h:3", "TARN_SERVER_DATA=/env", "TARN_STORAGE_ALLOWED_LOCAL_ROOTS=/a, /b",
		"HOME=/root", "TARN_URL=x", "TARN_SERVER_DRAIN_TIMEOUT=2min"}, Flags: map[string]string{"server.data": "/flag"}})
	if err != nil {
		t.Fatal(err)
	}
	if l.Server.PgListen != "0.0.0.0:1" || l.Server.HTTPListen != "h:3" || l.Server.Data != "/flag" || l.Memory.Limit != 4<<30 || l.Spill.Enabled ||
		len(l.Storage.AllowedLocalRoots) != 2 || time.Duration(l.Server.DrainTimeout) != 2*time.Minute || l.Settings["statement_timeout"] != "5min" {
		t.Fatalf("%+v", l.Config)
	}
	for key, origin := range map[string]string{"server.pg_listen": name, "server.http_listen": "environment TARN_SERVER_HTTP_LISTEN", "server.data": "command line",
		"server.max_connections": "default", "auth.users": name} {
		if got := entry(l, key).Origin; got != origin {
			t.Errorf("%s comes from %q, want %q", key, got, origin)
		}
	}
	if e := entry(l, "auth.users"); e.Value != "ana = ***" {
		t.Errorf("the verifier is shown: %q", e.Value)
	}
	if e := entry(l, "server.drain_timeout"); e.Value != "2min" || e.Default != "30s" || e.Doc == "" {
		t.Errorf("%+v", e)
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	l, err := Load(Sources{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range l.Entries() {
		if len(e.Doc) < 10 || !strings.HasSuffix(e.Doc, ".") {
			t.Errorf("%s: %q", e.Key, e.Doc)
		}
	}
}

func TestMistakesAreExplained(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"[server]\npg_listn = 'x'\n", `:2: unknown key "server.pg_listn", perhaps you meant "server.pg_listen"`},
		{"[memroy]\nlimit = '1GB'\n", `:1: unknown key "memroy`},
		{"[server]\nlimit = '1GB'\n", `:2: unknown key "server.limit", perhaps you meant "memory.limit"`},
		{"[memory]\nlimit = '4 gold'\n", `:2:9: "4 gold" is not a size`},
		{"[server\n", ":1:"},
		{"[log]\nlevel = 'loud'\n", `log.level (`},
		{"[tls]\ncertificate = 'x'\n", "must be set together"},
		{"[server]\nmax_connections = 0\n", "must be at least 1"},
	} {
		_, err := Load(Sources{File: file(t, c.text)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
	for _, c := range []struct{ variable, want string }{
		{"TARN_SERVER_PG_LISTN=x", "environment variable TARN_SERVER_PG_LISTN: no such key, perhaps you meant TARN_SERVER_PG_LISTEN"},
		{"TARN_SPILL_ENABLED=maybe", `environment TARN_SPILL_ENABLED: spill.enabled: "maybe" is neither true nor false`},
	} {
		if _, err := Load(Sources{Environment: []string{c.variable}}); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v", c.variable, err)
		}
	}
	if _, err := Load(Sources{File: "/nowhere/tarn.toml"}); err == nil || !strings.Contains(err.Error(), "could not read the configuration") {
		t.Errorf("%v", err)
	}
	if _, err := Load(Sources{Flags: map[string]string{"server.dat": "x"}}); err == nil || !strings.Contains(err.Error(), `perhaps you meant "server.data"`) {
		t.Errorf("%v", err)
	}
}

func TestSizesAndSpans(t *testing.T) {
	for text, want := range map[string]Size{"4GB": 4 << 30, "512 MB": 512 << 20, "1.5g": 3 << 29, "10kB": 10 << 10, "77": 77, "0": 0, "2TiB": 2 << 40} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q: %d %v", text, got, err)
		} else if again, err := ParseSize(got.String()); err != nil || again != got {
			t.Errorf("%q prints %q", text, got)
		}
	}
	for text, want := range map[string]time.Duration{"30s": 30 * time.Second, "5min": 5 * time.Minute, "2d": 48 * time.Hour, "1h30m": 90 * time.Minute, "0": 0, "100ms": 100 * time.Millisecond} {
		if got, err := ParseDuration(text); err != nil || time.Duration(got) != want {
			t.Errorf("%q: %v %v", text, got, err)
		} else if again, err := ParseDuration(got.String()); err != nil || again != got {
			t.Errorf("%q prints %q", text, got)
		}
	}
	for _, text := range []string{"", "GB", "-1", "1e300TB"} {
		if _, err := ParseSize(text); err == nil {
			t.Errorf("%q is a size", text)
		}
	}
	for _, text := range []string{"", "5", "-1s", "x"} {
		if _, err := ParseDuration(text); err == nil {
			t.Errorf("%q is a time span", text)
		}
	}
}

func TestPasswordsOfURLsAreHidden(t *testing.T) {
	for url, want := range map[string]string{"postgres://a:b@h/d": "postgres://a:***@h/d", "postgres://a@h/d": "postgres://a@h/d", "": "", "postgres://a:p@ss@h/d": "postgres://a:***@h/d"} {
		if got := hidePassword(url); got != want {
			t.Errorf("%q shows %q", url, got)
		}
	}
}

func TestMemoryLimitHasADefault(t *testing.T) {
	if got := (Memory{}).MemoryLimit(); got < leastMemory {
		t.Errorf("%s", got)
	}
	if got := (Memory{Limit: 1 << 30}).MemoryLimit(); got != 1<<30 {
		t.Errorf("%s", got)
	}
}

func TestMemoryIsKeptForTheDefaultGroups(t *testing.T) {
	for _, one := range []struct {
		groups     map[string]ResourceGroup
		adhoc, etl Share
	}{
		{nil, 0.2, 0.2},
		{map[string]ResourceGroup{"etl": {Memory: 0.5}}, 0.2, 0.5},
		{map[string]ResourceGroup{"reports": {Memory: 0.75}}, 0.125, 0.125},
		{map[string]ResourceGroup{"reports": {Memory: 1}}, 0, 0},
	} {
		got := (&Config{ResourceGroups: one.groups}).Groups()
		if got["adhoc"].Memory != one.adhoc || got["etl"].Memory != one.etl {
			t.Errorf("%v: %v and %v", one.groups, got["adhoc"].Memory, got["etl"].Memory)
		}
	}
}
