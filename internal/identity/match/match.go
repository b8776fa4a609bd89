// Package match finds profiles that are probably the same person though no identifier says so.
//
// It is record linkage after Fellegi and Sunter (A Theory for Record Linkage, JASA 64, 1969): every comparison of two
// records ends at one of a few levels, from exact to different; a level's weight is log2(m/u), m being how often records
// of one person end there, u how often those of two people do. Nobody labels anything: u comes from random pairs and from
// how often values occur, m from expectation-maximisation over the pairs that several blocking rules give, each rule
// teaching only the comparisons that it does not block on. The agreement on a rare value weighs more than that on a
// common one. A missing value says nothing; a different one speaks against.
//
// People who live together share a surname, an address and a phone, and are not one person. So there are three classes of
// pairs, not two: the same person, the same household, strangers. What a household shares can never weigh more than the
// odds against a household allow.
//
// The package is pure: records go in, pairs with probabilities and reasons come out.
package match

import (
	"context"
	"math"
	"runtime"
)

// Options of a run. The zero value is a good choice.
type Options struct {
	// Threshold is the least probability of a pair that is worth telling; 0 means DefaultThreshold.
	Threshold float64
	// MaxPairs bounds the pairs that are kept, the most probable first; 0 means ten for each record and at least 100,000.
	MaxPairs int
	// Workers bounds the goroutines; 0 means one for each processor.
	Workers int
	// Seed chooses the random pairs. The same records, options and seed give the same result.
	Seed uint64
	// Progress, where given, hears what is being done and which share of it is. It is called from one goroutine.
	Progress func(stage Stage, done float64)
}

// Stage is a part of a run.
type Stage string

// The stages, in their order.
const (
	Blocking Stage = "blocking"
	Learning Stage = "learning"
	Scoring  Stage = "scoring"
	Grouping Stage = "grouping"
)

// DefaultThreshold is the least probability at which a person may be asked.
const DefaultThreshold = 0.2

// Same is the probability from which a pair counts as one person where wrong and missed matches cost the same.
const Same = 0.5

func (o Options) withDefaults(records int) Options {
	if o.Threshold <= 0 || o.Threshold >= 1 {
		o.Threshold = DefaultThreshold
	}
	if o.MaxPairs <= 0 {
		o.MaxPairs = max(100_000, 10*records)
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Progress == nil {
		o.Progress = func(Stage, float64) {}
	}
	return o
}

// Pair is two records, by the numbers that Records.Add was given, that are probably one person.
type Pair struct {
	A, B        int64
	Probability float64
	// Bits is the evidence and the prior together: log2 of the odds. Probability is the same, squeezed.
	Bits float64
	// Together says that the pair is in one group: the other records of the group do not speak against it.
	Together bool

	a, b uint32
}

// Result is what a run found.
type Result struct {
	// Pairs, the most probable first.
	Pairs []Pair
	// Groups are the records that are one person each, by Same, where there are two or more.
	Groups [][]int64
	Model  *Model
	Report Report
}

// Report says how much work a run was, and what it passed over.
type Report struct {
	Records    int
	Candidates int64 // pairs compared
	Rules      []RuleReport
	Dropped    int // pairs over MaxPairs
}

// Find learns from the records and gives the pairs that are probably one person.
// It returns an error only where ctx ends first.
func Find(ctx context.Context, records *Records, options Options) (*Result, error) {
	options = options.withDefaults(records.Len())
	records.freeze()
	result := &Result{Report: Report{Records: records.Len()}}
	options.Progress(Blocking, 0)
	index, err := newIndex(ctx, records, options)
	if err != nil {
		return nil, err
	}
	result.Report.Rules = index.report()
	options.Progress(Learning, 0)
	if result.Model, err = learn(ctx, records, index, options); err != nil {
		return nil, err
	}
	options.Progress(Scoring, 0)
	found, err := index.score(ctx, result.Model, options)
	if err != nil {
		return nil, err
	}
	result.Report.Candidates, result.Report.Dropped = found.compared, found.dropped
	options.Progress(Grouping, 0)
	result.Pairs = found.pairs
	result.Groups = group(result.Model, result.Pairs)
	options.Progress(Grouping, 1)
	return result, nil
}

// probability turns log2 odds into a probability.
func probability(bits float64) float64 { return 1 / (1 + math.Exp2(-bits)) }

// bitsOf turns a probability into log2 odds.
func bitsOf(p float64) float64 { return math.Log2(p / (1 - p)) }
