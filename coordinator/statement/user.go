package statement

import (
	"context"
	"fmt"
	"strings"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/coordinator/pgwire"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// createUser is CREATE and ALTER USER | ROLE.
func (r *run) createUser(ctx context.Context, st *ast.CreateUser) error {
	name := r.role(st.Name)
	if err := r.mayChangeUser(ctx, st, name); err != nil {
		return err
	}
	if st.Setting != nil {
		return r.storeSetting(name, st)
	}
	if name == "" || name == "public" || name == "none" {
		return r.fail(st.Pos, sqlerr.ReservedName, "role name %q is reserved", st.Name)
	}
	if st.Alter {
		change, err := r.userChanges(st)
		if err != nil {
			return err
		}
		return r.tx.AlterUser(ctx, name, change)
	}
	u := catalog.User{Name: name, Login: !st.Role}
	change, err := r.userChanges(st)
	if err != nil {
		return err
	}
	change(&u)
	err = r.tx.CreateUser(ctx, u)
	if st.IfNotExists && sqlerr.CodeOf(err) == sqlerr.DuplicateObject {
		r.notice(sqlerr.DuplicateObject, fmt.Sprintf("role %q already exists, skipping", name), "")
		return nil
	}
	return err
}

// role resolves CURRENT_USER and its like.
func (r *run) role(name string) string {
	switch name {
	case "current_user", "session_user", "current_role", "user":
		return r.tx.State.User
	}
	return name
}

func (r *run) checkRole(ctx context.Context, name string) error {
	role := r.role(name)
	if role == r.tx.State.User {
		return nil
	}
	u, err := r.tx.User(ctx, role)
	if err == nil && u == nil {
		err = sqlerr.New(sqlerr.UndefinedObject, "role %q does not exist", role)
	}
	return err
}

// mayChangeUser: superusers may change all users, others their own password and settings. Who is not
// a user of the catalog was let in by the server's own configuration and may do all.
func (r *run) mayChangeUser(ctx context.Context, st *ast.CreateUser, name string) error {
	self, err := r.tx.User(ctx, r.tx.State.User)
	if err != nil || self == nil || self.Superuser {
		return err
	}
	if !st.Alter {
		return sqlerr.New(sqlerr.InsufficientPrivilege, "permission denied to create role")
	}
	own := name == self.Name
	for _, option := range st.Options {
		own = own && option.Name == "password"
	}
	if !own {
		return sqlerr.New(sqlerr.InsufficientPrivilege, "permission denied")
	}
	return nil
}

// userChanges reads the options. Those without a meaning here are accepted where that is harmless.
func (r *run) userChanges(st *ast.CreateUser) (func(u *catalog.User), error) {
	var changes []func(u *catalog.User)
	for _, option := range st.Options {
		switch option.Name {
		case "password":
			verifier := ""
			if l, ok := option.Value.(*ast.Literal); ok && l.Kind != ast.LitNull && l.Text != "" {
				var err error
				if verifier, err = newVerifier(l.Text); err != nil {
					return nil, err
				}
			}
			changes = append(changes, func(u *catalog.User) { u.Verifier = verifier })
		case "login", "superuser":
			on, err := r.boolean(option)
			if err != nil {
				return nil, err
			}
			if option.Name == "login" {
				changes = append(changes, func(u *catalog.User) { u.Login = on })
			} else {
				changes = append(changes, func(u *catalog.User) { u.Superuser = on })
			}
		case "createdb", "createrole", "inherit", "replication", "bypassrls":
		case "valid_until", "connection_limit":
			r.warn(sqlerr.Warning, strings.ToUpper(strings.ReplaceAll(option.Name, "_", " "))+" is not enforced", "")
		default:
			return nil, r.fail(option.Pos, sqlerr.FeatureNotSupported, "%s is not supported", strings.ToUpper(strings.ReplaceAll(option.Name, "_", " ")))
		}
	}
	return func(u *catalog.User) {
		for _, change := range changes {
			change(u)
		}
	}, nil
}

// storeSetting is ALTER USER name SET parameter.
func (r *run) storeSetting(user string, st *ast.CreateUser) error {
	if st.Name == "all" {
		user = ""
	}
	set := st.Setting
	d, err := r.tx.State.Settings.Table().Lookup(set.Name)
	if err != nil {
		return err
	}
	if set.Default {
		return r.tx.SetSetting(user, strings.ToLower(d.Name), nil)
	}
	texts := make([]string, len(set.Values))
	for i, v := range set.Values {
		text, ok := constantText(v)
		if !ok {
			return r.fail(v.Offset(), sqlerr.InvalidParameterValue, "SET %s takes constants only", d.Name)
		}
		texts[i] = text
	}
	value := strings.Join(texts, ", ")
	return r.tx.SetSetting(user, strings.ToLower(d.Name), &value)
}

// dropUser is DROP USER | ROLE.
func (r *run) dropUser(ctx context.Context, st *ast.DropUser) error {
	self, err := r.tx.User(ctx, r.tx.State.User)
	if err != nil {
		return err
	}
	if self != nil && !self.Superuser {
		return sqlerr.New(sqlerr.InsufficientPrivilege, "permission denied to drop role")
	}
	for _, name := range st.Names {
		name = r.role(name)
		if name == r.tx.State.User {
			return sqlerr.New(sqlerr.ObjectInUse, "current user cannot be dropped")
		}
		dropped, err := r.tx.DropUser(ctx, name, st.IfExists)
		if err != nil {
			return err
		}
		if !dropped {
			r.notice(sqlerr.SuccessfulCompletion, fmt.Sprintf("role %q does not exist, skipping", name), "")
		}
	}
	return nil
}

// refuseGrant answers GRANT and REVOKE: the catalog keeps no privileges yet.
func (r *run) refuseGrant(st *ast.Grant) error {
	what := "GRANT"
	if st.Revoke {
		what = "REVOKE"
	}
	e := r.unsupported(st.Pos, what)
	if st.Roles {
		return e.WithHint("Roles have no members. A user is a superuser or not: ALTER USER name SUPERUSER.")
	}
	return e.WithHint("Every user may read and write all tables; superusers may change users as well.")
}

// newVerifier gives what is kept of a password. A text in PostgreSQL's form of a verifier is kept as
// it is, so that users can be copied from there.
func newVerifier(password string) (string, error) {
	if rest, ok := strings.CutPrefix(password, "SCRAM-SHA-256$"); ok && strings.Count(rest, "$") == 1 && strings.Count(rest, ":") == 2 {
		return password, nil
	}
	if strings.HasPrefix(password, "md5") && len(password) == 35 {
		return "", sqlerr.New(sqlerr.FeatureNotSupported, "md5 passwords are not supported").
			WithHint("Give the password itself or a SCRAM-SHA-256 verifier.")
	}
	return pgwire.NewVerifier(password)
}
