package backup

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Keeper keeps the backups of a running installation in a directory: it makes them when asked, or at an interval, and
// removes the oldest. Its methods may be called from any goroutine.
type Keeper struct {
	Maker Maker
	Dir   string        // made when it is needed
	Every time.Duration // since the newest backup, whoever made it; 0: only when asked
	Keep  int           // how many stay, the newest
	Log   *slog.Logger

	mu      sync.Mutex
	last    Backup // the one that is being made, or was made last by this process
	working sync.WaitGroup
	cancel  context.CancelFunc
	closed  bool
}

// The states of a Backup.
const (
	Running = "running"
	Done    = "done"
	Failed  = "failed"
)

// Backup is one file of a Keeper.
type Backup struct {
	Name       string // of the file
	Status     string
	CreatedAt  time.Time
	Progress   float64   // of the database that a Running one has copied, 0 to 1
	Bytes      int64     // of a Done one
	VerifiedAt time.Time // when a Done one had been written and read back
	Problem    string    // of a Failed one
}

// Encrypted says whether a passphrase is needed to restore it; such a backup holds master.key.
func (b Backup) Encrypted() bool { return strings.HasSuffix(b.Name, sealedSuffix) }

const (
	nameTime     = "20060102T150405Z"
	suffix       = ".tar.zst"
	sealedSuffix = suffix + ".age"
)

var nameForm = regexp.MustCompile(`^tailorbird-(\d{8}T\d{6}Z)\.tar\.zst(\.age)?$`)

// Begin makes a backup in the background. It fails with Conflict while one is being made.
func (k *Keeper) Begin(ctx context.Context) (Backup, error) {
	begun, _, err := k.begin(ctx)
	return begun, err
}

func (k *Keeper) begin(ctx context.Context) (begun Backup, done chan struct{}, err error) {
	now := k.Maker.Now().UTC().Truncate(time.Second)
	begun = Backup{Name: "tailorbird-" + now.Format(nameTime) + suffix, Status: Running, CreatedAt: now}
	if k.Maker.Passphrase != "" {
		begun.Name = strings.TrimSuffix(begun.Name, suffix) + sealedSuffix
	}
	if err := os.MkdirAll(k.Dir, 0o700); err != nil {
		return begun, nil, fault.Wrap(fault.Unavailable, err, "the directory of backups cannot be made")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return begun, nil, fault.New(fault.Unavailable, "the server is stopping")
	}
	if k.last.Status == Running {
		return begun, nil, fault.New(fault.Conflict, "the backup %s is being made; wait for it", k.last.Name)
	}
	if err := free(filepath.Join(k.Dir, begun.Name)); err != nil {
		return begun, nil, err // asked for twice in a second
	}
	ctx, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
	k.last, done = begun, make(chan struct{})
	k.working.Go(func() { defer close(done); k.make(ctx, begun) })
	return begun, done, nil
}

func (k *Keeper) make(ctx context.Context, begun Backup) {
	k.sweep()
	maker := k.Maker
	maker.Progress = k.progress
	_, err := maker.Make(ctx, filepath.Join(k.Dir, begun.Name))
	if err == nil {
		k.retire()
		k.Log.InfoContext(ctx, "a backup was made", "name", begun.Name)
	} else {
		k.Log.ErrorContext(ctx, "a backup could not be made", "name", begun.Name, "error", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last.Status = Done
	if err != nil {
		k.last.Status, k.last.Problem = Failed, err.Error()
	}
}

func (k *Keeper) progress(done, total int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last.Progress = float64(done) / float64(max(total, 1))
}

// sweep removes what a crash left of earlier backups.
func (k *Keeper) sweep() {
	left, _ := filepath.Glob(filepath.Join(k.Dir, workPrefix+"*"))
	for _, path := range left {
		_ = os.RemoveAll(path)
	}
}

// retire removes all but the newest backups.
func (k *Keeper) retire() {
	files, err := k.files()
	for i, b := range files {
		if i >= k.Keep {
			err = errors.Join(err, os.Remove(filepath.Join(k.Dir, b.Name)))
		}
	}
	if err != nil {
		k.Log.Warn("old backups could not be removed", "error", err)
	}
}

// files lists the backups in the directory, newest first.
func (k *Keeper) files() ([]Backup, error) {
	entries, err := os.ReadDir(k.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.Unavailable, err, "the directory of backups cannot be read")
	}
	var list []Backup
	for _, e := range entries {
		form := nameForm.FindStringSubmatch(e.Name())
		if form == nil {
			continue
		}
		at, err := time.Parse(nameTime, form[1])
		info, gone := e.Info()
		if err == nil && gone == nil {
			list = append(list, Backup{Name: e.Name(), Status: Done, CreatedAt: at, Bytes: info.Size(), VerifiedAt: info.ModTime()})
		}
	}
	slices.SortFunc(list, func(a, b Backup) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.Name, a.Name)) })
	return list, nil
}

