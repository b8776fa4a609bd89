package deliver

import (
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Reason says why a message was not sent, did not arrive, or why an address gets no more of them.
type Reason string

// Why an address is suppressed.
const (
	Unsubscribed Reason = "unsubscribed" // asked us to stop; or the profile's own preference
	Complained   Reason = "complained"   // reported a message as spam
	Bounced      Reason = "bounced"      // the mailbox does not exist
	Manual       Reason = "manual"       // an operator's decision
)

// Why a message was skipped or failed, besides.
const (
	Suppressed       Reason = "suppressed"        // the address is on the suppression list
	NoAddress        Reason = "no_address"        // the profile has no usable e-mail address
	DuplicateAddress Reason = "duplicate_address" // another profile with this address got the message
	RenderFailed     Reason = "render_failed"     // the template could not be rendered for this person
	Expired          Reason = "expired"           // the mail server deferred it for too long
	Rejected         Reason = "rejected"          // the mail server refused it for a reason other than the address
)

// Suppression keeps an address from all mail.
type Suppression struct {
	Email  string
	Reason Reason
	Since  time.Time
}

// NewSuppression checks and normalises.
func NewSuppression(email string, reason Reason, since time.Time) (Suppression, error) {
	normalized, err := NormalizeEmail(email)
	if err != nil {
		return Suppression{}, fault.Field("email", "%q is not an e-mail address", email)
	}
	switch reason {
	case Unsubscribed, Complained, Bounced, Manual:
	case "":
		reason = Manual
	default:
		return Suppression{}, fault.Field("reason", "%q is none of unsubscribed, complained, bounced, manual", reason)
	}
	return Suppression{Email: normalized, Reason: reason, Since: since}, nil
}

// Stronger reports whether a new suppression replaces an old one: what binds us more stays.
func (s Suppression) Stronger(old Suppression) bool { return rank[s.Reason] > rank[old.Reason] }

var rank = map[Reason]int{Bounced: 1, Manual: 2, Unsubscribed: 3, Complained: 4}
