// Package access is who may do what: API keys, their scopes, and the sessions of people who signed in with one.
//
// Keys and session tokens are random strings of 160 bits or more, so that a plain SHA-256 of them is safe to store; a
// slow hash is for what people can remember.
package access

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Scope is one thing that a key allows.
type Scope string

// The scopes.
const (
	Track   Scope = "track"   // send events to the tracking API
	Read    Scope = "read"    // read everything but keys
	Write   Scope = "write"   // change definitions and suppressions
	Send    Scope = "send"    // send, test, pause and resume campaigns
	Metrics Scope = "metrics" // read what the program measures of itself
	Admin   Scope = "admin"   // make and revoke keys; backups
)

// Scopes lists all scopes.
func Scopes() []Scope { return []Scope{Track, Read, Write, Send, Metrics, Admin} }

// Key is an API key without its secret.
type Key struct {
	ID         int64
	Name       string
	Scopes     []Scope
	CreatedAt  time.Time
	LastUsedAt time.Time // to the minute; zero for never
}

// Allows reports whether the key has a scope.
func (k Key) Allows(s Scope) bool { return slices.Contains(k.Scopes, s) }

// Hash is what is stored of a secret.
type Hash [sha256.Size]byte

// HashOf hashes a secret.
func HashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }

const (
	minSecret = 16 // of keys that people choose
	maxSecret = 256
	maxName   = 100
)

var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// newSecret makes a secret of 160 random bits. Keys that only track are told by their prefix: they stand in web pages.
func newSecret(random io.Reader, scopes []Scope) (string, error) {
	var b [20]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fault.Wrap(fault.Internal, err, "no random numbers")
	}
	prefix := "tb_"
	if len(scopes) == 1 && scopes[0] == Track {
		prefix = "tbw_"
	}
	return prefix + encoding.EncodeToString(b[:]), nil
}

func checkName(name string) error {
	if strings.TrimSpace(name) == "" || len(name) > maxName {
		return fault.Field("name", "needs 1 to %d bytes that say what the key is for", maxName)
	}
	return nil
}

func checkScopes(scopes []Scope) error {
	if len(scopes) == 0 {
		return fault.Field("scopes", "is empty; give at least one of %v", Scopes())
	}
	for i, s := range scopes {
		if !slices.Contains(Scopes(), s) {
			return fault.Field(fmt.Sprintf("scopes[%d]", i), "is %q; it must be one of %v", clip(string(s)), Scopes())
		}
	}
	return nil
}

func checkSecret(field, secret string) error {
	if len(secret) < minSecret || len(secret) > maxSecret {
		return fault.Field(field, "has %d characters; a key needs %d to %d that nobody can guess, such as openssl rand -hex 20 gives", len(secret), minSecret, maxSecret)
	}
	for _, r := range secret {
		if r <= ' ' || r > '~' || r == ':' {
			return fault.Field(field, "may hold only printable ASCII characters without spaces and colons")
		}
	}
	return nil
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
