package spill

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/pierrec/lz4/v4"
	"github.com/zeebo/xxh3"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// File is an unlinked temporary file of blocks. Write and Read may be called concurrently.
type File struct {
	file    *os.File
	end     atomic.Int64
	scratch sync.Pool // *buffers
	written *atomic.Int64
}

// Block says where one batch lies.
type Block struct {
	Offset int64
	Stored int32 // bytes in the file
	Raw    int32 // bytes before compression; equal to Stored when not compressed
	Rows   int32
	sum    uint64
}

type buffers struct{ raw, packed []byte }

// Create opens a file in directory ("": the system's) and unlinks it; written, if not nil, counts the bytes.
func Create(directory string, written *atomic.Int64) (*File, error) {
	if directory == "" {
		directory = os.TempDir()
	} else if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, failure(err, "create spill directory %q", directory)
	}
	f, err := os.CreateTemp(directory, "tarn-spill-*")
	if err != nil {
		return nil, failure(err, "create a spill file in %q", directory)
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close()
		return nil, failure(err, "unlink spill file %q", f.Name())
	}
	return &File{file: f, written: written}, nil
}

// failure gives an I/O error its SQLSTATE: 53100 when the disk is full.
func failure(err error, format string, args ...any) error {
	code := sqlerr.IOError
	full := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
	if full {
		code = sqlerr.DiskFull
	}
	e := sqlerr.Wrap(err, code, "could not "+format, args...)
	if full {
		return e.WithHint("Free disk space, point spill.dir to a larger disk, or raise memory.query_limit.")
	}
	return e
}

// Bytes is the size of the file.
func (f *File) Bytes() int64 { return f.end.Load() }

// Close gives the disk space back.
func (f *File) Close() error {
	if f == nil {
		return nil
	}
	return f.file.Close()
}

// Write appends the selected rows of b, at most what fits in 1 GiB.
func (f *File) Write(b *vec.Batch) (Block, error) {
	s, _ := f.scratch.Get().(*buffers)
	if s == nil {
		s = &buffers{}
	}
	defer f.scratch.Put(s)
	s.raw = encodeBatch(s.raw[:0], b)
	if len(s.raw) > 1<<30 {
		return Block{}, sqlerr.New(sqlerr.ProgramLimitExceeded, "rows are too large to spill: %d bytes in %d rows", len(s.raw), b.Rows())
	}
	block := Block{Raw: int32(len(s.raw)), Rows: int32(b.Rows())}
	stored := s.raw
	if need := lz4.CompressBlockBound(len(s.raw)); cap(s.packed) < need {
		s.packed = make([]byte, need)
	}
	if n, err := lz4.CompressBlock(s.raw, s.packed[:cap(s.packed)], nil); err == nil && n > 0 && n < len(s.raw)/8*7 {
		stored = s.packed[:n]
	}
	block.Stored, block.sum = int32(len(stored)), xxh3.Hash(stored)
	block.Offset = f.end.Add(int64(len(stored))) - int64(len(stored))
	if _, err := f.file.WriteAt(stored, block.Offset); err != nil {
		return Block{}, failure(err, "write to a spill file")
	}
	if f.written != nil {
		f.written.Add(int64(len(stored)))
	}
	return block, nil
}

// Read makes dst the rows of a block, whose columns have the given types. Strings refer to memory
// made for this call.
func (f *File) Read(block Block, columns []types.Type, dst *vec.Batch) error {
	stored := make([]byte, block.Stored)
	if _, err := f.file.ReadAt(stored, block.Offset); err != nil {
		return failure(err, "read from a spill file")
	}
	if xxh3.Hash(stored) != block.sum {
		return sqlerr.New(sqlerr.DataCorrupted, "spill file is damaged at offset %d", block.Offset)
	}
	raw := stored
	if block.Raw != block.Stored {
		raw = vec.AlignedBytes(int(block.Raw))
		if n, err := lz4.UncompressBlock(stored, raw); err != nil || n != len(raw) {
			return sqlerr.New(sqlerr.DataCorrupted, "spill file cannot be decompressed at offset %d", block.Offset)
		}
	}
	return decodeBatch(raw, int(block.Rows), columns, dst)
}

// WriteBytes appends bytes that are in a form of their own.
func (f *File) WriteBytes(b []byte) (Block, error) {
	block := Block{Stored: int32(len(b)), Raw: int32(len(b)), sum: xxh3.Hash(b)}
	block.Offset = f.end.Add(int64(len(b))) - int64(len(b))
	if _, err := f.file.WriteAt(b, block.Offset); err != nil {
		return Block{}, failure(err, "write to a spill file")
	}
	if f.written != nil {
		f.written.Add(int64(len(b)))
	}
	return block, nil
}

// ReadBytes gives what WriteBytes wrote, on an 8-byte boundary.
func (f *File) ReadBytes(block Block) ([]byte, error) {
	b := vec.AlignedBytes(int(block.Stored))
	if _, err := f.file.ReadAt(b, block.Offset); err != nil {
		return nil, failure(err, "read from a spill file")
	}
	if xxh3.Hash(b) != block.sum {
		return nil, sqlerr.New(sqlerr.DataCorrupted, "spill file is damaged at offset %d", block.Offset)
	}
	return b, nil
}
