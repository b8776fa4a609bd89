package access

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Store keeps keys and sessions durably.
type Store interface {
	// Keys lists every key by its hash.
	Keys(ctx context.Context) (map[Hash]Key, error)
	// AddKey keeps a key and gives its id; Conflict where the hash exists.
	AddKey(ctx context.Context, key Key, hash Hash) (int64, error)
	// DeleteKey removes a key and its sessions, and reports whether it was there.
	DeleteKey(ctx context.Context, id int64) (bool, error)
	// TouchKey notes when a key was last used.
	TouchKey(ctx context.Context, id int64, at time.Time) error

	// AddSession keeps a session and drops those that have expired by from.
	AddSession(ctx context.Context, hash Hash, keyID int64, from, expires time.Time) error
	// Session gives the key of a session that has not expired by now.
	Session(ctx context.Context, hash Hash, now time.Time) (keyID int64, ok bool, err error)
	// DeleteSession ends a session.
	DeleteSession(ctx context.Context, hash Hash) error
}

// SessionLength is how long a sign-in lasts.
const SessionLength = 7 * 24 * time.Hour

// touchInterval is how exact Key.LastUsedAt is: the price of one write.
const touchInterval = time.Minute

// Guard knows the keys. Its methods may be called from any goroutine.
type Guard struct {
	store  Store
	now    func() time.Time
	random io.Reader
	log    *slog.Logger

	deleting sync.Mutex // one at a time, so that a last key stays; never taken inside mu

	mu     sync.RWMutex // held for no longer than it takes to look
	byHash map[Hash]Key
	lent   map[Hash]Key   // keys of this process alone
	visits map[Hash]visit // sessions opened with them
}

// Open reads the keys. random must be unpredictable, such as crypto/rand.Reader.
func Open(ctx context.Context, store Store, now func() time.Time, random io.Reader, log *slog.Logger) (*Guard, error) {
	keys, err := store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	return &Guard{store: store, now: now, random: random, log: log, byHash: keys, lent: map[Hash]Key{}, visits: map[Hash]visit{}}, nil
}

// Authenticate gives the key of a secret, or an Unauthorized fault.
//
// The hash is looked up, not compared: what an attacker could learn from the time that takes is about the SHA-256 of a
// guess, which says nothing about the secret.
func (g *Guard) Authenticate(ctx context.Context, secret string) (Key, error) {
	hash := HashOf(secret)
	g.mu.RLock()
	key, ok := g.byHash[hash]
	own, isLent := g.lent[hash]
	g.mu.RUnlock()
	if isLent {
		return own, nil
	}
	if !ok {
		return Key{}, fault.New(fault.Unauthorized, "the key is unknown; make one in Settings, or with POST /api/v1/keys")
	}
	g.touch(ctx, hash, key)
	return key, nil
}

// Refresh reads the keys again, which another process may have made or deleted.
func (g *Guard) Refresh(ctx context.Context) error {
	keys, err := g.store.Keys(ctx)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for hash, key := range keys { // what was used lately may not have been noted yet
		if known, ok := g.byHash[hash]; ok && known.LastUsedAt.After(key.LastUsedAt) {
			key.LastUsedAt = known.LastUsedAt
			keys[hash] = key
		}
	}
	g.byHash = keys
	return nil
}

// touchWithin is how long a request waits for the use of its key to be noted.
const touchWithin = time.Second

// touch notes the use of a key. That it fails is no reason to turn the caller away.
func (g *Guard) touch(ctx context.Context, hash Hash, key Key) {
	now := g.now().UTC().Truncate(touchInterval)
	if !now.After(key.LastUsedAt) {
		return
	}
	g.mu.Lock()
	current, ok := g.byHash[hash]
	stale := ok && now.After(current.LastUsedAt)
	if stale {
		current.LastUsedAt = now
		g.byHash[hash] = current
	}
	g.mu.Unlock()
	if !stale {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, touchWithin)
	defer cancel()
	if err := g.store.TouchKey(ctx, key.ID, now); err != nil {
		g.log.WarnContext(ctx, "the use of a key was not noted", "key", key.Name, "error", err)
	}
}

