package pipeline

import (
	"context"
	"errors"

	"github.com/tarnlake/tarn/internal/vec"
)

// ErrStop says "no more rows, please": an Emit returns it when nothing downstream wants rows, and a
// Transform or LocalSink returns it when that is so for every driver (a LIMIT that is satisfied). It
// ends the branch without being an error.
var ErrStop = errors.New("no more rows are wanted")

// Emit hands a batch downstream. The batch and all it refers to may be reused when Emit returns.
type Emit func(b *vec.Batch) error

// Source starts a branch; it is shared by the drivers.
type Source interface {
	// Open gives one driver's stream. All drivers' streams together give the source's rows once. A
	// stream that waits for others, not for its own computing, does so inside slots.Block.
	Open(ctx context.Context, d *Driver) (vec.Source, error)
	// Close is called once, after the pipeline has ended or when it never ran.
	Close() error
}

// Operator makes the Transforms of a stage; it holds what its drivers share.
type Operator interface {
	New(d *Driver) (Transform, error)
	// Close is called once, after the pipeline has ended or when it never ran.
	Close() error
}

// Transform is one driver's instance of a stage, used by that driver only.
type Transform interface {
	Process(ctx context.Context, in *vec.Batch, emit Emit) error
	// Finish is called once, after the driver's last batch, and may emit what was held back.
	Finish(ctx context.Context, emit Emit) error
	Close() error
}

// Idle is an Operator that can tell, once the pipeline runs, that no input row leads to output (a
// join with an empty build side): branches through it are not even opened.
type Idle interface {
	Idle() bool
}

// Sink ends a pipeline; it is shared by the drivers.
type Sink interface {
	Local(d *Driver) (LocalSink, error)
	// Finalize is called once after every local sink was merged; parts that can run in parallel use
	// Environment.Parallel.
	Finalize(ctx context.Context) error
	// Close is called once, when the pipeline and those after it have ended or never ran.
	Close() error
}

// LocalSink is one driver's part of a Sink, used by that driver only.
type LocalSink interface {
	Consume(ctx context.Context, b *vec.Batch) error
	// Merge hands the driver's rows to the Sink; called once after the last batch.
	Merge(ctx context.Context) error
}

// Pipeline is one unit of scheduling.
type Pipeline struct {
	Name     string
	Branches []*Branch // run in order by each driver
	Stages   []*Stage  // every stage stands after those that feed it
	Sink     Sink
	SinkNode *NodeStats // plan node that the sink's work is charged to
	Drivers  int        // 0: as many as the environment says; 1 keeps the order of rows
	After    []*Pipeline
}

// Branch is a source and where its rows go.
type Branch struct {
	Source Source
	Node   *NodeStats // plan node of the source
	Next   *Stage     // nil: the sink
	// Emits tells that the source's rows are its plan node's output, to be counted as such.
	Emits bool
	// Barrier makes a driver wait until every driver has finished the branches before this one.
	Barrier bool
}

// Stage is a transform in a pipeline.
type Stage struct {
	Operator Operator
	Node     *NodeStats
	Next     *Stage // nil: the sink
	// Emits tells that the stage's output is its plan node's output, to be counted as such.
	Emits bool
}
