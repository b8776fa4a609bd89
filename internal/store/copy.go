package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Copied is what CopyToPostgres did.
type Copied struct {
	Resumed bool // it went on with a copy that had been broken off
	Tables  []CopiedTable
}

// CopiedTable compares a table, or a part of the event log, on both sides, which were read after the copying.
type CopiedTable struct {
	Name     string
	From, To Sum
}

// unfinishedCopy is the table that a target has while it is being filled. No node opens such a database.
const unfinishedCopy = "unfinished_copy"

// copying is a copy on its way.
type copying struct {
	dir      string
	source   *sqliteDatabase
	log      *blockLog
	target   *postgresDatabase
	months   *months
	identity string // of the source as it is now
	runner   string // who copies; another process may take the copy over
	parts    []*part

	at       CopyProgress
	progress func(CopyProgress)
}

// CopyProgress is how far a copy is.
type CopyProgress struct {
	Done, Total int64 // rows that were copied or read again
	Resumed     bool  // it goes on with what an earlier run copied, which is done
}

// CopyToPostgres moves an installation from the data directory dir to the database at address, and compares both. Secrets
// stay sealed under the master key that they are sealed under. progress, which may be nil, is told how many rows of how many
// were copied or read again, those of an earlier run included.
//
// It fails with NotFound where there is no database in dir, and with Conflict where a process uses it, where it is not at
// rest, and where the target holds anything but an unfinished copy of it, which goes on where it was broken off. A target that
// differs from the source in the end stays unfinished: no server opens it.
func CopyToPostgres(ctx context.Context, dir, address string, progress func(CopyProgress)) (copied Copied, err error) {
	if _, err := OpenDirectory(dir); err != nil {
		return copied, err
	}
	if progress == nil {
		progress = func(CopyProgress) {}
	}
	c := &copying{dir: dir, runner: rand.Text(), progress: progress}
	set := defaults
	set.tailEvents = 1 << 40 // nothing is sorted meanwhile
	if c.source, err = openSQLiteDatabase(ctx, dir, set); err != nil {
		return copied, err
	}
	defer c.source.close()
	if c.log, err = openBlockLog(ctx, c.source, dir, set); err != nil {
		return copied, err
	}
	defer c.log.close()
	if err := c.atRest(ctx); err != nil {
		return copied, err
	}
	if c.target, err = openPostgres(ctx, address); err != nil {
		return copied, err
	}
	defer c.target.close()
	if copied.Resumed, err = c.begin(ctx); err != nil {
		return copied, err
	}
	if c.months, err = openMonths(ctx, c.target); err != nil {
		return copied, err
	}
	defer c.months.close()
	if copied.Resumed {
		if err := c.countCopied(ctx); err != nil {
			return copied, err
		}
	}
	if copied.Tables, err = c.run(ctx); err != nil {
		return copied, err
	}
	return copied, c.finish(ctx)
}

// atRest makes sure that what follows from the events of the source is in its tables, all of it.
func (c *copying) atRest(ctx context.Context) error {
	if c.log.last > c.log.applied {
		return fault.New(fault.Conflict, "the server of %s ended in the midst of its work; start it and stop it with SIGTERM, then copy", c.dir)
	}
	return c.source.view(ctx, anyone, func(conn *Conn) error {
		filling, err := conn.Int(`SELECT count(*) FROM fillings`)
		if err != nil {
			return err
		}
		if filling > 0 {
			return fault.New(fault.Conflict, "a segment or computed trait in %s is being built; start the server, wait until it is ready, stop it, then copy", c.dir)
		}
		name, err := installation(conn)
		if err != nil {
			return err
		}
		// Every process that opens the directory to work on it takes the next id of a node.
		opened, err := conn.Int(`SELECT seq FROM sqlite_sequence WHERE name = 'nodes'`)
		c.identity = fmt.Sprintf("%s-%d", name, opened)
		return err
	})
}

// begin takes the target, which must be empty or hold an unfinished copy of the same source.
func (c *copying) begin(ctx context.Context) (resumed bool, err error) {
	var parts map[string]*part
	err = c.target.update(ctx, anyone, func(conn *Conn) error {
		if err := conn.Serial(unfinishedCopy); err != nil {
			return err
		}
		if parts, err = catalogue(conn); err != nil {
			return err
		}
		if resumed = parts[unfinishedCopy] != nil; resumed {
			return c.takeOver(conn)
		}
		for _, name := range slices.Sorted(maps.Keys(parts)) {
			if name == "goose_db_version" {
				continue
			}
			there, err := conn.One(`SELECT 1 FROM `+quoted(name)+` LIMIT 1`, nil, func(Row) error { return nil })
			if err != nil {
				return err
			}
			if there {
				return fault.New(fault.Conflict, "the target is not empty: its table %s has rows; give an empty database or schema", name)
			}
		}
		if _, err := conn.Exec(`CREATE TABLE ` + unfinishedCopy + ` (source TEXT NOT NULL, runner TEXT NOT NULL)`); err != nil {
			return err
		}
		_, err := conn.Exec(`INSERT INTO `+unfinishedCopy+` (source, runner) VALUES ($1, $2)`, c.identity, c.runner)
		return err
	})
	if err != nil {
		return resumed, err
	}
	return resumed, c.source.view(ctx, anyone, func(conn *Conn) error {
		if err := checkSource(conn, parts); err != nil {
			return err
		}
		return c.plan(conn, parts)
	})
}

