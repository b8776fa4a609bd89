package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/report"
)

//go:embed unsubscribe.html
var unsubscribeHTML string

//go:embed hosted.css
var hostedCSS template.CSS

var unsubscribePage = template.Must(template.New("unsubscribe").Parse(unsubscribeHTML))

// hostedPolicy is the content security policy of hosted pages: one style sheet, known by its hash, and forms to ourselves.
var hostedPolicy = "default-src 'none'; style-src '" + hashSource(hostedCSS) + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func hashSource(style template.CSS) string {
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// What the hosted page shows.
const (
	pageAsk  = "ask"
	pageLeft = "left"
	pageBack = "back"
	pageLost = "lost" // a link that is none of ours
	pageFail = "fail" // our failure
)

// askUnsubscribe is GET /u/{token}. It changes nothing: scanners follow links.
func (s *server) askUnsubscribe(w http.ResponseWriter, r *http.Request) {
	to, _, err := s.recipient(r.Context(), deliver.UnsubscribeLink, r.PathValue("token"))
	if err != nil {
		s.linkProblem(w, r, err)
		return
	}
	s.hostedPage(w, r, http.StatusOK, pageAsk, to.Email)
}

// unsubscribe is POST /u/{token}: by a person on the hosted page, or by a mail program in one click (RFC 8058), which
// sends List-Unsubscribe=One-Click. Anything but an explicit wish to come back unsubscribes. Doing it twice is fine.
func (s *server) unsubscribe(w http.ResponseWriter, r *http.Request) {
	to, _, err := s.recipient(r.Context(), deliver.UnsubscribeLink, r.PathValue("token"))
	if err != nil {
		s.linkProblem(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	// One-click senders may use multipart/form-data as well (RFC 8058, section 3.1); PostFormValue reads both, and what
	// cannot be read holds no wish to come back.
	name, page := event.NameUnsubscribed, pageLeft
	if r.PostFormValue("action") == "subscribe" {
		name, page = event.NameSubscribed, pageBack
	}
	if err := s.prefer(r.Context(), to, name == event.NameSubscribed); err != nil {
		s.linkProblem(w, r, err)
		return
	}
	properties := map[string]any{"machine": false, "one_click": r.PostFormValue("List-Unsubscribe") == "One-Click"}
	noted, err := s.mailEvent(to, name, properties)
	if err == nil {
		err = s.config.Ingest.Ingest(r.Context(), noted)
	}
	if err != nil {
		s.linkProblem(w, r, err)
		return
	}
	s.hostedPage(w, r, http.StatusOK, page, to.Email)
}

// prefer keeps what a customer wishes for the address, durably: another profile may have it too. Coming back lifts only
// what leaving did, no complaint, bounce or operator's decision. Who answers a test message changes nothing.
func (s *server) prefer(ctx context.Context, to report.Recipient, subscribed bool) error {
	if to.ProfileID == 0 {
		return nil
	}
	email, err := deliver.NormalizeEmail(to.Email)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the message has no usable address")
	}
	if subscribed {
		return s.config.Suppressions.Readmit(ctx, email, deliver.Unsubscribed)
	}
	_, err = s.config.Suppressions.Suppress(ctx, deliver.Suppression{Email: email, Reason: deliver.Unsubscribed, Since: s.config.Now()})
	return err
}

// linkProblem tells the person who followed a link, who knows nothing of APIs, that it does not work. A nil error is that
// of a link that is none of ours.
func (s *server) linkProblem(w http.ResponseWriter, r *http.Request, err error) {
	status, page := http.StatusNotFound, pageLost
	if err != nil {
		p := problemOf(err, "")
		s.logFailure(r.Context(), p, err)
		for name, values := range p.GetHeaders() {
			w.Header()[name] = values
		}
		if status = p.Status; status >= http.StatusInternalServerError {
			page = pageFail
		}
	}
	s.hostedPage(w, r, status, page, "")
}

func (s *server) hostedPage(w http.ResponseWriter, r *http.Request, status int, page, email string) {
	var body bytes.Buffer
	err := unsubscribePage.Execute(&body, map[string]any{"Page": page, "Email": masked(email), "Style": hostedCSS})
	if err != nil {
		s.config.Log.ErrorContext(r.Context(), "a hosted page cannot be written", "request_id", requestID(r.Context()), "error", err)
		status = http.StatusInternalServerError
	}
	unstored(w)
	w.Header().Set("Content-Security-Policy", hostedPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

// masked shows whose address it is to the one who knows it: mail gets forwarded.
func masked(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at <= 0 {
		return "…"
	}
	_, size := utf8.DecodeRuneInString(email)
	return email[:size] + "…" + email[at:]
}
