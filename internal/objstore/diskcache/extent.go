package diskcache

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/zeebo/xxh3"
)

const (
	magic = "tarnext1"
	// pageSize is the unit of checksums.
	pageSize = 64 << 10
	// headAlign rounds headers, and the sizes that count, to what a file system gives.
	headAlign = 4 << 10
	// mostExtent bounds an extent; longer ranges become several.
	mostExtent = 4 << 20
	// leastExtent is the shortest rest of a range that is worth a file of its own. A whole range always is one: a column
	// of some hundred bytes costs a request as any other.
	leastExtent = 1 << 10
)

// object names a version of an object by a hash of store, path and ETag.
type object [16]byte

func objectOf(name string) object { return xxh3.HashString128(name).Bytes() }

// extent names a run of bytes.
type extent struct {
	object         object
	offset, length int64
}

// file gives the extent's file below the cache's directory.
func (e extent) file() string {
	id := hex.EncodeToString(e.object[:])
	return filepath.Join(id[:2], fmt.Sprintf("%s-%x-%x", id, e.offset, e.length))
}

// parseFile is the inverse of the last element of file.
func parseFile(name string) (e extent, ok bool) {
	parts := strings.Split(name, "-")
	if len(parts) != 3 || len(parts[0]) != 2*len(e.object) {
		return e, false
	}
	if _, err := hex.Decode(e.object[:], []byte(parts[0])); err != nil {
		return e, false
	}
	var errs [2]error
	e.offset, errs[0] = strconv.ParseInt(parts[1], 16, 64)
	e.length, errs[1] = strconv.ParseInt(parts[2], 16, 64)
	return e, errs[0] == nil && errs[1] == nil && e.offset >= 0 && e.length > 0 && e.length <= mostExtent
}

// end is the offset behind the extent.
func (e extent) end() int64 { return e.offset + e.length }

// header is what precedes an extent's bytes: magic, size of the header, checksum of the rest of it,
// offset, length, length of the name, name, a checksum for each page.
func (e extent) header(name string, data []byte) []byte {
	head := make([]byte, 0, headAlign)
	head = append(head, magic...)
	head = append(head, make([]byte, 12)...) // size, checksum
	head = binary.LittleEndian.AppendUint64(head, uint64(e.offset))
	head = binary.LittleEndian.AppendUint64(head, uint64(e.length))
	head = binary.LittleEndian.AppendUint32(head, uint32(len(name)))
	head = append(head, name...)
	for at := 0; at < len(data); at += pageSize {
		head = binary.LittleEndian.AppendUint64(head, xxh3.Hash(data[at:min(at+pageSize, len(data))]))
	}
	head = append(head, make([]byte, (headAlign-len(head)%headAlign)%headAlign)...)
	binary.LittleEndian.PutUint32(head[8:], uint32(len(head)))
	binary.LittleEndian.PutUint64(head[12:], xxh3.Hash(head[20:]))
	return head
}

// headerSize is the size of a header.
func (e extent) headerSize(nameLength int) int64 {
	size := int64(len(magic)+12+20+nameLength) + (e.length+pageSize-1)/pageSize*8
	return (size + headAlign - 1) / headAlign * headAlign
}

var errDamaged = errors.New("extent is damaged")

// read fills buffer with the extent's bytes from offset at of the object on. Whole pages are verified,
// also where only a part of one is wanted.
func (e extent) read(directory, name string, at int64, buffer []byte) error {
	// What is no file of the cache must neither be followed nor waited for.
	f, err := os.OpenFile(filepath.Join(directory, e.file()), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return errDamaged
	}
	headSize := e.headerSize(len(name))
	head := make([]byte, headSize)
	if _, err := f.ReadAt(head, 0); err != nil {
		return damagedIfShort(err)
	}
	sums := 40 + len(name)
	if string(head[:8]) != magic || int64(binary.LittleEndian.Uint32(head[8:])) != headSize || binary.LittleEndian.Uint64(head[12:]) != xxh3.Hash(head[20:]) ||
		int64(binary.LittleEndian.Uint64(head[20:])) != e.offset || int64(binary.LittleEndian.Uint64(head[28:])) != e.length ||
		int(binary.LittleEndian.Uint32(head[36:])) != len(name) || string(head[40:sums]) != name {
		return errDamaged
	}
	sum := func(page int64) uint64 { return binary.LittleEndian.Uint64(head[sums+int(page)*8:]) }
	from := at - e.offset
	var scratch []byte
	for len(buffer) > 0 {
		page := from / pageSize
		start := page * pageSize
		end := min(start+pageSize, e.length)
		if from == start && int64(len(buffer)) >= end-start { // straight to the buffer, many pages at once
			whole := int64(len(buffer)) / pageSize * pageSize
			if e.length-from <= int64(len(buffer)) {
				whole = e.length - from
			}
			if _, err := f.ReadAt(buffer[:whole], headSize+from); err != nil {
				return damagedIfShort(err)
			}
			for done := int64(0); done < whole; done += pageSize {
				if xxh3.Hash(buffer[done:min(done+pageSize, whole)]) != sum(page) {
					return errDamaged
				}
				page++
			}
			buffer, from = buffer[whole:], from+whole
			continue
		}
		if scratch == nil {
			scratch = make([]byte, pageSize)
		}
		part := scratch[:end-start]
		if _, err := f.ReadAt(part, headSize+start); err != nil {
			return damagedIfShort(err)
		}
		if xxh3.Hash(part) != sum(page) {
			return errDamaged
		}
		n := copy(buffer, part[from-start:])
		buffer, from = buffer[n:], from+int64(n)
	}
	return nil
}

func damagedIfShort(err error) error {
	if errors.Is(err, io.EOF) {
		return errDamaged
	}
	return err
}

// write makes the extent's file.
func (e extent) write(directory, name, temporary string, data []byte) error {
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(e.header(name, data))
	if err == nil {
		_, err = f.Write(data)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		target := filepath.Join(directory, e.file())
		if err = os.Rename(temporary, target); errors.Is(err, os.ErrNotExist) {
			if err = os.MkdirAll(filepath.Dir(target), 0o700); err == nil {
				err = os.Rename(temporary, target)
			}
		}
	}
	if err != nil {
		_ = os.Remove(temporary)
	}
	return err
}
