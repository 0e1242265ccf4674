package orc

import (
	"context"
	"fmt"
	"path"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

const (
	// tailGuess is read from the file's end at once: most footers fit.
	tailGuess = 64 << 10
	// maxFooter bounds the compressed footer and metadata that Open accepts.
	maxFooter = 512 << 20
)

const (
	maxRowsOfStripe = 1 << 31
	maxGroups       = 1 << 20
)

// File is an opened ORC file: its footer, decoded. It is immutable and safe for concurrent use; it
// holds no file handle.
type File struct {
	store   objstore.Store
	object  objstore.Object
	meta    fileMeta
	fields  []*node
	encoded int64 // size of footer and metadata, decompressed
	codecs  codecPool
	names   func() *scan.Names
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
	if err := f.refuseTransactional(); err != nil {
		return nil, err
	}
	if object.Size == 0 { // an empty table's file, as Hive leaves it
		return f, nil
	}
	if err := f.readTail(ctx, budget); err != nil {
		if short := budget.Err(); short != nil {
			return nil, short
		}
		return nil, err
	}
	if f.meta.encrypted {
		return nil, f.encrypted()
	}
	if f.fields, err = buildSchema(f.meta.types); err != nil {
		return nil, f.corrupt("%v", err)
	}
	if transactionalFields(f.fields) {
		return nil, f.transactional()
	}
	return f, f.checkStripes()
}

// readTail reads postscript, footer and metadata.
func (f *File) readTail(ctx context.Context, budget *scan.Budget) error {
	size := f.object.Size
	if size < 4 {
		return f.corrupt("%d bytes are too few for an ORC file", size)
	}
	tail := make([]byte, min(size, tailGuess))
	if err := f.read(ctx, size-int64(len(tail)), tail); err != nil {
		return err
	}
	length := int(tail[len(tail)-1])
	if length+1 > len(tail) {
		return f.corrupt("postscript of %d bytes in a file of %d bytes", length, size)
	}
	ps, err := decodePostscript(tail[len(tail)-1-length : len(tail)-1])
	if err != nil || ps.magic != "ORC" && !f.magicInFront(ctx) {
		if err == nil {
			err = fmt.Errorf("the magic is missing")
		}
		return f.corrupt("not an ORC file: its postscript cannot be read: %v", err)
	}
	f.meta.postscript = ps
	if ps.blockSize <= 0 || ps.blockSize > maxBlockSize {
		return f.corrupt("compression chunks of %d bytes", ps.blockSize)
	}
	end := size - 1 - int64(length)
	if ps.footerLength > end || ps.metadataLength > end-ps.footerLength || ps.footerLength+ps.metadataLength > maxFooter {
		return f.corrupt("footer of %d and metadata of %d bytes in a file of %d bytes", ps.footerLength, ps.metadataLength, size)
	}
	both := ps.footerLength + ps.metadataLength
	if err := budget.Take(both); err != nil {
		return err
	}
	data := make([]byte, both)
	if have := int64(len(tail) - 1 - length); both <= have {
		copy(data, tail[have-both:])
	} else if err := f.read(ctx, end-both, data); err != nil {
		return err
	}
	return f.decodeTail(data[:ps.metadataLength], data[ps.metadataLength:], budget)
}

func (f *File) decodeTail(metadata, footer []byte, budget *scan.Budget) error {
	const most = 1 << 30
	footer, err := f.codecs.decompressAll(f.meta.compression, footer, f.meta.blockSize, most, budget)
	if err != nil {
		return f.corrupt("footer cannot be decompressed: %v", err)
	}
	f.encoded = int64(len(footer))
	if err := f.meta.decodeFooter(footer, budget); err != nil {
		return f.corrupt("footer cannot be decoded: %v", err)
	}
	metadata, err = f.codecs.decompressAll(f.meta.compression, metadata, f.meta.blockSize, most, budget)
	if err == nil {
		f.encoded += int64(len(metadata))
		err = f.meta.decodeMetadata(metadata, budget)
	}
	if err != nil {
		return f.corrupt("statistics of stripes cannot be read: %v", err)
	}
	return nil
}

// magicInFront is how the files of version 0.11 begin.
func (f *File) magicInFront(ctx context.Context) bool {
	var front [3]byte
	return f.read(ctx, 0, front[:]) == nil && string(front[:]) == "ORC"
}

func (f *File) read(ctx context.Context, offset int64, into []byte) error {
	return f.store.ReadRanges(ctx, f.object.Path, f.object.ETag,
		[]objstore.Range{{Offset: offset, Length: int64(len(into))}}, [][]byte{into})
}

func (f *File) encrypted() error {
	return sqlerr.New(sqlerr.FeatureNotSupported, "file %q is encrypted", f.shown()).
		WithHint("Encrypted ORC files cannot be read.")
}

func (f *File) transactional() error {
	return sqlerr.New(sqlerr.FeatureNotSupported, "file %q belongs to a transactional Hive table", f.shown()).
		WithHint("Its rows are the sum of base and delta directories. Write it to a table without transactions first, for example by Hive's CREATE TABLE ... AS SELECT.")
}

// refuseTransactional knows the directories of Hive's transactional tables.
func (f *File) refuseTransactional() error {
	directory := path.Base(path.Dir(f.object.Path))
	for _, prefix := range []string{"delta_", "delete_delta_", "base_"} {
		if rest, found := strings.CutPrefix(directory, prefix); found && len(rest) >= 7 && strings.Trim(rest, "0123456789_v") == "" {
			return f.transactional()
		}
	}
	return nil
}

// transactionalFields tells whether rows are wrapped in the changes of a transactional table.
func transactionalFields(fields []*node) bool {
	want := []string{"operation", "originalTransaction", "bucket", "rowId", "currentTransaction", "row"}
	if len(fields) != len(want) {
		return false
	}
	for i, field := range fields {
		if !strings.EqualFold(field.name, want[i]) {
			return false
		}
	}
	return true
}

func (f *File) checkStripes() error {
	rows := int64(0)
	for i := range f.meta.stripes {
		s := &f.meta.stripes[i]
		if s.rows > maxRowsOfStripe {
			return f.corruptAt(i, "", "%d rows", s.rows)
		}
		if f.meta.stride > 0 && s.rows/f.meta.stride > maxGroups {
			f.meta.stride = 0 // an index of no use
		}
		s.firstRow = rows
		if rows += s.rows; rows < 0 {
			return f.corrupt("row counts overflow")
		}
		size := f.object.Size
		if s.offset > size || s.indexLength > size || s.dataLength > size || s.footerLength > size || s.end() > size {
			return f.corruptAt(i, "", "bytes %d to %d lie beyond the end of the file (%d bytes)", s.offset, s.end(), size)
		}
	}
	if !f.meta.rowsGiven {
		f.meta.rows = rows
	}
	if rows != f.meta.rows {
		return f.corrupt("stripes hold %d rows, the footer says %d", rows, f.meta.rows)
	}
	if f.meta.stride > 1<<31 {
		return f.corrupt("row groups of %d rows", f.meta.stride)
	}
	return nil
}

// shown is the file's name in errors.
func (f *File) shown() string { return objstore.Shown(f.store, f.object.Path) }

// corrupt makes the error of a damaged file.
func (f *File) corrupt(format string, args ...any) *sqlerr.Error {
	return sqlerr.New(sqlerr.DataCorrupted, "ORC file %q is damaged: %s", f.shown(), fmt.Sprintf(format, args...))
}

func (f *File) corruptAt(stripe int, column, format string, args ...any) *sqlerr.Error {
	where := fmt.Sprintf("stripe %d", stripe)
	if column != "" {
		where += fmt.Sprintf(", column %q", column)
	}
	return sqlerr.New(sqlerr.DataCorrupted, "ORC file %q is damaged in %s: %s", f.shown(), where, fmt.Sprintf(format, args...))
}

// MemorySize is about how many bytes the decoded footer takes.
func (f *File) MemorySize() int64 { return 3*f.encoded + 1024 }

// Object describes the file.
func (f *File) Object() objstore.Object { return f.object }

// Rows is the number of rows.
func (f *File) Rows() int64 { return f.meta.rows }

// Stripes is the number of stripes.
func (f *File) Stripes() int { return len(f.meta.stripes) }

// StripeBytes is what a stripe takes in the file, with its indexes and footer.
func (f *File) StripeBytes(stripe int) int64 {
	s := &f.meta.stripes[stripe]
	return s.indexLength + s.dataLength + s.footerLength
}

// Compression names the file's compression, as WITH (compression = …) does.
func (f *File) Compression() string { return f.meta.compression.String() }

// Software names the writer, as far as the file tells.
func (f *File) Software() string {
	if f.meta.software != "" {
		return f.meta.software
	}
	switch f.meta.writer {
	case writerJava:
		return "ORC Java"
	case writerCPP:
		return "ORC C++"
	case writerTarn:
		return "Tarn"
	}
	return fmt.Sprintf("writer %d", f.meta.writer)
}

// StripeRows is the number of rows of a stripe.
func (f *File) StripeRows(stripe int) int64 { return f.meta.stripes[stripe].rows }

// Schema gives the fields. A field of a kind that cannot be read has type Unknown.
func (f *File) Schema() types.Schema {
	out := make(types.Schema, len(f.fields))
	for i, n := range f.fields {
		out[i] = types.Field{Name: n.name, Type: n.typ, Nullable: true}
	}
	return out
}

// KeyValues gives the writer's own metadata; it must not be changed.
func (f *File) KeyValues() map[string]string { return f.meta.keyValues }

// Positional tells whether the fields have no names of their own but _col0, _col1 and so on, as
// Hive wrote them.
func (f *File) Positional() bool {
	for i, n := range f.fields {
		if n.name != fmt.Sprintf("_col%d", i) {
			return false
		}
	}
	return len(f.fields) > 0
}

// Lookup finds a field by name, exactly or else, when there is just one such, without regard to
// letter case; -1 for none.
func (f *File) Lookup(name string) int {
	return f.names().Find(name)
}
