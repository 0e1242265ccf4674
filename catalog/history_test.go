package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// model is the slow and obvious catalog: a table is its partitions, a partition a list of files.
type model struct {
	tables  map[string]*modelTable
	commit  int
	history map[int64]map[int64]string // table ID → version → content
}

type modelTable struct {
	id         int64
	partitions map[int64][]string
	changed    map[int64]int // partition → the commit that last changed it
	defined    int           // the commit that last changed the definition
	version    int64
}

func (t *modelTable) clone() *modelTable {
	out := &modelTable{t.id, map[int64][]string{}, maps.Clone(t.changed), t.defined, t.version}
	for day, files := range t.partitions {
		out.partitions[day] = slices.Clone(files)
	}
	return out
}

func (t *modelTable) content() string {
	var all []string
	for _, files := range t.partitions {
		all = append(all, files...)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// modelTx is a transaction of the model: a snapshot, changed as it goes, and what it may conflict on.
type modelTx struct {
	tx     *Tx
	base   int
	tables map[string]*modelTable
	// per table ID: partitions overwritten, all partitions, written at all, redefined or dropped
	overwrote map[int64]map[int64]bool
	all       map[int64]bool
	wrote     map[int64]bool
	redefined map[int64]bool
	created   map[int64]bool
	steps     []dataStep // for replay on the newest state
	saved     *modelTx
}

func (m *modelTx) clone() *modelTx {
	out := &modelTx{tx: m.tx, base: m.base, tables: map[string]*modelTable{}, overwrote: map[int64]map[int64]bool{}, all: maps.Clone(m.all),
		wrote: maps.Clone(m.wrote), redefined: maps.Clone(m.redefined), created: maps.Clone(m.created), steps: slices.Clone(m.steps)}
	for name, t := range m.tables {
		out.tables[name] = t.clone()
	}
	for id, days := range m.overwrote {
		out.overwrote[id] = maps.Clone(days)
	}
	return out
}

// dataStep changes the files of a table.
type dataStep struct {
	id int64
	do func(table *modelTable)
}

// do applies a change of files to the transaction's view, and to the newest state when it commits.
func (m *modelTx) do(id int64, change func(table *modelTable)) {
	_, table := byID(m.tables, id)
	change(table)
	m.steps = append(m.steps, dataStep{id, change})
}

func byID(state map[string]*modelTable, id int64) (string, *modelTable) {
	for name, t := range state {
		if t.id == id {
			return name, t
		}
	}
	return "", nil
}

// TestRandomHistories runs random transactions side by side against the model: every transaction
// sees its snapshot and its own changes, exactly the commits that must fail do, and in the end every
// version of every table can still be read.
func TestRandomHistories(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c, err := Open(context.Background(), "memory:", Options{Warehouse: "/w"})
		if err != nil {
			r.Fatal(err)
		}
		defer c.Close()
		h := &history{r: r, c: c, m: &model{tables: map[string]*modelTable{}, history: map[int64]map[int64]string{}}}
		for range rapid.IntRange(5, 60).Draw(r, "steps") {
			h.step()
			for _, m := range h.open {
				h.check(m)
			}
		}
		h.checkVersions()
	})
}

type history struct {
	r     *rapid.T
	c     *Catalog
	m     *model
	open  []*modelTx
	files int
}

func (h *history) step() {
	if len(h.open) == 0 || len(h.open) < 3 && rapid.IntRange(0, 3).Draw(h.r, "begin") == 0 {
		tx, err := h.c.Begin(context.Background(), Session{})
		if err != nil {
			h.r.Fatal(err)
		}
		m := &modelTx{tx: tx, base: h.m.commit, tables: map[string]*modelTable{}, overwrote: map[int64]map[int64]bool{}, all: map[int64]bool{},
			wrote: map[int64]bool{}, redefined: map[int64]bool{}, created: map[int64]bool{}}
		for name, table := range h.m.tables {
			m.tables[name] = table.clone()
		}
		h.open = append(h.open, m)
		return
	}
	at := rapid.IntRange(0, len(h.open)-1).Draw(h.r, "transaction")
	m := h.open[at]
	switch op := rapid.SampledFrom([]string{"create", "append", "append", "overwrite", "delete", "truncate", "rename", "drop", "save", "back", "commit", "commit", "rollback"}).Draw(h.r, "op"); op {
	case "save":
		m.tx.Savepoint("s")
		saved := m.clone()
		m.saved = saved
	case "back":
		if m.saved != nil {
			if err := m.tx.RollbackTo("s"); err != nil {
				h.r.Fatal(err)
			}
			back := m.saved.clone()
			back.saved = m.saved
			h.open[at] = back
		}
	case "commit":
		h.commit(m)
		h.open = slices.Delete(h.open, at, at+1)
	case "rollback":
		m.tx.Rollback()
		h.open = slices.Delete(h.open, at, at+1)
	case "create":
		h.create(m)
	default:
		h.change(m, op)
	}
}

