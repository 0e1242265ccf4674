package tpch

import (
	"context"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/tpch/generator"
	"github.com/tarnlake/tarn/internal/vec"
)

// source is the vec.Source of a split.
type source struct {
	request connectors.ReadRequest
	handle  handle
	reader  *generator.Reader
	piece   piece
	batch   vec.Batch
	written []bool // the columns of batch that were generated
	begun   bool
	closed  bool
}

// Next gives the next batch of which a row passes the filter.
func (s *source) Next(ctx context.Context) (*vec.Batch, error) {
	if s.closed || s.skip() {
		return nil, nil
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows := s.reader.Next()
		if rows == 0 {
			s.closed = true
			return nil, nil
		}
		s.batch.Len, s.batch.Sel = rows, nil
		clear(s.written)
		s.request.Stats.RowsRead.Add(int64(rows))
		if err := s.filter(); err != nil {
			return nil, err
		}
		if s.batch.Rows() == 0 {
			continue
		}
		for i := range s.batch.Cols {
			s.write(i)
		}
		s.request.Stats.RowsSelected.Add(int64(s.batch.Rows()))
		return &s.batch, nil
	}
}

// skip tells, before the first batch, whether what the query has learnt meanwhile excludes the whole split.
func (s *source) skip() bool {
	if s.begun || s.request.Feed == nil {
		return false
	}
	s.begun = true
	domains, _ := s.request.Feed.Domains()
	from, to := unitsWithin(s.handle, s.request.Scan, domains)
	s.closed = to <= s.piece.From || from >= s.piece.To
	return s.closed
}

// filter applies the stages of the row filter, generating the columns that each needs, until no row is left.
func (s *source) filter() error {
	if s.request.Filter == nil {
		return nil
	}
	for stage := range s.request.Filter.Stages() {
		for _, column := range s.request.Filter.Columns(stage) {
			s.write(column)
		}
		if err := s.request.Filter.Apply(stage, &s.batch); err != nil {
			return err
		}
		if s.batch.Rows() == 0 {
			return nil
		}
	}
	return nil
}

// write generates a column of the present batch, once.
func (s *source) write(column int) {
	if !s.written[column] {
		s.written[column] = true
		s.batch.Cols[column].Alias(s.reader.Column(s.request.Scan.Columns[column].Ordinal))
	}
}

// Close ends the source.
func (s *source) Close() error {
	s.closed = true
	return nil
}
