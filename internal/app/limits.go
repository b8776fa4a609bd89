package app

import (
	"cmp"
	"context"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/limit"
	"github.com/tailorbird/tailorbird/internal/redis"
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
		return api, tracking, inSetting("api_limit", err)
	}
	tracking, err = limit.Parse("tracking", cmp.Or(l.Tracking, defaultTrackingLimit))
	return api, tracking, inSetting("tracking_limit", err)
}

// inSetting says of an error which setting it is about.
func inSetting(name string, err error) error {
	if err == nil {
		return nil
	}
	f := *fault.All(err)[0]
	f.Setting = name
	return &f
}

// openLimits makes the limiter: of all nodes together over Redis, else of this node's part.
func (a *App) openLimits(ctx context.Context) (err error) {
	if a.limits.API, a.limits.Tracking, err = a.config.Limits.policies(); err != nil {
		return err
	}
	local := limit.NewLocal(a.now)
	if a.config.RedisURL == "" {
		a.limits.Limiter = limit.Share{Of: local, Nodes: func() int { return int(a.nodes.Load()) }}
		return nil
	}
	if a.redis, err = redis.Open(a.config.RedisURL, a.log); err != nil {
		return err
	}
	a.redis.Greet(ctx)
	a.limits.Limiter = a.redis.Limits(local)
	return nil
}
