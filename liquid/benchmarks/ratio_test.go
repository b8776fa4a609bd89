package benchmarks

import (
	"bytes"
	"context"
	"flag"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/liquid"
)

var ratios = flag.Bool("ratios", false, "measure the engines against each other and check the ratios")

// TestRatios measures the engines in turns, so that what else the machine does hits all of them, and keeps the best
// batch of each. Run it with GOMAXPROCS=1 and -ratios.
func TestRatios(t *testing.T) {
	if !*ratios {
		t.Skip("pass -ratios to measure")
	}
	values, ctx := data(), context.Background()
	ours, escaping := parse(t), parse(t, liquid.WithAutoEscape(true))
	bound, typed := bind(t), typedData(t)
	theirs, err := osteeleEngine().ParseString(mail(liquidWords))
	if err != nil {
		t.Fatal(err)
	}
	standard := goTemplate(t)
	source, engine, other := mail(liquidWords), liquid.New(), osteeleEngine()
	var buf []byte
	var out bytes.Buffer
	names := []string{"render", "render typed", "render with auto-escape", "render osteele", "render text/template", "parse", "parse osteele"}
	work := []func() error{
		func() (err error) { buf, err = ours.AppendRender(ctx, buf[:0], values); return err },
		func() (err error) { buf, err = bound.AppendRender(ctx, buf[:0], typed); return err },
		func() (err error) { buf, err = escaping.AppendRender(ctx, buf[:0], values); return err },
		func() error {
			if _, err := theirs.Render(values); err != nil {
				return err
			}
			return nil
		},
		func() error { out.Reset(); return standard.Execute(&out, values) },
		func() error { _, err := engine.Parse(source); return err },
		func() error {
			if _, err := other.ParseString(source); err != nil {
				return err
			}
			return nil
		},
	}
	measure := func(run func() error, batch int) time.Duration {
		start := time.Now()
		for range batch {
			if err := run(); err != nil {
				t.Fatal(err)
			}
		}
		return time.Since(start) / time.Duration(batch)
	}
	best := make([]time.Duration, len(work))
	for i, run := range work {
		best[i] = measure(run, 100)
	}
	// Each turn takes about the same time, long enough that the caches are those of the engine that runs.
	const rounds, turn = 100, 4 * time.Millisecond
	for range rounds {
		for i, run := range work {
			best[i] = min(best[i], measure(run, int(turn/best[i])))
		}
	}
	for i, name := range names {
		t.Logf("%-24s %8v", name, best[i])
	}
	for _, c := range []struct {
		name   string
		ratio  float64
		wanted float64
	}{
		{"osteele to render", float64(best[3]) / float64(best[0]), 15},
		{"text/template to render", float64(best[4]) / float64(best[0]), 6},
		{"map data to typed", float64(best[0]) / float64(best[1]), 1.05},
		{"osteele to typed", float64(best[3]) / float64(best[1]), 15},
		{"text/template to typed", float64(best[4]) / float64(best[1]), 6},
		{"osteele to parse", float64(best[6]) / float64(best[5]), 1},
	} {
		t.Logf("%-24s %8.1f", c.name, c.ratio)
		if c.ratio < c.wanted {
			t.Errorf("%s: %.1f, want at least %.1f", c.name, c.ratio, c.wanted)
		}
	}
}
