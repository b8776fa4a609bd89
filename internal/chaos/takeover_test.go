package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"syscall"
	"time"
)

// soon is how long the others may take to do what a dead node had in hand, and perMail how much longer they may take to end a
// campaign for each of its messages: on a busy machine most of that time is sending.
const (
	soon    = 30 * time.Second
	perMail = 10 * time.Millisecond
)

// loss is a way to lose a node; mend brings it back.
type loss struct {
	word string
	lose func(context.Context) (mend func(context.Context) error, err error)
}

// losses are a process that dies, one that stands still, and a machine that is cut off from all others.
func (w *world) losses(n *node) []loss {
	all := []loss{
		{"died", func(context.Context) (func(context.Context) error, error) {
			n.hold(true)
			return func(context.Context) error { n.hold(false); return nil }, n.end(syscall.SIGKILL, endPatience)
		}},
		{"stood still", func(context.Context) (func(context.Context) error, error) {
			return func(context.Context) error { return n.signal(syscall.SIGCONT) }, n.signal(syscall.SIGSTOP)
		}},
	}
	if w.network.real() {
		all = append(all, loss{"was cut off", func(ctx context.Context) (func(context.Context) error, error) {
			return w.network.isolate(ctx, n.host, w.peers())
		}})
	}
	return all
}

// takeover loses a node in the middle of a campaign, and measures until the others have done what it had claimed: its messages,
// the events that only it read, and the moments that were due. round tells the probes of one from those of another.
func takeover(ctx context.Context, w *world, l *load, s *shop, lost *node, how loss, round int, campaign string) (told string, err error) {
	const probes = 120
	ended := soon + time.Duration(*readers)*perMail
	ctx, cancel := context.WithTimeout(ctx, 2*ended)
	defer cancel()
	r := rand.New(rand.NewPCG(l.seed, uint64(1<<61+round)))
	already := w.office.count()
	if err := s.launch(ctx, campaign); err != nil {
		return "", err
	}
	for w.office.count() < already+30 {
		if !nap(ctx, time.Millisecond) {
			return "", fmt.Errorf("%s does not begin: %w", campaign, ctx.Err())
		}
	}
	var batch []happening
	for i := range probes {
		batch = append(batch, probe(round, i, time.Now()))
	}
	l.send(ctx, r, batch)
	began := time.Now()
	mend, err := how.lose(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, mend(context.WithoutCancel(ctx))) }()
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, w.postgres.activity(context.WithoutCancel(ctx)))
		}
	}()
	rest := &shop{random: r}
	for _, n := range w.nodes {
		if n != lost {
			rest.nodes = append(rest.nodes, n)
		}
	}
	for _, h := range batch {
		err := wait(ctx, rest, "/api/v1/profiles?identifier="+url.QueryEscape(h.ids[0].String()), func(found struct{ Items []struct{ ID string } }) bool {
			return len(found.Items) == 1
		})
		if err != nil {
			return "", err
		}
	}
	visible := time.Since(began)
	if err := rest.filled(ctx, "probed", 0); err != nil {
		return "", err
	}
	closed := max(0, time.Since(began)-probeWindow)
	if err := rest.sent(ctx, campaign); err != nil {
		return "", err
	}
	sent := time.Since(began)
	if slowest := max(visible, closed, sent); slowest > ended || max(visible, closed) > soon {
		err = fmt.Errorf("%s %s, and the others took over only after %s", lost.name, how.word, slowest)
	}
	ms := time.Millisecond
	return fmt.Sprintf("%s %s in the middle of a campaign: %d events acknowledged before were all there after %s, their windows closed %s late, the campaign was done after %s",
		lost.name, how.word, probes, visible.Round(ms), closed.Round(ms), sent.Round(ms)), err
}
