package store

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
)

// SendingKeys keeps the signing key of every sending domain. It implements deliver.Keys.
type SendingKeys struct {
	store  *Store
	random io.Reader
	now    func() time.Time
	mu     sync.Mutex
	keys   map[string]*deliver.Key
}

// selector names our keys in DNS.
const selector = "tailorbird"

// NewSendingKeys gives the keys of s; new ones come from random.
func NewSendingKeys(s *Store, random io.Reader, now func() time.Time) *SendingKeys {
	return &SendingKeys{store: s, random: random, now: now, keys: map[string]*deliver.Key{}}
}

// SigningKey implements deliver.Keys.
func (k *SendingKeys) SigningKey(ctx context.Context, domain string) (*deliver.Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key := k.keys[domain]; key != nil {
		return key, nil
	}
	key, err := k.load(ctx, domain)
	if err != nil {
		return nil, err
	}
	if key == nil {
		if err := k.make(ctx, domain); err != nil {
			return nil, err
		}
		if key, err = k.load(ctx, domain); err != nil { // perhaps another node's
			return nil, err
		}
	}
	k.keys[domain] = key
	return key, nil
}

func (k *SendingKeys) load(ctx context.Context, domain string) (key *deliver.Key, err error) {
	err = k.store.View(ctx, func(c *Conn) error {
		_, err := c.One(`SELECT selector, private_key FROM sending_keys WHERE domain = $1`, []any{domain}, func(r Row) error {
			key, err = k.store.openKey(domain, r.Text(0), r.Bytes(1))
			return err
		})
		return err
	})
	return key, err
}

// make makes the key of a domain, unless there is one by then.
func (k *SendingKeys) make(ctx context.Context, domain string) error {
	key, err := deliver.GenerateKey(k.random, domain, selector)
	if err != nil {
		return err
	}
	pem, err := key.PEM()
	if err != nil {
		return err
	}
	return k.store.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`INSERT INTO sending_keys (domain, selector, private_key, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, domain, selector, k.store.seal(pem, keyPurpose+domain), k.now().UnixMicro())
		return err
	})
}

const keyPurpose = "signing key of "

func (s *Store) openKey(domain, selector string, sealed []byte) (*deliver.Key, error) {
	pem, err := s.unseal(sealed, keyPurpose+domain)
	if err != nil {
		return nil, err
	}
	return deliver.ParseKey(domain, selector, pem)
}

// SigningKeys lists the keys with which mail is signed, by domain.
func (s *Store) SigningKeys(ctx context.Context) (keys []*deliver.Key, err error) {
	err = s.read(ctx, func(c *Conn) error {
		return c.Query(`SELECT domain, selector, private_key FROM sending_keys ORDER BY domain`, nil, func(r Row) error {
			key, err := s.openKey(r.Text(0), r.Text(1), r.Bytes(2))
			keys = append(keys, key)
			return err
		})
	})
	return keys, err
}

// LookupTXT gives the records under which our own signing keys would be published, as DNS would once they are.
func (s *Store) LookupTXT(name string) ([]string, error) {
	keys, err := s.SigningKeys(context.Background())
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if key.RecordName() == name {
			record, err := key.Record()
			return []string{record}, err
		}
	}
	return nil, nil
}
