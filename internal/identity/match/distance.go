package match

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

// letters is a text as distances see it: bytes where all of it is ASCII, else runes.
type letters interface{ ~byte | ~rune }

// maxLetters is how much of a text distances look at.
const maxLetters = 64

// ascii reports whether a text has one byte for each letter.
func ascii(s []byte) bool {
	for ; len(s) >= 8; s = s[8:] {
		if binary.LittleEndian.Uint64(s)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func bounded[T any](s []T) []T { return s[:min(len(s), maxLetters)] }

// similarity is that of Jaro and Winkler, 0 to 1 (Winkler, String Comparator Metrics, 1990): letters that both have near
// the same place, less half of those in another order, and a tenth of what is missing to 1 for each of the first four
// letters that agree.
func similarity(a, b []byte) float64 {
	if ascii(a) && ascii(b) {
		return jaroWinkler(bounded(a), bounded(b))
	}
	return jaroWinkler(bounded(bytes.Runes(a)), bounded(bytes.Runes(b)))
}

func jaroWinkler[T letters](a, b []T) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	if len(a) > len(b) || len(a) == len(b) && slices.Compare(a, b) > 0 {
		a, b = b, a // the same for both orders
	}
	reach := max(len(b)/2-1, 0)
	var matchedA, matchedB uint64 // bit i: letter i found its like
	common := 0
	for i, c := range a {
		for j := max(0, i-reach); j < min(len(b), i+reach+1); j++ {
			if b[j] == c && matchedB&(1<<j) == 0 {
				matchedA |= 1 << i
				matchedB |= 1 << j
				common++
				break
			}
		}
	}
	if common == 0 {
		return 0
	}
	misplaced, j := 0, 0
	for i, c := range a {
		if matchedA&(1<<i) == 0 {
			continue
		}
		for matchedB&(1<<j) == 0 {
			j++
		}
		if b[j] != c {
			misplaced++
		}
		j++
	}
	m := float64(common)
	jaro := (m/float64(len(a)) + m/float64(len(b)) + (m-float64(misplaced/2))/m) / 3
	prefix := 0
	for prefix < min(4, len(a)) && a[prefix] == b[prefix] {
		prefix++
	}
	return jaro + float64(prefix)/10*(1-jaro)
}

// within reports whether at most limit letters must be inserted, left out, replaced or exchanged with their neighbour to
// make one text of the other (optimal string alignment).
func within(a, b []byte, limit int) bool {
	if ascii(a) && ascii(b) {
		return alignment(bounded(a), bounded(b), limit) <= limit
	}
	return alignment(bounded(bytes.Runes(a)), bounded(bytes.Runes(b)), limit) <= limit
}

// alignment is the optimal string alignment distance, or something over limit where it is over limit.
func alignment[T letters](a, b []T, limit int) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > limit || len(a) == 0 {
		return len(b)
	}
	var rows [3][maxLetters + 1]uint8
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = uint8(j)
	}
	for i := 1; i <= len(a); i++ {
		row[0] = uint8(i)
		least := row[0]
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			d := min(last[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
			least = min(least, d)
		}
		if int(least) > limit {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return int(last[len(b)])
}

// soundex is the code of a Latin name's sound (Russell 1918, as the United States census used it): its first letter and
// three digits. Other scripts give their first three letters.
func soundex(s []byte) uint64 {
	if len(s) == 0 || s[0] < 'a' || s[0] > 'z' {
		return hash(s[:min(len(s), 9)])
	}
	const codes = "01230120022455012623010202" // a to z
	code := uint64(s[0])
	last, n := codes[s[0]-'a'], 1
	for _, c := range s[1:] {
		if c < 'a' || c > 'z' {
			last = '0'
			continue
		}
		switch d := codes[c-'a']; {
		case d == '0':
			if c != 'h' && c != 'w' {
				last = '0'
			}
		case d != last:
			code, last = code<<8|uint64(d), d
			if n++; n == 4 {
				return code
			}
		}
	}
	return code
}
