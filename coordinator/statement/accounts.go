package statement

import (
	"context"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Accounts knows the users that CREATE USER has made. It implements pgwire.PasswordStore.
type Accounts struct{ Catalog *catalog.Catalog }

// Verifier gives a user's SCRAM verifier, "" when there is no such user or no password.
func (a Accounts) Verifier(ctx context.Context, user string) (string, error) {
	tx, err := a.Catalog.Begin(ctx, catalog.Session{User: user})
	if err != nil {
		return "", err
	}
	defer tx.Rollback()
	u, err := tx.User(ctx, user)
	switch {
	case err != nil || u == nil:
		return "", err
	case !u.Login:
		return "", sqlerr.New(sqlerr.InvalidAuthorizationSpecification, "role %q is not permitted to log in", user)
	}
	return u.Verifier, nil
}

// Defaults gives the settings with which a user's sessions begin: those for all users, then the
// user's own.
func (a Accounts) Defaults(ctx context.Context, user string) ([]session.ReportedSetting, error) {
	tx, err := a.Catalog.Begin(ctx, catalog.Session{User: user})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	stored, err := tx.Settings(ctx, user)
	if err != nil {
		return nil, err
	}
	var out []session.ReportedSetting
	for _, all := range []bool{true, false} {
		for _, s := range stored {
			if (s.User == "") == all {
				out = append(out, session.ReportedSetting{Name: s.Name, Value: s.Value})
			}
		}
	}
	return out, nil
}
