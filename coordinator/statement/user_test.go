package statement_test

import (
	"strings"
	"testing"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestUsers(t *testing.T) {
	s := newServer(t)
	c := s.connect("ada")
	c.run("CREATE USER bob PASSWORD 'secret'; CREATE ROLE reports; CREATE USER boss SUPERUSER")
	c.tagged("CREATE ROLE")
	c.fails("CREATE USER bob", sqlerr.DuplicateObject, `role "bob" already exists`)
	c.gives("SHOW ROLES", "bob", "boss", "reports")
	tx, err := s.system.Catalog.Begin(t.Context(), catalog.Session{User: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	bob, err := tx.User(t.Context(), "bob")
	if err != nil || !strings.HasPrefix(bob.Verifier, "SCRAM-SHA-256$4096:") || strings.Contains(bob.Verifier, "secret") || !bob.Login || bob.Superuser {
		t.Errorf("user %+v, %v", bob, err)
	}
	if reports, err := tx.User(t.Context(), "reports"); err != nil || reports.Login {
		t.Errorf("role %+v, %v", reports, err)
	}
	c.run("ALTER USER bob NOLOGIN")
	c.tagged("ALTER ROLE")
	c.fails("ALTER USER nosuch PASSWORD 'x'", sqlerr.UndefinedObject, `role "nosuch" does not exist`)
	c.run("CREATE USER eve VALID UNTIL '2030-01-01'")
	c.noticed("VALID UNTIL is not enforced")
	c.run("DROP USER eve; DROP ROLE IF EXISTS nosuch")
	c.noticed(`role "nosuch" does not exist, skipping`)

	plain := s.connect("bob")
	plain.fails("CREATE USER mallory SUPERUSER", sqlerr.InsufficientPrivilege, "permission denied to create role")
	plain.fails("ALTER USER boss PASSWORD 'mine'", sqlerr.InsufficientPrivilege, "permission denied")
	plain.fails("ALTER USER bob SUPERUSER", sqlerr.InsufficientPrivilege, "permission denied")
	plain.fails("DROP USER boss", sqlerr.InsufficientPrivilege, "permission denied to drop role")
	plain.run("ALTER USER bob PASSWORD 'other'; ALTER USER bob SET search_path = dwh, public")
	boss := s.connect("boss")
	boss.run("CREATE USER helper")
	boss.fails("DROP USER boss", sqlerr.ObjectInUse, "current user cannot be dropped")
	boss.fails("GRANT SELECT ON t TO bob", sqlerr.FeatureNotSupported, "GRANT is not supported @1")
	settings, err := tx.Settings(t.Context(), "bob")
	if err != nil || len(settings) != 0 {
		t.Errorf("settings of the older snapshot: %v, %v", settings, err)
	}
	accounts := s.system.Accounts()
	if defaults, err := accounts.Defaults(t.Context(), "bob"); err != nil || len(defaults) != 1 || defaults[0].Value != "dwh, public" {
		t.Errorf("defaults %v, %v", defaults, err)
	}
	if verifier, err := accounts.Verifier(t.Context(), "nosuch"); err != nil || verifier != "" {
		t.Errorf("verifier %q, %v", verifier, err)
	}
	if _, err := accounts.Verifier(t.Context(), "reports"); sqlerr.CodeOf(err) != sqlerr.InvalidAuthorizationSpecification {
		t.Errorf("a role without login: %v", err)
	}
	s.connect("bob").gives("SHOW search_path", "dwh, public")
}
