package match

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// normalize writes a value the way in which values of its kind are compared; "" where it says nothing.
func normalize(kind Kind, raw string) string {
	if len(raw) > 10*maxLength {
		raw = raw[:10*maxLength]
	}
	var text string
	switch kind {
	case Email:
		text = mailbox(raw)
	case Phone:
		text = digits(raw)
	case Date:
		text = date(raw)
	case Street:
		text = street(words(raw))
	case Postcode, HouseNumber:
		text = strings.ReplaceAll(words(raw), " ", "")
	case Identifier:
		text = strings.TrimLeft(strings.ReplaceAll(words(raw), " ", ""), "0")
	case Device:
		text = strings.TrimSpace(raw)
	default:
		text = words(raw)
	}
	if meaningless[text] {
		return ""
	}
	return strings.TrimSpace(strings.ToValidUTF8(text[:min(len(text), maxLength)], ""))
}

// meaningless are what forms and exports write where there is no value.
var meaningless = map[string]bool{
	"null": true, "nil": true, "none": true, "undefined": true, "unknown": true, "n a": true, "na": true, "nan": true,
	"anonymous": true, "guest": true, "test": true, "xxx": true, "not available": true, "not provided": true, "00000000": true,
}

// words lowers a text, takes the accents off, and leaves letters and digits with single spaces between. Apostrophes and
// dots within a word go without a space: O'Brien and OBrien are one name.
func words(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, c := range norm.NFKD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, c), c == '\'', c == '’', c == '`', c == '.':
		case unicode.IsLetter(c), unicode.IsDigit(c):
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			switch c = unicode.ToLower(c); c {
			case 'ß':
				b.WriteString("ss")
			case 'ø':
				b.WriteByte('o')
			case 'ł':
				b.WriteByte('l')
			case 'æ':
				b.WriteString("ae")
			case 'đ':
				b.WriteByte('d')
			default:
				b.WriteRune(c)
			}
		default:
			space = true
		}
	}
	return b.String()
}

// mailbox is an address without what its owner may write as they like: case, a +tag, and the dots at Gmail.
func mailbox(s string) string {
	local, domain, ok := cutLast(strings.ToLower(strings.TrimSpace(s)), '@')
	if !ok || local == "" || domain == "" {
		return ""
	}
	if tag := strings.IndexByte(local, '+'); tag > 0 {
		local = local[:tag]
	}
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if domain == "gmail.com" {
		local = strings.ReplaceAll(local, ".", "")
	}
	return local + "@" + domain
}

func cutLast(s string, sep byte) (before, after string, ok bool) {
	if at := strings.LastIndexByte(s, sep); at >= 0 {
		return s[:at], s[at+1:], true
	}
	return s, "", false
}

// digits are those of a phone number, without the zeros that stand for "abroad" or "another town". Fewer than six
// identify no line.
func digits(s string) string {
	var b strings.Builder
	for _, c := range norm.NFKC.String(s) {
		if c >= '0' && c <= '9' {
			b.WriteRune(c)
		}
	}
	number := strings.TrimLeft(b.String(), "0")
	if len(number) < 6 || strings.Trim(number, number[:1]) == "" {
		return ""
	}
	return number
}

// layouts are the ways in which a day is written. Where day and month cannot be told apart the month is taken to stand
// first; if that was wrong, the comparison still sees the two exchanged.
var layouts = []string{
	"2006-01-02", "20060102", "2006-1-2", "2006/1/2", "2.1.2006", "1/2/2006", "2/1/2006", "1-2-2006", "2-1-2006",
	"January 2, 2006", "Jan 2, 2006", "2 January 2006", "2 Jan 2006",
}

// date gives YYYYMMDD. Eight digits that are no day stay as they are: half of a wrong date is still worth comparing.
func date(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 10 && s[4] == '-' && (s[10] == 'T' || s[10] == ' ') {
		s = s[:10]
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format("20060102")
		}
	}
	var kept []byte
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			kept = append(kept, s[i])
		}
	}
	if len(kept) != 8 {
		return ""
	}
	return string(kept)
}

// abbreviated are the words of streets that are as often shortened as not.
var abbreviated = map[string]string{
	"st": "street", "str": "street", "rd": "road", "ave": "avenue", "av": "avenue", "blvd": "boulevard", "dr": "drive",
	"ln": "lane", "ct": "court", "crt": "court", "pl": "place", "sq": "square", "cres": "crescent", "cct": "circuit",
	"hwy": "highway", "pde": "parade", "tce": "terrace", "ter": "terrace", "pkwy": "parkway", "apt": "apartment",
	"strasse": "street", "n": "north", "s": "south", "e": "east", "w": "west",
}

// street writes the shortened words of a street out.
func street(s string) string {
	parts := strings.Fields(s)
	for i, p := range parts {
		switch full := abbreviated[p]; {
		case full != "" && (i > 0 || len(p) == 1):
			parts[i] = full
		case len(p) > len("strasse") && strings.HasSuffix(p, "strasse"):
			parts[i] = strings.TrimSuffix(p, "asse")
		}
	}
	return strings.Join(parts, " ")
}
