package liquid

import (
	"sync"
	"time"
)

var dateFilters = []*filter{
	{name: "date", min: 1, max: 2, named: true, text: dateFilter, skipsNil: true, copies: true, cost: 8},
}

// dateFilter formats a time by a strftime pattern: {{ order.at | date: "%d %b %Y" }}. A second argument or timezone:
// names the IANA zone to show it in; else it is the engine's location, or if none was set, the zone of the time itself.
// What is no date is left as it is.
func dateFilter(c *Call, dst []byte) []byte {
	format := c.text(c.args[0])
	t, ok := c.time(c.input)
	if format == "" || !ok {
		return c.st.appendText(dst, c.input)
	}
	zone := c.Named("timezone")
	if len(c.args) > 1 {
		zone = c.args[1]
	}
	if !zone.IsNil() {
		location, err := zoneOf(c.text(zone))
		if err != nil {
			c.fail(ArgumentError, "unknown time zone "+quoteShort(c.text(zone)))
			return dst
		}
		t = t.In(location)
	}
	start := len(dst)
	dst, ok = appendTimeFormat(dst, t, format)
	if !ok {
		c.fail(ArgumentError, "invalid format: "+quoteShort(format))
	}
	c.st.step(len(format) + (len(dst)-start)>>4)
	return dst
}

// costOfParsing is what reading a date in words counts for, in steps.
const costOfParsing = 400

// time reads a value as a time: a time, seconds since 1970, "now", "today", or a date in text.
func (c *Call) time(v Value) (time.Time, bool) {
	e := c.st.engine
	local := e.zone()
	var t time.Time
	switch v.kind {
	case kindTime:
		t = v.time()
	case kindInt:
		t = time.Unix(v.n, 0).In(local)
	case kindString:
		s := v.str()
		switch {
		case s != "" && allDigits(s):
			n, ok := parseInteger(s)
			if !ok {
				return t, false
			}
			t = time.Unix(n, 0).In(local)
		default:
			var ok bool
			if t, ok = parseISO(s, local); ok {
				break
			}
			c.st.step(costOfParsing)
			if c.st.folding {
				c.st.fail(errNotFoldable) // what a date does not say comes from the clock
			}
			if t, ok = parseDate(s, e.clock, local); !ok {
				return t, false
			}
		}
	default:
		return t, false
	}
	if e.location != nil {
		t = t.In(e.location)
	}
	return t, true
}

// zones caches the time zones that date filters name. Only real zones get in, so it stays small.
var zones sync.Map

func zoneOf(name string) (*time.Location, error) {
	if l, ok := zones.Load(name); ok {
		return l.(*time.Location), nil
	}
	l, err := time.LoadLocation(name)
	if err == nil {
		zones.Store(string([]byte(name)), l)
	}
	return l, err
}
