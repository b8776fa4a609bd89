package redis

import (
	"context"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/tailorbird/tailorbird/internal/limit"
)

// Limits counts for all nodes together. It implements limit.Limiter.
type Limits struct {
	redis   *Redis
	without limit.Limiter
}

// Limits gives a limiter over the server, and what stands in for it while it does not answer.
func (r *Redis) Limits(without limit.Limiter) *Limits { return &Limits{r, without} }

// take is the generic cell rate algorithm (ITU-T I.371, as a virtual clock): a bucket is the moment at which it will be
// full again. KEYS[1] is the bucket; ARGV are the quota and the window in µs. The clock is the server's, so that those of
// the nodes do not matter. It answers whether it was allowed, what remains, and two durations in µs: until the bucket is
// full, and to wait.
var take = goredis.NewScript(`
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local quota, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local one = window / quota
local full = tonumber(redis.call('GET', KEYS[1])) or now
if full < now then full = now end
if full > now + window then full = now + window end
local after, allowed, wait = full + one, 1, 0
if after - now > window + 0.5 then
  allowed, wait, after = 0, after - now - window, full
else
  redis.call('SET', KEYS[1], string.format('%.3f', after), 'PX', math.ceil((after - now) / 1000) + 1)
end
local remaining = math.floor((window - (after - now)) / one + 0.001)
return {allowed, math.max(remaining, 0), math.ceil(after - now), math.ceil(wait)}
`)

// Take implements limit.Limiter.
func (l *Limits) Take(ctx context.Context, p limit.Policy, caller string) limit.Verdict {
	if p.Quota == 0 {
		return limit.Verdict{Allowed: true}
	}
	var answer []int64
	key := prefix + "limit:" + p.Name + ":" + p.String() + ":" + caller
	there := l.redis.ask(ctx, func(ctx context.Context) (err error) {
		answer, err = take.Run(ctx, l.redis.client, []string{key}, strconv.Itoa(p.Quota), strconv.FormatInt(p.Window.Microseconds(), 10)).Int64Slice()
		return err
	})
	if !there || len(answer) != 4 {
		return l.without.Take(ctx, p, caller)
	}
	return limit.Verdict{
		Allowed: answer[0] == 1, Remaining: int(answer[1]),
		Full: time.Duration(answer[2]) * time.Microsecond, Wait: time.Duration(answer[3]) * time.Microsecond,
	}
}
