package demo

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/internal/content"
)

// sender makes the links of a rendering readable.
type sender struct{}

func (sender) Click(url string) string { return url }
func (sender) Pixel() string           { return "http://localhost:8080/o/pixel.gif" }
func (sender) Unsubscribe() string     { return "http://localhost:8080/u/token" }

// Every template compiles without a warning, and reads well for somebody of whom everything is known, and for a stranger.
// With TAILORBIRD_DEMO_MAIL set to a folder, what was rendered is written there to be looked at.
func TestTemplatesReadWell(t *testing.T) {
	known := map[string]any{
		"first_name": "Zoë & Co", "favourite_category": "kitchen", "order_count": 6, "last_order_at": "2026-02-03T10:00:00Z",
		"viewed_name": "Chef's knife 20 cm", "viewed_url": "http://localhost:8080/demo/shop/p/kitchen-11",
		"viewed_image": "http://localhost:8080/demo/products/kitchen-11.svg", "viewed_price": 95.5,
		"cart_name": "Dusk mug", "cart_url": "http://localhost:8080/demo/shop/p/kitchen-07",
		"cart_image": "http://localhost:8080/demo/products/kitchen-07.svg", "cart_price": 16.0,
	}
	for _, d := range definitions(t)["template"] {
		field := func(name string) string { return d.Spec[name].(string) }
		template, err := content.Compile(content.Source{
			Subject: field("subject"), Preheader: field("preheader"), Body: field("body"), Format: content.Format(field("format")),
		}, content.Options{})
		if err != nil {
			t.Errorf("%s: %v", d.Name, err)
			continue
		}
		for _, w := range template.Warnings() {
			t.Errorf("%s: %s %d:%d %s", d.Name, w.Location, w.Line, w.Column, w.Message)
		}
		for who, traits := range map[string]map[string]any{"known": known, "stranger": {}} {
			mail, err := template.Render(context.Background(), traits, sender{})
			if err != nil {
				t.Errorf("%s for %s: %v", d.Name, who, err)
				continue
			}
			for _, text := range []string{mail.Subject, mail.Preheader, mail.HTML, mail.Text} {
				if text == "" || strings.Contains(text, "{{") || strings.Contains(text, "{%") {
					t.Errorf("%s for %s: %q", d.Name, who, text)
				}
			}
			if who == "known" && !strings.Contains(mail.HTML+mail.Subject, "Zoë &") {
				t.Errorf("%s does not know the name", d.Name)
			}
			if folder := os.Getenv("TAILORBIRD_DEMO_MAIL"); folder != "" {
				name := filepath.Join(folder, d.Name+"-"+who)
				page := mail.Subject + "<br>" + mail.Preheader + mail.HTML
				if err := os.WriteFile(name+".html", []byte(page), 0o600); err != nil {
					t.Error(err)
				}
			}
		}
	}
}
