package wire_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/wire"
)

func values() []any {
	return []any{
		nil, true, false, 0.0, math.Copysign(0, -1), 1.5, -7.0, 1e300, float64(1 << 60), math.MaxFloat64, "", "é\x00", time.UnixMicro(-5).UTC(),
		[]any{1.0, "a", nil},
		map[string]any{"a": []any{true}},
		map[string]any{},
	}
}

func TestValuesComeBackAsTheyWere(t *testing.T) {
	var buf []byte
	for _, v := range values() {
		buf = wire.AppendValue(buf, v)
	}
	d := wire.NewDecoder(buf)
	for _, want := range values() {
		got := d.Value()
		if f, ok := want.(float64); ok && math.Float64bits(f) != math.Float64bits(got.(float64)) || !ok && !reflect.DeepEqual(got, want) {
			t.Errorf("%#v came back as %#v", want, got)
		}
	}
	if err := d.Err(); err != nil {
		t.Error(err)
	}
}

func TestEveryPrefixIsDamaged(t *testing.T) {
	whole := wire.AppendText(wire.AppendFixed(wire.AppendValue(nil, map[string]any{"a": "b"}), 7), "text")
	read := func(data []byte) error {
		d := wire.NewDecoder(data)
		d.Value()
		d.Fixed()
		_ = d.Text()
		return d.Err()
	}
	if err := read(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if read(whole[:n]) == nil {
			t.Errorf("the first %d bytes of %d are read without an error", n, len(whole))
		}
	}
	if read(append(whole, 0)) == nil {
		t.Error("a byte too many is read without an error")
	}
}

func FuzzDecoder(f *testing.F) {
	for _, v := range values() {
		f.Add(wire.AppendValue(nil, v))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := wire.NewDecoder(data)
		for d.More() {
			v := d.Value()
			if text, ok := v.(string); ok && len(text) > len(data) {
				t.Fatal("more text than there are bytes")
			}
			if _, err := json.Marshal(v); err != nil {
				if _, is := v.(float64); !is {
					t.Fatal(err)
				}
			}
		}
	})
}
