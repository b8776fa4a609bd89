package liquid

import (
	"strconv"
	"strings"
	"time"
)

// directive is one % of a strftime pattern: flags, width and the letter.
type directive struct {
	pad    byte // '0', ' ', '-' for none, or 0 for what the letter has by default
	upper  bool
	swap   bool
	colons int
	width  int
	letter byte
}

// maxWidth bounds the width of a directive.
const maxWidth = 256

// appendTimeFormat appends t formatted by a strftime pattern with the directives, flags and widths of Ruby. ok is false
// if the pattern ends within a directive.
func appendTimeFormat(dst []byte, t time.Time, format string) (out []byte, ok bool) {
	year, month, day := t.Date()
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			dst = append(dst, format[i])
			continue
		}
		if i+1 < len(format) {
			// The directives that most patterns are made of.
			switch format[i+1] {
			case 'd':
				dst = pad2(dst, day)
				i++
				continue
			case 'm':
				dst = pad2(dst, int(month))
				i++
				continue
			case 'B':
				dst = append(dst, month.String()...)
				i++
				continue
			case 'Y':
				if year >= 1000 {
					dst = strconv.AppendInt(dst, int64(year), 10)
					i++
					continue
				}
			}
		}
		d, n := parseDirective(format[i+1:])
		if n == 0 {
			return dst, false
		}
		start := len(dst)
		var known bool
		if dst, known = d.append(dst, t); !known {
			dst = append(dst[:start], format[i:i+1+n]...)
		}
		i += n
	}
	return dst, true
}

// parseDirective reads a directive behind its % and returns its length, or 0.
func parseDirective(s string) (d directive, n int) {
	for ; n < len(s); n++ {
		switch s[n] {
		case '-', '0', '_':
			d.pad = s[n]
			if d.pad == '_' {
				d.pad = ' '
			}
		case '^':
			d.upper = true
		case '#':
			d.swap = true
		case ':':
			d.colons++
		default:
			for n < len(s) && isDigit(s[n]) {
				d.width = min(d.width*10+int(s[n]-'0'), maxWidth)
				n++
			}
			if n == len(s) {
				return d, 0
			}
			d.letter = s[n]
			return d, n + 1
		}
	}
	return d, 0
}

func (d directive) append(dst []byte, t time.Time) ([]byte, bool) {
	if d.colons > 0 && d.letter != 'z' {
		return dst, false
	}
	if n, width, pad, ok := d.number(t); ok {
		return d.appendNumber(dst, n, width, pad), true
	}
	switch d.letter {
	case 'A':
		return d.appendText(dst, t.Weekday().String()), true
	case 'a':
		return d.appendText(dst, t.Weekday().String()[:3]), true
	case 'B':
		return d.appendText(dst, t.Month().String()), true
	case 'b', 'h':
		return d.appendText(dst, t.Month().String()[:3]), true
	case 'p':
		if d.swap {
			return d.appendText(dst, t.Format("pm")), true
		}
		return d.appendText(dst, t.Format("PM")), true
	case 'P':
		return d.appendText(dst, t.Format("pm")), true
	case 'Z':
		name := zoneName(t)
		switch {
		case name == "":
			return dst, true // not even padding
		case d.swap:
			name = strings.ToLower(name)
		}
		return d.appendText(dst, name), true
	case 'z':
		return d.appendOffset(dst, t), true
	case 'N', 'L':
		return d.appendFraction(dst, t), true
	case 'n':
		return d.appendText(dst, "\n"), true
	case 't':
		return d.appendText(dst, "\t"), true
	case '%':
		return d.appendText(dst, "%"), true
	}
	if pattern := composite(d.letter); pattern != "" {
		d.swap = false
		text, _ := appendTimeFormat(nil, t, pattern)
		return d.appendText(dst, string(text)), true
	}
	return dst, false
}

// composite returns the pattern that a directive stands for, or "".
func composite(letter byte) string {
	switch letter {
	case 'c':
		return "%a %b %e %H:%M:%S %Y"
	case 'D', 'x':
		return "%m/%d/%y"
	case 'F':
		return "%Y-%m-%d"
	case 'v':
		return "%e-%^b-%Y"
	case 'r':
		return "%I:%M:%S %p"
	case 'R':
		return "%H:%M"
	case 'T', 'X':
		return "%H:%M:%S"
	}
	return ""
}

