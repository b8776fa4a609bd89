package server

import (
	"context"
	"encoding/base64"
	"time"
	"unicode/utf8"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/source"
)

// Quarantine keeps messages of sources that could not become events.
type Quarantine interface {
	// Quarantined gives a page of them, oldest first, and the cursor of the next one; of one source, or of all for "".
	Quarantined(ctx context.Context, source, cursor string, limit int) (list []source.Quarantined, next string, err error)
	// QuarantinedMessage gives one by its public id, which PublicQuarantineID makes; NotFound where there is none.
	QuarantinedMessage(ctx context.Context, public string) (source.Quarantined, error)
	PublicQuarantineID(id int64) string
	// QuarantineSizes counts them by source.
	QuarantineSizes(ctx context.Context) (map[string]int, error)
	// DropQuarantined removes one, Discard all of a source.
	DropQuarantined(ctx context.Context, id int64) error
	Discard(ctx context.Context, source string) (int64, error)
}

func (s *server) quarantineRoutes() {
	const v1 = "/api/v1/quarantine"
	get(s, access.Read, v1, "listQuarantine", "Messages that could not become events, oldest first", s.listQuarantine)
	get(s, access.Read, v1+"/{id}", "getQuarantined", "One message in quarantine", s.getQuarantined)
	post(s, access.Write, v1+"/{id}/retry", "retryQuarantined", "Try a message again, by its source as it now is", s.retryQuarantined)
	remove(s, access.Write, v1+"/{id}", "discardQuarantined", "Discard a message", s.discardQuarantined)
	post(s, access.Write, v1+"/retry", "retryQuarantine", "Try the messages of a source again, a page at a time", s.retryQuarantine)
	post(s, access.Write, v1+"/discard", "discardQuarantine", "Discard all messages of a source", s.discardQuarantine)
}

// QuarantinedMessage is a message of a source that could not become an event.
type QuarantinedMessage struct {
	ID        string            `json:"id"`
	Source    string            `json:"source"`
	Reason    string            `json:"reason" doc:"What is wrong, beginning with the field to blame"`
	At        time.Time         `json:"at" doc:"When it was first tried"`
	Attempts  int               `json:"attempts"`
	Topic     string            `json:"topic"`
	Partition int32             `json:"partition"`
	Offset    int64             `json:"offset"`
	Timestamp time.Time         `json:"timestamp" doc:"Of the message"`
	Key       string            `json:"key" doc:"Text, or base64 of what is none"`
	Headers   map[string]string `json:"headers"`
	Value     string            `json:"value" doc:"Text, or base64 of what is none; in lists the first 200 characters"`
	Encoding  string            `json:"encoding" enum:"text,base64" doc:"Of value"`
	Size      int               `json:"size" doc:"Bytes of the value as it came"`
	Clipped   bool              `json:"clipped" doc:"Only the beginning of the value is kept: it cannot be tried again"`
}

func (s *server) quarantinedOf(q source.Quarantined) QuarantinedMessage {
	m := q.Message
	out := QuarantinedMessage{
		ID: s.config.Quarantine.PublicQuarantineID(q.ID), Source: q.Source, Reason: q.Reason, At: q.At, Attempts: q.Attempts,
		Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Timestamp: m.Timestamp, Headers: m.Headers, Size: q.Size, Clipped: q.Clipped(),
	}
	out.Key, _ = readable(m.Key)
	out.Value, out.Encoding = readable(m.Value)
	if out.Headers == nil {
		out.Headers = map[string]string{}
	}
	return out
}

// readable is bytes as text where they are.
func readable(b []byte) (text, encoding string) {
	if utf8.Valid(b) {
		return string(b), "text"
	}
	return base64.StdEncoding.EncodeToString(b), "base64"
}

type listQuarantineInput struct {
	Paging
	Source string `query:"source" maxLength:"64" doc:"Of this source only"`
}

func (s *server) listQuarantine(ctx context.Context, in *listQuarantineInput) (answer[page[QuarantinedMessage]], error) {
	found, next, err := s.config.Quarantine.Quarantined(ctx, in.Source, in.Cursor, in.Limit)
	list := make([]QuarantinedMessage, len(found))
	const shown = 200
	for i, q := range found {
		list[i] = s.quarantinedOf(q)
		if characters := []rune(list[i].Value); len(characters) > shown {
			list[i].Value = string(characters[:shown])
		}
	}
	return answer[page[QuarantinedMessage]]{pageOf(list, next)}, err
}

