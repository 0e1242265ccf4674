package parquet

import (
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

func (r *Reader) newNestedColumn(n *node, target types.Type) (column, error) {
	return nil, sqlerr.New(sqlerr.FeatureNotSupported, "nested column %q of Parquet file %q cannot be read yet", n.name, r.file.object.Path)
}
