package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/tailorbird/tailorbird/internal/broker"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/reach"
	"github.com/tailorbird/tailorbird/internal/source"
)

// Limits of what a registry may answer.
const (
	maxSchema     = 2 << 20 // bytes of one answer
	maxReferences = 100     // schemas that one needs, in all
)

// registry reads schemas from a schema registry with the API of Confluent's. A schema of an id never changes, so that each
// is asked for once.
type registry struct {
	client *sr.Client
	mu     sync.Mutex
	known  map[int]reader
}

func newRegistry(r source.Registry, password string, policy reach.Policy) (*registry, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.CA != "" {
		var err error
		if config, err = broker.TLSConfig(r.CA, "", "", ""); err != nil {
			return nil, err
		}
	}
	transport := &http.Transport{DialContext: policy.Dial, TLSClientConfig: config, MaxIdleConns: 2, IdleConnTimeout: broker.Timeout, ForceAttemptHTTP2: true}
	options := []sr.ClientOpt{
		sr.URLs(strings.TrimSuffix(r.URL, "/")), sr.UserAgent("tailorbird"),
		sr.HTTPClient(&http.Client{
			Transport: bounded{transport}, Timeout: broker.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
	}
	if r.Username != "" {
		options = append(options, sr.BasicAuth(r.Username, password))
	}
	client, err := sr.NewClient(options...)
	if err != nil {
		return nil, fault.Field("registry.url", "cannot be used: %v", err)
	}
	return &registry{client: client, known: map[int]reader{}}, nil
}

// bounded ends answers that are longer than any schema.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(request)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, maxSchema), response.Body}
	}
	return response, err
}

// reader gives what reads messages of a schema. Unavailable where the registry does not answer, so that the message must
// wait; Invalid where it has no such schema, or none that can be used.
func (r *registry) reader(ctx context.Context, id int) (reader, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found := r.known[id]; found != nil {
		return found, nil
	}
	schema, err := r.client.SchemaByID(ctx, id)
	if err != nil {
		return nil, registryFault(err, "schema %d", id)
	}
	set := schemaSet{registry: r, main: schema.Schema, texts: map[string]string{}}
	if err := set.add(ctx, schema.References); err != nil {
		return nil, err
	}
	var made reader
	switch schema.Type {
	case sr.TypeAvro:
		made, err = newAvroReader(set.main, set.inOrder())
	case sr.TypeProtobuf:
		made, err = newProtobufReader(set.main, set.texts)
	default: // JSON Schema says what is allowed; the message says itself what it is
		made = jsonReader{}
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "schema %d cannot be used", id)
	}
	r.known[id] = made
	return made, nil
}

// schemaSet is a schema with those that it refers to, by the name of the reference.
type schemaSet struct {
	registry *registry
	main     string
	texts    map[string]string
	order    []string // each after those that it needs
}

func (s *schemaSet) add(ctx context.Context, references []sr.SchemaReference) error {
	for _, reference := range references {
		if _, have := s.texts[reference.Name]; have {
			continue
		}
		if len(s.texts) == maxReferences {
			return fault.New(fault.Invalid, "the schema needs more than %d others", maxReferences)
		}
		found, err := s.registry.client.SchemaByVersion(ctx, reference.Subject, reference.Version)
		if err != nil {
			return registryFault(err, "version %d of %s", reference.Version, reference.Subject)
		}
		s.texts[reference.Name] = found.Schema.Schema
		if err := s.add(ctx, found.References); err != nil {
			return err
		}
		s.order = append(s.order, reference.Name)
	}
	return nil
}

func (s *schemaSet) inOrder() []string {
	var texts []string
	for _, name := range s.order {
		texts = append(texts, s.texts[name])
	}
	return texts
}

// registryFault tells a schema that is not there from a registry that cannot say.
func registryFault(err error, format string, args ...any) error {
	var answered *sr.ResponseError
	var known *fault.Error
	switch {
	case errors.As(err, &answered) && answered.StatusCode == http.StatusNotFound:
		return fault.New(fault.Invalid, "the registry has no "+format, args...)
	case errors.As(err, &answered) && (answered.StatusCode == http.StatusUnauthorized || answered.StatusCode == http.StatusForbidden):
		return fault.New(fault.Unavailable, "the schema registry does not accept the user name or the password")
	case errors.As(err, &answered):
		return fault.New(fault.Unavailable, "the schema registry answers %d: %.200s", answered.StatusCode, answered.Error())
	case errors.As(err, &known):
		return known
	}
	return fault.Wrap(fault.Unavailable, err, "the schema registry does not answer")
}
