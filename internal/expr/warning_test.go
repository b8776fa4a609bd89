package expr

import (
	"fmt"
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	known := Known{Traits: []string{"country", "order count"}, Events: []string{"Order Completed", "Product Viewed"}, Segments: []string{"vip"}, Properties: map[string]Seen{
		"Order Completed": {Properties: []string{"total", "currency"}, Enough: true}, "Product Viewed": {Properties: []string{"category"}},
	}}
	for text, want := range map[string]string{
		`profile.country == "DE" && "vip" in segments && events("Order Completed").exists()`: ``,
		`profile.contry == "DE"`: `1:9 country`, "true &&\n  has(profile.Country)": `2:15 country`, `profile["order_count"] > 1`: `1:9 order count`,
		`profile.absent.country == 1`: `1:9 `, `"vipp" in segments`: `1:1 vip`, `events("Order Complete").where(e, e.properties.country == 1).exists()`: `1:8 Order Completed`,
		`profile.contry == "x" || events("A").exists() || profile.c`:                                                                        `1:9 country;1:33 ;1:58 `,
		`events("Order Completed").where(o, o.properties.curency == "EUR").sum(e, e.properties.totl) > 5`:                                   `1:49 currency;1:87 total`,
		`events("Order Completed").where(o, o.properties.shop == "x" && o.properties.total > 1).exists()`:                                   ``,
		`events("Order Completed").where(o, o.properties["totl"] > 1 && o.properties["total"] > 1 && o.properties["shop"] == "x").exists()`: `1:49 total`,
		`events("Product Viewed").where(o, o.properties.categry == "x").exists()`:                                                           ``, // too few were looked at
		`events().count() > 1`: ``, `not an (expression`: ``,
	} {
		got := ""
		for i, w := range Warnings(text, known) {
			if i > 0 {
				got += ";"
			}
			got += fmt.Sprintf("%d:%d %s", w.Line, w.Column, w.Suggestion)
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// TestOnlyWhatIsKnownIsWarnedOf holds that a new installation, which knows no names, doubts none.
func TestOnlyWhatIsKnownIsWarnedOf(t *testing.T) {
	const text = `profile.a == 1 && events("B").where(e, e.properties.c == 1).exists() && "d" in segments`
	for want, known := range map[string]Known{
		"":                {},
		"trait a,":        {Traits: []string{"b"}},
		"event B,":        {Events: []string{"A"}},
		"segment d,":      {Segments: []string{}}, // all are known: there are none
		"event B,trait a": {Traits: []string{"b"}, Events: []string{"A"}},
	} {
		got := map[string]bool{}
		for _, w := range Warnings(text, known) {
			got[w.Kind+" "+w.Name] = true
		}
		for name := range strings.SplitSeq(want, ",") {
			if name != "" && !got[name] {
				t.Errorf("%+v: %s is not warned of", known, name)
			}
			delete(got, name)
		}
		if len(got) > 0 {
			t.Errorf("%+v: %v are warned of", known, got)
		}
	}
}