// number returns the number that a numeric directive shows, its default width and its padding.
func (d directive) number(t time.Time) (n int64, width int, pad byte, ok bool) {
	pad = '0'
	switch d.letter {
	case 'Y':
		return int64(t.Year()), yearWidth(t.Year()), pad, true
	case 'C':
		return int64(floorDiv(t.Year(), 100)), 2, pad, true
	case 'y':
		return int64(t.Year() - 100*floorDiv(t.Year(), 100)), 2, pad, true
	case 'm':
		return int64(t.Month()), 2, pad, true
	case 'd':
		return int64(t.Day()), 2, pad, true
	case 'e':
		return int64(t.Day()), 2, ' ', true
	case 'j':
		return int64(t.YearDay()), 3, pad, true
	case 'H':
		return int64(t.Hour()), 2, pad, true
	case 'k':
		return int64(t.Hour()), 2, ' ', true
	case 'I':
		return int64((t.Hour()+11)%12 + 1), 2, pad, true
	case 'l':
		return int64((t.Hour()+11)%12 + 1), 2, ' ', true
	case 'M':
		return int64(t.Minute()), 2, pad, true
	case 'S':
		return int64(t.Second()), 2, pad, true
	case 'u':
		return int64((t.Weekday()+6)%7 + 1), 1, pad, true
	case 'w':
		return int64(t.Weekday()), 1, pad, true
	case 'G':
		year, _ := t.ISOWeek()
		return int64(year), yearWidth(year), pad, true
	case 'g':
		year, _ := t.ISOWeek()
		return int64(year % 100), 2, pad, true
	case 'V':
		_, week := t.ISOWeek()
		return int64(week), 2, pad, true
	case 'U':
		return int64((t.YearDay() + 6 - int(t.Weekday())) / 7), 2, pad, true
	case 'W':
		return int64((t.YearDay() + 6 - int(t.Weekday()+6)%7) / 7), 2, pad, true
	case 's':
		return t.Unix(), 0, pad, true
	}
	return 0, 0, 0, false
}

// yearWidth is the width of a year: four digits and a minus sign.
func yearWidth(year int) int {
	if year < 0 {
		return 5
	}
	return 4
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func (d directive) appendNumber(dst []byte, n int64, width int, pad byte) []byte {
	if d.width > 0 {
		width = d.width
	}
	switch d.pad {
	case '-':
		width = 0
	case ' ', '0':
		pad = d.pad
	}
	var buf [20]byte
	digits := strconv.AppendInt(buf[:0], n, 10)
	if pad == '0' && n < 0 && len(digits) < width {
		dst = append(dst, '-')
		digits = digits[1:]
		width--
	}
	for i := len(digits); i < width; i++ {
		dst = append(dst, pad)
	}
	return append(dst, digits...)
}

func (d directive) appendText(dst []byte, s string) []byte {
	if d.upper || d.swap && d.letter != 'p' && d.letter != 'Z' {
		s = strings.ToUpper(s)
	}
	pad := byte(' ')
	if d.pad == '0' {
		pad = '0'
	}
	if d.pad != '-' {
		for i := len(s); i < d.width; i++ {
			dst = append(dst, pad)
		}
	}
	return append(dst, s...)
}

// zoneName is the abbreviation of the zone, empty where it has only an offset, as in Ruby.
func zoneName(t time.Time) string {
	name, _ := t.Zone()
	if name == "" || name[0] == '+' || name[0] == '-' {
		return ""
	}
	return name
}

func (d directive) appendOffset(dst []byte, t time.Time) []byte {
	_, seconds := t.Zone()
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	hours, minutes := seconds/3600, seconds/60%60
	tail := pad2(nil, minutes)
	if d.colons > 0 {
		tail = append([]byte{':'}, tail...)
	}
	if d.colons > 1 {
		tail = pad2(append(tail, ':'), seconds%60)
	}
	digits := 2
	if w := d.width - 1 - len(tail); w > digits {
		digits = w
	}
	number := strconv.Itoa(hours)
	if d.pad == ' ' {
		for i := len(number); i < digits; i++ {
			dst = append(dst, ' ')
		}
		return append(append(append(dst, sign), number...), tail...)
	}
	dst = append(dst, sign)
	for i := len(number); i < digits; i++ {
		dst = append(dst, '0')
	}
	return append(append(dst, number...), tail...)
}

func pad2(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// appendFraction writes the fraction of the second, cut to the width: 9 digits for %N, 3 for %L.
func (d directive) appendFraction(dst []byte, t time.Time) []byte {
	width := 9
	if d.letter == 'L' {
		width = 3
	}
	if d.width > 0 {
		width = d.width
	}
	digits := strconv.Itoa(1_000_000_000 + t.Nanosecond())[1:]
	dst = append(dst, digits[:min(width, len(digits))]...)
	for i := len(digits); i < width; i++ {
		dst = append(dst, '0')
	}
	return dst
}
