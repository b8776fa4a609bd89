package kafka

import (
	"context"
	"encoding/binary"

	"github.com/tailorbird/tailorbird/internal/connect"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/reach"
	"github.com/tailorbird/tailorbird/internal/source"
)

// reader reads values of one schema into rows, as connect.MessageMapping takes them. What it cannot read is Invalid.
type reader interface {
	row(value []byte) (map[string]any, error)
}

// Limits of one message, whatever its bytes say.
const (
	maxValues = 1_000_000 // values that it may hold
	maxDepth  = 64        // of objects and lists inside one another
)

// decoder reads the values of a source.
type decoder struct {
	fixed    reader // where no registry has the schemas
	registry *registry
}

// newDecoder makes the decoder of a definition that is valid. Faults name a field of it.
func newDecoder(d source.Definition, registryPassword string, policy reach.Policy) (*decoder, error) {
	var err error
	made := &decoder{}
	switch {
	case d.Registry != nil:
		made.registry, err = newRegistry(*d.Registry, registryPassword, policy)
	case d.Format == source.Avro:
		made.fixed, err = newAvroReader(d.Schema, nil)
		err = fault.Wrap(fault.Invalid, err, "the schema is not Avro's")
	case d.Format == source.Protobuf:
		var p *protobufReader
		if p, err = newProtobufReader(d.Schema, nil); err == nil {
			made.fixed, err = p.named(d.Message)
		}
	default:
		made.fixed = jsonReader{}
	}
	if err != nil {
		return nil, inSchema(err)
	}
	return made, nil
}

func inSchema(err error) error {
	f := *fault.All(err)[0]
	if f.Field == "" {
		f.Field = "schema"
	}
	return &f
}

// row reads a value. Unavailable: the registry cannot be asked, and the message must wait; Invalid: it is at fault.
func (d *decoder) row(ctx context.Context, value []byte) (map[string]any, error) {
	if d.registry == nil {
		return d.fixed.row(value)
	}
	// The frame of a registry's serialisers: a zero byte, the id of the schema, then the value.
	const frame = 5
	if len(value) < frame || value[0] != 0 {
		if len(value) > 0 && value[0] == '{' {
			return jsonReader{}.row(value) // written without a serialiser
		}
		return nil, fault.New(fault.Invalid, "the value does not begin with the id of a schema; was it written without the registry's serialiser?")
	}
	read, err := d.registry.reader(ctx, int(binary.BigEndian.Uint32(value[1:])))
	if err != nil {
		return nil, err
	}
	value = value[frame:]
	if p, is := read.(*protobufReader); is {
		return p.indexed(value)
	}
	return read.row(value)
}

// guarded turns a panic over a schema into a fault: schemas are other people's text, and the compilers other people's code.
func guarded[R any](compile func() (R, error)) (made R, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fault.New(fault.Invalid, "the schema cannot be compiled")
		}
	}()
	return compile()
}

type jsonReader struct{}

func (jsonReader) row(value []byte) (map[string]any, error) { return connect.DecodeMessage(value) }
