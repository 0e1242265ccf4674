package parquet

import (
	"context"
	"encoding/binary"
	"math"
	"strings"

	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/bloom/xxhash"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
	"github.com/tarnlake/tarn/internal/types"
)

// maxBloomValues is the number of values of a domain from which on Bloom filters are not asked.
const maxBloomValues = 64

// maxBloomBytes bounds a filter.
const maxBloomBytes = 32 << 20

// bloomExcludes tells whether Bloom filters prove that the row group lacks all values of a domain.
func (r *Reader) bloomExcludes(ctx context.Context, group int, domains []Domain) (bool, error) {
	for i := range domains {
		d := &domains[i]
		request := r.options.Columns[d.Column]
		values := d.Points(request.Type)
		if values == nil || len(values) > maxBloomValues || d.Nulls || request.Field < 0 || !r.file.fields[request.Field].flat() {
			continue
		}
		l := r.file.fields[request.Field].leaf
		chunk := &r.file.meta.groups[group].chunks[l.column]
		if chunk.bloomOffset <= 0 {
			continue
		}
		hashes := make([]uint64, 0, len(values))
		ours := strings.HasPrefix(r.file.meta.createdBy, createdByPrefix) // strings of varchar(n) were cut before
		for _, v := range values {
			plain, ok := l.plainBytes(request.Type, v)
			if !ok || !ours && scan.MayBeCut(l.typ, request.Type, v.Str) {
				hashes = nil
				break
			}
			hashes = append(hashes, xxhash.Sum64(plain))
		}
		if hashes == nil {
			continue
		}
		filter, err := r.keptBloom(ctx, group, l.column, chunk)
		if err != nil {
			return false, r.damaged(err, group, l.path, "Bloom filter")
		}
		found := filter == nil
		for _, h := range hashes {
			found = found || filter.Check(h)
		}
		if !found {
			return true, nil
		}
	}
	return false, nil
}

// plainBytes gives a value of the wanted type as the file stores it; false when it has no such form.
func (l *leaf) plainBytes(t types.Type, d types.Datum) ([]byte, bool) {
	from := l.typ
	switch {
	case from.Equal(t), from.IsInteger() && t.IsInteger():
	case from.Kind == types.Decimal && t.Kind == types.Decimal && from.Scale == t.Scale &&
		from.Physical() == types.PhysInt64 && t.Physical() == types.PhysInt64:
	case from.Physical() == types.PhysString && t.Physical() == types.PhysString && t.Kind != types.Char:
	default:
		return nil, false
	}
	switch p := from.Physical(); {
	case p == types.PhysString:
		return []byte(d.Str), true
	case l.element.physical == physInt32 && l.element.logical.kind != logicalTime:
		if d.I64 != int64(int32(d.I64)) {
			return nil, false
		}
		return binary.LittleEndian.AppendUint32(nil, uint32(d.I64)), true
	case l.element.physical == physInt64 && p == types.PhysInt64 && l.element.logical.unit != unitMillis && l.element.logical.unit != unitNanos:
		return binary.LittleEndian.AppendUint64(nil, uint64(d.I64)), true
	case l.element.physical == physDouble && d.F64 == d.F64 && d.F64 != 0:
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(d.F64)), true
	case l.element.physical == physFixed && from.Kind == types.UUID:
		return appendWide(nil, d.I128), true
	}
	return nil, false
}

// keptBloom gives a chunk's filter, which is kept.
func (r *Reader) keptBloom(ctx context.Context, group, column int, chunk *chunkMeta) (bloom.SplitBlockFilter, error) {
	key := metadata.Of(r.file.store, r.file.object, metadata.ParquetBloom, group, column)
	return metadata.Load(ctx, r.options.Metadata, key, func() (bloom.SplitBlockFilter, int64, error) {
		filter, err := r.readBloom(ctx, chunk)
		return filter, int64(len(filter)) * bloom.BlockSize, err
	})
}