func (h *history) create(m *modelTx) {
	name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(h.r, "name")
	spec := CreateTable{Name: Name{"public", name}, Partition: []string{"ds"}, Columns: []Column{{Name: "id", Type: types.Of(types.Int64)}, {Name: "ds", Type: types.Of(types.Date)}}}
	table, err := m.tx.CreateTable(context.Background(), spec)
	if m.tables[name] != nil {
		if sqlerr.CodeOf(err) != sqlerr.DuplicateTable {
			h.r.Fatalf("creating %s twice: %v", name, err)
		}
		return
	}
	if err != nil {
		h.r.Fatal(err)
	}
	m.created[table.ID] = true
	m.redefined[table.ID] = true
	m.tables[name] = &modelTable{id: table.ID, partitions: map[int64][]string{}, changed: map[int64]int{}}
}

func (h *history) change(m *modelTx, op string) {
	names := slices.Sorted(maps.Keys(m.tables))
	if len(names) == 0 {
		return
	}
	name := rapid.SampledFrom(names).Draw(h.r, "table")
	id := m.tables[name].id
	day := int64(rapid.IntRange(1, 3).Draw(h.r, "day"))
	ctx := context.Background()
	var err error
	switch op {
	case "append", "overwrite":
		h.files++
		f := file(fmt.Sprintf("f%d", h.files), day, 0, 1)
		label := fmt.Sprintf("f%d", h.files)
		mode := connectors.Append
		if op == "overwrite" {
			mode = connectors.OverwriteDynamic
			m.overwrites(id, day)
		}
		err = m.tx.WriteFiles(ctx, id, mode, nil, []connectors.DataFile{f})
		m.wrote[id] = true
		m.do(id, func(table *modelTable) {
			if op == "overwrite" {
				table.partitions[day] = nil
			}
			table.partitions[day] = append(table.partitions[day], label)
		})
	case "delete":
		err = m.tx.DeletePartitions(id, []string{fmt.Sprintf("1970-01-%02d", day+1)})
		m.overwrites(id, day)
		m.wrote[id] = true
		m.do(id, func(table *modelTable) {
			delete(table.partitions, day)
		})
	case "truncate":
		err = m.tx.Truncate(id)
		m.all[id], m.wrote[id] = true, true
		m.do(id, func(table *modelTable) {
			table.partitions = map[int64][]string{}
		})
	case "rename":
		to := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(h.r, "to")
		err = m.tx.AlterRelation("table", Name{"public", name}, RenameTo("", to))
		if m.tables[to] != nil {
			if sqlerr.CodeOf(err) != sqlerr.DuplicateTable {
				h.r.Fatalf("renaming %s to %s: %v", name, to, err)
			}
			return
		}
		m.redefined[id] = true
		m.tables[to] = m.tables[name]
		delete(m.tables, name)
	case "drop":
		_, err = m.tx.DropRelations("table", []Name{{"public", name}}, false, false)
		delete(m.wrote, id)
		m.redefined[id] = true
		delete(m.tables, name)
	}
	if err != nil {
		h.r.Fatalf("%s on %s: %v", op, name, err)
	}
}

func (m *modelTx) overwrites(id, day int64) {
	if m.overwrote[id] == nil {
		m.overwrote[id] = map[int64]bool{}
	}
	m.overwrote[id][day] = true
}

