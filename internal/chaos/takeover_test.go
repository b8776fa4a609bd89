package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"syscall"
	"time"
)

// withinSeconds is how long the others may take to do what a dead node had in hand.
const withinSeconds = 30 * time.Second

// takeover kills a node in the middle of a campaign, and measures until the others have done what it had claimed: its
// messages, the events that only it read, and the moments that were due.
func takeover(ctx context.Context, w *world, l *load, s *shop, dead int, campaign string) (told string, err error) {
	const probes = 120
	ctx, cancel := context.WithTimeout(ctx, 2*withinSeconds)
	defer cancel()
	r := rand.New(rand.NewPCG(l.seed, uint64(1<<61+dead)))
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
		batch = append(batch, probe(dead, i, time.Now()))
	}
	l.send(ctx, r, batch)
	killed := time.Now()
	w.nodes[dead].hold(true)
	defer w.nodes[dead].hold(false)
	if err := w.nodes[dead].end(syscall.SIGKILL, endPatience); err != nil {
		return "", err
	}
	var living []*node
	for i, n := range w.nodes {
		if i != dead {
			living = append(living, n)
		}
	}
	rest := &shop{random: r, nodes: living}
	for i := range probes {
		id := fmt.Sprintf("user_id:probe-%d-%d", dead, i)
		err := wait(ctx, rest, "/api/v1/profiles?identifier="+url.QueryEscape(id), func(found struct{ Items []struct{ ID string } }) bool {
			return len(found.Items) == 1
		})
		if err != nil {
			return "", err
		}
	}
	visible := time.Since(killed)
	if err := rest.filled(ctx, "probed", 0); err != nil {
		return "", err
	}
	closed := max(0, time.Since(killed)-probeWindow)
	if err := rest.sent(ctx, campaign); err != nil {
		return "", err
	}
	sent := time.Since(killed)
	if slowest := max(visible, closed, sent); slowest > withinSeconds {
		err = fmt.Errorf("%s was dead, and the others took over only after %s", w.nodes[dead].name, slowest)
	}
	ms := time.Millisecond
	return fmt.Sprintf("%s died in the middle of a campaign: %d events acknowledged before were all there after %s, their windows closed %s late, the campaign was done after %s",
		w.nodes[dead].name, probes, visible.Round(ms), closed.Round(ms), sent.Round(ms)), err
}
