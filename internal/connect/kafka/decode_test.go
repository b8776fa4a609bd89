package kafka

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/hamba/avro/v2"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/reach"
	"github.com/tailorbird/tailorbird/internal/source"
)

const orderAvro = `{"type":"record","name":"Order","namespace":"shop","fields":[
	{"name":"id","type":"string"},
	{"name":"total","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
	{"name":"count","type":"int"},
	{"name":"rate","type":"float"},
	{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"day","type":{"type":"int","logicalType":"date"}},
	{"name":"coupon","type":["null","string"]},
	{"name":"status","type":{"type":"enum","name":"Status","symbols":["NEW","PAID"]}},
	{"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[{"name":"sku","type":"string"},{"name":"price","type":"double"}]}}},
	{"name":"tags","type":{"type":"map","values":"boolean"}},
	{"name":"mark","type":{"type":"fixed","name":"Mark","size":2}},
	{"name":"gift","type":["null","Line"]}]}`

func asJSON(t *testing.T, row map[string]any, err error) string {
	t.Helper()
	if err != nil {
		return err.Error()
	}
	text, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What another library writes is read as it was meant.
func TestAvroReadsWhatOthersWrite(t *testing.T) {
	schema := avro.MustParse(orderAvro)
	line := map[string]any{"sku": "a", "price": 1.5}
	value, err := avro.Marshal(schema, map[string]any{
		"id": "ö1", "total": big.NewRat(-1250, 100), "count": 3, "rate": float32(0.1), "at": time.UnixMilli(1_700_000_000_123), "day": time.Unix(86400*365, 0),
		"coupon": nil, "status": "PAID", "lines": []any{line, line}, "tags": map[string]any{"x": true}, "mark": [2]byte{1, 255}, "gift": map[string]any{"shop.Line": line},
	})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := newAvroReader(orderAvro, nil)
	if err != nil {
		t.Fatal(err)
	}
	row, err := reader.row(value)
	want := `{"at":"2023-11-14T22:13:20.123Z","count":3,"coupon":null,"day":"1971-01-01","gift":{"price":1.5,"sku":"a"},"id":"ö1",` +
		`"lines":[{"price":1.5,"sku":"a"},{"price":1.5,"sku":"a"}],"mark":"Af8=","rate":0.1,"status":"PAID","tags":{"x":true},"total":-12.5}`
	if got := asJSON(t, row, err); got != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
	for cut := range value {
		if _, err := reader.row(value[:cut]); fault.CodeOf(err) != fault.Invalid {
			t.Fatalf("%d of %d bytes: %v", cut, len(value), err)
		}
	}
	if _, err := reader.row(append(value, 0)); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a byte too many: %v", err)
	}
}

