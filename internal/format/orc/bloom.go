package orc

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strings"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
	"github.com/tarnlake/tarn/internal/types"
)

// maxBloomValues is the number of values of a domain from which on Bloom filters are not asked.
const maxBloomValues = 64

// bloomFilter is the filter of one row group.
type bloomFilter struct {
	hashes int
	words  []uint64
}

// bloomKeeps clears keep for row groups whose Bloom filters prove that they lack all values of a
// domain.
func (s *openStripe) bloomKeeps(keep []bool, n *node, d *Domain, wanted types.Type) error {
	points := d.Points(wanted)
	if points == nil || len(points) > maxBloomValues || d.Nulls || s.reader.file.badBlooms() {
		return nil
	}
	st, utf8 := s.stream(n.id, streamBloomUTF8), true
	if st == nil {
		st, utf8 = s.stream(n.id, streamBloom), false
	}
	if st == nil {
		return nil
	}
	hashes := make([]uint64, 0, len(points))
	for _, v := range points {
		h, ok := bloomHash(n, wanted, v, utf8 && s.footer.encodings[n.id].bloomEncoding == 1)
		if !ok || v.I64 <= 0 && s.reader.file.roundsTowardsZero(n) {
			return nil
		}
		hashes = append(hashes, h)
	}
	key := metadata.Of(s.reader.file.store, s.reader.file.object, metadata.ORCBloom, s.number, n.id)
	filters, err := metadata.Load(s.reader.ctx, s.reader.options.Metadata, key, func() ([]bloomFilter, int64, error) { return s.fetchBlooms(n, st) })
	if err != nil || len(filters) != s.groups {
		return err
	}
	for group, filter := range filters[:len(keep)] {
		keep[group] = keep[group] && filter.hasAny(hashes)
	}
	return nil
}

// fetchBlooms reads the filters of a column; none where they are of an early draft of the format.
func (s *openStripe) fetchBlooms(n *node, st *streamInfo) ([]bloomFilter, int64, error) {
	budget, release := scan.PoolBudget(s.reader.ctx, s.reader.options.Pool, "ORC Bloom filter")
	defer release()
	if err := budget.Take(st.end - st.start); err != nil {
		return nil, 0, err
	}
	data := make([]byte, st.end-st.start)
	f := s.reader.file
	if err := s.reader.fetch(s.reader.ctx, []objstore.Range{{Offset: st.start, Length: st.end - st.start}}, [][]byte{data}); err != nil {
		return nil, 0, err
	}
	data, err := f.codecs.decompressAll(f.meta.compression, data, f.meta.blockSize, maxStripeFooter, budget)
	if short := budget.Err(); short != nil {
		return nil, 0, short
	}
	if err != nil {
		return nil, 0, f.corruptAt(s.number, n.name, "Bloom filters: %v", err)
	}
	if err := budget.Take(2 * int64(len(data))); err != nil {
		return nil, 0, err
	}
	filters, ok := decodeBlooms(data)
	if !ok {
		return nil, 0, nil
	}
	return filters, int64(len(data)) + 32*int64(len(filters)), nil
}

func decodeBlooms(data []byte) (filters []bloomFilter, ok bool) {
	p := protoReader{data: data}
	for p.next() {
		if p.field != 1 {
			p.skip()
			continue
		}
		filter, ok := decodeBloom(p.bytes())
		if !ok || len(filter.words) == 0 || filter.hashes < 1 || filter.hashes > 64 {
			return nil, false
		}
		filters = append(filters, filter)
	}
	return filters, !p.failed
}

func decodeBloom(data []byte) (b bloomFilter, ok bool) {
	p := protoReader{data: data}
	for p.next() {
		switch p.field {
		case 1:
			b.hashes = int(min(p.uvarint(), 1<<10))
		case 2:
			if p.wire == wireFixed8 {
				b.words = append(b.words, p.fixed64())
				continue
			}
			for rest := p.bytes(); len(rest) >= 8; rest = rest[8:] {
				b.words = append(b.words, binary.LittleEndian.Uint64(rest))
			}
		case 3:
			for rest := p.bytes(); len(rest) >= 8; rest = rest[8:] {
				b.words = append(b.words, binary.LittleEndian.Uint64(rest))
			}
		default:
			p.skip()
		}
	}
	return b, !p.failed
}

