package demo

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// Every page that can be reached from the front page answers, with all of its pictures.
func TestStorefrontHasNoDeadLinks(t *testing.T) {
	handler := Handler(smallShop(t))
	link := regexp.MustCompile(`(?:href|src)="(/[^"]*)"`)
	seen, queue := map[string]bool{"/demo/shop": true}, []string{"/demo/shop"}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
		body := recorder.Body.String()
		if recorder.Code != http.StatusOK {
			t.Fatalf("%s answers %d", path, recorder.Code)
		}
		if !strings.HasPrefix(recorder.Header().Get("Content-Type"), "text/html") {
			continue
		}
		if policy := recorder.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s has the policy %q", path, policy)
		}
		for _, m := range link.FindAllStringSubmatch(body, -1) {
			if !seen[m[1]] {
				seen[m[1]] = true
				queue = append(queue, m[1])
			}
		}
	}
	if len(seen) < 400 { // 200 products with a page and a picture each
		t.Errorf("only %d addresses", len(seen))
	}
}

func TestStorefrontRefusesPolitely(t *testing.T) {
	handler := Handler(smallShop(t))
	for path, want := range map[string]int{
		"/demo/shop/p/none-01": 404, "/demo/shop/c/none": 404, "/demo/products/none.svg": 404, "/demo/products/kids-01.png": 404,
		"/demo/shop/search?q=mug": 200, "/demo/shop/search?q=%3Cscript%3E": 200, "/demo/shop/search": 200,
	} {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
		if recorder.Code != want {
			t.Errorf("%s answers %d, want %d", path, recorder.Code, want)
		}
		if strings.Contains(recorder.Body.String(), "<script") {
			t.Errorf("%s shows what was typed as markup", path)
		}
	}
}
