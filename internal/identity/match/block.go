package match

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// Bounds of blocking.
const (
	largestBlock = 400 // records; a larger block is compared by neighbours only
	pairsPerRule = 8   // for each record, on average
	fewPairs     = 500_000
	everybody    = 1_000 // records so few are all compared with each other
	maxSlots     = 8     // blocks of one rule that a record may be in
)

// RuleReport says what a blocking rule gave.
type RuleReport struct {
	Name   string
	Fields []string
	Blocks int
	Pairs  int64
	// Largest is the size from which on a block was cut; Cut is how many were, CutRecords how many records they have.
	// In a cut block, records are compared with their Largest/2 neighbours on each side in alphabetical order.
	Largest    int
	Cut        int
	CutRecords int
}

// blocking is the blocks of one rule.
type blocking struct {
	rule    rule
	members []uint32   // block by block
	starts  []uint32   // of block i: members[starts[i]:starts[i+1]]
	slots   [][]uint32 // of slot s and record r: slots[s][r] is the block + 1, 0 for none
	report  RuleReport
}

// index is the blocks of all rules.
type index struct {
	records *Records
	rules   []*blocking
}

func newIndex(ctx context.Context, r *Records, o Options) (*index, error) {
	all := rules(r.fields)
	if r.Len() <= everybody {
		all = append(all, rule{name: "everybody", keys: func(_ *Records, _ uint32, into []uint64) []uint64 { return append(into, 1) }})
	}
	x := &index{records: r, rules: make([]*blocking, len(all))}
	var done int
	var mu sync.Mutex
	err := parallel(ctx, o.Workers, len(all), func(i int) {
		b := newBlocking(r, all[i])
		mu.Lock()
		defer mu.Unlock()
		x.rules[i] = b
		done++
		o.Progress(Blocking, float64(done)/float64(len(all)))
	})
	x.rules = slices.DeleteFunc(x.rules, func(b *blocking) bool { return b == nil || len(b.members) == 0 })
	return x, err
}

// parallel does the numbers 0 to n-1 on so many goroutines, until ctx ends.
func parallel(ctx context.Context, workers, n int, do func(i int)) error {
	var wait sync.WaitGroup
	next := make(chan int)
	for range min(workers, n) {
		wait.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wait.Wait()
	return ctx.Err()
}

type entry struct {
	key    uint64
	record uint32
}

func newBlocking(r *Records, by rule) *blocking {
	b := &blocking{rule: by, starts: []uint32{0}}
	b.report.Name = by.name
	for _, f := range by.fields {
		b.report.Fields = append(b.report.Fields, r.fields[f].Name)
	}
	entries := make([]entry, 0, r.Len())
	var keys []uint64
	for record := range uint32(r.Len()) {
		keys = by.keys(r, record, keys[:0])
		for i, key := range keys {
			if !slices.Contains(keys[:i], key) {
				entries = append(entries, entry{key, record})
			}
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.record, b.record))
	})
	sizes := map[int]int{}
	eachBlock(entries, func(block []entry) { sizes[len(block)]++ })
	b.report.Largest = limit(sizes, r.Len())
	if by.fields == nil {
		b.report.Largest = everybody
	}
	eachBlock(entries, func(block []entry) {
		if len(block) <= b.report.Largest {
			b.add(r, block)
			return
		}
		b.report.Cut++
		b.report.CutRecords += len(block)
		slices.SortFunc(block, func(x, y entry) int { return order(r, x.record, y.record) })
		step := max(1, b.report.Largest/2)
		for from := 0; from < len(block)-step; from += step {
			part := slices.Clone(block[from:min(from+2*step, len(block))])
			slices.SortFunc(part, func(x, y entry) int { return cmp.Compare(x.record, y.record) })
			b.add(r, part)
		}
	})
	b.members, b.starts = slices.Clip(b.members), slices.Clip(b.starts)
	return b
}

func eachBlock(entries []entry, do func([]entry)) {
	for from := 0; from < len(entries); {
		to := from + 1
		for to < len(entries) && entries[to].key == entries[from].key {
			to++
		}
		if to-from > 1 {
			do(entries[from:to])
		}
		from = to
	}
}

// limit is the largest size of a block with which a rule keeps to its share of pairs. sizes counts blocks by size.
func limit(sizes map[int]int, records int) int {
	allowed := max(fewPairs, pairsPerRule*records)
	largest := largestBlock
	for ; largest > 8; largest = largest * 3 / 4 {
		pairs := 0
		for size, blocks := range sizes {
			if size <= largest {
				pairs += blocks * size * (size - 1) / 2
			} else {
				pairs += blocks * size * largest * 3 / 4 // two halves of each part meet twice
			}
		}
		if pairs <= allowed {
			break
		}
	}
	return largest &^ 1
}

// add makes a block. Its records are ascending.
func (b *blocking) add(r *Records, block []entry) {
	for _, e := range block {
		b.members = append(b.members, e.record)
	}
	b.starts = append(b.starts, uint32(len(b.members)))
	b.report.Blocks++
	b.report.Pairs += int64(len(block)) * int64(len(block)-1) / 2
	number := uint32(len(b.starts) - 1)
	for _, e := range block {
		for s := range maxSlots {
			if s == len(b.slots) {
				b.slots = append(b.slots, make([]uint32, r.Len()))
			}
			if b.slots[s][e.record] == 0 {
				b.slots[s][e.record] = number
				break
			}
		}
	}
}

func (b *blocking) block(i int) []uint32 { return b.members[b.starts[i]:b.starts[i+1]] }

func (x *index) report() []RuleReport {
	all := make([]RuleReport, len(x.rules))
	for i, b := range x.rules {
		all[i] = b.report
	}
	return all
}

// seen marks the partners of one record, so that a pair which several rules give is met once.
type seen []uint32

func (x *index) newSeen() seen { return make(seen, x.records.Len()) }

// partners calls visit once with every record that shares a block with a; with those after a only where later is set.
func (x *index) partners(a uint32, marks seen, later bool, visit func(b uint32)) {
	for _, rule := range x.rules {
		for _, slot := range rule.slots {
			number := slot[a]
			if number == 0 {
				break
			}
			for _, b := range rule.block(int(number - 1)) {
				if b == a || later && b < a || marks[b] == a+1 {
					continue
				}
				marks[b] = a + 1
				visit(b)
			}
		}
	}
}
