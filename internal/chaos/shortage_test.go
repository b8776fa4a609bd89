package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// shortage is something that the databases need and do not get for a while.
type shortage struct {
	word  string
	begin func(ctx context.Context, w *world) (end func(context.Context) error, err error)
	taken bool // events are, all the same
}

const (
	shortageEvents = 40_000          // more than there is time for
	shortageRate   = 200             // a second
	lasts          = 6 * time.Second // longer than any event may wait
	recovers       = 30 * time.Second
	aFew           = 200

	patienceOfSenders = 10 * time.Second // twice what the program may take: the machine does other things too
	patienceOfPeople  = 20 * time.Second // with one page
)

// TestShortages runs one node while one thing after the other becomes short and is there again. Nobody may wait for an answer for
// longer than clients do, who is refused must be told when to come again, and when it is over all goes on by itself: in the end
// what was acknowledged is there once, and everything is what the events say.
func TestShortages(t *testing.T) {
	if testing.Short() {
		t.Skip("the shortages take a minute or two: -short")
	}
	postgresStands := standing(func(w *world) ([]int, error) { return w.postgres.pids() })
	kafkaStands := standing(func(w *world) ([]int, error) {
		pid, err := w.kafka.pid()
		return []int{pid}, err
	})
	lockedProfiles := holding(`LOCK TABLE profiles IN ACCESS EXCLUSIVE MODE`)
	t.Run("of PostgreSQL", func(t *testing.T) {
		endure(t, plan{where: place{data: 160 << 20}},
			shortage{"the disk of the tables is full", fullDisk, false},
			shortage{"others have all connections", noConnections, false},
			shortage{"somebody has locked the table of profiles", lockedProfiles, false},
			shortage{"somebody has locked the rows of all profiles", holding(`SELECT count(*) FROM (SELECT id FROM profiles FOR UPDATE) AS locked`), false},
			shortage{"somebody has locked what the nodes agree upon", holding(`LOCK TABLE settings IN ACCESS EXCLUSIVE MODE`), false},
			shortage{"writing a profile takes minutes", slowStatement, false},
			shortage{"PostgreSQL stands still", postgresStands, false})
	})
	t.Run("of the write-ahead log", func(t *testing.T) {
		endure(t, plan{where: place{log: 24 << 20}}, shortage{"the disk of the write-ahead log is full", fullLog, false})
	})
	t.Run("of Kafka", func(t *testing.T) {
		endure(t, plan{kafka: true},
			shortage{"Kafka stands still", kafkaStands, false},
			shortage{"Kafka is away", kafkaAway, false},
			shortage{"PostgreSQL is away", postgresAway, true},
			shortage{"somebody has locked the table of profiles", lockedProfiles, true},
			shortage{"PostgreSQL stands still", postgresStands, true})
	})
}

func endure(t *testing.T, p plan, shortages ...shortage) {
	t.Helper()
	ctx, cancel := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, *limit)
	defer cancel()
	r := &run{t: t, say: t.Logf, dir: directory(t)}
	p.binary, p.root, p.nodes, p.postgres = build(t, r.dir), checkout(t), 1, true
	r.begin(ctx, p)
	defer r.end()
	r.world.nodes[0].http.Timeout = patienceOfSenders
	if err := r.suffer(ctx, shortages); err != nil {
		t.Errorf("-seed %d: %v\n%s", *seed, err, r.world.nodes[0].tail(20))
	}
}

// suffer sends events all along, lets the shortages come and go, and looks at what there is in the end.
func (r *run) suffer(ctx context.Context, shortages []shortage) error {
	if err := r.open(ctx, shortageEvents, shortageRate, nil); err != nil {
		return err
	}
	if err := r.shop.put(ctx, "/api/v1/segments/late", map[string]string{"condition": lateCondition}); err != nil {
		return err
	}
	sending, stop := context.WithCancel(ctx)
	sent := make(chan struct{})
	go func() { defer close(sent); r.load.run(sending) }()
	defer func() { stop(); <-sent }()
	for _, s := range shortages {
		if err := r.flows(ctx); err != nil {
			return err
		}
		if err := r.lack(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.word, err)
		}
	}
	r.load.enough.Store(true)
	<-sent
	if n := r.load.outcomes(noAnswer); n > 0 {
		r.fail("%d requests were not answered within %s: %v", n, patienceOfSenders, r.load.answers)
	}
	if n := r.world.nodes[0].mute.Load(); n > 0 {
		r.fail("%d answers 503 do not say when to try again", n)
	}
	if err := r.applied(ctx); err != nil {
		return err
	}
	return r.compare(ctx, nil)
}

// flows waits until a few more events are acknowledged.
func (r *run) flows(ctx context.Context) error {
	began, before := time.Now(), r.load.books.acknowledged.Load()
	for r.load.books.acknowledged.Load() < before+aFew {
		if time.Since(began) > recovers {
			return fmt.Errorf("no %d events are acknowledged in %s", aFew, recovers)
		}
		if !nap(ctx, 10*time.Millisecond) {
			return ctx.Err()
		}
	}
	return nil
}