// mustFail tells whether a commit conflicts with what was committed after its snapshot.
func (h *history) mustFail(m *modelTx) bool {
	for id := range m.redefined {
		if _, now := byID(h.m.tables, id); !m.created[id] && (now == nil || now.defined > m.base) {
			return true
		}
	}
	for id := range m.wrote {
		if m.created[id] {
			continue
		}
		_, now := byID(h.m.tables, id)
		if now == nil || now.defined > m.base {
			return true
		}
		for day, changed := range now.changed {
			if changed > m.base && (m.all[id] || m.overwrote[id][day]) {
				return true
			}
		}
	}
	// Names that this transaction takes must not have been taken by others.
	for name, mine := range m.tables {
		if now := h.m.tables[name]; m.redefined[mine.id] && now != nil && now.id != mine.id {
			if _, stays := byID(m.tables, now.id); stays == nil && m.redefined[now.id] {
				continue // dropped by this transaction
			}
			if other, stays := byID(m.tables, now.id); stays != nil && other != name && m.redefined[now.id] {
				continue // renamed by this transaction
			}
			return true
		}
	}
	return false
}

func (h *history) commit(m *modelTx) {
	fails := h.mustFail(m)
	lasting := m.tx.lasting()
	_, err := m.tx.Commit(context.Background())
	if fails {
		if code := sqlerr.CodeOf(err); code != sqlerr.SerializationFailure && code != sqlerr.DuplicateTable {
			h.r.Fatalf("commit should have failed: %v", err)
		}
		return
	}
	if err != nil {
		h.r.Fatalf("commit: %v", err)
	}
	if !lasting {
		return
	}
	h.m.commit++
	before := map[int64]*modelTable{}
	for _, table := range h.m.tables {
		before[table.id] = table.clone()
	}
	moved := map[string]*modelTable{}
	for id := range m.redefined {
		from, table := byID(h.m.tables, id)
		delete(h.m.tables, from)
		if to, mine := byID(m.tables, id); mine != nil {
			if table == nil {
				table = &modelTable{id: id, partitions: map[int64][]string{}, changed: map[int64]int{}}
			}
			moved[to] = table
		}
	}
	maps.Copy(h.m.tables, moved)
	for _, step := range m.steps {
		if _, table := byID(h.m.tables, step.id); table != nil {
			step.do(table)
		}
	}
	for _, table := range h.m.tables {
		old := before[table.id]
		touched := m.wrote[table.id] || m.redefined[table.id]
		if !touched {
			continue
		}
		if m.redefined[table.id] {
			table.defined = h.m.commit
		}
		for day := range int64(5) {
			if old != nil && !slices.Equal(old.partitions[day], table.partitions[day]) || old == nil && len(table.partitions[day]) > 0 {
				table.changed[day] = h.m.commit
			}
		}
		table.version++
		if h.m.history[table.id] == nil {
			h.m.history[table.id] = map[int64]string{}
		}
		h.m.history[table.id][table.version] = table.content()
	}
}

// check compares what a transaction sees with the model.
func (h *history) check(m *modelTx) {
	seen := map[string]string{}
	for _, t := range m.tx.Definitions("public") {
		seen[t.Name] = h.read(m.tx.Resolve("public", t.Name))
	}
	expected := map[string]string{}
	for name, table := range m.tables {
		expected[name] = table.content()
	}
	if !maps.Equal(seen, expected) {
		h.r.Fatalf("a transaction sees %v, want %v", seen, expected)
	}
}

func (h *history) read(table *connectors.Table) string {
	list, err := h.c.Files(context.Background(), connectors.Scan{Handle: table.Handle})
	if err != nil {
		h.r.Fatal(err)
	}
	var all []string
	for _, f := range list.Files {
		all = append(all, f.ETag)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// checkVersions reads every version of the tables that are left.
func (h *history) checkVersions() {
	tx, err := h.c.Begin(context.Background(), Session{})
	if err != nil {
		h.r.Fatal(err)
	}
	defer tx.Rollback()
	for name, table := range h.m.tables {
		versions, err := tx.Versions(context.Background(), table.id)
		if err != nil || int64(len(versions)) != table.version {
			h.r.Fatalf("%s has %d versions (%v), want %d", name, len(versions), err, table.version)
		}
		for number, content := range h.m.history[table.id] {
			past, err := tx.AtVersion(context.Background(), table.id, number)
			if err != nil {
				h.r.Fatal(err)
			}
			if got := h.read(past); got != content {
				h.r.Fatalf("%s version %d: %q, want %q", name, number, got, content)
			}
		}
	}
}
