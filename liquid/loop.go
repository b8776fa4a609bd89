package liquid

import (
	"math"
	"strconv"
)

// loop is a for or tablerow being run.
type loop struct {
	spec   *loopSpec
	name   string
	items  Value    // a list, a range or, with keys, a hash
	keys   []string // of a hash
	first  int      // item that round 0 shows, or the last one if reversed
	round  int
	length int
	parent int // loop around this one, or -1
	cols   int // of a tablerow
	row    int
	col    int
}

// startLoop starts a loop and its first round, or reports that there is nothing to loop over.
func (f *frame) startLoop(spec *loopSpec, isRow bool) bool {
	st := f.st
	l := loop{spec: spec, name: spec.name, parent: len(st.loops) - 1, row: 1, col: 1}
	if isRow {
		l.parent = -1
	}
	collection := f.value(spec.collection)
	if isRow && !collection.Truthy() {
		return false
	}
	from, ok := f.loopBounds(spec, &l, collection, isRow)
	if !ok {
		return false
	}
	if !isRow {
		if f.program.resumes {
			f.regs.offsets[spec.name] = from + l.length
		}
		if l.length == 0 {
			return false
		}
	} else {
		st.out = append(st.out, "<tr class=\"row1\">\n"...)
		if l.length == 0 {
			st.out = append(st.out, "</tr>\n"...)
			return false
		}
	}
	if len(st.loops) >= st.engine.limits.Depth {
		st.fail(newError(DepthLimit, "loops are nested deeper than "+itoa(st.engine.limits.Depth)))
		return false
	}
	st.loops = append(st.loops, l)
	c := &f.cells[spec.helper]
	c.scope, c.hasScope = Value{kind: kindLoop, n: int64(len(st.loops) - 1)}, true
	f.showItem(&st.loops[len(st.loops)-1])
	if isRow {
		st.out = append(st.out, "<td class=\"col1\">"...)
	}
	return true
}

// over sets what the loop runs over and returns its size.
func (l *loop) over(v Value) int {
	l.items = v
	switch v.kind {
	case kindList, kindRange:
		return listLen(v)
	case kindHash:
		l.keys = keysOf(v)
		return len(l.keys)
	case kindString:
		if v.n > 0 {
			l.items = listOf([]Value{v})
			return 1
		}
	}
	return 0
}

// loopBounds works out offset and limit.
func (f *frame) loopBounds(spec *loopSpec, l *loop, collection Value, isRow bool) (from int, ok bool) {
	if spec.resumes {
		from = f.regs.offsets[spec.name]
	} else if spec.offset != nil {
		if from, ok = f.loopInteger(spec.offset, 0, isRow); !ok {
			return 0, false
		}
	}
	size := l.over(collection)
	limit := math.MaxInt32
	if spec.limit != nil {
		if limit, ok = f.loopInteger(spec.limit, math.MaxInt32, isRow); !ok {
			return 0, false
		}
	}
	to := min(from+limit, size)
	first := max(from, 0)
	if collection.IsString() {
		// The only round of a loop over a string takes no notice of its bounds.
		first, to = 0, size
	}
	l.first, l.length = first, max(to-first, 0)
	if isRow {
		l.cols = l.length
		if spec.cols != nil {
			l.cols, ok = f.loopInteger(spec.cols, 0, true)
			return from, ok
		}
	}
	return from, true
}

// loopInteger evaluates a bound. for is strict about integers; tablerow takes the number that a value begins with.
func (f *frame) loopInteger(e *expression, missing int, isRow bool) (int, bool) {
	v := f.value(e)
	if v.IsNil() && !isRow {
		return missing, true
	}
	n, ok := integerArgument(v)
	if isRow {
		n, ok = rangeEnd(v)
		ok = ok && (isNumber(v) || v.IsString() || v.IsNil())
	}
	if !ok {
		f.st.fail(newError(ArgumentError, "invalid integer"))
		return 0, false
	}
	return int(max(min(n, math.MaxInt32), -math.MaxInt32)), true
}

