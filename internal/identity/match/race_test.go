//go:build race

package match

// slow says that the race detector is on, under which measuring takes ten times as long.
const slow = true
