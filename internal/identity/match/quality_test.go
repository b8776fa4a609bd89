package match

import (
	"testing"
)

func find(t testing.TB, r *Records) *Result {
	t.Helper()
	result, err := Find(t.Context(), r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// measured skips a test that measures where the race detector would make it last minutes.
func measured(t *testing.T) {
	t.Helper()
	if slow {
		t.Skip("measured without the race detector: go test ./internal/identity/match")
	}
}

// tell writes down what a run learnt and how right it was; go test -v shows it.
func tell(t *testing.T, d table, result *Result) {
	t.Helper()
	for _, c := range result.Model.Learnt() {
		t.Logf("%s, shared by a household: %v", c.Label, c.Shared)
		for _, l := range c.Levels {
			t.Logf("    %-50s m %.4f u %.6f bits %6.2f", l.Words, l.M, l.U, l.Bits)
		}
	}
	t.Logf("%d profiles, %d pairs compared; estimated: %.0f matches, %.0f pairs in households; true matches: %.0f",
		len(d.rows), result.Report.Candidates, result.Model.Matches(), result.Model.Households(), d.truth())
	t.Logf("groups   %v", d.quality(grouped(result)))
	for _, p := range []float64{0.2, 0.5, 0.9, 0.99, 0.999} {
		t.Logf("p ≥ %-5v %v", p, d.quality(over(result, p)))
	}
}

// The data sets know which records are one person. Nothing of that reaches the code: fields are found by the names of the
// columns, weights are learnt, and the threshold is even odds.
func TestQuality(t *testing.T) {
	measured(t)
	for _, c := range []struct {
		name              string
		data              func(testing.TB) table
		precision, recall float64 // at least
	}{
		{"FEBRL 3", func(t testing.TB) table { return febrl(t, "dataset3") }, 0.99, 0.99},
		{"FEBRL 1", func(t testing.TB) table { return febrl(t, "dataset1") }, 0.99, 0.99},
		{"splink fake_1000", fake1000, 0.98, 0.9},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := c.data(t)
			result := find(t, d.surveyed(t))
			tell(t, d, result)
			if q := d.quality(grouped(result)); q.precision < c.precision || q.recall < c.recall {
				t.Errorf("got %v, want precision %v and recall %v", q, c.precision, c.recall)
			}
			if est := result.Model.Matches(); est < 0.85*d.truth() || est > 1.15*d.truth() {
				t.Errorf("estimated %.0f matches of %.0f", est, d.truth())
			}
		})
	}
}

// A country of families who share surname, address and phone, and name their children after the same few saints.
func TestQualityInTown(t *testing.T) {
	measured(t)
	for _, c := range []struct {
		name              string
		again             float64
		precision, recall float64
	}{
		{"one in fifty registered again", 0.02, 0.95, 0.8},
		{"one in ten", 0.1, 0.97, 0.9},
		{"two in five", 0.4, 0.98, 0.93},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, d := newTown(7, c.again).fill(t, 10_000)
			result := find(t, r)
			tell(t, d, result)
			if q := d.quality(grouped(result)); q.precision < c.precision || q.recall < c.recall {
				t.Errorf("got %v, want precision %v and recall %v", q, c.precision, c.recall)
			}
		})
	}
}

func TestWhereNobodyIsThereTwiceNobodyIsFound(t *testing.T) {
	measured(t)
	r, d := newTown(7, 0).fill(t, 10_000)
	result := find(t, r)
	tell(t, d, result)
	if len(result.Groups) > 3 || result.Model.Matches() > 30 {
		t.Errorf("%d groups, %.0f matches estimated", len(result.Groups), result.Model.Matches())
	}
	if h := result.Model.Households(); h < 1_000 {
		t.Errorf("the families went unnoticed: %.0f pairs", h)
	}
}