// readBloom reads a chunk's filter; nil when it is of a kind that is not understood.
func (r *Reader) readBloom(ctx context.Context, chunk *chunkMeta) (bloom.SplitBlockFilter, error) {
	const head = 64
	size := int64(chunk.bloomLength)
	if size <= 0 {
		size = 16 << 10
	}
	size = min(size, maxBloomBytes+head, r.file.object.Size-chunk.bloomOffset)
	if size <= 0 {
		return nil, errThrift
	}
	data := make([]byte, size)
	if err := r.fetch(ctx, []objstore.Range{{Offset: chunk.bloomOffset, Length: size}}, [][]byte{data}); err != nil {
		return nil, err
	}
	t := &thriftReader{data: data}
	bytes, understood := int32(0), true
	t.fields(func(id int16, kind byte) bool {
		switch {
		case id == 1 && kind == thriftI32:
			bytes = t.i32()
			return true
		case kind == thriftStruct: // algorithm, hash and compression: the first member of each union
			t.fields(func(member int16, _ byte) bool {
				understood = understood && member == 1
				return false
			})
			return true
		}
		return false
	})
	if t.failed || bytes <= 0 || bytes%bloom.BlockSize != 0 || bytes > maxBloomBytes {
		return nil, errThrift
	}
	if !understood {
		return nil, nil
	}
	rest := data[t.at:]
	if int(bytes) > len(rest) {
		at := chunk.bloomOffset + int64(t.at)
		if at+int64(bytes) > r.file.object.Size {
			return nil, errThrift
		}
		rest = make([]byte, bytes)
		if err := r.fetch(ctx, []objstore.Range{{Offset: at, Length: int64(bytes)}}, [][]byte{rest}); err != nil {
			return nil, err
		}
	}
	aligned := make([]bloom.Block, bytes/bloom.BlockSize)
	filter := bloom.SplitBlockFilter(aligned)
	copy(filter.Bytes(), rest)
	return filter, nil
}

// bloomBits is the size of written filters a distinct value: 1 % false positives.
const bloomBits = 10

// bloomDictionary collects the hashes of the dictionary's values.
func (l *leafWriter) bloomDictionary() {
	if !l.bloom {
		return
	}
	if l.physical == types.PhysString {
		for code := range l.dict.count {
			l.bloomHashes = append(l.bloomHashes, xxhash.Sum64(l.dict.value(int32(code))))
		}
		return
	}
	width := len(l.dict.plain) / max(l.dict.count, 1)
	for code := range l.dict.count {
		l.bloomHashes = append(l.bloomHashes, xxhash.Sum64(l.dict.plain[code*width:(code+1)*width]))
	}
}

// bloomPlain collects the hashes of a page's plain values.
func (l *leafWriter) bloomPlain() {
	if !l.bloom {
		return
	}
	data := l.plain
	if l.physical == types.PhysString {
		for _, n := range l.lengths {
			l.bloomHashes = append(l.bloomHashes, xxhash.Sum64(data[:n]))
			data = data[n:]
		}
		return
	}
	for width := plainWidth(l.element); len(data) > 0; data = data[width:] {
		l.bloomHashes = append(l.bloomHashes, xxhash.Sum64(data[:width]))
	}
}

// plainWidth is the bytes of a plain value, 0 for byte arrays.
func plainWidth(e schemaElement) int {
	switch e.physical {
	case physInt32, physFloat:
		return 4
	case physInt64, physDouble:
		return 8
	case physFixed:
		return int(e.typeLength)
	}
	return 0
}

// bloomFilter encodes the row group's filter, nil when there is none.
func (l *leafWriter) bloomFilter() []byte {
	if !l.bloom || len(l.bloomHashes) == 0 {
		return nil
	}
	distinct := map[uint64]struct{}{}
	for _, h := range l.bloomHashes {
		distinct[h] = struct{}{}
	}
	blocks := min(bloom.NumSplitBlocksOf(int64(len(distinct)), bloomBits), maxBloomBytes/bloom.BlockSize)
	filter := make(bloom.SplitBlockFilter, max(blocks, 1))
	for h := range distinct {
		filter.Insert(h)
	}
	l.bloomHashes = l.bloomHashes[:0]
	var w thriftWriter
	w.open()
	w.i32(1, int32(len(filter)*bloom.BlockSize))
	for id := int16(2); id <= 4; id++ { // split blocks, xxHash, uncompressed: the first of each union
		w.openField(id)
		w.openField(1)
		w.close()
		w.close()
	}
	w.close()
	return append(w.data, filter.Bytes()...)
}
