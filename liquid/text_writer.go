package liquid

import (
	"reflect"
	"slices"
)

// textWriter writes lists and hashes, which may be of any size, share parts with each other, and contain themselves.
type textWriter struct {
	dst   []byte
	start int
	st    *state     // whose limits apply, if any
	above []identity // of the lists and hashes around what is being written
}

// identity tells lists and hashes apart that are equal.
type identity struct {
	at     uintptr
	length int
	shape  int64
}

// identityOf returns where a list or hash lies in memory, or the zero identity if that says nothing.
func identityOf(v Value) identity {
	r, ok := v.ref.(reflect.Value)
	if !ok {
		r = reflect.ValueOf(v.ref)
	}
	switch r.Kind() {
	case reflect.Slice:
		return identity{at: r.Pointer(), length: r.Len()}
	case reflect.Map, reflect.Pointer, reflect.UnsafePointer:
		return identity{at: r.Pointer(), shape: v.n}
	}
	return identity{}
}

// enter goes into a list or hash, unless this is inside itself or too deep.
func (w *textWriter) enter(v Value) bool {
	id := identityOf(v)
	if id.at != 0 && slices.Contains(w.above, id) || len(w.above) >= maxTextDepth {
		return false
	}
	w.above = append(w.above, id)
	return true
}

func (w *textWriter) leave() { w.above = w.above[:len(w.above)-1] }

// costOfWriting is what an item counts for, in steps.
const costOfWriting = 4

// more reports whether the limits allow another item.
func (w *textWriter) more() bool {
	if w.st == nil {
		return len(w.dst)-w.start < DefaultLimits.Memory
	}
	return w.st.step(costOfWriting) && w.st.room(len(w.dst)-w.start)
}

// text writes a value as an output does: lists without brackets.
func (w *textWriter) text(v Value) {
	switch v.kind {
	case kindList:
		if !w.enter(v) {
			return
		}
		for i := 0; i < listLen(v) && w.more(); i++ {
			w.text(listAt(v, i))
		}
		w.leave()
	case kindHash:
		w.inspect(v)
	default:
		w.dst = appendPlain(w.dst, v)
	}
}

// inspect writes a value as it stands inside a hash or a nested list.
func (w *textWriter) inspect(v Value) {
	switch v.kind {
	case kindNil:
		w.dst = append(w.dst, "nil"...)
	case kindString:
		w.dst = appendQuoted(w.dst, v.str())
	case kindList:
		if !w.enter(v) {
			w.dst = append(w.dst, "[...]"...)
			return
		}
		w.dst = append(w.dst, '[')
		for i := 0; i < listLen(v) && w.more(); i++ {
			w.separate(i)
			w.inspect(listAt(v, i))
		}
		w.dst = append(w.dst, ']')
		w.leave()
	case kindHash:
		w.inspectHash(v)
	default:
		w.dst = appendPlain(w.dst, v)
	}
}

func (w *textWriter) inspectHash(v Value) {
	if !w.enter(v) {
		w.dst = append(w.dst, "{...}"...)
		return
	}
	w.dst = append(w.dst, '{')
	for i, key := range keysOf(v) {
		if !w.more() {
			break
		}
		w.separate(i)
		w.dst = append(appendQuoted(w.dst, key), "=>"...)
		item, _ := v.Get(key)
		w.inspect(item)
	}
	w.dst = append(w.dst, '}')
	w.leave()
}

// separate writes the comma before all items but the first.
func (w *textWriter) separate(i int) {
	if i > 0 {
		w.dst = append(w.dst, ", "...)
	}
}