func (c *copying) takeOver(conn *Conn) error {
	source := ""
	_, err := conn.One(`SELECT source FROM `+unfinishedCopy, nil, func(r Row) error { source = r.Text(0); return nil })
	if err != nil {
		return err
	}
	if source != c.identity {
		return fault.New(fault.Conflict,
			"the target holds an unfinished copy of another installation, or of this one from before a process worked on it again; empty the target to begin anew")
	}
	_, err = conn.Exec(`UPDATE `+unfinishedCopy+` SET runner = $1`, c.runner)
	return err
}

// plan lists what is to be copied, and how much it is.
func (c *copying) plan(conn *Conn, parts map[string]*part) error {
	logged, err := logParts(parts, c.log)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		if slices.Contains(postgresOwn, name) {
			continue
		}
		p := parts[name]
		if name == "settings" {
			p.where = "name <> '" + appliedSetting + "'" // which is of the source's log
		}
		p.from = tableRows{c.source, p}
		p.count = func(conn *Conn, _ int) (int64, error) {
			return conn.Int(`SELECT count(*) FROM ` + quoted(p.table) + p.given(""))
		}
		c.parts = append(c.parts, p)
	}
	c.parts = append(c.parts, logged...)
	for _, p := range c.parts {
		for i := range p.labels {
			if p.count == nil {
				continue
			}
			n, err := p.count(conn, i)
			if err != nil {
				return err
			}
			c.at.Total += passes * n
		}
	}
	return nil
}

// passes are how often a row is met: when it is copied, and when both sides are read.
const passes = 3

// did tells of rows that were met.
func (c *copying) did(n int) {
	c.at.Done = min(c.at.Done+int64(n), c.at.Total)
	c.progress(c.at)
}

// countCopied tells how much an earlier run has copied.
func (c *copying) countCopied(ctx context.Context) error {
	c.at.Resumed = true
	copied := int64(0)
	err := c.target.view(ctx, anyone, func(conn *Conn) error {
		for _, p := range c.parts {
			n, err := conn.Int(`SELECT count(*) FROM ` + quoted(p.table) + p.given(""))
			if err != nil {
				return err
			}
			copied += n
		}
		return nil
	})
	if err == nil {
		c.did(int(copied))
	}
	return err
}

