package statement

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/internal/format/orc"
	"github.com/tarnlake/tarn/internal/format/parquet"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// columnarOptions are COPY TO's options of Parquet and ORC files.
type columnarOptions struct {
	parquet    parquet.WriterOptions
	orc        orc.WriterOptions
	properties map[string]string // the same, as tables have them
}

// columnarOptions reads them for a file of the given columns.
func (r *run) columnarOptions(st *ast.Copy, format string, columns types.Schema) (*columnarOptions, error) {
	o := &columnarOptions{properties: map[string]string{}}
	for _, p := range st.Options {
		text, err := r.propertyText(p)
		if err != nil {
			return nil, err
		}
		switch {
		case p.Name == "format", p.Name == "freeze", p.Name == "partition_by":
			continue
		case p.Name == "compression":
			text = strings.ToLower(text)
			if format == "orc" {
				o.orc.Compression, err = orc.ParseCompression(text)
			} else {
				o.parquet.Compression, err = parquet.ParseCompression(text)
			}
			err = r.locate(err, p.Pos)
		case p.Name == "row_group_size" && format == "parquet":
			if o.parquet.RowGroupRows, err = strconv.Atoi(text); err != nil || o.parquet.RowGroupRows < 1 {
				err = r.fail(p.Pos, sqlerr.InvalidParameterValue, "row_group_size must be a number of rows above 0, not %q", text)
			}
		case p.Name == "bloom_filter_columns":
			o.orc.Bloom, err = r.columnsNamed(p, text, columns)
			o.parquet.Bloom = o.orc.Bloom
		default:
			err = r.fail(p.Pos, sqlerr.SyntaxError, "option %q not recognized", p.Name)
		}
		if err != nil {
			return nil, err
		}
		o.properties[p.Name] = text
	}
	return o, nil
}

// columnsNamed finds the columns that an option lists.
func (r *run) columnsNamed(p ast.Property, list string, columns types.Schema) (out []int, err error) {
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		at := slices.IndexFunc(columns, func(c types.Field) bool { return c.Name == name })
		if at < 0 {
			return nil, r.fail(p.Pos, sqlerr.UndefinedColumn, "column %q named in %s does not exist", name, strings.ToUpper(p.Name))
		}
		out = append(out, at)
	}
	return out, nil
}