func (b *bloomFilter) hasAny(hashes []uint64) bool {
	for _, h := range hashes {
		if b.has(h) {
			return true
		}
	}
	return false
}

func (b *bloomFilter) has(hash uint64) bool {
	for k := 1; k <= b.hashes; k++ {
		at := bloomPosition(hash, k, len(b.words))
		if b.words[at>>6]>>(at&63)&1 == 0 {
			return false
		}
	}
	return true
}

// bloomPosition gives the bit of a hash's k-th function among words of 64.
func bloomPosition(hash uint64, k, words int) uint32 {
	combined := int32(hash) + int32(k)*int32(hash>>32)
	if combined < 0 {
		combined = ^combined
	}
	return uint32(uint64(combined) % uint64(words*64))
}

// bloomHash gives the hash under which writers add a value; false when it is not known. modern
// filters hash UTF-8 and timestamps in UTC.
func bloomHash(n *node, t types.Type, d types.Datum, modern bool) (uint64, bool) {
	from := n.typ
	if !from.Equal(t) && !(from.IsInteger() && t.IsInteger()) && !(from.Kind == types.Text && t.Kind == types.Text) {
		return 0, false
	}
	if scan.MayBeCut(from, t, d.Str) {
		return 0, false
	}
	switch n.kind {
	case kindByte, kindShort, kindInt, kindLong:
		return hashLong(d.I64), true
	case kindFloat, kindDouble:
		if d.F64 != d.F64 || d.F64 == 0 { // several bit patterns are equal
			return 0, false
		}
		return hashLong(int64(math.Float64bits(d.F64))), true
	case kindString, kindVarchar:
		if !modern && strings.ContainsFunc(d.Str, func(c rune) bool { return c >= 0x80 }) {
			return 0, false
		}
		return hashBytes([]byte(d.Str)), true
	case kindTimestamp, kindInstant:
		return hashLong(floorDiv(d.I64, 1000)), modern
	}
	return 0, false
}

// roundsTowardsZero tells that moments before 1970 may be hashed by the millisecond behind them.
func (f *File) roundsTowardsZero(n *node) bool {
	return (n.kind == kindTimestamp || n.kind == kindInstant) && f.meta.writer != writerTarn
}

// badBlooms tells that the file's Bloom filters are wrong: those of the C++ writer were until 1.7.0.
func (f *File) badBlooms() bool {
	if f.meta.writer != writerCPP {
		return false
	}
	version, _, _ := strings.Cut(f.meta.software, "-")
	if version == "" || version == "1.7.0" {
		return true
	}
	minor, found := strings.CutPrefix(version, "1.6.")
	return found && len(minor) == 1 || minor == "10" || minor == "11"
}

// hashLong is Thomas Wang's hash of 64-bit integers.
func hashLong(v int64) uint64 {
	k := uint64(v)
	k = ^k + k<<21
	k ^= uint64(int64(k) >> 24)
	k = k + k<<3 + k<<8
	k ^= uint64(int64(k) >> 14)
	k = k + k<<2 + k<<4
	k ^= uint64(int64(k) >> 28)
	return k + k<<31
}

// hashBytes is the half of Murmur3 that ORC defines.
func hashBytes(b []byte) uint64 {
	const c1, c2 = 0x87c37b91114253d5, 0x4cf5ad432745937f
	h, n := uint64(104729), len(b)
	for len(b) >= 8 {
		k := binary.LittleEndian.Uint64(b) * c1
		h ^= bits.RotateLeft64(k, 31) * c2
		h = bits.RotateLeft64(h, 27)*5 + 0x52dce729
		b = b[8:]
	}
	if len(b) > 0 {
		k := uint64(0)
		for i := len(b) - 1; i >= 0; i-- {
			k = k<<8 | uint64(b[i])
		}
		h ^= bits.RotateLeft64(k*c1, 31) * c2
	}
	h ^= uint64(n)
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
