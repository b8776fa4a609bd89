package connect

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// inOrder applies work on several goroutines to what produce emits, and hands the results to consume in the order of
// emission. worker is called once for each goroutine and gives its work, which may hold state. A few inputs per worker
// are under way at a time, so a slow consumer holds the producer back. The first error ends all.
func inOrder[I, O any](
	ctx context.Context, workers int,
	produce func(emit func(I) error) error, worker func() func(I) O, consume func(O) error,
) error {
	type task struct {
		in  I
		out chan O
	}
	group, ctx := errgroup.WithContext(ctx)
	tasks, order := make(chan task), make(chan chan O, 2*workers)
	group.Go(func() error {
		defer close(tasks)
		defer close(order)
		return produce(func(in I) error {
			t := task{in, make(chan O, 1)}
			select {
			case order <- t.out:
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case tasks <- t:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	for range workers {
		group.Go(func() error {
			work := worker()
			for t := range tasks {
				t.out <- work(t.in)
			}
			return nil
		})
	}
	group.Go(func() error {
		for out := range order {
			select {
			case result := <-out:
				if err := consume(result); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return group.Wait()
}
