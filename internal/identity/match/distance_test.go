package match

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The values are those of Winkler, Advanced Methods for Record Linkage (1994), table 2.
func TestSimilarityAsPublished(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"shackleford", "shackelford", 0.982},
		{"dunningham", "cunnigham", 0.896},
		{"nichleson", "nichulson", 0.956},
		{"jones", "johnson", 0.832},
		{"massey", "massie", 0.933},
		{"abroms", "abrams", 0.922},
		{"hardin", "martinez", 0.722},
		{"itman", "smith", 0.467},
		{"jeraldine", "geraldine", 0.926},
		{"martha", "marhta", 0.961},
		{"dwayne", "duane", 0.840},
		{"", "x", 0},
		{"ada", "ada", 1},
		{"ямщик", "ямщик", 1},
	} {
		if got := similarity([]byte(c.a), []byte(c.b)); math.Abs(got-c.want) > 0.0006 {
			t.Errorf("%s, %s: got %.4f, want %.3f", c.a, c.b, got, c.want)
		}
	}
}

// The codes are those of the National Archives' description.
func TestSoundexAsPublished(t *testing.T) {
	for name, want := range map[string]string{
		"washington": "w252", "lee": "l", "gutierrez": "g362", "pfister": "p236", "jackson": "j25", "tymczak": "t522",
		"vandeusen": "v532", "ashcraft": "a261", "robert": "r163", "rupert": "r163", "honeyman": "h555",
	} {
		var code uint64
		for _, c := range want {
			code = code<<8 | uint64(c)
		}
		if got := soundex([]byte(name)); got != code {
			t.Errorf("%s: got %x, want %s (%x)", name, got, want, code)
		}
	}
}

// naive is the optimal string alignment distance by its definition.
func naive(a, b []rune) int {
	if len(a) == 0 || len(b) == 0 {
		return len(a) + len(b)
	}
	replace := naive(a[1:], b[1:])
	if a[0] != b[0] {
		replace++
	}
	d := min(replace, naive(a[1:], b)+1, naive(a, b[1:])+1)
	if len(a) > 1 && len(b) > 1 && a[0] == b[1] && a[1] == b[0] {
		d = min(d, naive(a[2:], b[2:])+1)
	}
	return d
}

func TestDistancesHold(t *testing.T) {
	word := rapid.StringMatching(`[abcж]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		x, y := word.Draw(t, "a"), word.Draw(t, "b")
		a, b := []byte(x), []byte(y)
		if s := similarity(a, b); s != similarity(b, a) || s < 0 || s > 1 || s == 1 && x != y {
			t.Fatalf("similarity of %q and %q is %v, the other way %v", x, y, s, similarity(b, a))
		}
		d := naive([]rune(x), []rune(y))
		for limit := range 5 {
			if within(a, b, limit) != (d <= limit) {
				t.Fatalf("%q and %q differ by %d; within %d: %v", x, y, d, limit, within(a, b, limit))
			}
		}
	})
}
