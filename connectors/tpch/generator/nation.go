package generator

import "github.com/tarnlake/tarn/internal/vec"

const (
	nationKey = iota
	nationName
	nationRegion
	nationComment
)

func nationColumns() []ColumnInfo {
	return []ColumnInfo{
		nationKey:     integer("n_nationkey"),
		nationName:    oneOf("n_name", 25, wordsOf(nationNames)),
		nationRegion:  integer("n_regionkey"),
		nationComment: text("n_comment", 152),
	}
}

func fillNation(c *chunk, column int, out *vec.Vector) {
	_, short := values(out)
	switch column {
	case nationKey, nationName:
		sequence(short, int32(c.from))
	case nationRegion:
		_, regions := weighted(nationNames)
		for i := range short {
			short[i] = int32(regions[c.from+int64(i)])
		}
	case nationComment:
		c.comment(out, 606179079, 72)
	}
}

const (
	regionKey = iota
	regionName
	regionComment
)

func regionColumns() []ColumnInfo {
	return []ColumnInfo{
		regionKey:     integer("r_regionkey"),
		regionName:    oneOf("r_name", 25, wordsOf(regionNames)),
		regionComment: text("r_comment", 152),
	}
}

func fillRegion(c *chunk, column int, out *vec.Vector) {
	_, short := values(out)
	switch column {
	case regionKey, regionName:
		sequence(short, int32(c.from))
	case regionComment:
		c.comment(out, 1500869201, 72)
	}
}