// List gives all backups, newest first: those in the directory, and the last one that was begun where it is not there.
func (k *Keeper) List() ([]Backup, error) {
	k.mu.Lock()
	last := k.last
	k.mu.Unlock()
	list, err := k.files()
	if last.Status == Running || last.Status == Failed {
		list = append([]Backup{last}, list...)
	}
	return list, err
}

// Get finds a backup by its name; NotFound where there is none.
func (k *Keeper) Get(name string) (Backup, error) {
	list, err := k.List()
	if err != nil {
		return Backup{}, err
	}
	if i := slices.IndexFunc(list, func(b Backup) bool { return b.Name == name }); i >= 0 {
		return list[i], nil
	}
	return Backup{}, fault.New(fault.NotFound, "there is no backup %.100q", name)
}

// Open opens the file of a backup; Conflict while it is being made, or where it failed.
func (k *Keeper) Open(name string) (*os.File, error) {
	b, err := k.Get(name)
	if err != nil {
		return nil, err
	}
	if b.Status != Done {
		return nil, fault.New(fault.Conflict, "the backup %s is %s", name, b.Status)
	}
	f, err := os.Open(filepath.Join(k.Dir, name))
	return f, fault.Wrap(fault.Unavailable, err, "the backup cannot be read")
}

// Delete removes a backup.
func (k *Keeper) Delete(name string) error {
	f, err := k.Open(name)
	if err != nil {
		return err
	}
	_ = f.Close()
	return fault.Wrap(fault.Unavailable, os.Remove(filepath.Join(k.Dir, name)), "the backup cannot be removed")
}

// Run makes a backup whenever the newest is Every old, until ctx ends. One that failed is tried again after a tenth of
// that.
func (k *Keeper) Run(ctx context.Context) error {
	for k.Every > 0 {
		wait, err := k.due()
		if err == nil && wait <= 0 {
			var done chan struct{}
			if _, done, err = k.begin(ctx); err == nil {
				select {
				case <-ctx.Done():
				case <-done:
				}
			}
			wait = shortestWait
		}
		if err != nil {
			k.Log.WarnContext(ctx, "no backup can be made", "again_in", k.Every/10, "error", err)
			wait = k.Every / 10
		}
		timer := time.NewTimer(max(wait, shortestWait))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
	return nil
}

const shortestWait = time.Second

// due is how long it is until the next backup.
func (k *Keeper) due() (time.Duration, error) {
	list, err := k.List()
	if err != nil {
		return 0, err
	}
	if len(list) == 0 {
		return 0, nil
	}
	since := k.Maker.Now().Sub(list[0].CreatedAt)
	if list[0].Status == Failed {
		return k.Every/10 - since, nil
	}
	return k.Every - since, nil
}

// Close gives up the backup that is being made, and returns when it has ended.
func (k *Keeper) Close() {
	k.mu.Lock()
	k.closed = true
	if k.cancel != nil {
		k.cancel()
	}
	k.mu.Unlock()
	k.working.Wait()
}
