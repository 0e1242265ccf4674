package main

import (
	"context"
	"errors"
	"time"
)

// pair is an Engine: two servers of one thread that know nothing of each other, kept to a CPU each, and
// asked the same at once. Its seconds are those of an answer: half of what the two take for two.
type pair struct{ servers [2]*tarn }

func startPair(ctx context.Context, o options) (*pair, error) {
	o.threads, o.url = 1, ""
	p := &pair{}
	for i := range p.servers {
		o.cpu = &i
		t, err := startTarn(ctx, o)
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.servers[i] = t
	}
	return p, nil
}

func (p *pair) Name() string    { return "pair" }
func (p *pair) Version() string { return p.servers[0].version + ", two servers of one thread" }
func (p *pair) PIDs() []int     { return append(p.servers[0].PIDs(), p.servers[1].PIDs()...) }

// Run asks both, and waits for both.
func (p *pair) Run(ctx context.Context, sql string) (answer, error) {
	start := time.Now()
	var answers [2]answer
	other := make(chan error)
	go func() {
		var err error
		answers[1], err = p.servers[1].Run(ctx, sql)
		other <- err
	}()
	var err error
	answers[0], err = p.servers[0].Run(ctx, sql)
	err = errors.Join(err, <-other)
	return answer{
		rows:    answers[0].rows,
		seconds: time.Since(start).Seconds() / 2,
		cpu:     (answers[0].cpu + answers[1].cpu) / 2,
	}, err
}

func (p *pair) Close() error {
	var errs []error
	for _, t := range p.servers {
		if t != nil {
			errs = append(errs, t.Close())
		}
	}
	return errors.Join(errs...)
}
