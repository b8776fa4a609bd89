package content

import (
	"net/url"
	"strings"
)

// origins are the schemes and hosts, such as "https://shop.example", that a template's author wrote in full. Only links to
// them are tracked: a tracked link is a redirect on our own domain, and where it leads must not be up to what the data say.
type origins map[string]bool

// originsOf finds all that are written in a text, in markup as well as in the strings of Liquid.
func originsOf(text string) origins {
	found := origins{}
	lower := strings.ToLower(text)
	for at := 0; ; {
		next := strings.Index(lower[at:], "http")
		if next < 0 {
			return found
		}
		at += next
		if origin := originAt(lower[at:]); origin != "" {
			found[origin] = true
		}
		at += len("http")
	}
}

// originAt is the origin with which a lower-case text begins, "" where it begins with none or where the host may go on in
// a variable.
func originAt(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || scheme != "http" && scheme != "https" {
		return ""
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return !ofHost(r) })
	if end < 0 {
		end = len(rest)
	}
	if end == 0 || end < len(rest) && strings.IndexByte("/?#\"'<> \t\r\n", rest[end]) < 0 {
		return ""
	}
	return scheme + "://" + rest[:end]
}

// has reports whether a rendered link leads to one of them.
func (o origins) has(target string) bool {
	u, err := url.Parse(target)
	return err == nil && u.User == nil && o[strings.ToLower(u.Scheme+"://"+u.Host)]
}

// dynamic reports whether the host of a link, as the author wrote it, comes from data alone.
func dynamic(href string) bool {
	return strings.HasPrefix(href, "{") && !strings.Contains(href, UnsubscribeURL) && len(originsOf(href)) == 0 ||
		strings.Contains(href, "://{") || isWeb(href) && strings.Contains(href, "{") && originAt(strings.ToLower(href)) == ""
}

// ofHost reports whether r can stand in a lower-case host with a port.
func ofHost(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune(".-:[]", r) || r >= 0x80
}
