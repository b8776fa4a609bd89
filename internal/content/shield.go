package content

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// A shield hides parts of a document from a compiler of another language behind words that every language leaves
// alone, and puts them back afterwards.
type shield struct {
	word   string // begins every stand-in; occurs nowhere in the document
	hidden []hidden
}

type hidden struct {
	text   string
	offset int // where it stood in the source
	inside string
	cell   bool // stands between the columns of a section or group
	must   bool // losing it is an error
	found  bool
}

// newShield chooses a word that the document does not contain: its own hash.
func newShield(document string) *shield {
	sum := sha256.Sum256([]byte(document))
	return &shield{word: "tb" + hex.EncodeToString(sum[:6]) + "n"}
}

// hide returns the stand-in for h: lower-case letters and digits only.
func (s *shield) hide(h hidden) string {
	s.hidden = append(s.hidden, h)
	return s.word + strconv.Itoa(len(s.hidden)-1) + "x"
}

// next finds the first stand-in in document at or after from.
func (s *shield) next(document string, from int) (h *hidden, start, end int) {
	for {
		at := strings.Index(document[from:], s.word)
		if at < 0 {
			return nil, 0, 0
		}
		start = from + at
		end = start + len(s.word)
		n := 0
		for end < len(document) && document[end] >= '0' && document[end] <= '9' && n < len(s.hidden) {
			n = n*10 + int(document[end]-'0')
			end++
		}
		if end < len(document) && document[end] == 'x' && n < len(s.hidden) {
			return &s.hidden[n], start, end + 1
		}
		from = end
	}
}

// restore puts everything hidden back. Each stand-in may be wrapped by the document in before and after, which go
// with it.
func (s *shield) restore(document string) string {
	var b strings.Builder
	b.Grow(len(document) * 2)
	at := 0
	for {
		h, start, end := s.next(document, at)
		if h == nil {
			b.WriteString(document[at:])
			return b.String()
		}
		h.found = true
		switch {
		case strings.HasSuffix(document[:start], "<!--") && strings.HasPrefix(document[end:], "-->"):
			start, end = start-len("<!--"), end+len("-->")
		case strings.HasPrefix(document[end:], `=""`):
			end += len(`=""`)
		}
		b.WriteString(document[at:start])
		b.WriteString(h.text)
		at = end
	}
}

// lost returns the first part that had to survive and did not.
func (s *shield) lost() *hidden {
	for i := range s.hidden {
		if h := &s.hidden[i]; h.must && !h.found {
			return h
		}
	}
	return nil
}
