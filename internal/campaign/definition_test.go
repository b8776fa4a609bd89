package campaign

import (
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

func TestDefinitionDefaults(t *testing.T) {
	d := Definition{Segment: "vip", Template: "spring", From: "Shop <news@shop.example>", UTM: UTM{Source: "own"}}
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	want := d
	want.UTM = UTM{"own", "email", "spring-sale"}
	want.ConversionEvent, want.ConversionValue, want.ConversionWindow = "Order Completed", "total", "5d"
	if got := d.WithDefaults("spring-sale"); got != want {
		t.Errorf("%+v", got)
	}
	if got := want.Window(); got != 120*time.Hour {
		t.Errorf("window %s", got)
	}
}

func TestValidateNamesEveryField(t *testing.T) {
	err := Definition{From: "nobody", ReplyTo: "a@b@c", ConversionWindow: "5 days", UTM: UTM{Medium: strings.Repeat("x", 300)}}.Validate()
	var got []string
	for _, f := range fault.All(err) {
		got = append(got, string(f.Code)+" "+f.Field)
	}
	if want := "invalid segment,invalid template,invalid from,invalid reply_to,invalid utm.medium,invalid conversion_window"; strings.Join(got, ",") != want {
		t.Errorf("got %s", strings.Join(got, ","))
	}
}

func TestWindows(t *testing.T) {
	for in, want := range map[string]time.Duration{"30m": 30 * time.Minute, "36h": 36 * time.Hour, "5d": 120 * time.Hour, "2w": 336 * time.Hour, "90d": maxWindow} {
		if got, err := ParseWindow(in); err != nil || got != want {
			t.Errorf("%s: %s %v", in, got, err)
		}
	}
	for _, bad := range []string{"", "d", "0d", "-1d", "5", "5y", "1.5d", "91d", "99999999999999999999d", "5 d"} {
		if got, err := ParseWindow(bad); err == nil {
			t.Errorf("%q: %s", bad, got)
		}
	}
}
