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

// linkPatience bounds how long a reader waits for us to find out whose a link is, and to take note of an open or a click.
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

// note tells the engine of an open or a click. The reader goes on even when that fails; while the engine is only too
// busy, it is told again in the background.
func (s *server) note(r *http.Request, to report.Recipient, name string, properties map[string]any) {
	noted, err := s.mailEvent(to, name, properties)
	if err == nil {
		err = s.tell(r.Context(), noted)
	}
	if fault.CodeOf(err) == fault.Unavailable {
		select {
		case s.notes <- struct{}{}:
			ctx := context.WithoutCancel(r.Context())
			go func() {
				defer func() { <-s.notes }()
				s.unnoted(ctx, to, name, s.tellAgain(ctx, noted))
			}()
			return
		default: // too many wait already
		}
	}
	s.unnoted(r.Context(), to, name, err)
}

// unnoted logs what could not be noted.
func (s *server) unnoted(ctx context.Context, to report.Recipient, name string, err error) {
	if err != nil {
		s.config.Log.WarnContext(ctx, "an open or a click was not noted",
			"request_id", requestID(ctx), "event", name, "message", to.MessageID, "error", err)
	}
}

// maxNotes bounds the opens and clicks that wait for a busy engine.
const maxNotes = 1000

// noteAgain says how long to wait before each of the further attempts.
var noteAgain = [...]time.Duration{time.Second, 5 * time.Second, 30 * time.Second}

// tellAgain repeats an event, whose id makes it count once, until the engine takes it or has refused it too often.
func (s *server) tellAgain(ctx context.Context, events []*event.Event) (err error) {
	for _, wait := range noteAgain {
		<-time.After(wait)
		if err = s.tell(ctx, events); fault.CodeOf(err) != fault.Unavailable {
			return err
		}
	}
	return err
}

// tell passes events on within the patience of a reader.
func (s *server) tell(ctx context.Context, events []*event.Event) error {
	ctx, cancel := context.WithTimeout(ctx, linkPatience)
	defer cancel()
	return s.config.Ingest.Ingest(ctx, events)
}

// mailEvent makes what a customer did with a message an event, which goes through the same door as everything else that
// customers do. Who answers a test message is no customer: there is no event.
func (s *server) mailEvent(to report.Recipient, name string, properties map[string]any) ([]*event.Event, error) {
	if to.ProfileID == 0 {
		return nil, nil
	}
	properties["message_id"], properties["campaign"] = to.MessageID, to.Campaign
	payload, err := json.Marshal(properties)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the event cannot be written")
	}
	now := s.config.Now().UTC().Truncate(time.Microsecond)
	return []*event.Event{{
		MessageID: s.config.NewID(), Type: event.Track, Name: name, ProfileID: to.ProfileID,
		Timestamp: now, ReceivedAt: now, Payload: payload,
	}}, nil
}

// recipient reads a token: whom its message went to, and a click's destination.
func (s *server) recipient(ctx context.Context, kind deliver.LinkKind, token string) (report.Recipient, string, error) {
	message, target, err := s.config.Tokens.Parse(kind, token)
	if err != nil {
		return report.Recipient{}, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, linkPatience)
	defer cancel()
	to, err := s.config.Recipients.Recipient(ctx, message)
	return to, target, err
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
