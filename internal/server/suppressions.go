package server

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
)

// Suppressions is the list of addresses that get no mail.
type Suppressions interface {
	// Suppressions gives a page of the list by address, and the cursor of the next one.
	Suppressions(ctx context.Context, cursor string, limit int) (list []deliver.Suppression, next string, err error)
	// Suppress adds an address, unless it is there for a stronger reason, and gives what then stands.
	Suppress(ctx context.Context, s deliver.Suppression) (deliver.Suppression, error)
	// Unsuppress removes an address; NotFound where it is not there.
	Unsuppress(ctx context.Context, email string) error
	// Readmit removes an address that is suppressed for this very reason, and does nothing otherwise.
	Readmit(ctx context.Context, email string, reason deliver.Reason) error
}

// Suppression keeps an address from all mail.
type Suppression struct {
	Email     string         `json:"email"`
	Reason    deliver.Reason `json:"reason" enum:"unsubscribed,complained,bounced,manual"`
	CreatedAt time.Time      `json:"created_at"`
}

func suppressionOf(s deliver.Suppression) Suppression {
	return Suppression{Email: s.Email, Reason: s.Reason, CreatedAt: s.Since.UTC()}
}

func (s *server) listSuppressions(ctx context.Context, in *Paging) (answer[page[Suppression]], error) {
	found, next, err := s.config.Suppressions.Suppressions(ctx, in.Cursor, in.Limit)
	list := make([]Suppression, len(found))
	for i, f := range found {
		list[i] = suppressionOf(f)
	}
	return answer[page[Suppression]]{pageOf(list, next)}, err
}

type addSuppressionInput struct {
	Body struct {
		Email  string         `json:"email" minLength:"3" maxLength:"320"`
		Reason deliver.Reason `json:"reason,omitempty" enum:"unsubscribed,complained,bounced,manual" doc:"manual where it is missing"`
	}
}

func (s *server) addSuppression(ctx context.Context, in *addSuppressionInput) (answer[Suppression], error) {
	wanted, err := deliver.NewSuppression(in.Body.Email, in.Body.Reason, s.config.Now())
	if err != nil {
		return answer[Suppression]{}, err
	}
	stands, err := s.config.Suppressions.Suppress(ctx, wanted)
	return answer[Suppression]{suppressionOf(stands)}, err
}

type suppressionInput struct {
	Email string `path:"email"`
}

func (s *server) removeSuppression(ctx context.Context, in *suppressionInput) (nothing, error) {
	email, err := deliver.NormalizeEmail(in.Email)
	if err != nil {
		return nothing{}, inPath(err)
	}
	return nothing{}, s.config.Suppressions.Unsuppress(ctx, email)
}

// Domains knows the domains that campaigns are sent from.
type Domains interface {
	// SigningKeys lists the keys with which mail is signed, by domain.
	SigningKeys(ctx context.Context) ([]*deliver.Key, error)
}

// SendingDomain is a domain that campaigns are sent from.
type SendingDomain struct {
	Domain   string   `json:"domain"`
	Selector string   `json:"selector"`
	DNS      []Record `json:"dns" doc:"What to publish"`
}

// Record is one DNS record.
type Record struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (s *server) listDomains(ctx context.Context, in *Paging) (answer[page[SendingDomain]], error) {
	keys, err := s.config.Domains.SigningKeys(ctx)
	if err != nil {
		return answer[page[SendingDomain]]{}, err
	}
	list := make([]SendingDomain, len(keys))
	for i, k := range keys {
		value, err := k.Record()
		if err != nil {
			return answer[page[SendingDomain]]{}, err
		}
		list[i] = SendingDomain{Domain: k.Domain, Selector: k.Selector, DNS: []Record{{Type: "TXT", Name: k.RecordName(), Value: value}}}
	}
	return cut(list, *in)
}