type quarantinedInput struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *server) getQuarantined(ctx context.Context, in *quarantinedInput) (answer[QuarantinedMessage], error) {
	q, err := s.config.Quarantine.QuarantinedMessage(ctx, in.ID)
	if err != nil {
		return answer[QuarantinedMessage]{}, err
	}
	return answer[QuarantinedMessage]{s.quarantinedOf(q)}, nil
}

// Retried is what became of messages that were tried again.
type Retried struct {
	Taken      int    `json:"taken" doc:"They are in quarantine no more"`
	Failed     int    `json:"failed" doc:"They stay, with the reason why"`
	Reason     string `json:"reason" doc:"Why the first that failed did; empty for none"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Pass it as cursor to go on; absent at the end"`
}

func (s *server) retryQuarantined(ctx context.Context, in *quarantinedInput) (answer[Retried], error) {
	q, err := s.config.Quarantine.QuarantinedMessage(ctx, in.ID)
	if err != nil {
		return answer[Retried]{}, err
	}
	out := Retried{}
	err = s.retryOne(ctx, q, &out)
	return answer[Retried]{out}, err
}

// retryOne counts what became of a message. An error means that no other would fare better now.
func (s *server) retryOne(ctx context.Context, q source.Quarantined, out *Retried) error {
	err := s.config.Sources.Retry(ctx, q)
	switch fault.CodeOf(err) {
	case "":
		out.Taken++
		return nil
	case fault.Invalid, fault.Conflict, fault.TooLarge:
		if out.Failed++; out.Reason == "" {
			out.Reason = err.Error()
		}
		return nil
	}
	return err
}

// mustKnow fails with NotFound for a source that does not exist. One that was deleted may have left messages behind: it is asked
// where there are none.
func (s *server) mustKnow(ctx context.Context, name string) error {
	_, err := s.config.Definitions.Get(ctx, definition.Source, name)
	return err
}

type ofSourceInput struct {
	Body struct {
		Source string `json:"source" minLength:"1" maxLength:"64"`
		Cursor string `json:"cursor,omitempty" maxLength:"64" doc:"next_cursor of the call before"`
	}
}

func (s *server) retryQuarantine(ctx context.Context, in *ofSourceInput) (answer[Retried], error) {
	const atATime = 100
	found, next, err := s.config.Quarantine.Quarantined(ctx, in.Body.Source, in.Body.Cursor, atATime)
	if err == nil && len(found) == 0 {
		err = s.mustKnow(ctx, in.Body.Source)
	}
	out := Retried{NextCursor: next}
	for _, q := range found {
		if err == nil {
			err = s.retryOne(ctx, q, &out)
		}
	}
	return answer[Retried]{out}, err
}

func (s *server) discardQuarantined(ctx context.Context, in *quarantinedInput) (nothing, error) {
	q, err := s.config.Quarantine.QuarantinedMessage(ctx, in.ID)
	if err != nil {
		return nothing{}, err
	}
	if err := s.config.Quarantine.DropQuarantined(ctx, q.ID); err != nil {
		return nothing{}, err
	}
	s.config.Sources.Poke(q.Source)
	return nothing{}, nil
}

// Discarded tells how many messages there were.
type Discarded struct {
	Discarded int64 `json:"discarded"`
}

type discardInput struct {
	Body struct {
		Source string `json:"source" minLength:"1" maxLength:"64"`
	}
}

func (s *server) discardQuarantine(ctx context.Context, in *discardInput) (answer[Discarded], error) {
	n, err := s.config.Quarantine.Discard(ctx, in.Body.Source)
	if err == nil && n == 0 {
		err = s.mustKnow(ctx, in.Body.Source)
	}
	if err == nil {
		s.config.Sources.Poke(in.Body.Source)
		s.config.Log.InfoContext(ctx, "a quarantine was emptied", "source", in.Body.Source, "messages", n, "by", caller(ctx).Name)
	}
	return answer[Discarded]{Discarded{n}}, err
}
