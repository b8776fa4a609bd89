//go:build race

package engine_test

import "flag"

// The race detector makes random tests ten times as slow, and what it looks for shows in few of them.
func init() {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
}
