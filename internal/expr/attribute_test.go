package expr

import (
	"math"
	"testing"
)

// holds checks conditions in both readings.
func holds(t *testing.T, traits map[string]any, cases map[string]bool) {
	t.Helper()
	for text, want := range cases {
		p, err := Condition(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		s := scope(noon.UnixMicro(), nil)
		s.Trait = func(name string) (any, bool) { v, ok := traits[name]; return v, ok }
		if got := p.Result(s); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
		if got := p.NaiveResult(s); got != want {
			t.Errorf("naively %s: got %v, want %v", text, got, want)
		}
	}
}

func TestAttributeFunctions(t *testing.T) {
	holds(t, map[string]any{
		"street": "HAUPTSTRASSE", "city": "ZU\u0308RICH", "greek": "ΣΊΣΥΦΟΣ", "number": 7.0,
		"app": "1.10.2", "ios": "v2.0-beta.2 (1234)", "bad": "latest", "build": 3.0,
		"tags": []any{"Sale", "outdoor", 5.0}, "lat": 36.12, "lon": -86.67, "north": 91.0,
	}, map[string]bool{
		`fold(profile.street) == fold("Hauptstraße")`: true, `fold(profile.city) == fold("zürich")`: true,
		`fold(profile.greek) == fold("σίσυφος")`: true, `fold(profile.city).contains(fold("RICH"))`: true,
		`fold(profile.city) == fold("zurich")`: false, `fold(profile.absent) == fold("x")`: false, `fold(profile.number) == "7"`: false,
		`profile.tags.exists(x, fold(x) == fold("SALE"))`: true,

		`version(profile.app) > version("1.9")`: true, `version(profile.app) == version("1.10.2.0")`: true, `version(profile.app) < "1.10.10"`: true,
		`version("1.0.0") == version("v1")`: true, `version(profile.ios) < version("2")`: true, `version(profile.ios) > version("2.0-beta.1")`: true,
		`version(profile.bad) > version("0")`: false, `version(profile.absent) < version("9")`: false, `version(profile.build) >= version("3")`: true,
		`version(profile.app) != version("1.10.2")`: false, `has(profile.app) && version(profile.app) > "1.10.2-rc.1"`: true,

		`profile.tags.containsAny(["x", "outdoor"])`: true, `profile.tags.containsAny(["x"])`: false, `profile.tags.containsAll(["Sale", 5])`: true,
		`profile.tags.containsAll(["Sale", "x"])`: false, `profile.absent.containsAny(["x"])`: false, `profile.app.containsAny(["1"])`: false,
		`!profile.absent.containsAll([])`: true, `size(profile.tags) == 3`: true, `size(profile.absent) == 0`: false,
		`profile.tags.all(x, x != "z")`: true, `profile.absent.all(x, x == 1)`: false, `profile.tags.exists_one(x, x == 5)`: true,
		`sets.intersects(profile.tags, ["Sale"])`: true, `sets.contains(profile.absent, ["Sale"])`: false,

		// Nashville to Los Angeles, the example of the haversine formula at rosettacode.org, there 2887.26 km with a radius of
		// 6372.8 km, here therefore 2886.45.
		`distance(profile.lat, profile.lon, 33.94, -118.40) > 2886.4`: true, `distance(profile.lat, profile.lon, 33.94, -118.40) < 2886.5`: true,
		`distance(profile.north, profile.lon, 33.94, -118.40) > 0`: false, `distance(profile.absent, 0, 0, 0) < 1`: false,
		`distance(profile.lat, profile.lon, profile.lat, profile.lon) == 0`: true,
	})
}

// Semantic Versioning 2.0.0, section 11, gives this order.
func TestVersionsInOrder(t *testing.T) {
	order := []string{
		"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0",
		"2.0.0", "2.1.0", "2.1.1", "2.10",
	}
	for i, a := range order {
		for j, b := range order {
			v, okA := parseVersion(a)
			w, okB := parseVersion(b)
			if c := v.compare(w); !okA || !okB || (c < 0) != (i < j) || (c > 0) != (i > j) {
				t.Errorf("%s beside %s: %d", a, b, c)
			}
		}
	}
	for _, bad := range []string{"", "v", "1..2", "x", "1.2-", "1.x", "-1", "1.2.3.4.5.6.7.8.9"} {
		if v, ok := parseVersion(bad); ok {
			t.Errorf("%q was read as %v", bad, v)
		}
	}
}

func TestDistances(t *testing.T) {
	quarter := earthRadius * math.Pi / 2
	for _, c := range []struct{ lat1, lon1, lat2, lon2, want, off float64 }{
		{0, 0, 0, 90, quarter, 1e-9},
		{0, 0, 90, 17, quarter, 1e-9},
		{0, 179, 0, -179, 2 * quarter / 90, 1e-9},
		{0, 0, 0, 180, 2 * quarter, 1e-9},
		{90, 0, 90, 77, 0, 1e-9},
		// Geodesics on the WGS 84 ellipsoid between airports, as published (Great Circle Mapper): a sphere is within 0.6 %.
		{40.6398, -73.7789, 51.4706, -0.4619, 5555, 0.006 * 5555},      // JFK – LHR, 3451 miles
		{-33.9461, 151.1772, -33.3930, -70.7858, 11341, 0.006 * 11341}, // SYD – SCL, 7047 miles
	} {
		if got := distance(c.lat1, c.lon1, c.lat2, c.lon2); math.Abs(got-c.want) > c.off {
			t.Errorf("%v: got %v km", c, got)
		}
		if got := distance(c.lat2, c.lon2, c.lat1, c.lon1); math.Abs(got-c.want) > c.off {
			t.Errorf("%v backwards: got %v km", c, got)
		}
	}
}
