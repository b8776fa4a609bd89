package cli

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

type healthCommand struct {
	Server string `help:"Address of the server." env:"TAILORBIRD_SERVER" default:"http://127.0.0.1:8080" placeholder:"URL"`
	Ready  bool   `help:"Ask whether it takes requests, rather than whether it is alive."`
}

func (*healthCommand) Help() string {
	return `Exit status 0 says yes: for health checks of containers, which have no other program to ask with.`
}

func (c *healthCommand) Run(ctx context.Context, streams Streams) error {
	path := "/healthz"
	if c.Ready {
		path = "/readyz"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Server+path, nil)
	if err != nil {
		return usage{err}
	}
	response, err := (&http.Client{Timeout: 2 * time.Second}).Do(request)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "%s does not answer", c.Server)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fault.New(fault.Unavailable, "%s%s answers %s", c.Server, path, response.Status)
	}
	fmt.Fprintln(streams.Out, "ok")
	return nil
}
