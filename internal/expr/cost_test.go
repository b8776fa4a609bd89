package expr

import "testing"

// A loop that goes on for too long leaves the whole without a result, in both readings.
func TestLoopsAreBounded(t *testing.T) {
	list := make([]any, 400)
	for i := range list {
		list[i] = float64(i)
	}
	for text, want := range map[string]bool{
		`profile.list.exists(x, x == 399)`: true, `profile.list.all(x, profile.list.exists(y, y == x))`: false,
		`!profile.list.exists(x, profile.list.exists(y, profile.list.exists(z, x + y + z < 0)))`: false,
	} {
		p, err := Condition(text)
		if err != nil {
			t.Fatal(err)
		}
		s := scope(noon.UnixMicro(), nil)
		s.Trait = func(string) (any, bool) { return list, true }
		if got, naive := p.Result(s), p.NaiveResult(s); got != want || naive != want {
			t.Errorf("%s: %v, naively %v, want %v", text, got, naive, want)
		}
	}
}
