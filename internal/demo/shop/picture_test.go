package shop

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestEveryProductHasAPicture(t *testing.T) {
	c := open(t, Config{}).Catalogue()
	seen := map[string]string{}
	for i := range c.Products {
		p := &c.Products[i]
		picture := p.Picture()
		wellFormed(t, p.ID, picture)
		drawing := string(picture[strings.Index(string(picture), "</title>"):])
		if other := seen[drawing]; other != "" {
			t.Errorf("%s looks like %s", p.ID, other)
		}
		seen[drawing] = p.ID
	}
	for i := range c.Categories {
		wellFormed(t, c.Categories[i].ID, c.Categories[i].Picture())
	}
}

func wellFormed(t *testing.T, id string, picture []byte) {
	t.Helper()
	if strings.ContainsAny(string(picture), "{}") || strings.Count(string(picture), "<path") == 0 {
		t.Errorf("%s: an ink is missing, or the drawing", id)
	}
	for d := xml.NewDecoder(strings.NewReader(string(picture))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
	}
}