func (c *copying) run(ctx context.Context) (tables []CopiedTable, err error) {
	for _, p := range c.parts {
		if err := c.copyPart(ctx, p); err != nil {
			return nil, err
		}
	}
	var wrong []string
	for _, p := range c.parts {
		compared, err := c.compare(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, one := range compared {
			if one.From != one.To {
				wrong = append(wrong, fmt.Sprintf("%s (%d rows, %s; in the target %d, %s)", one.Name, one.From.Rows, one.From.Checksum, one.To.Rows, one.To.Checksum))
			}
		}
		tables = append(tables, compared...)
	}
	if len(wrong) > 0 {
		return tables, fault.New(fault.Conflict, "the copy differs from the source: %s; empty the target and copy again", strings.Join(wrong, ", "))
	}
	return tables, nil
}

// copyPart copies the rows of a part that the target does not have. What it has tells where a copy was broken off, for rows
// come in the order of their keys.
func (c *copying) copyPart(ctx context.Context, p *part) error {
	var after []any
	err := c.target.view(ctx, anyone, func(conn *Conn) error {
		_, err := conn.One(p.last(), nil, func(r Row) error { after, _ = ownRow(r); return nil })
		return err
	})
	if err != nil {
		return err
	}
	for i, value := range after { // SQLite tells texts from bytes
		if b, ok := value.([]byte); ok && p.columns[p.key[i]].kind == "text" {
			after[i] = string(b)
		}
	}
	pages := make(chan [][]any)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(pages)
		var page [][]any
		size := 0
		give := func() error {
			select {
			case pages <- page:
				page, size = nil, 0
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		err := p.from.rows(ctx, after, func(row []any) error {
			page = append(page, row)
			if size += sizeOf(row); len(page) >= copyRows || size >= copyBytes {
				return give()
			}
			return nil
		})
		if err != nil || len(page) == 0 {
			return err
		}
		return give()
	})
	group.Go(func() error {
		for page := range pages {
			if err := c.write(ctx, p, page); err != nil {
				return err
			}
			c.did(len(page))
		}
		return nil
	})
	return group.Wait()
}

// write adds a page of rows to the target, as long as nobody else has taken the copy over.
func (c *copying) write(ctx context.Context, p *part, page [][]any) error {
	if p.table == "events" {
		var wanted []month
		for _, row := range page {
			if m := monthOf(row[eventTimeColumn].(int64)); !slices.Contains(wanted, m) {
				wanted = append(wanted, m)
			}
		}
		if err := c.months.make(ctx, wanted); err != nil {
			return err
		}
	}
	return c.target.update(ctx, anyone, func(conn *Conn) error {
		if err := c.holds(conn); err != nil {
			return err
		}
		return conn.ExecEach(p.insert(), page)
	})
}

// holds makes sure that this process is the one that copies, until the transaction ends.
func (c *copying) holds(conn *Conn) error {
	mine, err := conn.One(`SELECT 1 FROM `+unfinishedCopy+` WHERE runner = $1 FOR UPDATE`, []any{c.runner}, func(Row) error { return nil })
	if err == nil && !mine {
		err = fault.New(fault.Conflict, "another process has taken this copy over")
	}
	return err
}

// compare reads a part on both sides.
func (c *copying) compare(ctx context.Context, p *part) (tables []CopiedTable, err error) {
	from, err := c.sums(ctx, p, p.from)
	if err != nil {
		return nil, err
	}
	to, err := c.sums(ctx, p, tableRows{c.target, p})
	if err != nil {
		return nil, err
	}
	for i, name := range p.labels {
		tables = append(tables, CopiedTable{Name: name, From: from[i], To: to[i]})
		if p.count == nil {
			continue
		}
		err := c.source.view(ctx, anyone, func(conn *Conn) error {
			n, err := p.count(conn, i)
			if err == nil && n != from[i].Rows {
				err = fault.New(fault.Conflict, "the source has %d rows of %s, and %d of them can be read; see whether a backup of it is whole", n, name, from[i].Rows)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return tables, nil
}

func (c *copying) sums(ctx context.Context, p *part, rows rowSource) (sums []Sum, err error) {
	working := make([]summing, len(p.labels))
	err = rows.rows(ctx, nil, func(row []any) error {
		c.did(1)
		return working[p.label(row)].add(p.columns, row)
	})
	for i := range working {
		sums = append(sums, working[i].sum())
	}
	return sums, err
}

// finish makes the sequences go on behind what was copied, and the target a database like any other.
func (c *copying) finish(ctx context.Context) error {
	given := map[string]int64{} // ids that the source has given, also to rows that are no more
	err := c.source.view(ctx, anyone, func(conn *Conn) error {
		return conn.Query(`SELECT name, seq FROM sqlite_sequence`, nil, func(r Row) error { given[r.Text(0)] = r.Int(1); return nil })
	})
	if err != nil {
		return err
	}
	return c.target.update(ctx, anyone, func(conn *Conn) error {
		if err := c.holds(conn); err != nil {
			return err
		}
		parts, err := catalogue(conn)
		if err != nil {
			return err
		}
		for name, p := range parts {
			for _, column := range p.columns {
				if !column.serial {
					continue
				}
				last, err := conn.Int(`SELECT max(` + quoted(column.name) + `) FROM ` + quoted(name))
				if err != nil {
					return err
				}
				if last = max(last, given[name]); last == 0 {
					continue
				}
				if _, err := conn.Int(`SELECT setval(pg_get_serial_sequence($1, $2), $3)`, name, column.name, last); err != nil {
					return err
				}
			}
		}
		if _, err := conn.Int(`SELECT setval('event_ids', greatest((SELECT max(id) FROM events), 1))`); err != nil {
			return err
		}
		_, err = conn.Exec(`DROP TABLE ` + unfinishedCopy)
		return err
	})
}

// refuseUnfinished fails with Conflict where a copy into a database of PostgreSQL has not been finished.
func refuseUnfinished(ctx context.Context, db database) error {
	return db.view(ctx, anyone, func(c *Conn) error {
		unfinished, err := c.One(findUnfinished, []any{unfinishedCopy}, func(Row) error { return nil })
		if err == nil && unfinished {
			err = errUnfinished()
		}
		return err
	})
}

const findUnfinished = `SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = current_schema() AND c.relname = $1`

func errUnfinished() error {
	return fault.New(fault.Conflict, "the database holds a copy that is not finished; let tailorbird copy go on, or empty the database")
}
