package engine

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/tailorbird/tailorbird/internal/profile"
)

func TestAStrideComesByEveryClusterOnce(t *testing.T) {
	for n := int64(1); n < 400; n++ {
		met := make([]bool, n)
		for i, at := int64(0), int64(0); i < n; i, at = i+1, (at+stride(n))%n {
			if met[at] {
				t.Fatalf("of %d: %d is met twice", n, at)
			}
			met[at] = true
		}
	}
}

// The truth must lie in the interval about as often as it promises, also where neighbours are alike, where the share
// changes over the ids, and where it is small.
func TestIntervalsHoldWhatTheyPromise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, share := range []float64{0.002, 0.03, 0.4, 0.97} {
		for _, looked := range []int{40, 200, 900} {
			const rounds, all = 300, 1000
			held := 0
			for range rounds {
				type cluster struct{ members, matches int }
				population := make([]cluster, all)
				people, truth := 0, 0
				for i := range population {
					c := cluster{members: 20 + random.IntN(13)}
					own := share * 2 * float64(i) / all // who came later matches more often
					if random.IntN(4) == 0 {
						own *= 0.3
					}
					for range c.members {
						if random.Float64() < own {
							c.matches++
						}
					}
					population[i] = c
					people, truth = people+c.members, truth+c.matches
				}
				random.Shuffle(all, func(i, j int) { population[i], population[j] = population[j], population[i] })
				sum := clusters{coverage: coverage{looked: int64(looked), ids: all}} // as if of one id each
				for _, c := range population[:looked] {
					sum.add(c.members, c.matches)
				}
				if e := sum.estimate(false); e.Low <= truth && truth <= e.High && e.Low <= e.Count && e.Count <= e.High {
					held++
				}
			}
			if least := rounds * 90 / 100; held < least {
				t.Errorf("share %g, %d of %d clusters: the truth is inside %d times of %d", share, looked, all, held, rounds)
			}
		}
	}
}

func TestPartsElsewhereAreReadTogetherWhereNear(t *testing.T) {
	people := []*profile.Profile{{Absorbed: []int64{99, 150, 12}}, {}, {Absorbed: []int64{20, 200, 230, 50, 214}}}
	want := [][2]int64{{12, 21}, {50, 51}, {99, 100}, {200, 231}}
	if got := elsewhere(people, 100, 200); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := elsewhere([]*profile.Profile{{Absorbed: []int64{9, 12}}}, 10, 12); !reflect.DeepEqual(got, [][2]int64{{9, 10}, {12, 13}}) {
		t.Errorf("what is read anyway is read again: %v", got)
	}
}