// The examples of the specification of Avro 1.12, "Binary Encoding": a record of 27 and "foo", an array of 3 and 27, and a union.
func TestAvroReadsTheSpecification(t *testing.T) {
	for schema, c := range map[string]struct{ value, want string }{
		`{"type":"record","name":"test","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"}]}`:                     {"\x36\x06foo", `{"a":27,"b":"foo"}`},
		`{"type":"record","name":"test","fields":[{"name":"a","type":{"type":"array","items":"long"}}]}`:                         {"\x04\x06\x36\x00", `{"a":[3,27]}`},
		`{"type":"record","name":"test","fields":[{"name":"a","type":["null","string"]},{"name":"b","type":["null","string"]}]}`: {"\x00\x02\x02a", `{"a":null,"b":"a"}`},
		`{"type":"record","name":"test","fields":[{"name":"a","type":{"type":"array","items":"null"}}]}`:                         {"\xfe\xff\xff\xff\x0f\x00", "more than"},
		`{"type":"record","name":"loop","fields":[{"name":"next","type":["null","loop"]}]}`:                                      {strings.Repeat("\x02", 100), "more than"},
		`{"type":"record","name":"test","fields":[{"name":"a","type":"bytes"}]}`:                                                 {"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "ends before"},
		`{"type":"record","name":"test","fields":[{"name":"a","type":{"type":"array","items":"null"}}] }`:                        {"\x01\xff", "ends before"},
		`{"type":"record","name":"test","fields":[{"name":"a","type":{"type":"array","items":"long"}}] }`:                        {"\x03\x04\x06\x36\x00", `{"a":[3,27]}`},
		`{"type":"record","name":"test","fields":[{"name":"a","type":{"type":"enum","name":"e","symbols":["X"]}}]}`:              {"\x02", "no symbol"},
		`{"type":"record","name":"test","fields":[{"name":"a","type":["null"]}]}`:                                                {"\x04", "no branch"},
		`{"type":"record","name":"test","fields":[{"name":"a","type":"string"}]}`:                                                {"\x02\xff", "UTF-8"},
		`"string"`: {"\x02a", "not a record"},
	} {
		reader, err := newAvroReader(schema, nil)
		if err != nil {
			t.Fatal(schema, err)
		}
		row, err := reader.row([]byte(c.value))
		if got := asJSON(t, row, err); got != c.want && (c.want[0] == '{' || !strings.Contains(got, c.want)) {
			t.Errorf("%s of %x: %s, want %s", schema, c.value, got, c.want)
		}
	}
}

const orderProto = `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "shop/line.proto";
enum Status { NEW = 0; PAID = 1; }
message Other { string x = 1; }
message Order {
  message Inner { int64 n = 1; }
  string id = 1;
  int64 total_cents = 2;
  google.protobuf.Timestamp at = 3;
  optional string coupon = 4;
  Status status = 5;
  repeated Line lines = 6;
  map<string, bool> tags = 7;
  bytes mark = 8;
  float rate = 9;
  uint64 big = 10;
  google.protobuf.Int64Value wrapped = 11;
  Inner inner = 12;
}`

const lineProto = `syntax = "proto3"; package shop; message Line { string sku = 1; double price = 2; }`

func TestProtobufReadsWhatOthersWrite(t *testing.T) {
	file, err := newProtobufReader(orderProto, map[string]string{"shop/line.proto": lineProto})
	if err != nil {
		t.Fatal(err)
	}
	order, err := file.named("shop.Order")
	if err != nil {
		t.Fatal(err)
	}
	message := dynamicpb.NewMessage(order.of)
	if err := protojson.Unmarshal([]byte(`{"id":"ö1","total_cents":"9007199254740993","at":"2023-11-14T22:13:20.123Z","status":"PAID",
		"lines":[{"sku":"a","price":1.5}],"tags":{"x":true},"mark":"Af8=","rate":0.1,"big":"18446744073709551615","wrapped":"7","inner":{"n":"1"}}`), message); err != nil {
		t.Fatal(err)
	}
	value, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	row, err := order.row(value)
	want := `{"at":"2023-11-14T22:13:20.123Z","big":18446744073709552000,"id":"ö1","inner":{"n":1},"lines":[{"price":1.5,"sku":"a"}],"mark":"Af8=","rate":0.1,` +
		`"status":"PAID","tags":{"x":true},"total_cents":9007199254740993,"wrapped":7}`
	if got := asJSON(t, row, err); got != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
	// Which message it is stands before it: Order is the second of the file, Inner its first.
	for frame, want := range map[string]string{
		"\x02\x02" + string(value): want,
		"\x04\x02\x00\x08\x96\x01": `{"n":150}`, // 08 96 01 is the first example of Protobuf's page on its encoding
		"\x00\x0a\x01y":            `{"x":"y"}`,
		"\x02\x08":                 "does not say which",
		"\xff":                     "does not say which",
		"\x02\x02\xff\xff":         "not a message",
	} {
		row, err := file.indexed([]byte(frame))
		if got := asJSON(t, row, err); got != want && (want[0] == '{' || !strings.Contains(got, want)) {
			t.Errorf("%q: %s, want %s", frame, got, want)
		}
	}
}

func TestSchemasOfADefinition(t *testing.T) {
	for _, c := range []struct {
		d    source.Definition
		want string
	}{
		{source.Definition{Format: source.Avro, Schema: `{"type":"record"`}, "schema"},
		{source.Definition{Format: source.Avro, Schema: orderAvro}, ""},
		{source.Definition{Format: source.Protobuf, Schema: `message {`}, "schema"},
		{source.Definition{Format: source.Protobuf, Schema: `import "none.proto";`}, "schema"},
		{source.Definition{Format: source.Protobuf, Schema: lineProto, Message: "shop.None"}, "message"},
		{source.Definition{Format: source.Protobuf, Schema: lineProto, Message: "shop.Line"}, ""},
		{source.Definition{Format: source.Protobuf, Schema: lineProto}, ""},
	} {
		_, err := newDecoder(c.d, "", reach.Policy{})
		if field := ""; err != nil || c.want != "" {
			if err != nil {
				field = fault.All(err)[0].Field
			}
			if field != c.want {
				t.Errorf("%s %.40s: %v, want field %q", c.d.Format, c.d.Schema, err, c.want)
			}
		}
	}
}
