// Tailorbird is a self-hosted engine for data-driven e-mail; this is its one program.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/tailorbird/tailorbird/internal/cli"
)

// Memory may grow by garbage to this much of what is in use, in percent, and so far before the collector works harder, unless
// GOGC and GOMEMLIMIT say otherwise. While the collector works, requests wait for it.
const (
	garbage     = 300
	memoryLimit = 832 << 20
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	hugePages()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(status)
}
