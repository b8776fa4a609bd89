package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// healthy says that the process answers.
func (s *server) healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}

const (
	readyPatience = 4 * time.Second        // about as long as those wait who ask whether requests are served
	tellPatience  = 500 * time.Millisecond // with what they are told beside it: probes of Kubernetes wait for a second
)

// ready says whether events of tracking requests would be made durable, and beside that what is wrong with the stream and the
// database, for which nobody is to be kept away.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyPatience)
	defer cancel()
	if s.config.Ready != nil {
		if err := s.config.Ready(ctx); err != nil {
			p := problemOf(err, "")
			s.logFailure(r.Context(), p, err)
			p.write(w)
			return
		}
	}
	s.healthy(w, r)
	ctx, cancel = context.WithTimeout(ctx, tellPatience)
	defer cancel()
	loop, err := s.config.Loop.Status(ctx)
	if loop.Stream != nil {
		loop.Stream.tell(w)
	}
	if err != nil {
		_, _ = fmt.Fprintln(w, problemOf(err, "").Detail)
	}
}

// tell says how far the stream is, for people.
func (s *SourceStatus) tell(w io.Writer) {
	if s.Problem != "" {
		_, _ = fmt.Fprintf(w, "stream: it is not read: %s\n", s.Problem)
	}
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
