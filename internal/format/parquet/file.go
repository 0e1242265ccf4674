package parquet

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"sync"
	"unsafe"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// footerGuess is read from the file's end at once: most footers fit.
const footerGuess = 64 << 10

// maxFooter bounds the footer that Open accepts.
const maxFooter = 512 << 20

// File is an opened Parquet file: its footer, decoded. It is immutable and safe for concurrent use;
// it holds no file handle.
type File struct {
	store    objstore.Store
	object   objstore.Object
	meta     *fileMeta
	fields   []*node
	firstRow []int64 // position of each row group's first row in the file
	encoded  int64   // size of the footer as it is stored
	codecs   codecPool
	names    func() *scan.Names
}

// Open reads the footer of the object at path.
func Open(ctx context.Context, store objstore.Store, path string) (*File, error) {
	object, err := store.Stat(ctx, path)
	if err != nil {
		return nil, err
	}
	return OpenObject(ctx, store, object, nil)
}

// OpenObject is Open for an object whose size and etag are known; what the footer takes is counted
// against the budget.
func OpenObject(ctx context.Context, store objstore.Store, object objstore.Object, budget *scan.Budget) (f *File, err error) {
	f = &File{store: store, object: object}
	f.names = sync.OnceValue(func() *scan.Names {
		return scan.NewNames(len(f.fields), func(i int) string { return f.fields[i].name })
	})
	defer func() {
		if p := recover(); p != nil {
			err = f.corrupt("footer cannot be read: %v", p).WithDetail("%s", debug.Stack())
		}
	}()
	footer, err := f.readFooter(ctx, budget)
	if err != nil {
		return nil, err
	}
	f.encoded = int64(len(footer))
	if f.meta, err = decodeFileMeta(footer, budget); err != nil {
		return nil, f.unlessShort(err, budget)
	}
	if f.meta.encrypted {
		return nil, f.encrypted()
	}
	var columns int
	if f.fields, columns, err = buildSchema(f.meta.schema, budget); err != nil {
		return nil, f.unlessShort(err, budget)
	}
	return f, f.checkGroups(columns)
}

// unlessShort gives the budget's error, when that is what is wrong, and else that of a damaged file.
func (f *File) unlessShort(err error, budget *scan.Budget) error {
	if short := budget.Err(); short != nil {
		return short
	}
	return f.corrupt("%v", err)
}

func (f *File) readFooter(ctx context.Context, budget *scan.Budget) ([]byte, error) {
	size := f.object.Size
	if size < 12 {
		return nil, f.corrupt("%d bytes are too few for a Parquet file", size)
	}
	tail := make([]byte, min(size, footerGuess))
	if err := f.read(ctx, size-int64(len(tail)), tail); err != nil {
		return nil, err
	}
	switch magic := string(tail[len(tail)-4:]); magic {
	case "PAR1":
	case "PARE":
		return nil, f.encrypted()
	default:
		return nil, f.corrupt("not a Parquet file: it ends in %q instead of \"PAR1\"", magic)
	}
	length := int64(binary.LittleEndian.Uint32(tail[len(tail)-8:]))
	if length > size-12 || length > maxFooter {
		return nil, f.corrupt("footer of %d bytes in a file of %d bytes", length, size)
	}
	if length+8 <= int64(len(tail)) {
		return tail[int64(len(tail))-8-length : len(tail)-8], nil
	}
	if err := budget.Take(length); err != nil {
		return nil, err
	}
	footer := make([]byte, length)
	return footer, f.read(ctx, size-8-length, footer)
}

func (f *File) read(ctx context.Context, offset int64, into []byte) error {
	return f.store.ReadRanges(ctx, f.object.Path, f.object.ETag,
		[]objstore.Range{{Offset: offset, Length: int64(len(into))}}, [][]byte{into})
}

func (f *File) encrypted() error {
	return sqlerr.New(sqlerr.FeatureNotSupported, "file %q is encrypted", f.shown()).
		WithHint("Encrypted Parquet files cannot be read.")
}

