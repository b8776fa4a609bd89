package liquid_test

import (
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/liquid"
)

// The amounts follow CLDR 45; the spaces are no-break, those of French groups narrow.
func TestMoney(t *testing.T) {
	check(t, liquid.New(), map[string]any{"p": 1299.5, "i": 1234567, "n": nil, "s": "19.99", "x": "free", "neg": -0.005, "h": 0.005}, [][2]string{
		{"{{ p | money }}", "$1,299.50"},
		{"{{ p | money: 'EUR', 'de' }}", "1.299,50\u00a0€"},
		{"{{ p | money: 'EUR', 'de-AT' }}", "€\u00a01.299,50"},
		{"{{ i | money: currency: 'EUR', locale: 'fr-FR' }}", "1\u202f234\u202f567,00\u00a0€"},
		{"{{ p | money: 'EUR', 'es' }}{{ i | money: 'EUR', 'es' }}", "1299,50\u00a0€1.234.567,00\u00a0€"},
		{"{{ i | money: 'INR', 'en-IN' }}", "₹12,34,567.00"},
		{"{{ p | money: 'JPY', 'ja' }}", "¥1,300"},
		{"{{ p | money: 'KWD' }}", "KWD\u00a01,299.500"},
		{"{{ p | money: 'CAD' }}{{ p | money: 'CAD', 'en-CA' }}", "CA$1,299.50$1,299.50"},
		{"{{ p | money: 'SEK', 'sv' }}", "1\u00a0299,50\u00a0kr"},
		{"{{ s | money }}{{ n | money }}{{ x | money }}{{ h | money }}", "$19.99free$0.01"},
		{"{{ -5 | money }}{{ 0 | money }}{{ 7 | money: 'XYZ' }}", "-$5.00$0.00XYZ\u00a07.00"},
		{"{{ p | money_with_currency }} {{ p | money_without_currency }} {{ 5 | money_without_trailing_zeros }} {{ p | money_without_trailing_zeros }}", "$1,299.50 USD 1,299.50 $5 $1,299.50"},
		{"{{ 123456789012345678901234567890 | money }}", "$123,456,789,012,345,678,901,234,567,890.00"},
	})
	german := liquid.New(liquid.WithMoney("EUR", "de"))
	check(t, german, nil, [][2]string{{"{{ 0.5 | money }}", "0,50\u00a0€"}})
}

func TestDatesKnowTimeZones(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	now := func() time.Time { return time.Date(2024, 7, 1, 22, 30, 0, 0, time.UTC) }
	data := map[string]any{"t": time.Date(2024, 1, 31, 23, 30, 0, 0, time.UTC), "unix": 1706743800, "s": "2024-01-31 23:30", "z": "2024-01-31T23:30:00Z", "off": "2024-01-31 23:30 -0500"}
	check(t, liquid.New(liquid.WithLocation(berlin), liquid.WithClock(now)), data, [][2]string{
		{"{{ t | date: '%F %R %Z' }}", "2024-02-01 00:30 CET"},
		{"{{ unix | date: '%F %R' }}", "2024-02-01 00:30"},
		{"{{ s | date: '%F %R %z' }}", "2024-01-31 23:30 +0100"},
		{"{{ z | date: '%F %R' }}{{ off | date: ' %F %R' }}", "2024-02-01 00:30 2024-02-01 05:30"},
		{"{{ 'now' | date: '%F %R %Z' }}{{ 'today' | date: ' %d' }}", "2024-07-02 00:30 CEST 02"},
		{"{{ t | date: '%F %R', 'Asia/Tokyo' }}{{ t | date: ' %R', timezone: 'America/New_York' }}", "2024-02-01 08:30 18:30"},
	})
	check(t, liquid.New(liquid.WithClock(now)), data, [][2]string{
		{"{{ t | date: '%F %R %Z' }}{{ off | date: ' %F %R %z' }}{{ 'now' | date: ' %R' }}", "2024-01-31 23:30 UTC 2024-01-31 23:30 -0500 22:30"},
	})
	if kind := kindOf(t, liquid.New(), "{{ 'now' | date: '%F', 'Mars/Base' }}", nil); kind != liquid.ArgumentError {
		t.Errorf("ended with %q, want %q", kind, liquid.ArgumentError)
	}
}
