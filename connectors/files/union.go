package files

import (
	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// maxColumns bounds the columns of a file table.
const maxColumns = 100_000

// union makes the columns of a set from those of its files, one file after the other.
type union struct {
	set   *fileSet
	names *scan.Names
	file  int
	last  []int // for each column the last file that has it
}

func newUnion(set *fileSet) *union {
	u := &union{set: set, names: scan.NewNames(len(set.Columns), func(i int) string { return set.Columns[i].Name })}
	u.last = make([]int, len(set.Columns))
	return u
}

// next begins a file.
func (u *union) next() { u.file++ }

// column gives the column of a field of the present file: that of its name or else, where no other
// field of the file is that column, the first that differs by letter case only; -1 for none.
func (u *union) column(name string) int {
	at := u.names.First(name)
	if at >= 0 && u.set.Columns[at].Name != name && u.last[at] == u.file {
		return -1
	}
	return at
}

// add adds a field of the present file, or widens the column of that name; those of the first file
// are all added.
func (u *union) add(field types.Field, file string) error {
	at := u.column(field.Name)
	if at < 0 || u.file == 1 {
		if len(u.set.Columns) == maxColumns {
			return sqlerr.New(sqlerr.TooManyColumns, "file %q has more than %d columns", file, maxColumns)
		}
		u.names.Add(field.Name, len(u.set.Columns))
		u.set.Columns = append(u.set.Columns, fileSetColumn{Name: field.Name, Type: field.Type})
		u.last = append(u.last, u.file)
		return nil
	}
	column := &u.set.Columns[at]
	u.last[at] = u.file
	wide, ok := wider(column.Type, field.Type)
	if !ok {
		return sqlerr.New(sqlerr.DatatypeMismatch, "column %q has type %s in file %q and type %s before", field.Name, field.Type, file, column.Type)
	}
	column.Type = wide
	return nil
}

// addText is add where types that do not agree become text.
func (u *union) addText(field types.Field, file string) error {
	err := u.add(field, file)
	if sqlerr.CodeOf(err) == sqlerr.DatatypeMismatch {
		u.set.Columns[u.names.First(field.Name)].Type = types.Of(types.Text)
		return nil
	}
	return err
}