// showItem sets the loop variable to the item of the current round.
func (f *frame) showItem(l *loop) {
	i := l.first + l.round
	if l.spec.reversed {
		i = l.first + l.length - 1 - l.round
	}
	c := &f.cells[l.spec.variable]
	c.hasScope = true
	switch {
	case l.keys != nil:
		c.scope = pairOf(l.items, l.keys[i])
	case l.items.kind == kindRange:
		c.scope = Int(l.items.ref.(*span).first + int64(i))
	default:
		c.scope = listAt(l.items, i)
	}
	if c.scope.kind == kindOther {
		c.scope = f.st.load(c.scope)
	}
}

// nextRound goes on to the next round of the innermost loop, or ends it.
func (f *frame) nextRound() bool {
	l := &f.st.loops[len(f.st.loops)-1]
	l.round++
	if l.round >= l.length {
		f.endLoop()
		return false
	}
	f.showItem(l)
	return true
}

func (f *frame) endLoop() {
	last := len(f.st.loops) - 1
	spec := f.st.loops[last].spec
	f.st.loops[last] = loop{}
	f.st.loops = f.st.loops[:last]
	if spec != nil {
		f.cells[spec.variable], f.cells[spec.helper] = cell{}, cell{}
	}
}

// endCell ends a cell of a tablerow and starts the next one, if there is one.
func (f *frame) endCell() bool {
	st := f.st
	l := &st.loops[len(st.loops)-1]
	st.out = append(st.out, "</td>"...)
	more := l.round+1 < l.length
	if l.col == l.cols {
		if more {
			st.out = append(st.out, "</tr>\n<tr class=\"row"...)
			st.out = strconv.AppendInt(st.out, int64(l.row+1), 10)
			st.out = append(st.out, "\">"...)
		}
		l.col = 1
		l.row++
	} else {
		l.col++
	}
	if !f.nextRound() {
		st.out = append(st.out, "</tr>\n"...)
		return false
	}
	st.out = append(st.out, "<td class=\"col"...)
	st.out = strconv.AppendInt(st.out, int64(l.col), 10)
	st.out = append(st.out, "\">"...)
	st.checkOutput()
	return true
}

// loopField is a property of forloop or tablerowloop.
type loopField uint8

const (
	noLoopField loopField = iota
	loopIndex
	loopIndex0
	loopRindex
	loopRindex0
	loopFirst
	loopLast
	loopLength
	loopName
	loopParent
	loopCol
	loopCol0
	loopColFirst
	loopColLast
	loopRow
)

func loopFieldOf(name string) loopField {
	switch name {
	case "index":
		return loopIndex
	case "index0":
		return loopIndex0
	case "rindex":
		return loopRindex
	case "rindex0":
		return loopRindex0
	case "first":
		return loopFirst
	case "last":
		return loopLast
	case "length":
		return loopLength
	case "name":
		return loopName
	case "parentloop":
		return loopParent
	case "col":
		return loopCol
	case "col0":
		return loopCol0
	case "col_first":
		return loopColFirst
	case "col_last":
		return loopColLast
	case "row":
		return loopRow
	}
	return noLoopField
}

// loopProperty returns a property of forloop or tablerowloop.
func (st *state) loopProperty(v Value, field loopField) (Value, bool) {
	if v.n >= int64(len(st.loops)) {
		return Nil, true
	}
	l := &st.loops[v.n]
	switch field {
	case loopIndex:
		return Int(int64(l.round + 1)), true
	case loopIndex0:
		return Int(int64(l.round)), true
	case loopRindex:
		return Int(int64(l.length - l.round)), true
	case loopRindex0:
		return Int(int64(l.length - l.round - 1)), true
	case loopFirst:
		return Bool(l.round == 0), true
	case loopLast:
		return Bool(l.round == l.length-1), true
	case loopLength:
		return Int(int64(l.length)), true
	case loopName:
		return String(l.name), true
	case loopParent:
		if l.parent < 0 {
			return Nil, true
		}
		return Value{kind: kindLoop, n: int64(l.parent)}, true
	case loopCol:
		return Int(int64(l.col)), true
	case loopCol0:
		return Int(int64(l.col - 1)), true
	case loopColFirst:
		return Bool(l.col == 1), true
	case loopColLast:
		return Bool(l.col == l.cols), true
	case loopRow:
		return Int(int64(l.row)), true
	}
	return Nil, false
}
