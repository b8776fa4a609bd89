package faultfs_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailorbird/tailorbird/internal/store/faultfs"
)

// ledger is a table whose rows are written one a commit, two connections looking on.
type ledger struct {
	t    *testing.T
	disk *faultfs.Disk
	path string
	sync string
}

func newLedger(t *testing.T, synchronous string) *ledger {
	t.Helper()
	dir := t.TempDir()
	disk := faultfs.Mount(dir)
	t.Cleanup(disk.Unmount)
	return &ledger{t, disk, dir + "/ledger.db", synchronous}
}

func (l *ledger) open() *sql.DB {
	db, err := sql.Open("sqlite3", "file:"+l.path+"?vfs="+faultfs.Name+"&_journal_mode=WAL&_busy_timeout=1000&_synchronous="+l.sync)
	if err != nil {
		l.t.Fatal(err)
	}
	return db
}

// write appends rows of several pages until one fails, and gives the last that was acknowledged.
func (l *ledger) write(db *sql.DB, most int) (acknowledged int) {
	_, err := db.Exec(`PRAGMA wal_autocheckpoint=20; CREATE TABLE IF NOT EXISTS ledger (n INTEGER PRIMARY KEY, filler BLOB)`)
	for n := 1; n <= most && err == nil; n++ {
		if _, err = db.Exec(`INSERT INTO ledger VALUES (?, randomblob(9000))`, n); err == nil {
			acknowledged = n
		}
	}
	return acknowledged
}

// read counts the rows and checks that they are the first ones, whole.
func (l *ledger) read(db *sql.DB) (rows int, err error) {
	var tables, last int
	if err := db.QueryRow(`SELECT count(*) FROM sqlite_master WHERE name = 'ledger'`).Scan(&tables); err != nil || tables == 0 {
		return 0, err
	}
	if err := db.QueryRow(`SELECT count(*), coalesce(max(n), 0) FROM ledger WHERE length(filler) = 9000`).Scan(&rows, &last); err != nil {
		return 0, err
	}
	var sound string
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&sound); err != nil {
		return 0, err
	}
	if rows != last || sound != "ok" {
		return rows, fmt.Errorf("%d rows up to %d, %s", rows, last, sound)
	}
	return rows, nil
}

// crashAt writes until power is lost at one change, and tells what was acknowledged and what is there afterwards.
func (l *ledger) crashAt(at int, loss faultfs.Loss) (acknowledged, rows int, crashed bool, err error) {
	db := l.open()
	l.disk.Plan(faultfs.Plan{CrashAt: at})
	acknowledged = l.write(db, 25)
	crashed = l.disk.Down()
	l.disk.Crash()
	_ = db.Close()
	l.disk.Restart(loss, rand.New(rand.NewPCG(uint64(at), 1)))
	db = l.open()
	defer func() { _ = db.Close() }()
	rows, err = l.read(db)
	return acknowledged, rows, crashed, err
}

// SQLite promises, and the store relies on it: with synchronous=FULL nothing that was acknowledged is lost, wherever the
// power fails, whatever the disk keeps of the rest.
func TestWhatWasAcknowledgedSurvivesEveryCrash(t *testing.T) {
	for _, loss := range []faultfs.Loss{faultfs.Kept, faultfs.Lost, faultfs.Torn} {
		for at := 1; ; at++ {
			acknowledged, rows, crashed, err := newLedger(t, "FULL").crashAt(at, loss)
			if err != nil || rows < acknowledged || rows > acknowledged+1 {
				t.Fatalf("loss %d, change %d: %d acknowledged, %d there, %v", loss, at, acknowledged, rows, err)
			}
			if !crashed {
				t.Logf("loss %d: %d places", loss, at-1)
				break
			}
		}
	}
}

// Without a sync the disk must lose something, or the tests that use it prove nothing.
func TestWithoutSyncsSomethingIsLost(t *testing.T) {
	for _, loss := range []faultfs.Loss{faultfs.Lost, faultfs.Torn} {
		lost := 0
		for at := 1; at < 300; at += 7 {
			acknowledged, rows, _, err := newLedger(t, "OFF").crashAt(at, loss)
			if err != nil || rows < acknowledged {
				lost++
			}
		}
		if lost == 0 {
			t.Errorf("loss %d: nothing was lost", loss)
		}
	}
	if acknowledged, rows, _, err := newLedger(t, "OFF").crashAt(100, faultfs.Kept); err != nil || rows < acknowledged {
		t.Errorf("a process that dies loses nothing: %d of %d, %v", rows, acknowledged, err)
	}
}

func TestFullAndFailingDisksPass(t *testing.T) {
	for name, plan := range map[string]func(d *faultfs.Disk) faultfs.Plan{
		"full":  func(d *faultfs.Disk) faultfs.Plan { return faultfs.Plan{Capacity: d.Size() + 50_000} },
		"write": func(*faultfs.Disk) faultfs.Plan { return faultfs.Plan{FailAt: 20, FailFor: 1} },
		"many":  func(*faultfs.Disk) faultfs.Plan { return faultfs.Plan{FailAt: 9, FailFor: 500} },
		"read":  func(*faultfs.Disk) faultfs.Plan { return faultfs.Plan{ReadFailAt: 1, ReadsFail: 50} },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t, "FULL")
			db := l.open()
			db.SetMaxOpenConns(1)
			defer func() { _ = db.Close() }()
			if _, err := db.Exec(`PRAGMA cache_size=1`); err != nil {
				t.Fatal(err)
			}
			l.disk.Plan(plan(l.disk))
			acknowledged := l.write(db, 25)
			if acknowledged == 25 {
				if _, err := l.read(db); err == nil {
					t.Fatal("nothing failed")
				}
			}
			l.disk.Plan(faultfs.Plan{})
			if rows, err := l.read(db); err != nil || rows != acknowledged {
				t.Fatalf("%d acknowledged, %d there, %v", acknowledged, rows, err)
			}
		})
	}
}

// A slow disk takes the time of the bubble that the test lives in, and none of ours.
func TestASlowDiskTakesSimulatedTime(t *testing.T) {
	l := newLedger(t, "FULL")
	synctest.Test(t, func(t *testing.T) {
		db := l.open()
		l.disk.Plan(faultfs.Plan{Delay: func(int) time.Duration { return time.Minute }})
		start := time.Now()
		acknowledged := l.write(db, 25)
		if passed := time.Since(start); acknowledged != 25 || passed != time.Duration(l.disk.Changes())*time.Minute {
			t.Errorf("%d rows in %v, %d changes", acknowledged, passed, l.disk.Changes())
		}
		_ = db.Close()
	})
}
