// Package migrations holds the steps by which the tables of both databases came to be, in goose's form.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite postgres
var files embed.FS

// SQLite are the steps of SQLite's tables.
func SQLite() fs.FS { return folder("sqlite") }

// Postgres are the steps of PostgreSQL's tables, by the same numbers.
func Postgres() fs.FS { return folder("postgres") }

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // the names are right
	}
	return sub
}
