package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/report"
)

// Recipients knows whom a message went to.
type Recipients interface {
	// Recipient gives the recipient of a message by its internal id, or NotFound.
	Recipient(ctx context.Context, message int64) (report.Recipient, error)
}

// pixel is a transparent GIF of one by one pixel.
var pixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

// linkPatience bounds how long a reader waits for us to take note of an open or a click.
const linkPatience = 3 * time.Second

// opened is GET /o/{token}.gif: the picture in every mail whose loading means that the mail was opened.
func (s *server) opened(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutSuffix(r.PathValue("token"), ".gif")
	to, _, err := s.recipient(r.Context(), deliver.OpenLink, token)
	if !ok || err != nil {
		s.linkProblem(w, r, err)
		return
	}
	s.note(r, to, event.NameEmailOpened, map[string]any{"machine": machine(r)})
	unstored(w)
	w.Header().Set("Content-Type", "image/gif")
	_, _ = w.Write(pixel)
}

// clicked is GET /c/{token}: it leads on to where the link in the mail pointed, and nowhere else.
func (s *server) clicked(w http.ResponseWriter, r *http.Request) {
	to, target, err := s.recipient(r.Context(), deliver.ClickLink, r.PathValue("token"))
	if err != nil {
		s.linkProblem(w, r, err)
		return
	}
	if u, err := url.Parse(target); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		s.linkProblem(w, r, nil)
		return
	}
	s.note(r, to, event.NameEmailClicked, map[string]any{"machine": machine(r), "link": target})
	unstored(w)
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusFound)
}

// note tells the engine of an open or a click. The reader goes on even when that fails.
func (s *server) note(r *http.Request, to report.Recipient, name string, properties map[string]any) {
	ctx, cancel := context.WithTimeout(r.Context(), linkPatience)
	defer cancel()
	if err := s.mailEvent(ctx, to, name, properties); err != nil {
		s.config.Log.WarnContext(ctx, "an open or a click was not noted",
			"request_id", requestID(ctx), "event", name, "message", to.MessageID, "error", err)
	}
}

// mailEvent sends what a customer did with a message through the same door as everything else that customers do. Who
// answers a test message is no customer, and changes nothing.
func (s *server) mailEvent(ctx context.Context, to report.Recipient, name string, properties map[string]any) error {
	if to.ProfileID == 0 {
		return nil
	}
	properties["message_id"], properties["campaign"] = to.MessageID, to.Campaign
	payload, err := json.Marshal(properties)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the event cannot be written")
	}
	now := s.config.Now().UTC().Truncate(time.Microsecond)
	return s.config.Ingest.Ingest(ctx, []*event.Event{{
		MessageID: s.config.NewID(), Type: event.Track, Name: name, ProfileID: to.ProfileID,
		Timestamp: now, ReceivedAt: now, Payload: payload,
	}})
}

// recipient reads a token: whom its message went to, and a click's destination.
func (s *server) recipient(ctx context.Context, kind deliver.LinkKind, token string) (report.Recipient, string, error) {
	message, target, err := s.config.Tokens.Parse(kind, token)
	if err != nil {
		return report.Recipient{}, "", err
	}
	to, err := s.config.Recipients.Recipient(ctx, message)
	return to, target, err
}

func (s *server) linkProblem(w http.ResponseWriter, r *http.Request, err error) {
	if err == nil {
		err = fault.New(fault.NotFound, "this link is not one of ours, or was cut off")
	}
	p := problemOf(err, "")
	s.logFailure(r.Context(), p, err)
	unstored(w)
	p.write(w)
}

// unstored keeps an answer out of every cache and index: each visit counts, and the address stands for a person.
func unstored(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store, private, max-age=0")
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
}

// machine reports whether a request was probably made by no person: a HEAD request, an agent that says what it is or
// says nothing, a scanner, or Apple's privacy proxy, which loads every picture and gives its agent as "Mozilla/5.0".
func machine(r *http.Request) bool {
	agent := strings.TrimSpace(r.UserAgent())
	if r.Method == http.MethodHead || agent == "" || agent == "Mozilla/5.0" {
		return true
	}
	agent = strings.ToLower(agent)
	for _, sign := range machineAgents {
		if strings.Contains(agent, sign) {
			return true
		}
	}
	return false
}

// machineAgents are parts of the agents of crawlers, link scanners, previews and plain HTTP clients, in lower case.
// Google's image proxy is none: it loads a picture when a person opens the mail.
var machineAgents = []string{
	"bot", "crawl", "spider", "scan", "preview", "monitor", "headless", "phantomjs", "slurp", "facebookexternalhit", "whatsapp",
	"barracuda", "proofpoint", "mimecast", "messagelabs", "symantec", "trend micro", "fireeye", "ironport", "cloudmark", "safelinks", "urldefense",
	"curl/", "wget/", "python-", "python/", "go-http-client", "java/", "okhttp", "libwww", "httpclient", "axios", "node-fetch", "ruby", "php/", "guzzle",
}
