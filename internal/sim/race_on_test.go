//go:build race

package sim

const normal = 12
