package build

import "github.com/tarnlake/tarn/exec/pipeline"

// flow is a pipeline whose last rows still go nowhere: loose lists the places to be set.
type flow struct {
	pipeline *pipeline.Pipeline
	loose    []**pipeline.Stage
}

// begin starts a flow at a source. emits tells that the source's rows are the node's output.
func (b *builder) begin(node *pipeline.NodeStats, source pipeline.Source, emits bool, after ...*pipeline.Pipeline) *flow {
	f := &flow{pipeline: &pipeline.Pipeline{Name: node.Name, After: after}}
	f.branch(node, source, emits, false)
	return f
}

// branch adds a source whose rows join the flow where it ends now.
func (f *flow) branch(node *pipeline.NodeStats, source pipeline.Source, emits, barrier bool) {
	branch := &pipeline.Branch{Source: source, Node: node, Emits: emits, Barrier: barrier}
	f.pipeline.Branches = append(f.pipeline.Branches, branch)
	f.loose = append(f.loose, &branch.Next)
}

// stage appends a transform.
func (f *flow) stage(node *pipeline.NodeStats, operator pipeline.Operator, emits bool) {
	stage := &pipeline.Stage{Operator: operator, Node: node, Emits: emits}
	f.pipeline.Stages = append(f.pipeline.Stages, stage)
	for _, place := range f.loose {
		*place = stage
	}
	f.loose = append(f.loose[:0], &stage.Next)
}

// end gives the flow its sink; the pipeline is complete.
func (b *builder) end(f *flow, node *pipeline.NodeStats, sink pipeline.Sink) *pipeline.Pipeline {
	f.pipeline.Sink, f.pipeline.SinkNode = sink, node
	b.pipelines = append(b.pipelines, f.pipeline)
	return f.pipeline
}

// after makes the flow's pipeline wait for others.
func (f *flow) after(others ...*pipeline.Pipeline) {
	for _, other := range others {
		known := false
		for _, before := range f.pipeline.After {
			known = known || before == other
		}
		if !known {
			f.pipeline.After = append(f.pipeline.After, other)
		}
	}
}

// join adds another flow's branches; from now on both go the same way.
func (f *flow) join(other *flow) {
	f.pipeline.Branches = append(f.pipeline.Branches, other.pipeline.Branches...)
	f.pipeline.Stages = append(f.pipeline.Stages, other.pipeline.Stages...)
	f.loose = append(f.loose, other.loose...)
	f.after(other.pipeline.After...)
	if other.pipeline.Drivers == 1 && f.pipeline.Drivers != 1 {
		f.pipeline.Drivers = 1
	}
}
