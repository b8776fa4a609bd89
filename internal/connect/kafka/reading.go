package kafka

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tailorbird/tailorbird/internal/broker"
	"github.com/tailorbird/tailorbird/internal/connect"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/reach"
	"github.com/tailorbird/tailorbird/internal/source"
)

// reading is how messages of a source become events.
type reading struct {
	source  source.Source
	decoder *decoder
	mapping *connect.MessageMapping
}

func newReading(one source.Source, registryPassword string, policy reach.Policy) (*reading, error) {
	mapping, err := connect.NewMessageMapping(one.Mapping)
	if err != nil {
		return nil, err
	}
	decoder, err := newDecoder(one.Definition, registryPassword, policy)
	return &reading{one, decoder, mapping}, err
}

// openReading is newReading with the secret that it needs.
func openReading(ctx context.Context, config Config, one source.Source) (*reading, error) {
	password := ""
	if one.Registry != nil {
		var err error
		if password, err = secret(ctx, config, one.Registry.PasswordSecret); err != nil {
			return nil, err
		}
	}
	return newReading(one, password, config.Reach)
}

func secret(ctx context.Context, config Config, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	value, err := config.Secret(ctx, name)
	if fault.CodeOf(err) == fault.NotFound {
		return "", fault.New(fault.Unavailable, "the secret %q is not set; set it with: tailorbird secret set %s", name, name)
	}
	return value, err
}

// make makes the event of a message, in Segment's form and decoded; nil where the mapping does not want it, or it is a
// tombstone. Invalid: the message is at fault. Unavailable: it must wait, because its schema cannot be had.
func (r *reading) make(ctx context.Context, m source.Message, now time.Time) (json.RawMessage, *event.Event, error) {
	if m.Value == nil {
		return nil, nil, nil
	}
	row, err := r.decoder.row(ctx, m.Value)
	if err != nil {
		return nil, nil, err
	}
	if m.Timestamp.Unix() < 0 { // the producer gave none
		m.Timestamp = now
	}
	id := messageID(r.source.Name, m)
	raw, err := r.mapping.Event(row, m, id)
	if err != nil || raw == nil {
		return nil, nil, err
	}
	made, err := event.Decode(raw, event.Door{
		ReceivedAt: now, Historical: r.source.Historical, MaxBytes: event.MaxImportEventBytes, NewID: func() string { return id },
	})
	return raw, made, err
}

// messageID names a message for all time: the topic's id, because a topic that is deleted and made anew begins at offset 0 again.
func messageID(name string, m source.Message) string {
	topic := m.TopicID
	if topic == "" {
		topic = m.Topic
	}
	return fmt.Sprintf("%s-%s-%d-%d", name, topic, m.Partition, m.Offset)
}

// clusterOf says how to reach the cluster of a source.
func clusterOf(ctx context.Context, config Config, d source.Definition) (broker.Cluster, error) {
	c := broker.Cluster{Brokers: d.Brokers, Dial: config.Reach.Dial}
	if d.TLS != nil {
		key, err := secret(ctx, config, d.TLS.KeySecret)
		if err != nil {
			return c, err
		}
		if c.TLS, err = broker.TLSConfig(d.TLS.CA, d.TLS.ServerName, d.TLS.Certificate, key); err != nil {
			return c, err
		}
	}
	if d.SASL != nil {
		password, err := secret(ctx, config, d.SASL.PasswordSecret)
		if err != nil {
			return c, err
		}
		c.SASL, c.User, c.Password = broker.Mechanism(d.SASL.Mechanism), d.SASL.Username, password
	}
	return c, nil
}
