//go:build !race

package liquid_test

const raceDetector = false
