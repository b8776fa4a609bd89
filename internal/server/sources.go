package server

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/source"
)

// Sources reads what is defined.
type Sources interface {
	// Status tells how a source is doing in this process.
	Status(name string) source.Status
	// Try makes the event of a message by a definition whose defaults are filled in; nil where the mapping does not want it.
	// Invalid says what is wrong with either.
	Try(ctx context.Context, d source.Definition, m source.Message) (json.RawMessage, error)
	// Retry makes the event of a message in quarantine. Taken, the message is there no more; Invalid says what is still wrong.
	Retry(ctx context.Context, q source.Quarantined) error
	// Poke has a source that waits for something try again at once.
	Poke(name string)
}

func (s *server) sourceRoutes() {
	const v1 = "/api/v1/sources"
	get(s, access.Read, v1, "listSources", "List sources", s.listSources)
	get(s, access.Read, v1+"/{name}", "getSource", "Get a source, and how it is doing", s.getSource)
	put(s, changing(definition.Source), v1+"/{name}", "putSource", "Create or change a source", s.putSource)
	post(s, access.Write, v1+"/{name}/pause", "pauseSource", "Stop reading a source", s.pauseSource)
	post(s, access.Write, v1+"/{name}/resume", "resumeSource", "Go on reading a source where it stopped", s.resumeSource)
	post(s, access.Admin, v1+"/try", "trySource", "Try a definition on a message without saving it", s.trySource)
	definitions(s, v1, definition.Source)
	s.quarantineRoutes()
	s.secretRoutes()
}

// Source is where events come from by themselves.
type Source struct {
	Name string `json:"name"`
	source.Definition
	Version     int          `json:"version"`
	CreatedAt   time.Time    `json:"created_at"`
	UpdatedAt   time.Time    `json:"updated_at"`
	Status      SourceStatus `json:"status"`
	Quarantined int          `json:"quarantined" doc:"Messages in quarantine"`
}

// SourceStatus is how a source is doing.
type SourceStatus struct {
	State      source.State      `json:"state" enum:"paused,starting,running,troubled,full"`
	Since      *time.Time        `json:"since"`
	Problem    string            `json:"problem" doc:"What is wrong and what to do about it; empty for nothing. It is tried again by itself"`
	Read       int64             `json:"read" doc:"Messages since the server began"`
	Accepted   int64             `json:"accepted" doc:"Events that they became"`
	Passed     int64             `json:"passed" doc:"Messages that the mapping did not want, and empty ones"`
	Rejected   int64             `json:"rejected" doc:"Messages that went to quarantine"`
	Lost       int64             `json:"lost" doc:"Messages that were gone from the topic before they were read"`
	LastAt     *time.Time        `json:"last_at" doc:"Timestamp of the newest message that was read"`
	Lag        *int64            `json:"lag" doc:"Messages that wait, in all partitions; null where that is not known, such as while the brokers do not answer"`
	Behind     *float64          `json:"behind_seconds" doc:"How late the slowest partition is: by the age of the last message read of a source, of the first that waits in the stream; 0 without a lag, null where it is not known of each"`
	CheckedAt  *time.Time        `json:"checked_at" doc:"When the brokers were last asked for this"`
	Partitions []SourcePartition `json:"partitions"`
}

// SourcePartition is how far the reading of a partition is.
type SourcePartition struct {
	Partition int32    `json:"partition"`
	Position  int64    `json:"position" doc:"Offset of the next message to be read"`
	End       int64    `json:"end" doc:"Offset after the last message"`
	Lag       int64    `json:"lag"`
	Behind    *float64 `json:"behind_seconds" doc:"null where it is not known, such as where another process reads the partition of a source"`
}

// StatusOf is how a status is told.
func StatusOf(st source.Status) SourceStatus {
	out := SourceStatus{
		State: st.State, Since: moment(st.Since), Problem: st.Problem, Read: st.Read, Accepted: st.Accepted, Passed: st.Passed,
		Rejected: st.Rejected, Lost: st.Lost, LastAt: moment(st.LastAt),
		CheckedAt: moment(st.CheckedAt), Partitions: make([]SourcePartition, len(st.Partitions)),
	}
	if lag, known := st.Lag(); known {
		out.Lag = &lag
	}
	if behind, known := st.Behind(); known {
		out.Behind = seconds(behind)
	}
	for i, p := range st.Partitions {
		out.Partitions[i] = SourcePartition{Partition: p.Partition, Position: p.Position, End: p.End, Lag: p.Lag}
		if p.Behind >= 0 {
			out.Partitions[i].Behind = seconds(p.Behind)
		}
	}
	return out
}

func seconds(d time.Duration) *float64 { s := d.Seconds(); return &s }

func (s *server) sourceOf(d definition.Definition, quarantined map[string]int) (Source, error) {
	spec, err := specOf[source.Definition](d)
	return Source{
		Name: d.Name, Definition: spec, Version: d.Version, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
		Status: StatusOf(s.config.Sources.Status(d.Name)), Quarantined: quarantined[d.Name],
	}, err
}

func (s *server) listSources(ctx context.Context, in *Paging) (answer[page[Source]], error) {
	sizes, err := s.config.Quarantine.QuarantineSizes(ctx)
	if err != nil {
		return answer[page[Source]]{}, err
	}
	return listDefined(ctx, s, definition.Source, in, func(d definition.Definition) (Source, error) { return s.sourceOf(d, sizes) })
}

func (s *server) getSource(ctx context.Context, in *DefinitionName) (answer[Source], error) {
	d, err := s.config.Definitions.Get(ctx, definition.Source, in.Name)
	if err != nil {
		return answer[Source]{}, err
	}
	sizes, err := s.config.Quarantine.QuarantineSizes(ctx)
	if err != nil {
		return answer[Source]{}, err
	}
	out, err := s.sourceOf(d, sizes)
	return answer[Source]{out}, err
}

