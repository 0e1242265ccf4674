package catalog

import (
	"context"
	"iter"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// Token names the transaction while it lives, for VirtualQuery.
func (tx *Tx) Token() string { return tx.token }

// VirtualTables are the tables of schema system that show the catalog: schemas, tables, columns,
// partitions, files, versions. They show what the reading transaction sees.
func (c *Catalog) VirtualTables() []connectors.VirtualTable {
	text, number, moment, truth := types.Of(types.Text), types.Of(types.Int64), types.Of(types.TimestampTZ), types.Of(types.Bool)
	return []connectors.VirtualTable{
		{Name: "schemas", Comment: "schemas of the catalog", Columns: connectors.VirtualColumns("schema_name location owner comment", text, text, text, text),
			Rows: c.perTransaction(schemaRows)},
		{Name: "tables", Comment: "tables and views, with their size", Columns: connectors.VirtualColumns(
			"table_schema table_name table_id kind format location owner version row_count byte_count file_count partition_count partitioned_by sorted_by properties comment",
			text, text, number, text, text, text, text, number, number, number, number, number, text, text, text, text), Rows: c.perTransaction(tableRows)},
		{Name: "columns", Comment: "columns of tables and views", Columns: connectors.VirtualColumns(
			"table_schema table_name column_name ordinal_position column_id storage_name data_type is_nullable column_default comment",
			text, text, text, number, number, text, text, truth, text, text), Rows: c.perTransaction(columnRows)},
		{Name: "partitions", Comment: "partitions of tables", Columns: connectors.VirtualColumns(
			"table_schema table_name partition row_count byte_count file_count changed_by_commit", text, text, text, number, number, number, number), Rows: c.perTransaction(partitionRows)},
		{Name: "files", Comment: "files of tables", Columns: connectors.VirtualColumns(
			"table_schema table_name partition path size_bytes row_count etag", text, text, text, text, number, number, text), Rows: c.perTransaction(fileRows)},
		{Name: "versions", Comment: "history of tables, as far as it can be read", Columns: connectors.VirtualColumns(
			"table_schema table_name version commit_id committed_at operation user_name row_count byte_count file_count",
			text, text, number, number, moment, text, text, number, number, number), Rows: c.perTransaction(versionRows)},
	}
}

// emit takes a row; false means that no more are wanted.
type emit func(row ...types.Datum) bool

// rowMaker gives the rows that a transaction sees.
type rowMaker func(ctx context.Context, tx *Tx, query *connectors.VirtualQuery, row emit) error

// perTransaction runs a rowMaker in the reader's transaction, or in a new one.
func (c *Catalog) perTransaction(rows rowMaker) func(context.Context, connectors.VirtualQuery) iter.Seq2[[]types.Datum, error] {
	return func(ctx context.Context, query connectors.VirtualQuery) iter.Seq2[[]types.Datum, error] {
		return func(yield func([]types.Datum, error) bool) {
			tx := c.liveTx(query.Transaction)
			if tx == nil {
				if query.Transaction != "" {
					yield(nil, sqlerr.Internal("the reading transaction has ended"))
					return
				}
				var err error
				if tx, err = c.Begin(ctx, Session{}); err != nil {
					yield(nil, err)
					return
				}
				defer tx.Rollback()
			}
			stopped := false
			err := rows(ctx, tx, &query, func(row ...types.Datum) bool {
				if !stopped {
					stopped = !yield(row, nil)
				}
				return !stopped
			})
			if err != nil && !stopped {
				yield(nil, err)
			}
		}
	}
}

func str(s string) types.Datum { return types.StringDatum(s) }

func num(n int64) types.Datum { return types.IntDatum(n) }

func strOrNull(s string) types.Datum {
	if s == "" {
		return types.NullDatum()
	}
	return str(s)
}

func schemaRows(_ context.Context, tx *Tx, _ *connectors.VirtualQuery, row emit) error {
	for _, s := range tx.Schemas() {
		if !row(str(s.Name), strOrNull(s.Location), strOrNull(s.Owner), strOrNull(s.Comment)) {
			break
		}
	}
	return nil
}

// eachTable calls visit for the tables that a query wants by schema and name, its first two columns.
func eachTable(tx *Tx, query *connectors.VirtualQuery, visit func(schema string, t *Table) (bool, error)) error {
	text := types.Of(types.Text)
	names := []string{TempSchema}
	for _, s := range tx.Schemas() {
		names = append(names, s.Name)
	}
	for _, schema := range names {
		if !query.Wants(0, text, str(schema)) {
			continue
		}
		for _, t := range tx.Definitions(schema) {
			if !query.Wants(1, text, str(t.Name)) {
				continue
			}
			if more, err := visit(schema, t); err != nil || !more {
				return err
			}
		}
	}
	return nil
}

func tableRows(ctx context.Context, tx *Tx, query *connectors.VirtualQuery, row emit) error {
	return eachTable(tx, query, func(schema string, t *Table) (bool, error) {
		partitions, err := tx.Partitions(ctx, t.ID)
		if err != nil {
			return false, err
		}
		var sum totals
		for _, p := range partitions {
			sum.add(totals{p.Rows, p.Bytes, p.Files})
		}
		kind := kindName(t.Kind)
		if t.Kind == connectors.Temporary {
			kind = "temporary"
		}
		names := func(ids []int32) types.Datum {
			var list []string
			for _, id := range ids {
				list = append(list, t.Columns[t.ordinal(id)].Name)
			}
			return strOrNull(strings.Join(list, ","))
		}
		figures := []types.Datum{num(sum.rows), num(sum.bytes), num(sum.files), num(int64(len(partitions)))}
		if t.Kind == connectors.View {
			figures = []types.Datum{types.NullDatum(), types.NullDatum(), types.NullDatum(), types.NullDatum()}
		}
		version := types.NullDatum()
		if h, ok := tx.base.heads[t.ID]; ok {
			version = num(h.version)
		}
		return row(str(schema), str(t.Name), num(t.ID), str(kind), strOrNull(t.Format), strOrNull(t.Location), strOrNull(t.Owner), version, figures[0], figures[1],
			figures[2], figures[3], names(t.Partition), names(t.SortedBy), str(toJSON(t.Properties)), strOrNull(t.Comment)), nil
	})
}

func columnRows(_ context.Context, tx *Tx, query *connectors.VirtualQuery, row emit) error {
	return eachTable(tx, query, func(schema string, t *Table) (bool, error) {
		for i, c := range t.Columns {
			if !row(str(schema), str(t.Name), str(c.Name), num(int64(i+1)), num(int64(c.ID)), str(c.StorageName), str(c.Type.String()),
				types.BoolDatum(!c.NotNull), strOrNull(c.Default), strOrNull(c.Comment)) {
				return false, nil
			}
		}
		return true, nil
	})
}

func partitionRows(ctx context.Context, tx *Tx, query *connectors.VirtualQuery, row emit) error {
	return eachTable(tx, query, func(schema string, t *Table) (bool, error) {
		partitions, err := tx.Partitions(ctx, t.ID)
		if err != nil {
			return false, err
		}
		for _, p := range partitions {
			if len(t.Partition) == 0 {
				break
			}
			commit := num(p.Begin)
			if p.Begin == 0 {
				commit = types.NullDatum()
			}
			if !row(str(schema), str(t.Name), str(t.PartitionLabel(p)), num(p.Rows), num(p.Bytes), num(p.Files), commit) {
				return false, nil
			}
		}
		return true, nil
	})
}

func fileRows(ctx context.Context, tx *Tx, query *connectors.VirtualQuery, row emit) error {
	return eachTable(tx, query, func(schema string, t *Table) (bool, error) {
		list, err := tx.ListFiles(ctx, t.ID)
		if err != nil {
			return false, err
		}
		for _, f := range list {
			label := t.PartitionLabel(&Partition{Key: f.Partition})
			if !row(str(schema), str(t.Name), strOrNull(label), str(t.Location+"/"+f.Path), num(f.Size), num(f.Rows), strOrNull(f.ETag)) {
				return false, nil
			}
		}
		return true, nil
	})
}

func versionRows(ctx context.Context, tx *Tx, query *connectors.VirtualQuery, row emit) error {
	return eachTable(tx, query, func(schema string, t *Table) (bool, error) {
		if t.ID < 0 {
			return true, nil
		}
		versions, err := tx.Versions(ctx, t.ID)
		if err != nil {
			return false, err
		}
		for _, v := range versions {
			if !row(str(schema), str(t.Name), num(v.Number), num(v.Commit), num(v.At), str(v.Operation), strOrNull(v.User),
				num(v.Rows), num(v.Bytes), num(v.Files)) {
				return false, nil
			}
		}
		return true, nil
	})
}
