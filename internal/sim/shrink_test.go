package sim

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
)

const (
	mostShrunk  = 3  // stories that one run makes short
	mostRetold  = 80 // attempts at one of them
	mostOfSteps = 60 // as many as a story has at most
)

// skipped reports whether a step is to be left out.
var skipped = func() func(step int) bool {
	list := sync.OnceValue(func() []string { return strings.Split(*skip, ",") })
	return func(step int) bool { return *skip != "" && slices.Contains(list(), fmt.Sprint(step)) }
}()

// shrink leaves steps out of a story that fails as long as it still does, in processes of their own, and gives what they
// told of the shortest one.
func shrink(seed uint64) string {
	told, fails := retell(seed, nil)
	if !fails {
		return "lived through again, it does not fail\n" + told
	}
	var left []string
	attempts := 0
	for size := mostOfSteps / 2; size > 0; size /= 2 {
		for from := 1; from <= mostOfSteps && attempts < mostRetold; from += size {
			without := slices.Clone(left)
			for step := from; step < from+size && step <= mostOfSteps; step++ {
				if s := fmt.Sprint(step); !slices.Contains(left, s) {
					without = append(without, s)
				}
			}
			if len(without) == len(left) {
				continue
			}
			attempts++
			if t, fails := retell(seed, without); fails {
				left, told = without, t
			}
		}
	}
	return told
}

// retell lives through a seed without some of its steps, and reports whether it fails.
func retell(seed uint64, without []string) (told string, fails bool) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestSeed$", "-test.v", "-test.timeout=2m", "-seed", fmt.Sprint(seed), "-skip", strings.Join(without, ","))
	out, err := cmd.CombinedOutput()
	return string(out), err != nil
}