type putSourceInput struct {
	DefinitionName
	Body source.Definition
}

func (s *server) putSource(ctx context.Context, in *putSourceInput) (answer[Source], error) {
	if err := s.put(ctx, definition.Source, in.Name, in.Body); err != nil {
		return answer[Source]{}, err
	}
	return s.getSource(ctx, &in.DefinitionName)
}

func (s *server) pauseSource(ctx context.Context, in *DefinitionName) (answer[Source], error) {
	return s.setPaused(ctx, in, true)
}

func (s *server) resumeSource(ctx context.Context, in *DefinitionName) (answer[Source], error) {
	return s.setPaused(ctx, in, false)
}

func (s *server) setPaused(ctx context.Context, in *DefinitionName, paused bool) (answer[Source], error) {
	d, err := s.config.Definitions.Get(ctx, definition.Source, in.Name)
	if err != nil {
		return answer[Source]{}, err
	}
	spec, err := specOf[source.Definition](d)
	if err != nil {
		return answer[Source]{}, err
	}
	spec.Paused = paused
	return s.putSource(ctx, &putSourceInput{DefinitionName: *in, Body: spec})
}

type trySourceInput struct {
	Body struct {
		Definition source.Definition `json:"definition" doc:"The body of the PUT of a source"`
		Message    struct {
			Value     *string           `json:"value,omitempty" maxLength:"1048576" doc:"As text"`
			Base64    []byte            `json:"value_base64,omitempty" doc:"In base64, where it is no text"`
			Key       string            `json:"key,omitempty" maxLength:"65536"`
			Headers   map[string]string `json:"headers,omitempty"`
			Timestamp *time.Time        `json:"timestamp,omitempty" doc:"Now without it"`
		} `json:"message"`
	}
}

// Tried is what a message would become.
type Tried struct {
	Event Object `json:"event" doc:"The event; null where the mapping does not want the message"`
}

func (s *server) trySource(ctx context.Context, in *trySourceInput) (answer[Tried], error) {
	given := in.Body.Message
	m := source.Message{Topic: in.Body.Definition.Topic, Value: given.Base64, Key: []byte(given.Key), Headers: given.Headers, Timestamp: s.config.Now()}
	if given.Value != nil {
		m.Value = []byte(*given.Value)
	}
	if m.Value == nil {
		return answer[Tried]{}, fault.Field("message.value", "is missing; give it, or value_base64")
	}
	if given.Key == "" {
		m.Key = nil
	}
	if given.Timestamp != nil {
		m.Timestamp = *given.Timestamp
	}
	made, err := s.config.Sources.Try(ctx, in.Body.Definition.WithDefaults("try"), m)
	return answer[Tried]{Tried{Object(made)}}, err
}

// Secrets keeps what definitions name.
type Secrets interface {
	// NamedSecrets lists them, without their values.
	NamedSecrets(ctx context.Context) ([]definition.Secret, error)
	// SetNamedSecret keeps one, in the place of an earlier one, for whoever uses it.
	SetNamedSecret(ctx context.Context, name, value, by string, at time.Time) error
	// DeleteNamedSecret forgets one; NotFound where there is none, Conflict while a definition names it.
	DeleteNamedSecret(ctx context.Context, name string) error
}

func (s *server) secretRoutes() {
	const v1 = "/api/v1/secrets"
	get(s, access.Admin, v1, "listSecrets", "Secrets that definitions name; their values are never shown", s.listSecrets)
	put(s, access.Admin, v1+"/{name}", "putSecret", "Set a secret", s.putSecret)
	remove(s, access.Admin, v1+"/{name}", "deleteSecret", "Forget a secret", s.deleteSecret)
}

// Secret is a secret without its value.
type Secret struct {
	Name  string    `json:"name"`
	SetAt time.Time `json:"set_at"`
	SetBy string    `json:"set_by" doc:"The name of the key"`
}

func (s *server) listSecrets(ctx context.Context, in *Paging) (answer[page[Secret]], error) {
	found, err := s.config.Secrets.NamedSecrets(ctx)
	if err != nil {
		return answer[page[Secret]]{}, err
	}
	list := make([]Secret, len(found))
	for i, f := range found {
		list[i] = Secret(f)
	}
	return cut(list, *in)
}

type putSecretInput struct {
	Name string `path:"name" doc:"The name of the secret"`
	Body struct {
		Value string `json:"value" minLength:"1" maxLength:"65536" doc:"It is sealed, and cannot be read again"`
	}
}

func (s *server) putSecret(ctx context.Context, in *putSecretInput) (answer[Secret], error) {
	if err := definition.CheckName(in.Name); err != nil {
		return answer[Secret]{}, inPath(err)
	}
	if err := s.config.Secrets.SetNamedSecret(ctx, in.Name, in.Body.Value, caller(ctx).Name, s.config.Now().UTC()); err != nil {
		return answer[Secret]{}, err
	}
	all, err := s.config.Secrets.NamedSecrets(ctx)
	at := slices.IndexFunc(all, func(one definition.Secret) bool { return one.Name == in.Name })
	if err != nil || at < 0 {
		return answer[Secret]{}, err
	}
	return answer[Secret]{Secret(all[at])}, nil
}

type secretInput struct {
	Name string `path:"name" doc:"The name of the secret"`
}

func (s *server) deleteSecret(ctx context.Context, in *secretInput) (nothing, error) {
	return nothing{}, s.config.Secrets.DeleteNamedSecret(ctx, in.Name)
}