// lack lets one shortage begin and end.
func (r *run) lack(ctx context.Context, s shortage) error {
	before := r.load.outcomes("503")
	end, err := s.begin(ctx, r.world)
	if err != nil {
		return err
	}
	asking, stop := context.WithTimeout(ctx, lasts)
	r.ask(asking)
	stop()
	if r.world.kafka != nil {
		if err := r.saysSo(ctx, s.taken); err != nil {
			return err
		}
	}
	refused := r.load.outcomes("503") - before
	if err := end(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	began := time.Now()
	if err := r.flows(ctx); err != nil {
		return err
	}
	r.say("%s: %d requests were refused; %d events were taken %s after it was over", s.word, refused, aFew, time.Since(began).Round(time.Millisecond))
	if s.taken != (refused == 0) {
		return fmt.Errorf("%d requests were refused", refused)
	}
	return nil
}

// saysSo waits until /readyz says whether events are taken.
func (r *run) saysSo(ctx context.Context, taken bool) error {
	began := time.Now()
	for r.world.nodes[0].ready(ctx) != taken {
		if time.Since(began) > patienceOfSenders {
			return fmt.Errorf("/readyz does not say that taking events is %v", taken)
		}
		if !nap(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
	return nil
}

// ask looks at pages again and again, as people do, who wait for longer than programs.
func (r *run) ask(ctx context.Context) {
	n := r.world.nodes[0]
	people := *n.http
	people.Timeout = patienceOfPeople
	for turn := 0; ctx.Err() == nil; turn++ {
		path := []string{"/api/v1/profiles?limit=1", "/api/v1/segments", "/readyz"}[turn%3]
		status, answer, err := n.request(context.WithoutCancel(ctx), &people, http.MethodGet, path, nil)
		if err != nil || status != http.StatusOK && status != http.StatusServiceUnavailable {
			r.fail("GET %s: %d %v: %.300s", path, status, err, answer)
		}
		nap(ctx, 100*time.Millisecond)
	}
}

// fullDisk fills the disk that PostgreSQL has for itself. Where that ended the server, its service manager starts it again.
func fullDisk(_ context.Context, w *world) (func(context.Context) error, error) {
	p := w.postgres
	return func(ctx context.Context) error {
		if err := p.disk.free(); err != nil || p.running() {
			return err
		}
		return p.start(ctx)
	}, p.disk.fill()
}

// fullLog fills the disk of the write-ahead log, with what was kept for it: the server ends itself.
func fullLog(ctx context.Context, w *world) (func(context.Context) error, error) {
	end, err := fullDisk(ctx, w)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, w.postgres.url)
	for ctx.Err() == nil && err == nil {
		_, err = conn.Exec(ctx, `SELECT pg_logical_emit_message(TRUE, 'filler', repeat('x', 1000000))`)
	}
	return end, ctx.Err()
}

// noConnections has others take what connections there are, and drops those of the program.
func noConnections(ctx context.Context, w *world) (func(context.Context) error, error) {
	operator, err := pgx.Connect(ctx, w.postgres.url)
	if err != nil {
		return nil, err
	}
	held := []*pgx.Conn{operator}
	end := func(ctx context.Context) (err error) {
		for _, conn := range held {
			err = errors.Join(err, conn.Close(ctx))
		}
		return err
	}
	for theirs := 1; theirs > 0; {
		for {
			conn, err := pgx.Connect(ctx, w.postgres.url)
			if err != nil {
				break
			}
			held = append(held, conn)
		}
		const drop = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'tailorbird'`
		if err := operator.QueryRow(ctx, drop).Scan(&theirs); err != nil {
			return nil, errors.Join(err, end(ctx))
		}
	}
	return end, nil
}

// holding gives a shortage in which somebody has what a statement locks.
func holding(statement string) func(context.Context, *world) (func(context.Context) error, error) {
	return func(ctx context.Context, w *world) (func(context.Context) error, error) {
		conn, err := pgx.Connect(ctx, w.postgres.url)
		if err != nil {
			return nil, err
		}
		for _, one := range []string{"BEGIN", statement} {
			if _, err := conn.Exec(ctx, one); err != nil {
				return nil, errors.Join(err, conn.Close(ctx))
			}
		}
		return conn.Close, nil
	}
}

// slowStatement makes every writing of a profile take longer than anybody waits.
func slowStatement(ctx context.Context, w *world) (func(context.Context) error, error) {
	conn, err := pgx.Connect(ctx, w.postgres.url)
	if err != nil {
		return nil, err
	}
	end := func(ctx context.Context) error {
		// The writers that sleep keep the table from being changed until their own limit ends them.
		_, err := conn.Exec(ctx, `DROP TRIGGER slow ON profiles`)
		return errors.Join(err, conn.Close(ctx))
	}
	_, err = conn.Exec(ctx, `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(120); RETURN NEW; END';
		CREATE TRIGGER slow BEFORE INSERT OR UPDATE ON profiles FOR EACH STATEMENT EXECUTE FUNCTION slow()`)
	return end, err
}

// standing gives a shortage in which processes accept connections and answer nothing.
func standing(pids func(*world) ([]int, error)) func(context.Context, *world) (func(context.Context) error, error) {
	return func(_ context.Context, w *world) (func(context.Context) error, error) {
		all, err := pids(w)
		if err != nil {
			return nil, err
		}
		return func(context.Context) error { return toAll(all, syscall.SIGCONT) }, toAll(all, syscall.SIGSTOP)
	}
}

// kafkaAway kills the broker.
func kafkaAway(_ context.Context, w *world) (func(context.Context) error, error) {
	return w.kafka.start, w.kafka.kill()
}

// postgresAway ends the server as a crash does.
func postgresAway(_ context.Context, w *world) (func(context.Context) error, error) {
	return w.postgres.start, w.postgres.end(syscall.SIGQUIT)
}
