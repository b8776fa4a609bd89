// Package deliver is how a message leaves: addresses, the wire form, DKIM, links and their tokens, the outbox, and the
// connection to the mail server, at most once through any crash.
package deliver

import (
	"net/mail"
	"strings"

	"golang.org/x/net/idna"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Address is a mailbox with an optional display name.
type Address struct {
	Name  string
	Email string // normalised
}

// Domain is what follows the @.
func (a Address) Domain() string { return a.Email[strings.LastIndexByte(a.Email, '@')+1:] }

// maxAddress is the longest path that SMTP carries (RFC 5321, 4.5.3.1.3), without its brackets.
const maxAddress = 254

// ParseAddress reads "Name <mailbox>" or a bare mailbox.
func ParseAddress(s string) (Address, error) {
	if strings.ContainsAny(s, "\r\n\x00") {
		return Address{}, fault.New(fault.Invalid, "an address cannot contain line breaks")
	}
	parsed, err := mail.ParseAddress(s)
	if err != nil {
		return Address{}, fault.New(fault.Invalid, "%q is not an e-mail address; write news@shop.example or Shop <news@shop.example>", s)
	}
	email, err := NormalizeEmail(parsed.Address)
	if err != nil {
		return Address{}, err
	}
	return Address{Name: parsed.Name, Email: email}, nil
}

// NormalizeEmail gives the form in which a mailbox is compared and stored: lower case, the domain in its ASCII form. A
// mailbox whose local part is not ASCII needs an extension that few servers have, and is refused.
func NormalizeEmail(s string) (string, error) {
	s = strings.TrimSpace(s)
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 || len(s) > maxAddress {
		return "", fault.New(fault.Invalid, "%q is not an e-mail address", s)
	}
	domain, err := idna.Lookup.ToASCII(s[at+1:])
	if err != nil || !strings.Contains(domain, ".") && domain != "localhost" {
		return "", fault.New(fault.Invalid, "%q has no valid domain after the @", s)
	}
	email := strings.ToLower(s[:at]) + "@" + domain
	for i := range len(email) {
		if c := email[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' {
			return "", fault.New(fault.Invalid, "%q is not an e-mail address that mail servers accept", s)
		}
	}
	if parsed, err := mail.ParseAddress(email); err != nil || parsed.Name != "" {
		return "", fault.New(fault.Invalid, "%q is not an e-mail address", s)
	}
	return email, nil
}
