package access

import (
	"context"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Issued is a key that FirstStart made, with its secret; Secret is empty where the caller chose it.
type Issued struct {
	Key    Key
	Secret string
}

// FirstStart makes sure that there is a management key with every scope and a write key for the tracking API. A chosen
// secret (empty for none) is added where it is unknown, at any start; a random one is made only where no key has the
// scope. What it made must be shown to whoever started the program: it cannot be read again.
func (g *Guard) FirstStart(ctx context.Context, apiKey, writeKey string) ([]Issued, error) {
	wants := []struct {
		name, field, secret string
		scopes              []Scope
		scope               Scope
	}{
		{"Management", "TAILORBIRD_API_KEY", apiKey, Scopes(), Admin},
		{"Tracking", "TAILORBIRD_WRITE_KEY", writeKey, []Scope{Track}, Track},
	}
	covered := map[Scope]bool{}
	for _, k := range g.List() {
		covered[Admin] = covered[Admin] || k.Allows(Admin)
		covered[Track] = covered[Track] || len(k.Scopes) == 1 && k.Allows(Track)
	}
	var made []Issued
	for _, w := range wants {
		if w.secret == "" && covered[w.scope] {
			continue
		}
		issued, err := g.issue(ctx, w.name, w.field, w.secret, w.scopes)
		if err != nil {
			return made, err
		}
		if issued != nil {
			made = append(made, *issued)
		}
	}
	return made, nil
}

func (g *Guard) issue(ctx context.Context, name, field, chosen string, scopes []Scope) (*Issued, error) {
	if chosen == "" {
		key, secret, err := g.Create(ctx, name, scopes)
		return &Issued{key, secret}, err
	}
	if err := checkSecret(field, chosen); err != nil {
		return nil, err
	}
	g.mu.RLock()
	_, known := g.byHash[HashOf(chosen)]
	g.mu.RUnlock()
	if known {
		return nil, nil
	}
	key, err := g.add(ctx, name, scopes, chosen)
	if fault.CodeOf(err) == fault.Conflict { // another node was faster
		return nil, g.Refresh(ctx)
	}
	return &Issued{Key: key}, err
}
