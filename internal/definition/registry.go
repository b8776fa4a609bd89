package definition

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Store keeps definitions durably.
type Store interface {
	// Definitions lists the latest version of everything that is not deleted.
	Definitions(ctx context.Context) ([]Definition, error)
	// Versions lists the history of one definition, newest first; empty where it never existed.
	Versions(ctx context.Context, ref Ref) ([]Version, error)
	// SaveDefinitions appends one version for each revision, all or none. A nil Spec deletes.
	SaveDefinitions(ctx context.Context, revisions []Revision) error
}

// Revision is a version to be written.
type Revision struct {
	Ref
	Spec json.RawMessage
	At   time.Time
	By   string
}

// Rules are what a kind asks of its specs. A nil function asks nothing.
type Rules struct {
	// Normalise reads a spec strictly and fills in defaults, so that a file that leaves them out and one that says them
	// are the same. Faults name the member in Field and the place in Line and Column.
	Normalise func(name string, spec json.RawMessage) (json.RawMessage, error)
	// Uses lists the definitions that a normalised spec refers to. Registry checks that they exist and stay.
	Uses func(spec json.RawMessage) []Use
	// Reads lists the definitions that a normalised spec looks at where there are such, and does without where there are not.
	// Registry checks that they stay.
	Reads func(spec json.RawMessage) []Ref
	// Check looks at a new or changed spec beside all others as they will be.
	Check func(ctx context.Context, name string, spec json.RawMessage, others Set) error
	// Allow is asked before a definition that exists is changed (Update) or deleted (Delete); a fault, such as Conflict,
	// keeps it as it is. A spec that says the same is no change.
	Allow func(ctx context.Context, action Action, name string) error
}

// Use says that a spec's Field refers to another definition.
type Use struct {
	Ref
	Field string
}

// Config is what a Registry needs.
type Config struct {
	Store Store
	Now   func() time.Time
	Rules map[Kind]Rules
	// OnChange is called after each commit that changed something, with everything as it now is, one call at a time. Its
	// failure is reported to whoever made the change; the change stands.
	OnChange func(ctx context.Context, all Set) error
	// Alone keeps other processes from changing definitions until the function that it gives is called; nil: there are none.
	Alone func(ctx context.Context) (done func(), err error)
}

// Registry is the one way to read and write definitions. Its methods may be called from any goroutine.
type Registry struct {
	config Config
	mu     sync.Mutex // one change at a time
}

// New makes a Registry.
func New(config Config) *Registry { return &Registry{config: config} }

// Entry is a definition as somebody wants it.
type Entry struct {
	Ref
	Spec json.RawMessage
}

// Get gives a definition, or a NotFound fault.
func (r *Registry) Get(ctx context.Context, kind Kind, name string) (Definition, error) {
	all, err := r.All(ctx)
	if err != nil {
		return Definition{}, err
	}
	d, ok := all.Get(kind, name)
	if !ok {
		return Definition{}, missing(Ref{kind, name})
	}
	return d, nil
}

// All gives everything that is defined.
func (r *Registry) All(ctx context.Context) (Set, error) {
	list, err := r.config.Store.Definitions(ctx)
	return NewSet(list), err
}

// Versions gives the history of a definition, newest first, also of a deleted one; NotFound where it never existed.
func (r *Registry) Versions(ctx context.Context, kind Kind, name string) ([]Version, error) {
	versions, err := r.config.Store.Versions(ctx, Ref{kind, name})
	if err == nil && len(versions) == 0 {
		err = missing(Ref{kind, name})
	}
	return versions, err
}

// Put creates or changes one definition on behalf of by. A spec that says the same as the latest version changes
// nothing and gives that version.
func (r *Registry) Put(ctx context.Context, kind Kind, name string, spec json.RawMessage, by string) (Definition, error) {
	_, problems, err := r.apply(ctx, []Entry{{Ref{kind, name}, spec}}, Options{By: by})
	if err = errors.Join(err, plain(problems)); err != nil {
		return Definition{}, err
	}
	return r.Get(ctx, kind, name)
}

// Delete removes a definition on behalf of by; its history stays. It fails with NotFound, or with Conflict where
// others use it.
func (r *Registry) Delete(ctx context.Context, kind Kind, name, by string) error {
	done, err := r.alone(ctx)
	if err != nil {
		return err
	}
	defer done()
	before, err := r.All(ctx)
	if err != nil {
		return err
	}
	if _, ok := before.Get(kind, name); !ok {
		return missing(Ref{kind, name})
	}
	after := before.clone()
	delete(after.byRef, Ref{kind, name})
	change := []Change{{Ref: Ref{kind, name}, Action: Delete}}
	if problems := r.check(ctx, change, before, after); len(problems) > 0 {
		return plain(problems)
	}
	return r.commit(ctx, change, after, by)
}

// Options say how to apply.
type Options struct {
	By     string
	DryRun bool // check and compare, change nothing
	Prune  bool // delete what is not among the entries
}

// Apply makes the definitions as the entries say, all or nothing, and tells what that changes, by kind and name. Faults
// are joined, and their Field names the entry: "segment[vip].condition".
func (r *Registry) Apply(ctx context.Context, entries []Entry, options Options) ([]Change, error) {
	changes, problems, err := r.apply(ctx, entries, options)
	return changes, errors.Join(err, named(problems))
}

func (r *Registry) apply(ctx context.Context, entries []Entry, options Options) ([]Change, []problem, error) {
	done, err := r.alone(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	before, err := r.All(ctx)
	if err != nil {
		return nil, nil, err
	}
	changes, after, problems := r.plan(entries, before, options.Prune)
	if len(problems) == 0 {
		problems = r.check(ctx, changes, before, after)
	}
	if len(problems) > 0 {
		return nil, problems, nil
	}
	if options.DryRun {
		return changes, nil, nil
	}
	return changes, nil, r.commit(ctx, changes, after, options.By)
}

// alone begins a change: what it is checked against stands until it is done.
func (r *Registry) alone(ctx context.Context) (done func(), err error) {
	r.mu.Lock()
	if r.config.Alone == nil {
		return r.mu.Unlock, nil
	}
	release, err := r.config.Alone(ctx)
	if err != nil {
		r.mu.Unlock()
		return nil, err
	}
	return func() { release(); r.mu.Unlock() }, nil
}

// commit writes what changes, then tells whoever listens.
func (r *Registry) commit(ctx context.Context, changes []Change, after Set, by string) error {
	now := r.config.Now().UTC().Truncate(time.Microsecond)
	revisions := []Revision{}
	for _, c := range changes {
		if c.Action != Unchanged {
			revisions = append(revisions, Revision{Ref: c.Ref, Spec: after.byRef[c.Ref].Spec, At: now, By: by})
		}
	}
	if len(revisions) == 0 {
		return nil
	}
	if err := r.config.Store.SaveDefinitions(ctx, revisions); err != nil {
		return err
	}
	if r.config.OnChange == nil {
		return nil
	}
	// The change is durable: whoever asked for it may leave, those that must know are told all the same.
	told := context.WithoutCancel(ctx)
	all, err := r.All(told)
	if err != nil {
		return err
	}
	return r.config.OnChange(told, all)
}

func missing(ref Ref) error { return fault.New(fault.NotFound, "there is no %s", ref) }
