package app

import (
	"cmp"
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/limit"
	"github.com/tailorbird/tailorbird/internal/redis"
	"github.com/tailorbird/tailorbird/internal/store"
)

// Limits is how much each key may ask for, as limit.Parse reads it; "0": as much as it likes.
type Limits struct {
	API      string // default 6000/m
	Tracking string // default 600000/m
}

const (
	defaultAPILimit      = "6000/m"
	defaultTrackingLimit = "600000/m"
)

// policies reads the limits. Their names are those that answers carry.
func (l Limits) policies() (api, tracking limit.Policy, err error) {
	if api, err = limit.Parse("api", cmp.Or(l.API, defaultAPILimit)); err != nil {
		return api, tracking, inField("api_limit", err)
	}
	tracking, err = limit.Parse("tracking", cmp.Or(l.Tracking, defaultTrackingLimit))
	return api, tracking, inField("tracking_limit", err)
}

// openLimits makes the limiter: of all nodes together over Redis, else of this node's part.
func (a *App) openLimits() (err error) {
	if a.limits.API, a.limits.Tracking, err = a.config.Limits.policies(); err != nil {
		return err
	}
	local := limit.NewLocal(a.now)
	if a.config.RedisURL == "" {
		a.limits.Limiter = limit.Share{Of: local, Nodes: func() int { return int(a.nodes.Load()) }}
		return nil
	}
	if a.redis, err = redis.Open(a.config.RedisURL, a.log); err == nil {
		a.limits.Limiter = a.redis.Limits(local)
	}
	return err
}

// countNodes counts who uses the database, again and again until ctx ends.
func (a *App) countNodes(ctx context.Context) error {
	tick := time.NewTicker(nodesCounted)
	defer tick.Stop()
	for {
		if nodes, err := a.store.Nodes(ctx); err == nil {
			a.nodes.Store(present(nodes))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

const (
	nodesCounted = 5 * time.Second // how often
	silence      = time.Minute     // after which a node is not counted
)

// present is how many nodes have been seen lately, as seen from the one that was seen last.
func present(nodes []store.Node) (n int64) {
	var last time.Time
	for _, node := range nodes {
		if node.SeenAt.After(last) {
			last = node.SeenAt
		}
	}
	for _, node := range nodes {
		if last.Sub(node.SeenAt) < silence {
			n++
		}
	}
	return n
}
