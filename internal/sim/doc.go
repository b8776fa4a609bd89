// Package sim drives the engine and its store through random histories on a machine that fails: power goes between any
// two writes and tears what was not synced, the disk fills up, fails and slows down, the clock jumps. After each restart,
// and in between, everything that is kept must equal what an independent model makes of the events that were acknowledged.
//
// A seed says everything that happens. Time is that of a testing/synctest bubble: nothing waits.
//
//	go test ./internal/sim                          a few hundred seeds
//	go test ./internal/sim -run Seed -seed 4711 -v  one seed, told step by step
//	go test ./internal/sim -from 1 -seeds 10000     more of them
package sim
