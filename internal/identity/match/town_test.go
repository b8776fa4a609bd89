package match

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// town makes customers as a shop in a country of families has them: names, towns and streets by Zipf's law, households
// that share a surname, an address and often a phone, and some people registered more than once, with slips, another
// mailbox, or after a move. It knows the truth, of which nothing reaches the code under test.
type town struct {
	random                         *rand.Rand
	given, surnames, cities, roads []string
	again                          float64 // the share of people who registered again
	mailboxes                      map[string]bool
}

var townFields = []Field{
	{Name: "firstName", Kind: GivenName},
	{Name: "lastName", Kind: Surname},
	{Name: "email", Kind: Email},
	{Name: "phone", Kind: Phone},
	{Name: "birthday", Kind: Date},
	{Name: "number", Kind: HouseNumber},
	{Name: "street", Kind: Street},
	{Name: "postalCode", Kind: Postcode},
	{Name: "city", Kind: City},
	{Name: "state", Kind: Region},
	{Name: "anonymous_id", Kind: Device},
}

type resident [11]string // in the order of townFields

func newTown(seed uint64, again float64) *town {
	w := &town{random: rand.New(rand.NewPCG(seed, 1)), again: again, mailboxes: map[string]bool{}}
	w.given, w.surnames = w.invent(3_000, 2, 3), w.invent(60_000, 2, 4)
	w.cities, w.roads = w.invent(4_000, 2, 4), w.invent(20_000, 2, 4)
	return w
}

// newSmallTown has so few names that everybody shares some.
func newSmallTown(seed uint64) *town {
	w := &town{random: rand.New(rand.NewPCG(seed, 1)), again: 0.3, mailboxes: map[string]bool{}}
	w.given, w.surnames, w.cities, w.roads = w.invent(5, 1, 2), w.invent(5, 1, 2), w.invent(3, 1, 2), w.invent(4, 1, 2)
	return w
}

// invent makes words of syllables, different ones.
func (w *town) invent(n, least, most int) []string {
	const first, second = "b c d f g h j k l m n p r s t v w z br st th ch kl", "a e i o u a e i o ai ea ou"
	onsets, vowels, ends := strings.Fields(first), strings.Fields(second), []string{"", "", "n", "r", "s", "l", "ck", "tt"}
	seen, words := map[string]bool{}, make([]string, 0, n)
	for len(words) < n {
		var b strings.Builder
		for range least + w.random.IntN(most-least+1) {
			b.WriteString(onsets[w.random.IntN(len(onsets))] + vowels[w.random.IntN(len(vowels))])
		}
		b.WriteString(ends[w.random.IntN(len(ends))])
		if s := b.String(); !seen[s] {
			seen[s] = true
			words = append(words, s)
		}
	}
	return words
}

// pick takes the i-th word about as often as 1/i.
func (w *town) pick(words []string) string {
	return words[int(math.Pow(float64(len(words)), w.random.Float64()))-1]
}

func (w *town) chance(p float64) bool { return w.random.Float64() < p }

func (w *town) digits(n int) string {
	s := make([]byte, n)
	for i := range s {
		s[i] = byte('0' + w.random.IntN(10))
	}
	return string(s)
}

func (w *town) birthday(from, to int) string {
	return fmt.Sprintf("%04d-%02d-%02d", from+w.random.IntN(to-from), 1+w.random.IntN(12), 1+w.random.IntN(28))
}

// households calls keep with one profile after the other, and the number of the person whose it is, until n were kept.
func (w *town) households(n int, keep func(person int, r resident)) {
	person, kept := 0, 0
	for kept < n {
		home := w.address()
		surname, phone := w.pick(w.surnames), "+49"+w.digits(10)
		names := map[string]bool{}
		for range 1 + w.random.IntN(4) {
			r := home
			for r[0] = w.pick(w.given); names[r[0]]; {
				r[0] = w.pick(w.given) // no two children of one name
			}
			names[r[0]] = true
			r[1], r[4] = surname, w.birthday(1940, 2005)
			r[2] = w.mailbox(r)
			r[3] = phone
			if w.chance(0.7) {
				r[3] = "+49" + w.digits(10)
			}
			r[10] = w.digits(16)
			for again := false; kept < n; again = true {
				if again {
					keep(person, w.slip(r))
				} else {
					keep(person, w.forget(r))
				}
				kept++
				if !w.chance(w.again) {
					break
				}
			}
			person++
		}
	}
}

func (w *town) address() (r resident) {
	city := int(math.Pow(float64(len(w.cities)), w.random.Float64())) - 1
	r[5], r[6] = fmt.Sprint(1+w.random.IntN(150)), w.pick(w.roads)+" street"
	r[7] = fmt.Sprintf("%04d%d", city, w.random.IntN(10))
	r[8], r[9] = w.cities[city], fmt.Sprintf("state %d", city%16)
	return r
}

// mailbox is an address that nobody has; common names need longer numbers.
func (w *town) mailbox(r resident) string {
	providers := []string{"mail.example", "post.example", "box.example", "web.example"}
	for most := 10; ; most *= 2 {
		address := r[0] + "." + r[1] + fmt.Sprint(w.random.IntN(most)) + "@" + w.pick(providers)
		if !w.mailboxes[address] {
			w.mailboxes[address] = true
			return address
		}
	}
}

// forget leaves out what the first registration did not ask for.
func (w *town) forget(r resident) resident {
	for i, p := range [...]float64{0.02, 0.02, 0.1, 0.4, 0.3, 0.3, 0.3, 0.3, 0.3, 0.5, 0} {
		if w.chance(p) {
			r[i] = ""
		}
	}
	return r
}

// slip is the same person registering again.
func (w *town) slip(r resident) resident {
	if w.chance(0.5) {
		r[2] = w.mailbox(r)
	}
	if w.chance(0.3) {
		r[3] = "+49" + w.digits(10)
	}
	if w.chance(0.15) { // moved
		moved := w.address()
		copy(r[5:10], moved[5:10])
	}
	if w.chance(0.02) {
		r[0], r[1] = r[1], r[0]
	}
	for i, p := range [...]float64{0.1, 0.08, 0.03, 0.03, 0.05, 0.02, 0.1, 0.03, 0.05, 0, 0} {
		if w.chance(p) {
			r[i] = w.mistype(r[i])
		}
	}
	r[10] = w.digits(16)
	return w.forget(r)
}

func (w *town) mistype(s string) string {
	if len(s) < 2 {
		return s
	}
	at := 1 + w.random.IntN(len(s)-1)
	c := string(rune('a' + w.random.IntN(26)))
	if s[at] >= '0' && s[at] <= '9' {
		c = w.digits(1)
	}
	switch w.random.IntN(4) {
	case 0:
		return s[:at] + s[at+1:]
	case 1:
		return s[:at] + c + s[at:]
	case 2:
		return s[:at-1] + s[at:at+1] + s[at-1:at] + s[at+1:]
	}
	return s[:at] + c + s[at+1:]
}

// fill makes n records and says whose each is.
func (w *town) fill(t testing.TB, n int) (*Records, table) {
	t.Helper()
	r, err := NewRecords(townFields)
	if err != nil {
		t.Fatal(err)
	}
	var d table
	values := make([][]string, len(townFields))
	w.households(n, func(person int, one resident) {
		for i := range one {
			values[i] = one[i : i+1]
		}
		r.Add(int64(len(d.person)), values)
		d.rows = append(d.rows, nil)
		d.person = append(d.person, fmt.Sprint(person))
	})
	return r, d
}
