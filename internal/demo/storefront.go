package demo

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"

	"github.com/tailorbird/tailorbird/internal/demo/shop"
)

//go:embed storefront
var storefrontFiles embed.FS

// maxFound is how many products a search shows.
const maxFound = 40

// Handler serves the shop's pages and pictures; mount it at the server's root:
//
//	/demo/shop              the front page
//	/demo/shop/c/{id}       a category
//	/demo/shop/p/{id}       a product
//	/demo/shop/search?q=    a search
//	/demo/products/{id}.svg the picture of a product or category
//
// The pages carry a strict content security policy of their own and run no scripts.
func Handler(s *shop.Shop) http.Handler {
	f := &storefront{
		catalogue: s.Catalogue(),
		pages:     template.Must(template.ParseFS(storefrontFiles, "storefront/*.html")),
	}
	mux := http.NewServeMux()
	mux.Handle("GET /demo/{$}", http.RedirectHandler("/demo/shop", http.StatusFound))
	mux.HandleFunc("GET /demo/shop", f.front)
	mux.HandleFunc("GET /demo/shop/{$}", f.front)
	mux.HandleFunc("GET /demo/shop/c/{id}", f.category)
	mux.HandleFunc("GET /demo/shop/p/{id}", f.product)
	mux.HandleFunc("GET /demo/shop/search", f.search)
	mux.HandleFunc("GET /demo/shop.css", f.style)
	mux.HandleFunc("GET /demo/products/{file}", f.picture)
	return mux
}

type storefront struct {
	catalogue *shop.Catalogue
	pages     *template.Template
}

// page is what every template gets.
type page struct {
	Shop       string
	Title      string
	Categories []shop.Category
	Category   *shop.Category
	Product    *shop.Product
	Products   []*shop.Product
	Query      string
}

func (f *storefront) show(w http.ResponseWriter, status int, name string, p page) {
	p.Shop, p.Categories = shop.Name, f.catalogue.Categories
	var body bytes.Buffer
	if err := f.pages.ExecuteTemplate(&body, name, p); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the visitor may have left
}

func (f *storefront) front(w http.ResponseWriter, _ *http.Request) {
	var picks []*shop.Product
	for i := range f.catalogue.Categories {
		picks = append(picks, f.catalogue.In(f.catalogue.Categories[i].ID)[i%20])
	}
	f.show(w, http.StatusOK, "front.html", page{Title: "Things for home and away", Products: picks})
}

func (f *storefront) category(w http.ResponseWriter, r *http.Request) {
	c, ok := f.catalogue.Category(r.PathValue("id"))
	if !ok {
		f.missing(w)
		return
	}
	f.show(w, http.StatusOK, "list.html", page{Title: c.Name, Category: c, Products: f.catalogue.In(c.ID)})
}

func (f *storefront) product(w http.ResponseWriter, r *http.Request) {
	p, ok := f.catalogue.Product(r.PathValue("id"))
	if !ok {
		f.missing(w)
		return
	}
	c, _ := f.catalogue.Category(p.Category)
	f.show(w, http.StatusOK, "product.html", page{Title: p.Name, Category: c, Product: p, Products: f.neighbours(p)})
}

// neighbours are other products of the same kind.
func (f *storefront) neighbours(p *shop.Product) (near []*shop.Product) {
	for _, q := range f.catalogue.In(p.Category) {
		if q.Subcategory == p.Subcategory && q != p {
			near = append(near, q)
		}
	}
	return near
}

func (f *storefront) search(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query().Get("q")
	if len(query) > 100 {
		query = query[:100]
	}
	f.show(w, http.StatusOK, "list.html", page{Title: "Search", Query: query, Products: f.catalogue.Search(query, maxFound)})
}

func (f *storefront) missing(w http.ResponseWriter) {
	f.show(w, http.StatusNotFound, "list.html", page{Title: "We do not have that"})
}

func (f *storefront) style(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	http.ServeFileFS(w, r, storefrontFiles, "storefront/shop.css")
}

// picture serves the drawing of a product or category.
func (f *storefront) picture(w http.ResponseWriter, r *http.Request) {
	var drawing []byte
	name, isSVG := strings.CutSuffix(r.PathValue("file"), ".svg")
	if p, ok := f.catalogue.Product(name); ok && isSVG {
		drawing = p.Picture()
	} else if c, ok := f.catalogue.Category(name); ok && isSVG {
		drawing = c.Picture()
	} else {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "image/svg+xml")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // mail is read elsewhere
	h.Set("Cache-Control", "public, max-age=86400")
	_, _ = w.Write(drawing)
}
