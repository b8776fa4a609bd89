package kafka

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/tailorbird/tailorbird/internal/connect"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// protobufReader reads messages of a .proto file.
type protobufReader struct {
	file protoreflect.FileDescriptor
	of   protoreflect.MessageDescriptor // nil: the value says which message it is
}

// mainFile is the name under which a schema is compiled; nothing can import it.
const mainFile = "the schema"

// newProtobufReader compiles a file beside those that it imports, by the names of the imports. Those of Google's are known.
func newProtobufReader(text string, imports map[string]string) (*protobufReader, error) {
	return guarded(func() (*protobufReader, error) { return compileProtobuf(text, imports) })
}

func compileProtobuf(text string, imports map[string]string) (*protobufReader, error) {
	resolver := protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: func(path string) (io.ReadCloser, error) {
		if path == mainFile {
			return io.NopCloser(strings.NewReader(text)), nil
		}
		if imported, ok := imports[path]; ok {
			return io.NopCloser(strings.NewReader(imported)), nil
		}
		return nil, fmt.Errorf("%s is not among the schema's references", path)
	}})
	compiler := protocompile.Compiler{Resolver: resolver, MaxParallelism: 1}
	files, err := compiler.Compile(context.Background(), mainFile)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the schema does not compile: %s", strings.TrimPrefix(err.Error(), mainFile+":"))
	}
	return &protobufReader{file: files[0]}, nil
}

// named reads messages of one name only, the first of the file where it is empty.
func (p *protobufReader) named(name string) (*protobufReader, error) {
	messages := p.file.Messages()
	if name == "" && messages.Len() > 0 {
		return &protobufReader{p.file, messages.Get(0)}, nil
	}
	if found := findMessage(messages, protoreflect.FullName(name)); found != nil {
		return &protobufReader{p.file, found}, nil
	}
	return nil, fault.Field("message", "is %.100q, which the schema does not have; give its full name, such as shop.v1.Order", name)
}

func findMessage(among protoreflect.MessageDescriptors, name protoreflect.FullName) protoreflect.MessageDescriptor {
	for i := range among.Len() {
		if m := among.Get(i); m.FullName() == name {
			return m
		}
		if m := findMessage(among.Get(i).Messages(), name); m != nil {
			return m
		}
	}
	return nil
}

// indexed reads a value that says which message of its file it is: the number of indexes and the indexes, each a zigzag
// varint, from the outermost message to the innermost; a single 0 stands for the first message of the file.
func (p *protobufReader) indexed(value []byte) (map[string]any, error) {
	next := func() (int, bool) {
		n, size := binary.Varint(value)
		if size <= 0 || n < 0 || n > 1_000 {
			return 0, false
		}
		value = value[size:]
		return int(n), true
	}
	wrong := fault.New(fault.Invalid, "the value does not say which message of its schema it is")
	depth, ok := next()
	if !ok || depth > maxDepth {
		return nil, wrong
	}
	among := p.file.Messages()
	var of protoreflect.MessageDescriptor
	for range max(depth, 1) {
		at := 0
		if depth > 0 {
			if at, ok = next(); !ok {
				return nil, wrong
			}
		}
		if at >= among.Len() {
			return nil, wrong
		}
		of = among.Get(at)
		among = of.Messages()
	}
	return (&protobufReader{p.file, of}).row(value)
}

func (p *protobufReader) row(value []byte) (map[string]any, error) {
	message := dynamicpb.NewMessage(p.of)
	options := proto.UnmarshalOptions{RecursionLimit: maxDepth, AllowPartial: true}
	if err := options.Unmarshal(value, message); err != nil {
		return nil, fault.New(fault.Invalid, "the value is not a message %s: is it of another schema?", p.of.FullName())
	}
	return protobufObject(message)
}

// protobufObject has the fields that are set and those that have no presence, by the names of the .proto file: numbers of
// any size as numbers, enums by name, bytes in base64, times and the like as Protobuf's JSON has them.
func protobufObject(message protoreflect.Message) (map[string]any, error) {
	object := map[string]any{}
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if field.HasPresence() && !message.Has(field) {
			continue
		}
		value, err := protobufField(field, message.Get(field))
		if err != nil {
			return nil, err
		}
		object[string(field.Name())] = value
	}
	return object, nil
}

func protobufField(field protoreflect.FieldDescriptor, value protoreflect.Value) (any, error) {
	switch {
	case field.IsMap():
		object := map[string]any{}
		var failed error
		value.Map().Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
			object[key.String()], failed = protobufValue(field.MapValue(), v)
			return failed == nil
		})
		return object, failed
	case field.IsList():
		list := make([]any, value.List().Len())
		for i := range list {
			v, err := protobufValue(field, value.List().Get(i))
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}
	return protobufValue(field, value)
}

func protobufValue(field protoreflect.FieldDescriptor, value protoreflect.Value) (any, error) {
	switch field.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return protobufMessage(value.Message())
	case protoreflect.EnumKind:
		if symbol := field.Enum().Values().ByNumber(value.Enum()); symbol != nil {
			return string(symbol.Name()), nil
		}
		return int64(value.Enum()), nil
	case protoreflect.BytesKind:
		return base64.StdEncoding.EncodeToString(value.Bytes()), nil
	case protoreflect.FloatKind:
		return narrow(float32(value.Float())), nil
	}
	switch v := value.Interface().(type) {
	case int32:
		return int64(v), nil
	case uint32:
		return int64(v), nil
	case uint64:
		if v > 1<<63-1 {
			return float64(v), nil
		}
		return int64(v), nil
	default:
		return v, nil
	}
}

// protobufMessage treats the well-known types as Protobuf's JSON does: Timestamp is a text, Struct an object, and a
// wrapper the value that it wraps.
func protobufMessage(message protoreflect.Message) (any, error) {
	of := message.Descriptor()
	if of.ParentFile().Package() != "google.protobuf" {
		return protobufObject(message)
	}
	if field := of.Fields().ByName("value"); field != nil && of.Fields().Len() == 1 {
		return protobufField(field, message.Get(field))
	}
	text, err := protojson.Marshal(message.Interface())
	if err != nil {
		return nil, fault.New(fault.Invalid, "the value holds a %s that is out of range", of.Name())
	}
	wrapped, err := connect.DecodeMessage(append(append([]byte(`{"value":`), text...), '}'))
	return wrapped["value"], err
}
