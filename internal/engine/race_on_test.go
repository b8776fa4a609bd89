//go:build race

package engine_test

import "flag"

const raced = true

// The race detector makes random tests ten times as slow, and what it looks for shows in few of them.
func init() {
	if err := flag.Set("rapid.checks", "12"); err != nil {
		panic(err)
	}
}
