package liquid

import (
	"encoding/json"
	"math"
	"time"
)

// jsonFilter writes a value as JSON, with <, > and & escaped so that it is safe in a script.
func jsonFilter(c *Call, dst []byte) []byte {
	w := textWriter{dst: dst, start: len(dst), st: c.st}
	w.json(c.input)
	return w.dst
}

func (w *textWriter) json(v Value) {
	switch v.kind {
	case kindNil, kindEmpty, kindBlank, kindLoop:
		w.dst = append(w.dst, "null"...)
	case kindBool, kindInt, kindBig:
		w.dst = appendPlain(w.dst, v)
	case kindFloat:
		if f := v.float(); math.IsNaN(f) || math.IsInf(f, 0) {
			w.st.fail(newError(ArgumentError, "json: "+v.String()+" is no number of JSON"))
			return
		}
		w.dst = appendPlain(w.dst, v)
	case kindString:
		w.jsonText(v.str())
	case kindTime:
		w.jsonText(v.time().Format(time.RFC3339Nano))
	case kindList, kindRange, kindHash:
		if !w.enter(v) {
			w.st.fail(newError(ArgumentError, "json: a list or hash contains itself, or too many others"))
			return
		}
		if v.kind == kindHash {
			w.jsonObject(v)
		} else {
			w.jsonArray(v)
		}
		w.leave()
	default:
		w.jsonText(v.String())
	}
}

// costOfJSON is what an item counts for, in steps.
const costOfJSON = 8

func (w *textWriter) jsonArray(v Value) {
	w.dst = append(w.dst, '[')
	for i := 0; i < listLen(v) && w.st.step(costOfJSON) && w.more(); i++ {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		w.json(w.st.load(listAt(v, i)))
	}
	w.dst = append(w.dst, ']')
}

func (w *textWriter) jsonObject(v Value) {
	w.dst = append(w.dst, '{')
	for i, key := range keysOf(v) {
		if !w.st.step(costOfJSON) || !w.more() {
			return
		}
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		w.jsonText(key)
		w.dst = append(w.dst, ':')
		item, _ := v.Get(key)
		w.json(w.st.load(item))
	}
	w.dst = append(w.dst, '}')
}

func (w *textWriter) jsonText(s string) {
	text, err := json.Marshal(s)
	if err != nil {
		w.st.fail(newError(ArgumentError, "json: "+err.Error()))
	}
	w.dst = append(w.dst, text...)
}
