// Package backup copies a whole installation on SQLite into one file, while it works or not, and makes an installation of
// such a file again. Nothing gets its name before it has been read back and found complete, and nothing that exists is
// written over.
//
// A backup is a tar archive compressed with Zstandard, so that common tools open it too: manifest.json, then
// tailorbird.db. With a passphrase it is encrypted as the age tool does (age-encryption.org/v1), and only then it also
// holds master.key: whoever has an open backup gets none of the secrets in it.
package backup

import (
	"context"
	"io"
	"time"
)

// The files in a backup, which have the same names in a data directory.
const (
	DatabaseFile  = "tailorbird.db"
	MasterKeyFile = "master.key"
	manifestFile  = "manifest.json"
)

// Format is the version of the layout described in the package comment.
const Format = 1

// Facts are what is counted in a database.
type Facts struct {
	Schema int64            `json:"schema"` // the newest migration in it
	Rows   map[string]int64 `json:"rows"`   // by table
}

// Manifest says what a backup holds.
type Manifest struct {
	Format    int       `json:"format"`
	CreatedAt time.Time `json:"created_at"` // everything acknowledged before is in it
	Version   string    `json:"version"`    // of the program that made it
	Database  File      `json:"database"`
	Facts
}

// File is the size of a file and its SHA-256, in hexadecimal.
type File struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Source is an installation that can be copied.
type Source interface {
	// Copy writes the database as it is at one moment into a new file at path, and has it on the disk when it returns.
	// Everything acknowledged before the call is in it. Writers are not held up; it rests as much as it works. progress
	// may be nil. It fails with Invalid where the copy is damaged, because what it copies is.
	Copy(ctx context.Context, path string, progress func(done, total int64)) (Facts, error)
	// MasterKey is the content of master.key.
	MasterKey() ([]byte, error)
}

// Target is what restoring asks of whoever understands databases.
type Target interface {
	// Lock keeps every other process from a data directory until it is closed; Conflict while one uses it.
	Lock(dir string) (io.Closer, error)
	// Inspect looks at every page and index of the database at path, which nobody else uses, and counts. It fails with
	// Invalid where it is damaged, or was written by a newer release.
	Inspect(ctx context.Context, path string) (Facts, error)
	// Unlocks fails with Invalid where key does not open the secrets in the database at path.
	Unlocks(ctx context.Context, path string, key []byte) error
	// Hold pauses the campaigns that are being sent, so that nothing leaves a second time by itself, and names them.
	Hold(ctx context.Context, path string) (campaigns []string, err error)
}
