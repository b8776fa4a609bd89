// Tailorbird is a self-hosted engine for data-driven e-mail; this is its one program.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/tailorbird/tailorbird/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(status)
}
