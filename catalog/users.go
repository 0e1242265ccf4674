package catalog

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Users lists the users of the present state by name.
func (tx *Tx) Users(ctx context.Context) ([]User, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.users(ctx)
}

func (tx *Tx) users(ctx context.Context) ([]User, error) {
	var out []User
	err := each(ctx, tx.c.db.read, "SELECT name, verifier, superuser, login FROM tarn_users WHERE begin_commit <= $1 AND $1 < end_commit",
		[]any{tx.base.commit}, func(row *sql.Rows) error {
			var u User
			err := row.Scan(&u.Name, &u.Verifier, &u.Superuser, &u.Login)
			if _, changed := tx.state.users[u.Name]; !changed {
				out = append(out, u)
			}
			return err
		})
	if err != nil {
		return nil, tx.c.db.wrap(ctx, err)
	}
	for _, u := range tx.state.users {
		if u != nil {
			out = append(out, *u)
		}
	}
	slices.SortFunc(out, func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// User finds a user of the present state; nil if there is none.
func (tx *Tx) User(ctx context.Context, name string) (*User, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.userNamed(ctx, name)
}

func (tx *Tx) userNamed(ctx context.Context, name string) (*User, error) {
	all, err := tx.users(ctx)
	if err != nil {
		return nil, err
	}
	if at := slices.IndexFunc(all, func(u User) bool { return u.Name == name }); at >= 0 {
		return &all[at], nil
	}
	return nil, nil
}

// CreateUser stages a user.
func (tx *Tx) CreateUser(ctx context.Context, u User) error {
	if strings.HasPrefix(u.Name, "pg_") {
		return sqlerr.New(sqlerr.ReservedName, "role name %q is reserved", u.Name).WithDetail("Role names starting with \"pg_\" are reserved.")
	}
	return tx.stage(func(state *staged) error {
		old, err := tx.userNamed(ctx, u.Name)
		if err != nil {
			return err
		}
		if old != nil {
			return sqlerr.New(sqlerr.DuplicateObject, "role %q already exists", u.Name)
		}
		state.users[u.Name] = &u
		return nil
	})
}

// AlterUser stages a change of a user.
func (tx *Tx) AlterUser(ctx context.Context, name string, change func(u *User)) error {
	return tx.stage(func(state *staged) error {
		old, err := tx.userNamed(ctx, name)
		if err != nil {
			return err
		}
		if old == nil {
			return missingRole(name)
		}
		u := *old
		change(&u)
		u.Name = name
		state.users[name] = &u
		return nil
	})
}

// DropUser stages the end of a user; dropped is false when there was none and ifExists is set.
func (tx *Tx) DropUser(ctx context.Context, name string, ifExists bool) (dropped bool, err error) {
	err = tx.stage(func(state *staged) error {
		old, err := tx.userNamed(ctx, name)
		switch {
		case err != nil:
			return err
		case old != nil:
			state.users[name], dropped = nil, true
		case !ifExists:
			return missingRole(name)
		}
		return nil
	})
	return dropped, err
}

func missingRole(name string) error {
	return sqlerr.New(sqlerr.UndefinedObject, "role %q does not exist", name)
}

// Settings lists the stored settings for a user and for all ("").
func (tx *Tx) Settings(ctx context.Context, user string) ([]Setting, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	var out []Setting
	err := each(ctx, tx.c.db.read, `SELECT subject, name, value FROM tarn_settings WHERE begin_commit <= $1 AND $1 < end_commit
		AND (subject = '' OR subject = $2)`, []any{tx.base.commit, user}, func(row *sql.Rows) error {
		var s Setting
		err := row.Scan(&s.User, &s.Name, &s.Value)
		if _, changed := tx.state.settings[settingKey{s.User, s.Name}]; !changed {
			out = append(out, s)
		}
		return err
	})
	if err != nil {
		return nil, tx.c.db.wrap(ctx, err)
	}
	for key, value := range tx.state.settings {
		if value != nil && (key.user == "" || key.user == user) {
			out = append(out, Setting{key.user, key.name, *value})
		}
	}
	slices.SortFunc(out, func(a, b Setting) int { return strings.Compare(a.User+"\x00"+a.Name, b.User+"\x00"+b.Name) })
	return out, nil
}

// SetSetting stages a stored setting; value nil removes it.
func (tx *Tx) SetSetting(user, name string, value *string) error {
	return tx.stage(func(state *staged) error {
		state.settings[settingKey{user, name}] = value
		return nil
	})
}
