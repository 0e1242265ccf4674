package tpch

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/tpch/generator"
)

// Schemas lists some of the schemas, for listings. Any other scale works as well.
func (c *Connector) Schemas() []string {
	return []string{"sf0.01", "sf0.1", "sf1", "sf10", "sf100", "sf1000"}
}

// Tables lists the tables of any schema.
func (c *Connector) Tables() []string {
	var names []string
	for _, table := range generator.Tables() {
		names = append(names, table.Name())
	}
	return names
}

// HasSchema tells whether a name is that of a schema.
func (c *Connector) HasSchema(schema string) bool {
	_, err := schemaScale(schema)
	return err == nil
}

// schemaScale reads the scale factor in the name of a schema.
func schemaScale(schema string) (generator.Scale, error) {
	size, found := strings.CutPrefix(schema, "sf")
	if !found {
		return generator.Scale{}, fmt.Errorf("%q does not begin with sf", schema)
	}
	return generator.ParseScale(strings.Replace(size, "_", ".", 1))
}

// Table describes a table, nil where there is none of that name.
func (c *Connector) Table(schema, name string) *connectors.Table {
	scale, err := schemaScale(schema)
	if err != nil {
		return nil
	}
	for _, table := range generator.Tables() {
		if table.Name() == name {
			return describe(schema, table, scale)
		}
	}
	return nil
}

func describe(schema string, table generator.Table, scale generator.Scale) *connectors.Table {
	h, err := json.Marshal(handle{table, scale.String()})
	if err != nil {
		panic("tpch: " + err.Error())
	}
	t := &connectors.Table{
		Connector: Name, Schema: schema, Name: table.Name(), Kind: connectors.BaseTable,
		SortedBy: table.Order(), Handle: h,
	}
	for i, column := range table.Columns() {
		t.Columns = append(t.Columns, connectors.Column{ID: int32(i + 1), Name: column.Name, Type: column.Type, NotNull: true})
	}
	return t
}

// Stats gives the statistics of a table that Table has described. The number of rows is exact (but for lineitem at a
// few large scales), and so is that of different values where it follows from the table's definition.
func (c *Connector) Stats(table *connectors.Table) (connectors.TableStats, error) {
	h, err := readHandle(connectors.Scan{Schema: table.Schema, Name: table.Name, Handle: table.Handle})
	if err != nil {
		return connectors.TableStats{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if stats, known := c.stats[h]; known {
		return stats, nil
	}
	stats := statistics(h.Table, h.scale())
	c.stats[h] = stats
	return stats, nil
}

func statistics(table generator.Table, scale generator.Scale) connectors.TableStats {
	rows, exact := table.Rows(scale)
	stats := connectors.TableStats{Rows: float64(rows), Exact: exact, Columns: map[int]connectors.ColumnStats{}}
	columns := table.Columns()
	width := 0.0
	for i, f := range table.Facts(scale) {
		stats.Columns[i] = connectors.ColumnStats{
			Distinct: f.Distinct, Minimum: f.Minimum, Maximum: f.Maximum, AverageWidth: f.Width,
		}
		width += float64(columns[i].Type.Physical().Width()) + f.Width
	}
	stats.Bytes = stats.Rows * width
	return stats
}
