package server

import (
	"context"
	"strconv"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Key is an API key without its secret.
type Key struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Scopes     []access.Scope `json:"scopes"`
	CreatedAt  time.Time      `json:"created_at"`
	LastUsedAt *time.Time     `json:"last_used_at" doc:"To the minute; null for never"`
}

func keyOf(k access.Key) Key {
	return Key{ID: strconv.FormatInt(k.ID, 10), Name: k.Name, Scopes: k.Scopes, CreatedAt: k.CreatedAt, LastUsedAt: moment(k.LastUsedAt)}
}

// moment is a time that may not have come: null in JSON.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *server) listKeys(_ context.Context, in *Paging) (answer[page[Key]], error) {
	keys := s.config.Guard.List()
	list := make([]Key, len(keys))
	for i, k := range keys {
		list[i] = keyOf(k)
	}
	return cut(list, *in)
}

type createKeyInput struct {
	Body struct {
		Name   string         `json:"name" doc:"What the key is for"`
		Scopes []access.Scope `json:"scopes" doc:"Of track, read, write, send, metrics and admin"`
	}
}

// NewKey is a key with its secret, which is shown this once.
type NewKey struct {
	Key
	Secret string `json:"key" doc:"Keep it now; it cannot be read again"`
}

func (s *server) createKey(ctx context.Context, in *createKeyInput) (answer[NewKey], error) {
	key, secret, err := s.config.Guard.Create(ctx, in.Body.Name, in.Body.Scopes)
	return answer[NewKey]{NewKey{Key: keyOf(key), Secret: secret}}, err
}

type keyInput struct {
	ID string `path:"id"`
}

func (s *server) deleteKey(ctx context.Context, in *keyInput) (nothing, error) {
	id, err := strconv.ParseInt(in.ID, 10, 64)
	if err != nil {
		return nothing{}, fault.New(fault.NotFound, "there is no such key")
	}
	return nothing{}, s.config.Guard.Delete(ctx, id)
}
