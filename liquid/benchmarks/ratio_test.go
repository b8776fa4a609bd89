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

// contestant is something that TestRatios measures.
type contestant struct {
	name string
	run  func() error
}

// rendering renders the mail with one of our templates into the same buffer again and again.
func rendering(name string, t *liquid.Template, values map[string]any) contestant {
	var buf []byte
	return contestant{name, func() (err error) {
		buf, err = t.AppendRender(context.Background(), buf[:0], values)
		return err
	}}
}

// typed renders the mail from a struct.
func typed(tb testing.TB) contestant {
	t, data := bind(tb), typedData(tb)
	var buf []byte
	return contestant{"render typed", func() (err error) {
		buf, err = t.AppendRender(context.Background(), buf[:0], data)
		return err
	}}
}

// ours are the ways in which this engine renders the mail.
func ours(tb testing.TB) []contestant {
	special, own := specialized(tb)
	return []contestant{
		rendering("render", parse(tb), data()), typed(tb), rendering("render with auto-escape", parse(tb, liquid.WithAutoEscape(true)), data()),
		rendering("render specialised", special, own),
	}
}

// others are what they are measured against, and parsing.
func others(tb testing.TB) []contestant {
	theirs, err := osteeleEngine().ParseString(mail(liquidWords))
	if err != nil {
		tb.Fatal(err)
	}
	values, engine, other := data(), liquid.New(), osteeleEngine()
	source, goSource := mail(liquidWords), mail(goWords)
	standard := goTemplate(tb, goSource)
	var out bytes.Buffer
	return []contestant{
		{"render osteele", func() error {
			if _, err := theirs.Render(values); err != nil {
				return err
			}
			return nil
		}},
		{"render text/template", func() error { out.Reset(); return standard.Execute(&out, values) }},
		{"parse", func() error { _, err := engine.Parse(source); return err }},
		{"parse osteele", func() error {
			if _, err := other.ParseString(source); err != nil {
				return err
			}
			return nil
		}},
		{"parse text/template", func() error { goTemplate(tb, goSource); return nil }},
	}
}

// TestRendersAllocateNothing holds the promise of the package about its hot path.
func TestRendersAllocateNothing(t *testing.T) {
	for _, c := range ours(t) {
		n := testing.AllocsPerRun(100, func() {
			if err := c.run(); err != nil {
				t.Fatal(err)
			}
		})
		if n > 0 {
			t.Errorf("%s: %v allocations, want none", c.name, n)
		}
	}
}

// TestRatios measures the engines in turns, so that what else the machine does hits all of them, and keeps the best
// turn of each. Run it with GOMAXPROCS=1 and -ratios.
func TestRatios(t *testing.T) {
	if !*ratios {
		t.Skip("pass -ratios to measure")
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
	contestants := append(ours(t), others(t)...)
	best := map[string]time.Duration{}
	for _, c := range contestants {
		best[c.name] = measure(c.run, 100)
	}
	// Each turn takes about the same time, long enough that the caches are those of the engine that runs.
	const rounds, turn = 100, 4 * time.Millisecond
	for range rounds {
		for _, c := range contestants {
			best[c.name] = min(best[c.name], measure(c.run, int(turn/best[c.name])+1))
		}
	}
	for _, c := range contestants {
		t.Logf("%-24s %8v", c.name, best[c.name])
	}
	for _, c := range []struct {
		slow, fast string
		wanted     float64
	}{
		{"render osteele", "render", 15},
		{"render text/template", "render", 6},
		{"render osteele", "render typed", 15},
		{"render text/template", "render typed", 6},
		{"render", "render typed", 1.05},
		{"parse osteele", "parse", 1},
	} {
		ratio := float64(best[c.slow]) / float64(best[c.fast])
		t.Logf("%-24s %8.1f times %s", c.slow, ratio, c.fast)
		if ratio < c.wanted {
			t.Errorf("%s takes %.2f times what %s does, want at least %.2f", c.slow, ratio, c.fast, c.wanted)
		}
	}
}
