package kafka

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/hamba/avro/v2"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// avroReader reads Avro's binary encoding (Apache Avro 1.12, "Binary Encoding") by the schema that wrote it.
type avroReader struct{ schema avro.Schema }

// newAvroReader reads a schema after those that it refers to.
func newAvroReader(text string, before []string) (*avroReader, error) {
	return guarded(func() (*avroReader, error) { return parseAvro(text, before) })
}

func parseAvro(text string, before []string) (*avroReader, error) {
	cache := &avro.SchemaCache{}
	for _, other := range before {
		if _, err := avro.ParseWithCache(other, "", cache); err != nil {
			return nil, fault.New(fault.Invalid, "a schema that it refers to: %v", err)
		}
	}
	schema, err := avro.ParseWithCache(text, "", cache)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%v", err)
	}
	return &avroReader{schema}, nil
}

func (a *avroReader) row(value []byte) (map[string]any, error) {
	in := avroInput{rest: value, left: maxValues}
	read, err := in.value(a.schema, 0)
	if err != nil {
		return nil, err
	}
	if len(in.rest) > 0 {
		return nil, fault.New(fault.Invalid, "the value has %d bytes more than its schema says; is it of another schema?", len(in.rest))
	}
	row, is := read.(map[string]any)
	if !is {
		return nil, fault.New(fault.Invalid, "the value is not a record")
	}
	return row, nil
}

// avroInput is what has not been read yet.
type avroInput struct {
	rest []byte
	left int // values that may still come
}

var errShort = fault.New(fault.Invalid, "the value ends before its schema does; is it of another schema?")

func (in *avroInput) take(n int64) ([]byte, error) {
	if n < 0 || n > int64(len(in.rest)) {
		return nil, errShort
	}
	taken := in.rest[:n]
	in.rest = in.rest[n:]
	return taken, nil
}

// long is a zigzag varint, as of int and long.
func (in *avroInput) long() (int64, error) {
	n, size := binary.Varint(in.rest)
	if size <= 0 {
		return 0, errShort
	}
	in.rest = in.rest[size:]
	return n, nil
}

func (in *avroInput) bytes() ([]byte, error) {
	n, err := in.long()
	if err != nil {
		return nil, err
	}
	return in.take(n)
}

func (in *avroInput) text() (string, error) {
	b, err := in.bytes()
	if err == nil && !utf8.Valid(b) {
		err = fault.New(fault.Invalid, "a string is not UTF-8; is the value of another schema?")
	}
	return string(b), err
}

func (in *avroInput) value(schema avro.Schema, depth int) (any, error) {
	if in.left--; in.left < 0 || depth > maxDepth {
		return nil, fault.New(fault.Invalid, "the value holds more than %d values, or more than %d levels", maxValues, maxDepth)
	}
	switch s := schema.(type) {
	case *avro.RefSchema:
		return in.value(s.Schema(), depth)
	case *avro.NullSchema:
		return nil, nil
	case *avro.PrimitiveSchema:
		return in.primitive(s)
	case *avro.EnumSchema:
		at, err := in.long()
		if err != nil {
			return nil, err
		}
		if at < 0 || at >= int64(len(s.Symbols())) {
			return nil, fault.New(fault.Invalid, "the enum %s has no symbol %d; is the value of another schema?", s.Name(), at)
		}
		return s.Symbols()[at], nil
	case *avro.FixedSchema:
		b, err := in.take(int64(s.Size()))
		if err != nil {
			return nil, err
		}
		return logicalBytes(b, s.Logical()), nil
	case *avro.UnionSchema:
		at, err := in.long()
		if err != nil {
			return nil, err
		}
		if at < 0 || at >= int64(len(s.Types())) {
			return nil, fault.New(fault.Invalid, "a union has no branch %d; is the value of another schema?", at)
		}
		return in.value(s.Types()[at], depth+1)
	case *avro.RecordSchema:
		record := make(map[string]any, len(s.Fields()))
		for _, field := range s.Fields() {
			v, err := in.value(field.Type(), depth+1)
			if err != nil {
				return nil, err
			}
			record[field.Name()] = v
		}
		return record, nil
	case *avro.ArraySchema:
		list := []any{}
		err := in.blocks(func() error {
			v, err := in.value(s.Items(), depth+1)
			list = append(list, v)
			return err
		})
		return list, err
	case *avro.MapSchema:
		object := map[string]any{}
		err := in.blocks(func() error {
			name, err := in.text()
			if err != nil {
				return err
			}
			object[name], err = in.value(s.Values(), depth+1)
			return err
		})
		return object, err
	}
	return nil, fault.New(fault.Invalid, "the schema has a type that is not known, %s", schema.Type())
}

// blocks reads the items of an array or a map, which come in blocks with their number before them.
func (in *avroInput) blocks(item func() error) error {
	for {
		count, err := in.long()
		if err != nil || count == 0 {
			return err
		}
		if count < 0 { // the block's size in bytes follows
			if count = -count; count < 0 {
				return errShort
			}
			if _, err := in.long(); err != nil {
				return err
			}
		}
		for range count {
			if err := item(); err != nil {
				return err
			}
		}
	}
}

func (in *avroInput) primitive(s *avro.PrimitiveSchema) (any, error) {
	switch s.Type() {
	case avro.Boolean:
		b, err := in.take(1)
		return err == nil && b[0] != 0, err
	case avro.Int, avro.Long:
		n, err := in.long()
		return logicalNumber(n, s.Logical()), err
	case avro.Float:
		b, err := in.take(4)
		if err != nil {
			return nil, err
		}
		return narrow(math.Float32frombits(binary.LittleEndian.Uint32(b))), nil
	case avro.Double:
		b, err := in.take(8)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
	case avro.String:
		return in.text()
	case avro.Bytes:
		b, err := in.bytes()
		return logicalBytes(b, s.Logical()), err
	}
	return nil, nil
}

// narrow is a number of 32 bits as people would write it: 0.1, not 0.10000000149011612.
func narrow(f float32) float64 {
	wide, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	if err != nil {
		return float64(f)
	}
	return wide
}

// logicalNumber writes dates and times as text, as expressions take them.
func logicalNumber(n int64, logical avro.LogicalSchema) any {
	if logical == nil {
		return n
	}
	switch logical.Type() {
	case avro.Date:
		return time.Unix(n*86400, 0).UTC().Format(time.DateOnly)
	case avro.TimestampMillis:
		return time.UnixMilli(n).UTC().Format(time.RFC3339Nano)
	case avro.TimestampMicros:
		return time.UnixMicro(n).UTC().Format(time.RFC3339Nano)
	case avro.LocalTimestampMillis:
		return time.UnixMilli(n).UTC().Format("2006-01-02T15:04:05.999")
	case avro.LocalTimestampMicros:
		return time.UnixMicro(n).UTC().Format("2006-01-02T15:04:05.999999")
	case avro.TimeMillis:
		return time.UnixMilli(n).UTC().Format("15:04:05.999")
	case avro.TimeMicros:
		return time.UnixMicro(n).UTC().Format("15:04:05.999999")
	}
	return n
}

// logicalBytes writes decimals as numbers and other bytes as base64.
func logicalBytes(b []byte, logical avro.LogicalSchema) any {
	decimal, is := logical.(*avro.DecimalLogicalSchema)
	if !is || len(b) > 64 {
		return base64.StdEncoding.EncodeToString(b)
	}
	unscaled := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 { // two's complement
		unscaled.Sub(unscaled, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	text := new(big.Rat).SetFrac(unscaled, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimal.Scale())), nil)).FloatString(decimal.Scale())
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return f
}
