package store

import (
	"bytes"
	"context"
	"encoding/hex"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Timeline lists a profile's events, newest first, those of the profiles merged into it among them. before continues
// after the page that gave it as next; next is empty at the end.
func (s *Store) Timeline(ctx context.Context, profileID int64, before string, limit int) (page []*event.Event, next string, err error) {
	var from []byte // a place
	if before != "" {
		key, err := hex.DecodeString(before)
		if err != nil || len(key) != eventKeySize {
			return nil, "", fault.Field("cursor", "is not one that this list gave")
		}
		from = key[8:]
	}
	p, err := s.Profile(ctx, profileID)
	if err != nil {
		return nil, "", err
	}
	h := s.historyOf(p.Parts())
	defer h.Close()
	err = h.newest(ctx, p.Parts(), from, func(r record) error {
		if !isEvent(r) || from != nil && bytes.Compare(r.key[8:], from) >= 0 {
			return nil
		}
		if len(page) == limit {
			next = hex.EncodeToString(eventKey(0, page[limit-1]))
			return errEnough
		}
		e, err := decodeEvent(r)
		page = append(page, e)
		return err
	})
	return page, next, err
}
