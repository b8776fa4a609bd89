// Package campaign is who gets a broadcast, and when: its definition, and the run that turns a segment into messages,
// exactly one for each person and address, through pauses and crashes.
package campaign

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Definition is a campaign as people write it. Empty fields but the first three take the values of WithDefaults.
type Definition struct {
	Segment          string `json:"segment" yaml:"segment"`
	Template         string `json:"template" yaml:"template"`
	From             string `json:"from" yaml:"from"`                             // Shop <news@shop.example>
	ReplyTo          string `json:"reply_to,omitempty" yaml:"reply_to,omitempty"` // empty: From
	UTM              UTM    `json:"utm,omitzero" yaml:"utm,omitempty"`
	ConversionEvent  string `json:"conversion_event,omitempty" yaml:"conversion_event,omitempty"`
	ConversionValue  string `json:"conversion_value,omitempty" yaml:"conversion_value,omitempty"`   // property of the event that is its revenue
	ConversionWindow string `json:"conversion_window,omitempty" yaml:"conversion_window,omitempty"` // such as 36h, 5d or 2w, after the click or opening
}

// UTM are the parameters added to the links of the campaign's mail.
type UTM struct {
	Source   string `json:"source,omitempty" yaml:"source,omitempty"`
	Medium   string `json:"medium,omitempty" yaml:"medium,omitempty"`
	Campaign string `json:"campaign,omitempty" yaml:"campaign,omitempty"`
}

const (
	defaultEvent  = "Order Completed"
	defaultValue  = "total"
	defaultWindow = "5d"
	maxWindow     = 90 * 24 * time.Hour
	maxName       = 200 // characters of any name here
)

// WithDefaults fills what was left empty. name is the campaign's.
func (d Definition) WithDefaults(name string) Definition {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&d.UTM.Source, "tailorbird")
	set(&d.UTM.Medium, "email")
	set(&d.UTM.Campaign, name)
	set(&d.ConversionEvent, defaultEvent)
	set(&d.ConversionValue, defaultValue)
	set(&d.ConversionWindow, defaultWindow)
	return d
}

// Validate reports every field that is wrong, each as an Invalid fault with its name. That segment and template exist
// is for the caller to check.
func (d Definition) Validate() error {
	var wrong []error
	for _, required := range []struct{ field, value string }{{"segment", d.Segment}, {"template", d.Template}, {"from", d.From}} {
		if strings.TrimSpace(required.value) == "" {
			wrong = append(wrong, fault.Field(required.field, "is missing"))
		}
	}
	for _, address := range []struct{ field, value string }{{"from", d.From}, {"reply_to", d.ReplyTo}} {
		if address.value == "" {
			continue
		}
		if _, err := deliver.ParseAddress(address.value); err != nil {
			wrong = append(wrong, fault.Field(address.field, "%s", err))
		}
	}
	for _, text := range []struct{ field, value string }{
		{"segment", d.Segment},
		{"template", d.Template},
		{"utm.source", d.UTM.Source},
		{"utm.medium", d.UTM.Medium},
		{"utm.campaign", d.UTM.Campaign},
		{"conversion_event", d.ConversionEvent},
		{"conversion_value", d.ConversionValue},
	} {
		if len(text.value) > maxName {
			wrong = append(wrong, fault.Field(text.field, "is longer than %d characters", maxName))
		}
	}
	if d.ConversionWindow != "" {
		if _, err := ParseWindow(d.ConversionWindow); err != nil {
			wrong = append(wrong, fault.Field("conversion_window", "%s", err))
		}
	}
	return errors.Join(wrong...)
}

// Window is the conversion window of a valid definition.
func (d Definition) Window() time.Duration {
	window, err := ParseWindow(d.ConversionWindow)
	if err != nil {
		window, _ = ParseWindow(defaultWindow)
	}
	return window
}

var units = map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// ParseWindow reads a whole number and a unit: m, h, d or w.
func ParseWindow(s string) (time.Duration, error) {
	wrong := fault.New(fault.Invalid, "%q is not a time span of at most 90 days; write 36h, 5d or 2w", s)
	if s == "" {
		return 0, wrong
	}
	unit, known := units[s[len(s)-1]]
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 31)
	if !known || err != nil || n == 0 || n > uint64(maxWindow/unit) {
		return 0, wrong
	}
	return time.Duration(n) * unit, nil
}
