package expr

import (
	"fmt"
	"strings"
	"time"
)

// ParseDuration reads a duration with the units of time.ParseDuration and also d (24 hours) and w (7 days), such as
// "90d" or "1w12h". Conditions know nothing longer than a century.
func ParseDuration(s string) (time.Duration, error) {
	var expanded strings.Builder
	number := strings.Builder{}
	flush := func(factor int) error {
		var n float64
		if _, err := fmt.Sscanf(number.String(), "%g", &n); err != nil {
			return fmt.Errorf("%q is not a duration", s)
		}
		fmt.Fprintf(&expanded, "%gh", n*float64(factor))
		number.Reset()
		return nil
	}
	for _, r := range s {
		switch {
		case r == 'd' || r == 'w':
			factor := 24
			if r == 'w' {
				factor = 7 * 24
			}
			if err := flush(factor); err != nil {
				return 0, err
			}
		case r >= '0' && r <= '9' || r == '.':
			number.WriteRune(r)
		default:
			expanded.WriteString(number.String())
			number.Reset()
			expanded.WriteRune(r)
		}
	}
	d, err := time.ParseDuration(expanded.String() + number.String())
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration; write for instance \"90d\", \"48h\" or \"30m\"", s)
	}
	if d > 100*366*24*time.Hour || d < -100*366*24*time.Hour {
		return 0, fmt.Errorf("%q is longer than a century", s)
	}
	return d, nil
}
