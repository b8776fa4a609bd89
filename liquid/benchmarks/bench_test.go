package benchmarks

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"text/template"

	osteele "github.com/osteele/liquid"

	"github.com/tailorbird/tailorbird/liquid"
)

func osteeleEngine() *osteele.Engine {
	engine := osteele.NewEngine()
	engine.RegisterFilter("money", goMoney)
	return engine
}

func goTemplate(tb testing.TB, source string) *template.Template {
	t, err := template.New("").Funcs(template.FuncMap{"date": goDate, "money": goMoney}).Parse(source)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func parse(tb testing.TB, options ...liquid.Option) *liquid.Template {
	t, err := liquid.New(options...).Parse(mail(liquidWords))
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func bind(tb testing.TB) *liquid.Bound[campaign] {
	t, err := liquid.Bind[campaign](parse(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// specialized returns the template of the mail specialised to what all recipients have in common, and the data of one.
func specialized(tb testing.TB) (*liquid.Template, map[string]any) {
	shared, own := data(), map[string]any{}
	for _, name := range []string{"first_name", "last_name", "vip", "tier", "member_since", "points", "coupon", "cart_total", "cart_at", "unsubscribe_url", "preferences_url"} {
		own[name] = shared[name]
		delete(shared, name)
	}
	return parse(tb).Specialize(shared), own
}

// TestAllWriteTheSame makes sure that the benchmarks compare like with like.
func TestAllWriteTheSame(t *testing.T) {
	ours, err := parse(t).Render(context.Background(), data())
	if err != nil {
		t.Fatal(err)
	}
	special, own := specialized(t)
	if got, err := special.Render(context.Background(), own); err != nil || got != ours {
		t.Errorf("ours\n%s\n\nspecialised\n%s, %v", ours, got, err)
	}
	if typed, err := bind(t).Render(context.Background(), typedData(t)); err != nil || typed != ours {
		t.Errorf("map data\n%s\n\ntyped\n%s, %v", ours, typed, err)
	}
	theirs, err2 := osteeleEngine().ParseAndRenderString(mail(liquidWords), data())
	if err2 != nil {
		t.Fatal(err2)
	}
	// The others write the double quote as &#34;, the reference as &quot;.
	theirs = strings.ReplaceAll(theirs, "&#34;", "&quot;")
	if ours != theirs {
		t.Errorf("ours\n%s\n\nosteele\n%s", ours, theirs)
	}
	var b bytes.Buffer
	if err := goTemplate(t, mail(goWords)).Execute(&b, data()); err != nil {
		t.Fatal(err)
	}
	if got := bytes.ReplaceAll(b.Bytes(), []byte("&#34;"), []byte("&quot;")); string(got) != ours {
		t.Errorf("ours\n%s\n\ntext/template\n%s", ours, got)
	}
	t.Logf("template of %d bytes writes %d bytes", len(mail(liquidWords)), len(ours))
}

func BenchmarkRender(b *testing.B) {
	values := data()
	b.Run("liquid", func(b *testing.B) { benchmarkLiquid(b, values) })
	b.Run("liquid-typed", func(b *testing.B) {
		t, typed, ctx := bind(b), typedData(b), context.Background()
		var buf []byte
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if buf, err = t.AppendRender(ctx, buf[:0], typed); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("liquid-autoescape", func(b *testing.B) { benchmarkLiquid(b, values, liquid.WithAutoEscape(true)) })
	b.Run("liquid-specialized", func(b *testing.B) {
		special, own := specialized(b)
		run(b, special, own)
	})
	b.Run("osteele", func(b *testing.B) {
		t, err := osteeleEngine().ParseString(mail(liquidWords))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := t.Render(values); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("text-template", func(b *testing.B) {
		t := goTemplate(b, mail(goWords))
		var out bytes.Buffer
		b.ReportAllocs()
		for b.Loop() {
			out.Reset()
			if err := t.Execute(&out, values); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchmarkLiquid(b *testing.B, values map[string]any, options ...liquid.Option) {
	run(b, parse(b, options...), values)
}

func run(b *testing.B, t *liquid.Template, values map[string]any) {
	ctx := context.Background()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = t.AppendRender(ctx, buf[:0], values); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	source := mail(liquidWords)
	b.Run("liquid", func(b *testing.B) {
		engine := liquid.New()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := engine.Parse(source); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("osteele", func(b *testing.B) {
		engine := osteeleEngine()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := engine.ParseString(source); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("text-template", func(b *testing.B) {
		source := mail(goWords)
		b.ReportAllocs()
		for b.Loop() {
			goTemplate(b, source)
		}
	})
}
