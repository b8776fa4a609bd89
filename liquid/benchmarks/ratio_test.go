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
	theirs, err := osteeleEngine().ParseString(mail(liquidWords))
	if err != nil {
		t.Fatal(err)
	}
	standard := goTemplate(t)
	source, engine, other := mail(liquidWords), liquid.New(), osteeleEngine()
	var buf []byte
	var out bytes.Buffer
	names := []string{"render", "render with auto-escape", "render osteele", "render text/template", "parse", "parse osteele"}
	work := []func() error{
		func() (err error) { buf, err = ours.AppendRender(ctx, buf[:0], values); return err },
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
	best := make([]time.Duration, len(work))
	const rounds, batch = 60, 60
	for round := range rounds {
		for i, run := range work {
			start := time.Now()
			for range batch {
				if err := run(); err != nil {
					t.Fatal(err)
				}
			}
			if d := time.Since(start) / batch; round == 0 || d < best[i] {
				best[i] = d
			}
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
		{"osteele to render", float64(best[2]) / float64(best[0]), 15},
		{"text/template to render", float64(best[3]) / float64(best[0]), 6},
		{"osteele to parse", float64(best[5]) / float64(best[4]), 1},
	} {
		t.Logf("%-24s %8.1f", c.name, c.ratio)
		if c.ratio < c.wanted {
			t.Errorf("%s: %.1f, want at least %.1f", c.name, c.ratio, c.wanted)
		}
	}
}
