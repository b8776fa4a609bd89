// Package ui holds the built web application.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns the built web application: index.html at the root and content-hashed files under assets/, which may
// be cached for ever. The file system is empty but for .gitkeep when the application has not been built.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path; the embed directive would not have compiled without the folder
	}
	return files
}
