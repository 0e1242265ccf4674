package pgcatalog

import (
	"context"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"github.com/tarnlake/tarn/connectors"
)

// Source tells what there is to describe. Its methods may be called concurrently.
type Source interface {
	// Objects gives what a transaction sees. The result may be kept by the Source and must not change.
	Objects(ctx context.Context, transaction string) (*Objects, error)
	// Session describes the session that runs a transaction.
	Session(transaction string) Session
	// Backends lists the live sessions.
	Backends() []Backend
	// Settings lists the settings with the values that the session of a transaction sees.
	Settings(transaction string) []Setting
	// Size gives the rows and bytes of a relation; -1 when that is not known.
	Size(ctx context.Context, transaction string, r *Relation) (rows, bytes int64, err error)
}

// Session is what catalog functions want to know of a session.
type Session struct {
	User, Database string
	SearchPath     []string // implicit schemas first
}

// Backend is a row of pg_stat_activity.
type Backend struct {
	PID                                                int32
	User, Database, Application, Client, State, Query  string
	Started, TransactionStarted, QueryStarted, Changed time.Time
}

// Setting is a row of pg_settings.
type Setting struct {
	Name, Value, Default, Doc, Type string // Type: "bool", "integer", "real", "string", "enum"
	Choices                         []string
	Fixed                           bool
}

// Schema is a namespace that holds user objects or the server's own tables.
type Schema struct {
	ID             int64
	Name           string
	Owner, Comment string
	oid            uint32
}

// Relation is a table or a view.
type Relation struct {
	ID             int64
	Schema         string
	Name           string
	Kind           connectors.TableKind
	Owner, Comment string
	Columns        []connectors.Column
	Partition      []string // names of the partition columns
	ViewSQL        string
	DependsOn      []int64

	oid       uint32
	namespace uint32
	builtin   *relation // a relation of this package
}

// User is a role that may connect.
type User struct {
	Name             string
	Superuser, Login bool
	oid              uint32
}

// Objects is a snapshot of all objects. Fill the exported fields and hand it out: it is completed
// when it is first read.
type Objects struct {
	Schemas   []Schema
	Relations []Relation
	Users     []User

	once      sync.Once
	schemas   map[string]*Schema
	byOID     map[uint32]*Relation
	byName    map[[2]string]*Relation
	userByOID map[uint32]*User
}

// Oids below 16384 are PostgreSQL's own; the rest is shared out so that no two objects meet.
const (
	oidBootstrapUser  = 10
	oidPgCatalog      = 11
	oidPublic         = 2200
	oidInformation    = 13183
	oidTemporary      = 13998
	oidSystem         = 13999
	firstObjectOID    = 16384
	temporaryTableOID = 0x3000_0000
	namedTableOID     = 0x3800_0000
	namedUserOID      = 0x0800_0000
	rowTypeBit        = 0x4000_0000
	defaultBit        = 0x8000_0000
	oidDatabase       = 5
	oidTablespace     = 1663
)

// bootstrapUser owns what nobody else does.
const bootstrapUser = "tarn"

func nameHash(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return h.Sum32() & 0x07ff_ffff
}

func (s *Schema) setOID() {
	switch s.Name {
	case "pg_catalog":
		s.oid = oidPgCatalog
	case "information_schema":
		s.oid = oidInformation
	case "public":
		s.oid = oidPublic
	case "pg_temp":
		s.oid = oidTemporary
	case "system":
		s.oid = oidSystem
	default:
		s.oid = firstObjectOID + uint32(s.ID)
	}
}

func (r *Relation) setOID() {
	switch {
	case r.builtin != nil:
		r.oid = r.builtin.oid
	case r.ID > 0:
		r.oid = firstObjectOID + uint32(r.ID)
	case r.ID < 0:
		r.oid = temporaryTableOID + uint32(-r.ID)
	default:
		r.oid = namedTableOID | nameHash(r.Schema+"."+r.Name)
	}
}

// rowType is the oid of the relation's row type.
func (r *Relation) rowType() uint32 { return r.oid | rowTypeBit }

// relkind is pg_class.relkind. External and partitioned tables are plain tables to clients: many
// list no others.
func (r *Relation) relkind() string {
	if r.Kind == connectors.View || r.builtin != nil && r.builtin.kind == "v" {
		return "v"
	}
	return "r"
}

func userOID(name string) uint32 {
	if name == bootstrapUser || name == "" {
		return oidBootstrapUser
	}
	return namedUserOID | nameHash(name)
}

// complete adds the built-in objects, gives oids and indexes.
func (o *Objects) complete(all []relation) {
	o.once.Do(func() {
		for _, name := range []string{"information_schema", "pg_catalog"} {
			o.Schemas = append(o.Schemas, Schema{Name: name, Owner: bootstrapUser})
		}
		for i := range all {
			r := &all[i]
			o.Relations = append(o.Relations, Relation{Schema: r.schema, Name: r.name, Kind: connectors.Virtual, Owner: bootstrapUser,
				Columns: r.columns, builtin: r})
		}
		o.schemas, o.byOID, o.byName = map[string]*Schema{}, map[uint32]*Relation{}, map[[2]string]*Relation{}
		for i := range o.Schemas {
			s := &o.Schemas[i]
			s.setOID()
			o.schemas[s.Name] = s
		}
		for i := range o.Relations {
			r := &o.Relations[i]
			r.setOID()
			if s := o.schemas[r.Schema]; s != nil {
				r.namespace = s.oid
			}
			o.byOID[r.oid], o.byName[[2]string{r.Schema, r.Name}] = r, r
		}
		o.completeUsers()
	})
}

// completeUsers adds the owners that are not in the list of users.
func (o *Objects) completeUsers() {
	add := func(name string) {
		if name != "" && !slices.ContainsFunc(o.Users, func(u User) bool { return u.Name == name }) {
			o.Users = append(o.Users, User{Name: name, Superuser: true, Login: true})
		}
	}
	add(bootstrapUser)
	for i := range o.Schemas {
		add(o.Schemas[i].Owner)
	}
	for i := range o.Relations {
		add(o.Relations[i].Owner)
	}
	o.userByOID = map[uint32]*User{}
	for i := range o.Users {
		u := &o.Users[i]
		u.oid = userOID(u.Name)
		o.userByOID[u.oid] = u
	}
}

// find looks a name up: in one schema, or along the search path when schema is "".
func (o *Objects) find(path []string, schema, name string) *Relation {
	if schema != "" {
		return o.byName[[2]string{schema, name}]
	}
	for _, s := range path {
		if r := o.byName[[2]string{s, name}]; r != nil {
			return r
		}
	}
	return nil
}
