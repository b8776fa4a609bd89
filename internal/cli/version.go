package cli

import (
	"fmt"
	"runtime"
)

// version is set by the linker.
var version = "development"

type versionCommand struct{}

func (versionCommand) Run(streams Streams) error {
	fmt.Fprintf(streams.Out, "tailorbird %s (%s %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
