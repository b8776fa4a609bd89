package expr

import "testing"

func TestQuantiles(t *testing.T) {
	cuts := map[string][]float64{}
	for _, c := range []struct {
		text string
		cuts []float64
		want any
	}{
		{`quintile(profile.age)`, nil, nil},
		{`quintile(profile.age)`, []float64{10, 20, 30, 40}, 5.0},
		{`quintile(profile.age)`, []float64{10, 20, 30, 41}, 4.0}, // at a cut point it is still in the part below
		{`quintile(profile.age)`, []float64{41, 41, 41, 41}, 1.0},
		{`quintile(profile.age)`, []float64{1, 1, 1, 1}, 5.0},
		{`quintile(profile.absent)`, []float64{1, 2, 3, 4}, nil},
		{`quintile(profile.country)`, []float64{1, 2, 3, 4}, nil},
		{`quintile(profile.vip)`, []float64{1, 2, 3, 4}, nil},
		{`quintile(profile.last_order_at)`, []float64{0, 1, 2, float64(noon.UnixMicro())}, 4.0}, // a time
		{`quantile(profile.age, 2)`, []float64{40}, 2.0},
		{`quintile(profile.age) + 1`, []float64{50, 50, 50, 50}, 2.0},
		{`[quintile(profile.age)]`, nil, []any{nil}},
		{`quintile(profile.age > 40 ? profile.age : null)`, []float64{50, 50, 50, 50}, 1.0},
		{`quintile(events("A").exists() ? dyn(events("A").count()) : null)`, []float64{0, 0, 2, 3}, nil},
	} {
		p, err := Value(c.text)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		if len(p.Quantiles) != 1 {
			t.Fatalf("%s: %d quantiles", c.text, len(p.Quantiles))
		}
		clear(cuts)
		cuts[p.Quantiles[0].Key] = c.cuts
		s := scope(noon.UnixMicro(), nil)
		s.Cuts = func(key string) []float64 { return cuts[key] }
		if got, naive := p.Result(s), p.NaiveResult(s); !same(got, c.want) || !same(naive, c.want) {
			t.Errorf("%s at %v: got %v, naively %v, want %v", c.text, c.cuts, got, naive, c.want)
		}
	}
	p, err := Value(`quintile(profile.age) + quintile(profile.age) + quantile(profile.age, 4) + quintile(events("A").last())`)
	if err != nil || len(p.Quantiles) != 3 {
		t.Errorf("%v: %v", p.Quantiles, err)
	}
	if x, ok := p.Number(p.Quantiles[0], scope(noon.UnixMicro(), nil)); x != 41 || !ok {
		t.Error(x, ok)
	}
	if _, ok := p.Number(p.Quantiles[2], scope(noon.UnixMicro(), nil)); ok {
		t.Error("a customer without the event takes part")
	}
}

// same compares results that are no maps.
func same(a, b any) bool {
	if list, ok := a.([]any); ok {
		other, ok := b.([]any)
		return ok && len(list) == len(other)
	}
	return a == b
}
