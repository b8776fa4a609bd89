package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// healthy says that the process answers.
func (s *server) healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}

// readyPatience is about as long as those wait who ask whether requests are served.
const readyPatience = 4 * time.Second

// ready says that requests would be served: the store answers and the engine's queue has room.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyPatience)
	defer cancel()
	loop, err := s.config.Loop.Status(ctx)
	if err == nil && loop.QueueCapacity > 0 && loop.QueueDepth >= loop.QueueCapacity {
		err = fault.New(fault.Unavailable, "the queue of events is full")
	}
	if err == nil && s.config.Ready != nil {
		err = s.config.Ready(ctx)
	}
	if err != nil {
		p := problemOf(err, "")
		s.logFailure(r.Context(), p, err)
		p.write(w)
		return
	}
	s.healthy(w, r)
	if loop.Stream != nil {
		loop.Stream.tell(w)
	}
}

// tell says how far the stream is, for people.
func (s *SourceStatus) tell(w io.Writer) {
	switch {
	case s.Lag == nil:
		_, _ = fmt.Fprintln(w, "stream: how many events wait is not known")
	case s.Behind == nil:
		_, _ = fmt.Fprintf(w, "stream: %d events wait, for how long is not known\n", *s.Lag)
	default:
		_, _ = fmt.Fprintf(w, "stream: %d events wait, the oldest for %.1f s\n", *s.Lag, *s.Behind)
	}
	for _, p := range s.Partitions {
		_, _ = fmt.Fprintf(w, "partition %d: %d events wait\n", p.Partition, p.Lag)
	}
}
