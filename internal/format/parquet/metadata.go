package parquet

// Names and numbers of the format's own definition (parquet.thrift).

type physicalType int32

const (
	physBoolean physicalType = iota
	physInt32
	physInt64
	physInt96
	physFloat
	physDouble
	physByteArray
	physFixed // FIXED_LEN_BYTE_ARRAY
)

type repetition int32

const (
	required repetition = iota
	optional
	repeated
)

type encodingID int32

const (
	encPlain           encodingID = 0
	encPlainDictionary encodingID = 2
	encRLE             encodingID = 3
	encBitPacked       encodingID = 4
	encDeltaBinary     encodingID = 5
	encDeltaLength     encodingID = 6
	encDeltaByteArray  encodingID = 7
	encRLEDictionary   encodingID = 8
	encByteStreamSplit encodingID = 9
)

type codecID int32

const (
	codecNone codecID = iota
	codecSnappy
	codecGzip
	codecLZO
	codecBrotli
	codecLZ4Hadoop
	codecZstd
	codecLZ4Raw
)

// logicalKind is the member of the LogicalType union; the numbers are its field ids.
type logicalKind int16

const (
	logicalNone      logicalKind = 0
	logicalString    logicalKind = 1
	logicalMap       logicalKind = 2
	logicalList      logicalKind = 3
	logicalEnum      logicalKind = 4
	logicalDecimal   logicalKind = 5
	logicalDate      logicalKind = 6
	logicalTime      logicalKind = 7
	logicalTimestamp logicalKind = 8
	logicalInteger   logicalKind = 10
	logicalJSON      logicalKind = 12
	logicalUUID      logicalKind = 14
	logicalFloat16   logicalKind = 15
	logicalInterval  logicalKind = 100 // ours, for the converted type INTERVAL
)

// timeUnit is the member of the TimeUnit union.
type timeUnit int16

const (
	unitMillis timeUnit = 1
	unitMicros timeUnit = 2
	unitNanos  timeUnit = 3
)

type logicalType struct {
	kind             logicalKind
	scale, precision int32
	utc              bool
	unit             timeUnit
	bitWidth         int8
	signed           bool
}

type schemaElement struct {
	physical    physicalType
	hasPhysical bool
	typeLength  int32
	repetition  repetition
	name        string
	children    int32
	logical     logicalType
	fieldID     int32
}

// statistics of a column chunk; nil bounds are unknown.
type statistics struct {
	minimum, maximum []byte
	nulls            int64 // -1: unknown
	distinct         int64 // -1: unknown
	signed           bool  // bounds are of the older kind, which are by signed order
	minExact         bool  // written, not read
	maxExact         bool
}

type chunkMeta struct {
	physical                    physicalType
	codec                       codecID
	values                      int64
	uncompressed, compressed    int64
	dataOffset, dictOffset      int64 // dictOffset 0: none
	bloomOffset                 int64
	bloomLength                 int32
	columnIndexOffset           int64
	columnIndexLength           int32
	offsetIndexOffset           int64
	offsetIndexLength           int32
	stats                       statistics
	encodings                   []encodingID // written files' only
	encrypted, otherFile, valid bool
}

// start and end bound the chunk's bytes in the file.
func (c *chunkMeta) start() int64 {
	if c.dictOffset > 0 && c.dictOffset < c.dataOffset {
		return c.dictOffset
	}
	return c.dataOffset
}

func (c *chunkMeta) end() int64 { return c.start() + c.compressed }

type sortingColumn struct {
	column           int32
	descending, last bool // last: nulls last
}

type rowGroupMeta struct {
	chunks  []chunkMeta
	bytes   int64
	rows    int64
	sorting []sortingColumn
}

type fileMeta struct {
	version   int32
	schema    []schemaElement
	rows      int64
	groups    []rowGroupMeta
	createdBy string
	keyValues map[string]string
	encrypted bool
}