func (f *File) checkGroups(columns int) error {
	var leaves []*leaf
	for _, field := range f.fields {
		leaves = field.leaves(leaves)
	}
	rows := int64(0)
	for g := range f.meta.groups {
		group := &f.meta.groups[g]
		f.firstRow = append(f.firstRow, rows)
		if rows += group.rows; rows < 0 {
			return f.corrupt("row counts overflow")
		}
		if len(group.chunks) != columns {
			return f.corrupt("row group %d has %d columns, the schema %d", g, len(group.chunks), columns)
		}
		for c := range group.chunks {
			chunk := &group.chunks[c]
			switch {
			case chunk.encrypted:
				return f.encrypted()
			case chunk.otherFile:
				return sqlerr.New(sqlerr.FeatureNotSupported, "file %q keeps its columns in other files", f.shown())
			case chunk.end() > f.object.Size:
				return f.corruptAt(g, leaves[c].path, "bytes %d to %d lie beyond the end of the file (%d bytes)",
					chunk.start(), chunk.end(), f.object.Size)
			case chunk.physical != leaves[c].element.physical:
				return f.corruptAt(g, leaves[c].path, "stored as physical type %d, declared as %d", chunk.physical, leaves[c].element.physical)
			case leaves[c].maxRepetition == 0 && chunk.values != group.rows:
				return f.corruptAt(g, leaves[c].path, "%d values for %d rows", chunk.values, group.rows)
			}
		}
	}
	if rows != f.meta.rows {
		return f.corrupt("row groups hold %d rows, the footer says %d", rows, f.meta.rows)
	}
	return nil
}

// shown is the file's name in errors.
func (f *File) shown() string { return objstore.Shown(f.store, f.object.Path) }

// corrupt makes the error of a damaged file.
func (f *File) corrupt(format string, args ...any) *sqlerr.Error {
	return sqlerr.New(sqlerr.DataCorrupted, "Parquet file %q is damaged: %s", f.shown(), fmt.Sprintf(format, args...))
}

func (f *File) corruptAt(group int, column, format string, args ...any) *sqlerr.Error {
	return sqlerr.New(sqlerr.DataCorrupted, "Parquet file %q is damaged in row group %d, column %q: %s",
		f.shown(), group, column, fmt.Sprintf(format, args...))
}

// MemorySize is about how many bytes the decoded footer takes.
func (f *File) MemorySize() int64 {
	size := 2*f.encoded + 1024
	for g := range f.meta.groups {
		size += int64(len(f.meta.groups[g].chunks)) * int64(unsafe.Sizeof(chunkMeta{}))
	}
	return size
}

// Object describes the file.
func (f *File) Object() objstore.Object { return f.object }

// Rows is the number of rows.
func (f *File) Rows() int64 { return f.meta.rows }

// Schema gives the fields. A field of a kind that cannot be read has type Unknown.
func (f *File) Schema() types.Schema {
	out := make(types.Schema, len(f.fields))
	for i, n := range f.fields {
		out[i] = types.Field{Name: n.name, Type: n.typ, Nullable: n.optional}
	}
	return out
}

// FieldID is the field's id as written (Iceberg's column id), 0 for none.
func (f *File) FieldID(field int) int32 {
	at := 1
	for range field {
		at = f.skipElement(at)
	}
	return f.meta.schema[at].fieldID
}

func (f *File) skipElement(at int) int {
	children := int(f.meta.schema[at].children)
	at++
	for range children {
		at = f.skipElement(at)
	}
	return at
}

// Lookup finds a field by name, exactly or else, when there is just one such, without regard to
// letter case; -1 for none.
func (f *File) Lookup(name string) int {
	return f.names().Find(name)
}

// RowGroups is the number of row groups.
func (f *File) RowGroups() int { return len(f.meta.groups) }

// GroupRows is the number of rows of a row group.
func (f *File) GroupRows(group int) int64 { return f.meta.groups[group].rows }

// CreatedBy names the writer, "" when unknown.
func (f *File) CreatedBy() string { return f.meta.createdBy }

// KeyValues gives the writer's own metadata; it must not be changed.
func (f *File) KeyValues() map[string]string { return f.meta.keyValues }
