package demo

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// doors are the places of a mail that lead back to the server: paths with their query, on whatever host it is reached.
type doors struct {
	pixel       string
	unsubscribe string
	links       []trackedLink
}

// trackedLink is a link through the server. Picture is the address of a picture inside it, which tells what it is about.
type trackedLink struct{ path, picture string }

// readDoors finds them in a letter.
func readDoors(c *openLetter) doors {
	var d doors
	for _, h := range c.Headers {
		if strings.EqualFold(h.Name, "List-Unsubscribe") {
			d.unsubscribe = unsubscribePath(h.Value)
		}
	}
	inLink := false
	for z := html.NewTokenizer(strings.NewReader(c.HTML)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return d
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == "a" {
				inLink = false
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			switch t := z.Token(); t.Data {
			case "a":
				path, ok := serverPath(attribute(t, "href"), "/c/")
				if inLink = ok; ok {
					d.links = append(d.links, trackedLink{path: path})
				}
			case "img":
				source := attribute(t, "src")
				if path, ok := serverPath(source, "/o/"); ok {
					d.pixel = path
				} else if inLink {
					d.links[len(d.links)-1].picture = source
				}
			}
		}
	}
}

// unsubscribePath takes the https or http address out of a List-Unsubscribe header (RFC 2369).
func unsubscribePath(header string) string {
	for part := range strings.SplitSeq(header, ",") {
		if path, ok := serverPath(strings.Trim(strings.TrimSpace(part), "<>"), "/u/"); ok {
			return path
		}
	}
	return ""
}

// serverPath is the path and query of an absolute address, where it goes through the given door.
func serverPath(address, door string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !strings.Contains(u.Path, door) {
		return "", false
	}
	return u.RequestURI(), true
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
