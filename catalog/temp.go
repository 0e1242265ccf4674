package catalog

import (
	"maps"
	"sync/atomic"
)

// TempSchema is the name under which a session sees its temporary tables.
const TempSchema = "pg_temp"

const tempSchemaID = -1

func tempSchema() *Schema { return &Schema{ID: tempSchemaID, Name: TempSchema} }

// Temp holds the temporary tables of one session. They are part of its transactions like any other
// table, but live in this process only.
type Temp struct {
	location string
	state    atomic.Pointer[tempState]
	lastID   atomic.Int64
}

// NewTemp makes room for a session's temporary tables, whose files will lie below location.
func NewTemp(location string) *Temp {
	t := &Temp{location: location}
	t.lastID.Store(tempSchemaID)
	t.state.Store(emptyTemp())
	return t
}

// Location is the prefix of all files of the session's temporary tables. Whoever ends the session
// removes it.
func (t *Temp) Location() string { return t.location }

func (t *Temp) newID() int64 { return t.lastID.Add(-1) }

// tempState is the committed state of a session's temporary tables. It is immutable.
type tempState struct {
	version    int64
	tables     map[int64]*Table
	byName     map[string]int64
	partitions map[int64][]*Partition
}

func emptyTemp() *tempState {
	return &tempState{tables: map[int64]*Table{}, byName: map[string]int64{}, partitions: map[int64][]*Partition{}}
}

// with gives the state after a transaction's changes; partitions holds those of the tables written.
func (s *tempState) with(tables map[int64]*Table, partitions map[int64][]*Partition) *tempState {
	next := &tempState{version: s.version + 1, tables: maps.Clone(s.tables), byName: map[string]int64{}, partitions: maps.Clone(s.partitions)}
	for id, t := range tables {
		if id >= 0 {
			continue
		}
		if t == nil {
			delete(next.tables, id)
			delete(next.partitions, id)
		} else {
			next.tables[id] = t
		}
	}
	for id, t := range next.tables {
		next.byName[t.Name] = id
	}
	for id, list := range partitions {
		if next.tables[id] != nil {
			next.partitions[id] = list
		}
	}
	return next
}
