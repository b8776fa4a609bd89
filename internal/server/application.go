package server

import (
	_ "embed"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/tailorbird/tailorbird/internal/fault"
)

//go:embed unbuilt.html
var unbuiltHTML string

var unbuiltPage = template.Must(template.New("unbuilt").Parse(unbuiltHTML))

const indexPage = "index.html"

// application serves the web application: files as they are, and its page for every other path, since it has routes of
// its own. Files under assets/ carry a hash of their content in their names and never change.
func application(ui fs.FS) http.Handler {
	files := http.FileServerFS(ui)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			notAllowed(w, http.MethodGet, http.MethodHead)
			return
		}
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		switch {
		case name != "" && name != indexPage && isFile(ui, name):
			cache := "no-cache"
			if strings.HasPrefix(name, "assets/") {
				cache = "public, max-age=31536000, immutable"
			}
			w.Header().Set("Cache-Control", cache)
			files.ServeHTTP(w, r)
		case strings.HasPrefix(name+"/", "assets/"):
			problemOf(fault.New(fault.NotFound, "there is no such file"), "").write(w)
		default:
			servePage(w, ui)
		}
	})
}

// servePage answers with the application's page, or says how to build it.
func servePage(w http.ResponseWriter, ui fs.FS) {
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	body, err := fs.ReadFile(ui, indexPage)
	if err != nil {
		w.Header().Set("Content-Security-Policy", hostedPolicy)
		_ = unbuiltPage.Execute(w, map[string]any{"Style": hostedCSS}) // the caller has gone, if this fails
		return
	}
	_, _ = w.Write(body)
}

func isFile(ui fs.FS, name string) bool {
	info, err := fs.Stat(ui, name)
	return err == nil && info.Mode().IsRegular()
}
