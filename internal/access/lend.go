package access

import (
	"maps"
	"slices"
	"time"
)

// lentID is the id of every lent key; none is stored under it.
const lentID = 0

// Lent says that the key is the program's own.
func (k Key) Lent() bool { return k.ID == lentID }

// visit is a session opened with a lent key.
type visit struct {
	key     Key
	expires time.Time
}

// Lend makes a key that is stored nowhere, listed nowhere, and ends with the process, its sessions too: for the program's
// own use of its API, and as a way in for whoever started it.
func (g *Guard) Lend(name string, scopes []Scope) (secret string, err error) {
	if secret, err = newSecret(g.random, scopes); err != nil {
		return "", err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lent[HashOf(secret)] = Key{ID: lentID, Name: name, Scopes: slices.Clone(scopes), CreatedAt: g.now().UTC()}
	return secret, nil
}

// visit opens a session with a lent key, and drops those that have expired.
func (g *Guard) visit(token string, v visit) {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	maps.DeleteFunc(g.visits, func(_ Hash, old visit) bool { return !now.Before(old.expires) })
	g.visits[HashOf(token)] = v
}

// visiting gives the key of a session that was opened with a lent key.
func (g *Guard) visiting(token string) (Key, bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	v, ok := g.visits[HashOf(token)]
	return v.key, ok && g.now().Before(v.expires)
}
