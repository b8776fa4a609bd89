package expr

import (
	"fmt"
	"testing"
)

func TestWarnings(t *testing.T) {
	known := Known{Traits: []string{"country", "order count"}, Events: []string{"Order Completed", "Product Viewed"}, Segments: []string{"vip"}, Properties: map[string][]string{"Order Completed": {"total", "currency"}}}
	for text, want := range map[string]string{
		`profile.country == "DE" && "vip" in segments && events("Order Completed").exists()`: ``,
		`profile.contry == "DE"`: `1:9 country`, "true &&\n  has(profile.Country)": `2:15 country`, `profile["order_count"] > 1`: `1:9 order count`,
		`profile.absent.country == 1`: `1:9 `, `"vipp" in segments`: `1:1 vip`, `events("Order Complete").where(e, e.properties.country == 1).exists()`: `1:8 Order Completed`,
		`profile.contry == "x" || events("A").exists() || profile.c`:                                      `1:9 country;1:33 ;1:58 `,
		`events("Order Completed").where(o, o.properties.curency == "EUR").sum(e, e.properties.totl) > 5`: `1:49 currency;1:87 total`,
		`events("Order Completed").where(o, o.properties.shop == "x" && o.properties.total > 1).exists()`: ``,
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
