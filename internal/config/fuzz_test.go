package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// FuzzLoad reads any file, variable and flag: a user's error or a configuration that can be shown,
// whose sizes and durations read back as themselves.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"[server]\npg_listen = \"0.0.0.0:1\"\ndata = \"/lake\"\nmax_connections = 5\n[memory]\nlimit = \"4GB\"\n[spill]\nenabled = false\n[auth.users]\nana = \"x\"\n",
		"[settings]\nstatement_timeout = \"5min\"\n[tls]\ncertificate = \"a\"\nkey = \"b\"\n", "[server]\nnope = 1\n", "a = ", "[[server]]\n", "server = 3\n",
	} {
		f.Add(seed, "TARN_MEMORY_LIMIT=1GB", "30s")
	}
	f.Add("", "TARN_SERVER_MAX_CONNECTIONS=-1", "1.5TB")
	name := filepath.Join(f.TempDir(), "tarn.toml")
	f.Fuzz(func(t *testing.T, text, variable, value string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, sources := range []Sources{{File: name}, {File: name, Environment: []string{variable}}, {File: name, Flags: map[string]string{"spill.limit": value, "server.drain_timeout": value}}} {
			loaded, err := Load(sources)
			if err == nil {
				for _, e := range loaded.Entries() {
					if e.Key == "" || e.Doc == "" {
						t.Fatalf("%+v", e)
					}
				}
				continue
			}
			var user *sqlerr.Error
			if !errors.As(err, &user) || user.Code != sqlerr.ConfigFileError {
				t.Fatal(err)
			}
		}
		if d, err := ParseDuration(value); err == nil {
			if again, err := ParseDuration(d.String()); err != nil || again != d {
				t.Fatalf("%q is %s, which is %s (%v)", value, d, again, err)
			}
		}
		if s, err := ParseSize(value); err == nil {
			if again, err := ParseSize(s.String()); err != nil || again != s {
				t.Fatalf("%q is %s, which is %s (%v)", value, s, again, err)
			}
		}
	})
}
