package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// month is a month of UTC, counted from the year 0.
type month int

func monthOf(micros int64) month {
	t := time.UnixMicro(micros).UTC()
	return month(t.Year()*12 + int(t.Month()) - 1)
}

// begin is the first moment of a month.
func (m month) begin() int64 {
	return time.Date(int(m)/12, time.Month(int(m)%12+1), 1, 0, 0, 0, 0, time.UTC).UnixMicro()
}

// table is the partition of events of a month.
func (m month) table() string { return fmt.Sprintf("events_%04d_%02d", int(m)/12, int(m)%12+1) }

const (
	monthsAhead  = 3   // partitions that are made before their time
	monthsBehind = 240 // how old a month may be to have a partition of its own
	monthsUpkeep = time.Hour

	migratedAhead  = 12 // those that Migrate makes, which nodes may have no right to
	migratedBehind = 3  // without MonthsSince
)

// months are the partitions of events. A month whose partition was detached, or cannot be made, has none: its events go
// to the partition of the rest. So do those of months that the program's user has no right to make.
type months struct {
	db   database
	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	settled map[month]bool // there is a partition, or there shall be none
	refused map[month]bool // may not be made; tried again at the next upkeep
	trouble string
}

func openMonths(ctx context.Context, db database) (*months, error) {
	m := &months{db: db, done: make(chan struct{}), settled: map[month]bool{}}
	err := db.view(ctx, anyone, func(c *Conn) error {
		return c.Query(`SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = current_schema() AND c.relname ~ '^events_[0-9]{4}_[0-9]{2}$' AND c.relkind IN ('r', 'p')`, nil, func(r Row) error {
			var year, number int
			if _, err := fmt.Sscanf(strings.TrimPrefix(r.Text(0), "events_"), "%d_%d", &year, &number); err == nil {
				m.settled[month(year*12+number-1)] = true
			}
			return nil
		})
	})
	if err == nil {
		err = m.ahead(ctx)
	}
	if err != nil {
		return nil, err
	}
	upkeep, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = stop
	go m.keep(upkeep)
	return m, nil
}

func (m *months) close() {
	m.stop()
	<-m.done
}

func (m *months) problem() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.trouble
}

// keep makes partitions ahead as time goes on.
func (m *months) keep(ctx context.Context) {
	defer close(m.done)
	ticker := time.NewTicker(monthsUpkeep)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = m.ahead(ctx) // problem tells
		}
	}
}

func (m *months) ahead(ctx context.Context) error {
	now := monthOf(time.Now().UnixMicro())
	var wanted []month
	for i := range month(monthsAhead + 1) {
		wanted = append(wanted, now+i)
	}
	m.mu.Lock()
	m.refused = map[month]bool{}
	m.mu.Unlock()
	err := m.make(ctx, wanted)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trouble = ""
	if err != nil {
		m.trouble = err.Error()
	} else if i := slices.IndexFunc(wanted, func(one month) bool { return m.refused[one] }); i >= 0 {
		m.trouble = fmt.Sprintf("the program's user of PostgreSQL may not make the table %s, and events of such months go to events_other; "+
			"run tailorbird migrate up as the owner of the tables", wanted[i].table())
	}
	return err
}

// make makes the partitions of months that have none. Two that make the same wait for each other in the database.
func (m *months) make(ctx context.Context, wanted []month) error {
	for _, one := range m.missing(wanted) {
		err := settleMonth(ctx, m.db, one)
		refused := isCode(err, insufficientPrivilege)
		if err != nil && !refused {
			return err
		}
		m.mu.Lock()
		if refused {
			m.refused[one] = true
		} else {
			m.settled[one] = true
		}
		m.mu.Unlock()
	}
	return nil
}

// makeMonths makes the partitions of all months from one to another that have none.
func makeMonths(ctx context.Context, db database, from, to month) error {
	for one := from; one <= to; one++ {
		if err := settleMonth(ctx, db, one); err != nil {
			return err
		}
	}
	return nil
}

// settleMonth makes the partition of a month, unless there is one or there shall be none.
func settleMonth(ctx context.Context, db database, one month) error {
	err := db.update(ctx, anyone, func(c *Conn) error { return makeMonth(c, one) })
	if errors.Is(err, errNoMonth) {
		return nil
	}
	return err
}

// missing lists those that are to be made.
func (m *months) missing(wanted []month) (missing []month) {
	now := monthOf(time.Now().UnixMicro())
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range wanted {
		if !m.settled[one] && !m.refused[one] && one >= now-monthsBehind && one <= now+monthsAhead {
			missing = append(missing, one)
		}
	}
	return missing
}

// errNoMonth says that a month cannot have a partition, because events of it are elsewhere.
var errNoMonth = errors.New("store: events of the month are in another partition")

// makeMonth makes a partition and joins it to the others. Reading and writing go on.
func makeMonth(c *Conn, m month) error {
	if err := c.Serial("events"); err != nil {
		return err
	}
	there, err := c.Int(`SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = current_schema() AND c.relname = $1`, m.table())
	if err != nil || there > 0 {
		return err
	}
	elsewhere, err := c.Int(`SELECT count(*) FROM (SELECT 1 FROM events_other WHERE at >= $1 AND at < $2 LIMIT 1) AS found`, m.begin(), (m + 1).begin())
	if err != nil {
		return err
	}
	if elsewhere > 0 {
		return errNoMonth
	}
	if _, err := c.Exec(`CREATE TABLE ` + m.table() + ` (LIKE events INCLUDING ALL)`); err != nil {
		return err
	}
	_, err = c.Exec(fmt.Sprintf(`ALTER TABLE events ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)`, m.table(), m.begin(), (m + 1).begin()))
	if isCode(err, checkViolation) {
		return errNoMonth
	}
	return err
}
