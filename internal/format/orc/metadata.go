package orc

import (
	"fmt"
	"unsafe"

	"github.com/tarnlake/tarn/internal/format/scan"
)

// What items of footers and indexes take in memory: twice their size, for lists grow by doubling, and
// for types also the fields made of them.
const (
	stripeMemory   = 2 * int64(unsafe.Sizeof(stripeInfo{}))
	typeMemory     = 2*int64(unsafe.Sizeof(typeInfo{})) + 2*int64(unsafe.Sizeof(node{}))
	messageMemory  = 2 * int64(unsafe.Sizeof([]byte(nil)))
	streamMemory   = 2 * int64(unsafe.Sizeof(streamInfo{}))
	encodingMemory = 2 * int64(unsafe.Sizeof(columnEncoding{}))
	entryMemory    = 2 * int64(unsafe.Sizeof(indexEntry{}))
	pairMemory     = 128
)

// compressionKind numbers the codecs as the postscript does.
type compressionKind uint8

const (
	compressNone compressionKind = iota
	compressZlib
	compressSnappy
	compressLZO
	compressLZ4
	compressZstd
	compressBrotli
)

func (k compressionKind) String() string {
	names := [...]string{"none", "zlib", "snappy", "lzo", "lz4", "zstd", "brotli"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprint("kind ", uint8(k))
}

type postscript struct {
	footerLength, metadataLength int64
	compression                  compressionKind
	blockSize                    int64
	version                      []uint64
	writerVersion                uint64
	magic                        string
}

func decodePostscript(data []byte) (ps postscript, err error) {
	p := protoReader{data: data}
	ps.blockSize = defaultBlockSize
	for p.next() {
		switch p.field {
		case 1:
			ps.footerLength = p.size()
		case 2:
			kind := p.uvarint()
			if kind > uint64(compressBrotli) {
				return ps, fmt.Errorf("compression kind %d is unknown", kind)
			}
			ps.compression = compressionKind(kind)
		case 3:
			ps.blockSize = p.size()
		case 4:
			ps.version = p.varints(ps.version)
		case 5:
			ps.metadataLength = p.size()
		case 6:
			ps.writerVersion = p.uvarint()
		case 8000:
			ps.magic = string(p.bytes())
		default:
			p.skip()
		}
	}
	if p.failed {
		return ps, errProto
	}
	return ps, nil
}

// Kinds of types.
type typeKind uint8

const (
	kindBoolean typeKind = iota
	kindByte
	kindShort
	kindInt
	kindLong
	kindFloat
	kindDouble
	kindString
	kindBinary
	kindTimestamp
	kindList
	kindMap
	kindStruct
	kindUnion
	kindDecimal
	kindDate
	kindVarchar
	kindChar
	kindInstant
	kindGeometry
	kindGeography
)

type typeInfo struct {
	kind                        typeKind
	children                    []uint64
	names                       []string
	length, precision, scale    uint64
	attributes                  map[string]string
	precisionGiven, hasUnknowns bool
}

func decodeType(data []byte) (t typeInfo, err error) {
	p := protoReader{data: data}
	for p.next() {
		switch p.field {
		case 1:
			kind := p.uvarint()
			t.hasUnknowns = kind > uint64(kindGeography)
			t.kind = typeKind(min(kind, 255))
		case 2:
			t.children = p.varints(t.children)
		case 3:
			t.names = append(t.names, string(p.bytes()))
		case 4:
			t.length = p.uvarint()
		case 5:
			t.precision, t.precisionGiven = p.uvarint(), true
		case 6:
			t.scale = p.uvarint()
		case 7:
			key, value := decodePair(p.bytes())
			if t.attributes == nil {
				t.attributes = map[string]string{}
			}
			t.attributes[key] = value
		default:
			p.skip()
		}
	}
	if p.failed {
		err = errProto
	}
	return t, err
}

func decodePair(data []byte) (key, value string) {
	p := protoReader{data: data}
	for p.next() {
		switch p.field {
		case 1:
			key = string(p.bytes())
		case 2:
			value = string(p.bytes())
		default:
			p.skip()
		}
	}
	return key, value
}

type stripeInfo struct {
	offset, indexLength, dataLength, footerLength int64
	rows                                          int64
	firstRow                                      int64 // position in the file
}

func (s *stripeInfo) end() int64 { return s.offset + s.indexLength + s.dataLength + s.footerLength }

func decodeStripeInfo(data []byte) (s stripeInfo, err error) {
	p := protoReader{data: data}
	for p.next() {
		switch p.field {
		case 1:
			s.offset = p.size()
		case 2:
			s.indexLength = p.size()
		case 3:
			s.dataLength = p.size()
		case 4:
			s.footerLength = p.size()
		case 5:
			s.rows = p.size()
		default:
			p.skip()
		}
	}
	if p.failed {
		err = errProto
	}
	return s, err
}

// Writers that footers name.
const (
	writerJava = 0
	writerCPP  = 1
	writerTarn = 1001 // ours: not a registered number, far from those
)

// Calendars of dates and timestamps.
const (
	calendarUnknown         = 0
	calendarJulianGregorian = 1
	calendarProleptic       = 2
)

type fileMeta struct {
	postscript
	stripes    []stripeInfo
	types      []typeInfo
	keyValues  map[string]string
	rows       int64
	rowsGiven  bool
	statistics [][]byte // of the file, a message a column
	stride     int64    // rows of a row group, 0: no indexes
	writer     uint64
	calendar   uint64
	software   string
	encrypted  bool

	stripeStatistics [][][]byte // by stripe and column
}

// maxTypes bounds the columns of a file, nested ones included.
const maxTypes = 1 << 20

func (m *fileMeta) decodeFooter(data []byte, budget *scan.Budget) (err error) {
	p := protoReader{data: data}
	for p.next() && err == nil {
		switch p.field {
		case 3:
			if err = budget.Take(stripeMemory); err != nil {
				break
			}
			var s stripeInfo
			s, err = decodeStripeInfo(p.bytes())
			m.stripes = append(m.stripes, s)
		case 4:
			message := p.bytes()
			// Names and attributes take a few times their own length; so do the numbers of members.
			if err = budget.Take(typeMemory + 12*int64(len(message))); err != nil {
				break
			}
			var t typeInfo
			if t, err = decodeType(message); len(m.types) >= maxTypes {
				err = fmt.Errorf("more than %d columns", maxTypes)
			}
			m.types = append(m.types, t)
		case 5:
			key, value := decodePair(p.bytes())
			if err = budget.Take(pairMemory + int64(len(key)+len(value))); err != nil {
				break
			}
			if m.keyValues == nil {
				m.keyValues = map[string]string{}
			}
			m.keyValues[key] = value
		case 6:
			m.rows, m.rowsGiven = p.size(), true
		case 7:
			err = budget.Take(messageMemory)
			m.statistics = append(m.statistics, p.bytes())
		case 8:
			m.stride = p.size()
		case 9:
			m.writer = p.uvarint()
		case 10:
			m.encrypted = len(p.bytes()) > 0
		case 11:
			m.calendar = p.uvarint()
		case 12:
			m.software = string(p.bytes())
		default:
			p.skip()
		}
	}
	if p.failed && err == nil {
		err = errProto
	}
	return err
}

// decodeMetadata reads the statistics of stripes. Each message stays encoded until asked for.
func (m *fileMeta) decodeMetadata(data []byte, budget *scan.Budget) error {
	p := protoReader{data: data}
	for p.next() {
		if p.field != 1 {
			p.skip()
			continue
		}
		inner := protoReader{data: p.bytes()}
		var columns [][]byte
		for inner.next() {
			if inner.field == 1 {
				if err := budget.Take(messageMemory); err != nil {
					return err
				}
				columns = append(columns, inner.bytes())
			} else {
				inner.skip()
			}
		}
		if err := budget.Take(messageMemory); err != nil {
			return err
		}
		p.failed = p.failed || inner.failed
		m.stripeStatistics = append(m.stripeStatistics, columns)
	}
	if p.failed {
		return errProto
	}
	return nil
}

// streamKind numbers the streams of a stripe.
type streamKind uint8

const (
	streamPresent streamKind = iota
	streamData
	streamLength
	streamDictionary
	streamDictionaryCount
	streamSecondary
	streamRowIndex
	streamBloom
	streamBloomUTF8
	streamEncryptedIndex
	streamEncryptedData
)

type streamInfo struct {
	kind       streamKind
	column     uint64
	start, end int64 // in the file
}

// encodingKind numbers the encodings of columns.
type encodingKind uint8

const (
	encodeDirect encodingKind = iota
	encodeDictionary
	encodeDirectV2
	encodeDictionaryV2
)

type columnEncoding struct {
	kind           encodingKind
	dictionarySize uint64
	bloomEncoding  uint64
}

type stripeFooter struct {
	streams   []streamInfo
	encodings []columnEncoding
	zone      string
	encrypted bool
}

// decodeStripeFooter also places the streams, which lie in the order in which they are listed.
func decodeStripeFooter(data []byte, at *stripeInfo, columns int, budget *scan.Budget) (*stripeFooter, error) {
	f := &stripeFooter{}
	p := protoReader{data: data}
	offset, limit := at.offset, at.offset+at.indexLength+at.dataLength
	for p.next() {
		switch p.field {
		case 1:
			if err := budget.Take(streamMemory); err != nil {
				return nil, err
			}
			s, length := decodeStream(&p)
			if s.start, s.end = offset, offset+length; length > limit-offset {
				return nil, fmt.Errorf("stream of %d bytes for column %d reaches beyond the stripe", length, s.column)
			}
			offset = s.end
			f.streams = append(f.streams, s)
		case 2:
			e, err := decodeEncoding(p.bytes())
			if err == nil {
				err = budget.Take(encodingMemory)
			}
			if err != nil {
				return nil, err
			}
			f.encodings = append(f.encodings, e)
		case 3:
			f.zone = string(p.bytes())
		case 4:
			f.encrypted = true
			p.skip()
		default:
			p.skip()
		}
	}
	if p.failed {
		return nil, errProto
	}
	if len(f.encodings) != columns {
		return nil, fmt.Errorf("stripe footer has %d column encodings for %d columns", len(f.encodings), columns)
	}
	return f, nil
}

func decodeStream(outer *protoReader) (s streamInfo, length int64) {
	p := protoReader{data: outer.bytes()}
	for p.next() {
		switch p.field {
		case 1:
			s.kind = streamKind(min(p.uvarint(), 255))
		case 2:
			s.column = p.uvarint()
		case 3:
			length = p.size()
		default:
			p.skip()
		}
	}
	outer.failed = outer.failed || p.failed
	return s, length
}

func decodeEncoding(data []byte) (e columnEncoding, err error) {
	p := protoReader{data: data}
	for p.next() {
		switch p.field {
		case 1:
			kind := p.uvarint()
			if kind > uint64(encodeDictionaryV2) {
				return e, fmt.Errorf("column encoding %d is unknown", kind)
			}
			e.kind = encodingKind(kind)
		case 2:
			e.dictionarySize = p.uvarint()
		case 3:
			e.bloomEncoding = p.uvarint()
		default:
			p.skip()
		}
	}
	if p.failed {
		err = errProto
	}
	return e, err
}

// indexEntry is a row group of a column.
type indexEntry struct {
	positions  []uint64
	statistics []byte
}

func decodeRowIndex(data []byte, budget *scan.Budget) (entries []indexEntry, err error) {
	p := protoReader{data: data}
	for p.next() {
		if p.field != 1 {
			p.skip()
			continue
		}
		var e indexEntry
		inner := protoReader{data: p.bytes()}
		if err := budget.Take(entryMemory + 16*int64(len(inner.data))); err != nil {
			return nil, err
		}
		for inner.next() {
			switch inner.field {
			case 1:
				e.positions = inner.varints(e.positions)
			case 2:
				e.statistics = inner.bytes()
			default:
				inner.skip()
			}
		}
		p.failed = p.failed || inner.failed
		entries = append(entries, e)
	}
	if p.failed {
		err = errProto
	}
	return entries, err
}