// List gives all keys, oldest first.
func (g *Guard) List() []Key {
	g.mu.RLock()
	defer g.mu.RUnlock()
	list := make([]Key, 0, len(g.byHash))
	for _, k := range g.byHash {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b Key) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Create makes a key and gives its secret, which is kept nowhere.
func (g *Guard) Create(ctx context.Context, name string, scopes []Scope) (Key, string, error) {
	secret, err := newSecret(g.random, scopes)
	if err != nil {
		return Key{}, "", err
	}
	key, err := g.add(ctx, name, scopes, secret)
	return key, secret, err
}

func (g *Guard) add(ctx context.Context, name string, scopes []Scope, secret string) (Key, error) {
	scopes = slices.Compact(slices.Sorted(slices.Values(scopes)))
	if err := cmp.Or(checkName(name), checkScopes(scopes)); err != nil {
		return Key{}, err
	}
	key := Key{Name: strings.TrimSpace(name), Scopes: scopes, CreatedAt: g.now().UTC().Truncate(time.Microsecond)}
	var err error
	if key.ID, err = g.store.AddKey(ctx, key, HashOf(secret)); err != nil {
		return Key{}, err
	}
	g.mu.Lock()
	g.byHash[HashOf(secret)] = key
	g.mu.Unlock()
	return key, nil
}

// Delete revokes a key and ends its sessions at once. The last key that may make keys stays: Conflict.
func (g *Guard) Delete(ctx context.Context, id int64) error {
	g.deleting.Lock()
	defer g.deleting.Unlock()
	target, err := g.deletable(id)
	if err != nil {
		return err
	}
	if _, err := g.store.DeleteKey(ctx, id); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.byHash, target)
	return nil
}

// deletable finds a key that is not the last of its kind.
func (g *Guard) deletable(id int64) (Hash, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	var target Hash
	found, admins := false, 0
	for hash, k := range g.byHash {
		switch {
		case k.ID == id:
			target, found = hash, true
		case k.Allows(Admin):
			admins++
		}
	}
	if !found {
		return target, fault.New(fault.NotFound, "there is no such key")
	}
	if g.byHash[target].Allows(Admin) && admins == 0 {
		return target, fault.New(fault.Conflict, "this is the last key with the scope admin; make another one first")
	}
	return target, nil
}

// SignIn opens a session with a key and gives its token and end.
func (g *Guard) SignIn(ctx context.Context, secret string) (Key, string, time.Time, error) {
	key, err := g.Authenticate(ctx, secret)
	if err != nil {
		return Key{}, "", time.Time{}, err
	}
	token, err := newSecret(g.random, nil)
	if err != nil {
		return Key{}, "", time.Time{}, err
	}
	now := g.now().UTC()
	expires := now.Add(SessionLength)
	if key.ID == lentID {
		g.visit(token, visit{key, expires})
		return key, token, expires, nil
	}
	return key, token, expires, g.store.AddSession(ctx, HashOf(token), key.ID, now, expires)
}

// Session gives the key that a session was opened with, or an Unauthorized fault.
func (g *Guard) Session(ctx context.Context, token string) (Key, error) {
	if key, ok := g.visiting(token); ok {
		return key, nil
	}
	id, ok, err := g.store.Session(ctx, HashOf(token), g.now().UTC())
	if err != nil {
		return Key{}, err
	}
	if ok {
		g.mu.RLock()
		defer g.mu.RUnlock()
		for _, k := range g.byHash {
			if k.ID == id {
				return k, nil
			}
		}
	}
	return Key{}, fault.New(fault.Unauthorized, "the session has ended; sign in again")
}

// SignOut ends a session.
func (g *Guard) SignOut(ctx context.Context, token string) error {
	g.mu.Lock()
	delete(g.visits, HashOf(token))
	g.mu.Unlock()
	return g.store.DeleteSession(ctx, HashOf(token))
}
