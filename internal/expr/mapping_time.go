package expr

import (
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones must work on a machine without a zone database

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// parseMappingTime reads a time written in a layout of Unicode's date field symbols (UTS 35, part 4, table of date field
// symbols): "yyyy-MM-dd HH:mm:ss". The layouts "unix" and "unix_ms" are counts since 1970. Zone is an IANA name and
// holds for times that do not say their own offset.
func parseMappingTime(text, layout, zone string) ref.Val {
	switch layout {
	case "unix", "unix_ms":
		count, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if layout == "unix" {
			count *= 1000
		}
		if err != nil || !(count >= -62135596800000 && count <= 253402300799999) { // years 1 to 9999
			return types.NewErr("%s is not a time in layout %q", mappingQuote(text), layout)
		}
		return types.Timestamp{Time: time.UnixMilli(int64(count)).UTC()}
	}
	location, err := mappingZones.get(zone, time.LoadLocation)
	if err != nil {
		return types.NewErr("%q is not a time zone: use a name such as Europe/London", zone)
	}
	reference, err := mappingLayouts.get(layout, mappingLayout)
	if err != nil {
		return types.NewErr("%s", err.Error())
	}
	at, err := time.ParseInLocation(reference, text, location)
	if err != nil || at.Year() < 1 || at.Year() > 9999 {
		return types.NewErr("%s is not a time in layout %q", mappingQuote(text), layout)
	}
	return types.Timestamp{Time: at.UTC()}
}

// mappingMemo remembers a bounded number of results that are costly to compute.
type mappingMemo[V any] struct {
	mu   sync.RWMutex
	held map[string]V
}

var (
	mappingZones   = &mappingMemo[*time.Location]{held: map[string]*time.Location{}}
	mappingLayouts = &mappingMemo[string]{held: map[string]string{}}
)

func (m *mappingMemo[V]) get(key string, compute func(string) (V, error)) (V, error) {
	m.mu.RLock()
	value, ok := m.held[key]
	m.mu.RUnlock()
	if ok {
		return value, nil
	}
	value, err := compute(key)
	if err != nil {
		return value, err
	}
	const most = 256
	m.mu.Lock()
	if len(m.held) < most {
		m.held[key] = value
	}
	m.mu.Unlock()
	return value, nil
}

// mappingSymbols translates Unicode's symbols into Go's reference time, the longest first.
var mappingSymbols = []struct{ symbol, reference string }{
	{"yyyy", "2006"},
	{"yy", "06"},
	{"y", "2006"},
	{"MMMM", "January"},
	{"MMM", "Jan"},
	{"MM", "01"},
	{"M", "1"},
	{"dd", "02"},
	{"d", "2"},
	{"EEEE", "Monday"},
	{"EEE", "Mon"},
	{"E", "Mon"},
	{"HH", "15"},
	{"H", "15"},
	{"hh", "03"},
	{"h", "3"},
	{"mm", "04"},
	{"m", "4"},
	{"ss", "05"},
	{"s", "5"},
	{"a", "PM"},
	{"XXX", "Z07:00"},
	{"XX", "Z0700"},
	{"X", "Z07"},
	{"xxx", "-07:00"},
	{"xx", "-0700"},
	{"Z", "-0700"},
	{"z", "MST"},
}

type mappingLayoutError string

func (e mappingLayoutError) Error() string { return string(e) }

// mappingLayout translates a layout of Unicode's symbols; text between single quotes stands for itself.
func mappingLayout(layout string) (string, error) {
	var out strings.Builder
	for rest := layout; rest != ""; {
		c := rest[0]
		switch {
		case c == '\'':
			literal, after, closed := strings.Cut(rest[1:], "'")
			if !closed {
				return "", mappingLayoutError("the layout " + strconv.Quote(layout) + " has a quote that does not end")
			}
			if literal == "" {
				literal = "'"
			}
			out.WriteString(literal)
			rest = after
		case c == 'S': // fractions of a second, after a point or comma
			n := len(rest) - len(strings.TrimLeft(rest, "S"))
			out.WriteString(strings.Repeat("0", n))
			rest = rest[n:]
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			matched := false
			for _, field := range mappingSymbols {
				if strings.HasPrefix(rest, field.symbol) {
					out.WriteString(field.reference)
					rest, matched = rest[len(field.symbol):], true
					break
				}
			}
			if !matched {
				return "", mappingLayoutError("the layout " + strconv.Quote(layout) + " has the unknown symbol " + strconv.Quote(string(c)) +
					": use yyyy MM dd HH mm ss SSS XXX, and quote other letters as in 'T'")
			}
		case c >= '0' && c <= '9':
			return "", mappingLayoutError("the layout " + strconv.Quote(layout) + " has digits: write it with symbols, as in yyyy-MM-dd HH:mm:ss")
		default:
			out.WriteByte(c)
			rest = rest[1:]
		}
	}
	return out.String(), nil
}
