package e2e

import (
	"bufio"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTheHeapAsksForHugePages looks at what the kernel was told of the process's memory.
func TestTheHeapAsksForHugePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage/enabled"); err != nil {
		t.Skipf("this system has no transparent huge pages: %v", err)
	}
	for _, c := range []struct {
		name string
		env  []string
		mib  int
	}{
		{"as far as memory may grow", nil, 832},
		{"less where less is allowed", []string{"GOMEMLIMIT=200MiB"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, t.TempDir(), c.env)
			if advised := advisedMiB(t, s.cmd.Process.Pid); advised < c.mib-4 || advised > c.mib+4 { // whole ones of 2 MiB
				t.Errorf("huge pages were asked for %d MiB, of %d", advised, c.mib)
			}
		})
	}
}

// advisedMiB is how much of a process's memory huge pages were asked for.
func advisedMiB(t *testing.T, pid int) (mib int) {
	t.Helper()
	file, err := os.Open("/proc/" + strconv.Itoa(pid) + "/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	size := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		switch fields := strings.Fields(lines.Text()); fields[0] {
		case "Size:":
			if size, err = strconv.Atoi(fields[1]); err != nil {
				t.Fatal(err)
			}
		case "VmFlags:":
			if slices.Contains(fields, "hg") {
				mib += size >> 10
			}
		}
	}
	return mib
}
