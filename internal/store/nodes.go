package store

import (
	"context"
	"slices"
	"time"
)

// A store that is open is a node: one of those that share a database, which for SQLite is the only one. A node says again
// and again that it is there. One that has been silent for a while is gone, and what it had in hand is everybody's: its
// claims, and the messages that it was about to send. It may come back, as another node.

// Node is a process that uses the database.
type Node struct {
	ID        int64
	Name      string
	StartedAt time.Time
	SeenAt    time.Time
	Serves    bool // it takes requests: a command of the command line does not
	Self      bool // the one that was asked
}

// NodeID is this process's id among those that use the database.
func (s *Store) NodeID() int64 {
	had := *s.lives.Load()
	return had[len(had)-1]
}

// Serve notes that this process takes requests.
func (s *Store) Serve(ctx context.Context) error {
	s.serves.Store(true)
	return s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`UPDATE nodes SET serves = 1 WHERE id = $1`, s.NodeID())
		return err
	})
}

const (
	beatEvery  = 2 * time.Second
	beatWithin = 5 * time.Second  // what takes longer is no sign of life
	silence    = 10 * time.Second // after it, a node is gone
)

// join makes this process a node. Nobody else can have the files of SQLite open, so that there all others are gone.
func (s *Store) join(ctx context.Context) error {
	var id int64
	err := s.Update(ctx, func(c *Conn) (err error) {
		if !c.dialect.shared {
			if _, err := c.Exec(`DELETE FROM nodes`); err != nil {
				return err
			}
		}
		serves := 0
		if s.serves.Load() {
			serves = 1
		}
		id, err = c.Insert(`INSERT INTO nodes (name, started_at, seen_at, serves) VALUES ($1, `+c.dialect.now+`, `+c.dialect.now+`, $2)`, s.settings.name, serves)
		return err
	})
	if err == nil {
		had := append(slices.Clone(*s.lives.Load()), id) // nobody else joins meanwhile
		s.lives.Store(&had)
	}
	return err
}

// beat says that this node is there, and notes which others have fallen silent. One that was taken for gone joins anew.
func (s *Store) beat(ctx context.Context) error {
	there := int64(0)
	err := s.Update(ctx, func(c *Conn) (err error) {
		if there, err = c.Exec(`UPDATE nodes SET seen_at = `+c.dialect.now+` WHERE id = $1`, s.NodeID()); err != nil {
			return err
		}
		_, err = c.Exec(`DELETE FROM nodes WHERE seen_at < `+c.dialect.now+` - $1`, silence.Microseconds())
		return err
	})
	if err == nil && there == 0 {
		err = s.join(ctx)
	}
	return err
}

// olderThanTables is what people are told of a program beside which a newer one has changed the tables.
const olderThanTables = "the tables are those of a newer release, which works beside this one until the next: start this node again with that release"

// compareTables notes whether the tables are newer than this program.
func (s *Store) compareTables(ctx context.Context) error {
	knows, err := newestSchema()
	if err != nil {
		return err
	}
	return s.read(ctx, func(c *Conn) error {
		have, err := c.Int(`SELECT max(version_id) FROM goose_db_version`)
		if err == nil {
			s.older.Store(have > knows)
		}
		return err
	})
}

// beats until the store is closed, and looks what other programs did to the tables. What fails is made up for by the next.
func (s *Store) beats(stop <-chan struct{}) {
	timer := time.NewTicker(beatEvery)
	defer timer.Stop()
	for {
		select {
		case <-stop:
			return
		case <-timer.C:
			s.tick()
		}
	}
}

func (s *Store) tick() {
	ctx, cancel := context.WithTimeout(context.Background(), beatWithin)
	defer cancel()
	if err := s.beat(ctx); err != nil {
		s.presence.lost(err)
		return
	}
	s.presence.found()
	_ = s.compareTables(ctx)
}

// leave makes everybody know that this node is gone. Where that fails, its silence tells.
func (s *Store) leave(ctx context.Context) error {
	return s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`DELETE FROM nodes WHERE id = $1`, s.NodeID())
		return err
	})
}

// Nodes lists who uses the database and has not been silent for long, by id.
func (s *Store) Nodes(ctx context.Context) (nodes []Node, err error) {
	err = s.read(ctx, func(c *Conn) error {
		nodes = nil
		return c.Query(`SELECT id, name, started_at, seen_at, serves FROM nodes WHERE seen_at >= `+c.dialect.now+` - $1 OR id = $2 ORDER BY id`,
			[]any{silence.Microseconds(), s.NodeID()}, func(r Row) error {
				nodes = append(nodes, Node{
					ID: r.Int(0), Name: r.Text(1), StartedAt: timeOf(r.Int(2)), SeenAt: timeOf(r.Int(3)), Serves: r.Int(4) == 1, Self: r.Int(0) == s.NodeID(),
				})
				return nil
			})
	})
	return nodes, err
}

// Claim reports whether this node may do the work of that name: it has claimed it before, or does now because nobody else
// who is still there has.
func (s *Store) Claim(ctx context.Context, name string) (mine bool, err error) {
	err = s.read(ctx, func(c *Conn) error {
		mine, err = c.One(`SELECT 1 FROM claims WHERE name = $1 AND node_id = $2`, []any{name, s.NodeID()}, func(Row) error { return nil })
		return err
	})
	if err != nil || mine {
		return mine, err
	}
	err = s.Update(ctx, func(c *Conn) error {
		n, err := c.Exec(`INSERT INTO claims (name, node_id) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET node_id = excluded.node_id WHERE NOT claims.`+notGone, name, s.NodeID())
		mine = n == 1
		return err
	})
	return mine, err
}

// Release gives up a claim of this node's, so that another can do what is left.
func (s *Store) Release(ctx context.Context, name string) error {
	return s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`DELETE FROM claims WHERE name = $1 AND node_id = $2`, name, s.NodeID())
		return err
	})
}

func release(c *Conn, name string) error {
	_, err := c.Exec(`DELETE FROM claims WHERE name = $1`, name)
	return err
}
