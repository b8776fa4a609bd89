package match

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// pairOf compares two records of one field each and gives the words of the level.
func pairOf(t *testing.T, fields []Field, a, b []string) []string {
	t.Helper()
	r, err := NewRecords(fields)
	if err != nil {
		t.Fatal(err)
	}
	for id, row := range [][]string{a, b} {
		values := make([][]string, len(row))
		for i, v := range row {
			values[i] = []string{v}
		}
		r.Add(int64(id), values)
	}
	r.freeze()
	var said []string
	for _, c := range comparisons(r) {
		for _, g := range []grade{c.grade(r, 0, 1), c.grade(r, 1, 0)} {
			if g.level == missing {
				said = append(said, "nothing")
			} else {
				said = append(said, c.levels[g.level].words)
			}
		}
		if n := len(said); said[n-1] != said[n-2] {
			t.Errorf("%v, %v: %q one way, %q the other", a, b, said[n-2], said[n-1])
		}
		said = said[:len(said)-1]
	}
	return said
}

func TestLevels(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		a, b string
		want string
	}{
		{Surname, "O’Brien", "OBRIEN", "is the same"},
		{Surname, "Müller", "Muller", "is the same"},
		{Surname, "Allen", "Alan", "is a little similar"},
		{Surname, "Allen", "Alen", "differs by one letter"},
		{Surname, "Allen", "Zuckerberg", "differs"},
		{Surname, "Allen", "", "nothing"},
		{Surname, "Allen", "n/a", "nothing"},
		{Email, "Ada+shop@Example.com", "ada@example.com", "is the same"},
		{Email, "a.da@gmail.com", "ada@googlemail.com", "is the same"},
		{Email, "lovelace@mail.example", "lovelace@post.example", "has the same name at another provider"},
		{Email, "lovelace@mail.example", "lvoelace@mail.example", "differs by a letter or two"},
		{Email, "lovelace@mail.example", "babbage@mail.example", "differs"},
		{Phone, "+44 20 7946 0958", "020 7946 0958", "is the same, once without the area or country"},
		{Phone, "+44 20 7946 0958", "0044 (20) 7946-0958", "is the same"},
		{Phone, "+442079460958", "+442079460985", "differs in one digit"},
		{Phone, "000000", "000000", "nothing"},
		{Date, "1971-06-24", "24 June 1971", "is the same"},
		{Date, "1971-06-24", "24.6.1971", "is the same"},
		{Date, "1971-06-24", "1971-06-24T00:00:00Z", "is the same"},
		{Date, "1971-06-11", "1971-11-06", "has day and month exchanged"},
		{Date, "1971-06-24", "1917-06-24", "differs in one digit or by a year"},
		{Date, "2000-06-24", "1999-06-24", "differs in one digit or by a year"},
		{Date, "1971-06-24", "1953-06-24", "agrees in two of day, month and year"},
		{Date, "1971-06-24", "1953-01-02", "differs"},
		{Street, "Main St.", "main street", "and house number are the same"},
		{Street, "Hauptstr.", "Hauptstraße", "and house number are the same"},
		{Postcode, "SW1A 1AA", "sw1a1aa", "has the same postcode and town"},
		{Identifier, "00-123 45", "12345", "is the same"},
		{Identifier, "123-45", "123-46", "differs in one character"},
		{Device, "a", "b", "nothing"},
		{Device, "a", "a", "was shared"},
	} {
		got := pairOf(t, []Field{{Name: "x", Kind: c.kind}}, []string{c.a}, []string{c.b})
		if got[0] != c.want {
			t.Errorf("%s %q, %q: got %q, want %q", c.kind, c.a, c.b, got[0], c.want)
		}
	}
}

func TestNamesThatWereExchangedAreToldOnce(t *testing.T) {
	fields := []Field{{Name: "given", Kind: GivenName}, {Name: "surname", Kind: Surname}}
	for _, c := range []struct {
		a, b [2]string
		want [2]string
	}{
		{[2]string{"Ada", "Lovelace"}, [2]string{"Lovelace", "Ada"}, [2]string{"is exchanged with the surname", "nothing"}},
		{[2]string{"", "Lovelace"}, [2]string{"Lovelace", "Ada"}, [2]string{"is exchanged with the surname", "nothing"}},
		{[2]string{"Ada", "Lovelace"}, [2]string{"Ada", "King"}, [2]string{"is the same", "differs"}},
		{[2]string{"James", "Thomas"}, [2]string{"Thomas", "Byron"}, [2]string{"differs", "differs"}},
	} {
		got := pairOf(t, fields, c.a[:], c.b[:])
		if got[0] != c.want[0] || got[1] != c.want[1] {
			t.Errorf("%v, %v: got %q", c.a, c.b, got)
		}
	}
}

func TestAnAddressMadeOfTheNameSaysNothingNew(t *testing.T) {
	fields := []Field{{Name: "given", Kind: GivenName}, {Name: "surname", Kind: Surname}, {Name: "mail", Kind: Email}}
	got := pairOf(t, fields, []string{"John", "Smith", "john.smith12@mail.example"}, []string{"John", "Smith", "john.smith87@mail.example"})
	if got[2] != "nothing" {
		t.Errorf("two John Smiths: got %q", got[2])
	}
	got = pairOf(t, fields, []string{"John", "Smith", "wintermute12@mail.example"}, []string{"John", "Smith", "wintermute13@mail.example"})
	if got[2] == "nothing" {
		t.Error("an address that is not made of the name was passed over")
	}
}

// Whatever the records hold: the order of a pair does not matter, a record without values is worth the prior alone, and
// probabilities are probabilities.
func TestWeighingHolds(t *testing.T) {
	text := rapid.SampledFrom([]string{"", "ada", "adda", "lovelace", "1971-06-24", "24.6.1971", "a@b.example", "0207 946 0958", "жук", "7"})
	rapid.Check(t, func(t *rapid.T) {
		r, err := NewRecords(townFields)
		if err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(0, 12).Draw(t, "records")
		for id := range n {
			values := make([][]string, len(townFields))
			for f := range values {
				values[f] = rapid.SliceOfN(text, 0, 2).Draw(t, "values")
			}
			r.Add(int64(id), values)
		}
		r.Add(int64(n), nil)
		result, err := Find(t.Context(), r, Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		m := result.Model
		for a := range uint32(n + 1) {
			for b := range a {
				bits := m.weigh(a, b)
				if math.IsNaN(bits) || math.Abs(bits-m.weigh(b, a)) > 1e-9 {
					t.Fatalf("%d and %d weigh %v, the other way %v", a, b, bits, m.weigh(b, a))
				}
				if a == uint32(n) && math.Abs(bits-m.prior()) > 1e-9 {
					t.Fatalf("a record without values weighs %v, not %v", bits, m.prior())
				}
			}
		}
		for _, p := range result.Pairs {
			if p.Probability < DefaultThreshold-1e-9 || p.Probability > 1 || p.A == p.B {
				t.Fatalf("%+v", p)
			}
		}
	})
}
