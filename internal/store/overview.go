package store

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/report"
)

const dayMicros = int64(24 * time.Hour / time.Microsecond)

// Totals counts everything that there is, from figures that are kept: it reads no big table.
func (s *Store) Totals(ctx context.Context) (report.Totals, error) {
	t := report.Totals{Messages: map[string]int{}}
	err := s.View(ctx, func(c *Conn) error {
		created, err := c.Int(`SELECT coalesce(sum(value), 0) FROM daily_counts WHERE name = 'profiles'`)
		if err != nil {
			return err
		}
		merged, err := c.Int(`SELECT count(*) FROM merges WHERE undone_at IS NULL`)
		if err != nil {
			return err
		}
		events, err := c.Int(`SELECT coalesce(sum(value), 0) FROM daily_counts WHERE name = 'events'`)
		if err != nil {
			return err
		}
		t.Profiles, t.Events = int(created-merged), int(events)
		if t.Segments, err = segmentSizes(c); err != nil {
			return err
		}
		_, err = c.One(`SELECT coalesce(sum(queued), 0), coalesce(sum(sent), 0), coalesce(sum(bounced), 0), coalesce(sum(failed), 0),
			coalesce(sum(skipped), 0), coalesce(sum(in_doubt), 0) FROM campaign_runs`, nil, func(r Row) error {
			for i, status := range []string{"queued", "sent", "bounced", "failed", "skipped", "in_doubt"} {
				t.Messages[status] = int(r.Int(i))
			}
			return nil
		})
		return err
	})
	return t, err
}

// Daily counts by day in UTC, from the day of first to that of last, oldest first, every day present.
func (s *Store) Daily(ctx context.Context, first, last time.Time) ([]report.Daily, error) {
	from, to := first.UnixMicro()/dayMicros, last.UnixMicro()/dayMicros
	days := make([]report.Daily, 0, max(0, to-from+1))
	for day := from; day <= to; day++ {
		days = append(days, report.Daily{Date: timeOf(day * dayMicros).Format(time.DateOnly)})
	}
	err := s.View(ctx, func(c *Conn) error {
		err := c.Query(`SELECT day, name, value FROM daily_counts WHERE day BETWEEN $1 AND $2`, []any{from, to}, func(r Row) error {
			d := &days[r.Int(0)-from]
			switch r.Text(1) {
			case "events":
				d.Events = int(r.Int(2))
			case "profiles":
				d.Profiles = int(r.Int(2))
			case "sent":
				d.Sent = int(r.Int(2))
			case "revenue":
				d.Revenue = r.Float(2)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return c.Query(`SELECT at / $3, name, count(DISTINCT message_id) FROM responses
			WHERE at >= $1 AND at < $2 AND machine = 0 AND name IN ('Email Opened', 'Email Link Clicked') GROUP BY 1, 2`,
			[]any{from * dayMicros, (to + 1) * dayMicros, dayMicros}, func(r Row) error {
				if d := &days[r.Int(0)-from]; r.Text(1) == "Email Opened" {
					d.Opened = int(r.Int(2))
				} else {
					d.Clicked = int(r.Int(2))
				}
				return nil
			})
	})
	return days, err
}
