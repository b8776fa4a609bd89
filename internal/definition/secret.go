package definition

import "time"

// Secret is what definitions name instead of holding it: a password, or a key. Its value is written, and never shown.
type Secret struct {
	Name  string
	SetAt time.Time
	SetBy string
}

// MaxSecretBytes bounds the value of a secret.
const MaxSecretBytes = 64 << 10
