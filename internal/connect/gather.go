package connect

import (
	"encoding/binary"
	"strings"

	"github.com/tailorbird/tailorbird/internal/expr"
)

// group is one event in the making: the rows of one key so far.
type group struct {
	key         string
	head        string // of its first row; "" with no rows yet
	line        int64  // of its first row
	first, last uint64 // places of its items in the arena, 0 for none
	size        int    // bytes of its items
	rows        int
	without     bool // it has lost a row that was refused
	oversize    bool // it has more than an event can hold, and takes no more
}

// maxGroup is far more than the items of an acceptable event can take: each is longer in JSON.
const maxGroup = 2 * maxEvent

// gatherer brings together the rows of each key, wherever in the file they stand. Within its budget it works in
// memory; beyond, it puts what it has into partition files by a hash of the key, and gathers one partition at a time
// at the end, in the same manner. So the length of a file and the number of its keys are bounded by the disk only.
type gatherer struct {
	budget int
	dir    string
	depth  int

	index  map[string]int // into groups
	groups []group        // in the order of their first rows
	arena  arena
	held   int // estimate of the bytes in use
	parts  *partitions
}

func newGatherer(budget int, dir string, depth int) *gatherer {
	return &gatherer{budget: budget, dir: dir, depth: depth, index: map[string]int{}}
}

// groupCost estimates the bytes of a group beside its key, head and items: the struct and its place in the index.
const groupCost = 176

// group finds or makes the group of a key. The pointer holds until the next call.
func (g *gatherer) group(key string) *group {
	at, ok := g.index[key]
	if !ok {
		key = strings.Clone(key)
		at = len(g.groups)
		g.groups = append(g.groups, group{key: key})
		g.index[key] = at
		g.held += groupCost + len(key)
	}
	return &g.groups[at]
}

// add takes rows of one key: their items, and the head of the first of them, asked for only if it is the event's first.
func (g *gatherer) add(key string, line int64, rows int, items []byte, head func() string) error {
	to := g.group(key)
	if to.rows == 0 {
		to.head, to.line = head(), line
		g.held += len(to.head)
	}
	to.rows += rows
	if to.size+len(items) > maxGroup {
		to.oversize = true
	} else {
		to.size += len(items)
		g.held += g.arena.append(to, items)
	}
	return g.keepBudget()
}

// lose notes that a row of the key was refused.
func (g *gatherer) lose(key string) error {
	g.group(key).without = true
	return g.keepBudget()
}

func (g *gatherer) keepBudget() error {
	const deepest = 4 // 64 partitions each: past 16 million budgets no split helps
	if g.held <= g.budget || g.depth > deepest {
		return nil
	}
	return g.spill()
}

// each gives every event that was gathered, each in the memory of g or of a gatherer of one partition. Those of one
// gatherer come in the order of their first rows.
func (g *gatherer) each(emit func(*gatherer, *group) error) error {
	if g.parts == nil {
		for i := range g.groups {
			if g.groups[i].rows == 0 {
				continue // all of its rows were refused
			}
			if err := emit(g, &g.groups[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := g.spill(); err != nil {
		return err
	}
	for i := range g.parts.files {
		part := newGatherer(g.budget, g.dir, g.depth+1)
		err := g.parts.load(i, part)
		if err == nil {
			err = part.each(emit)
		}
		if closeErr := part.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// spill moves all groups to partition files.
func (g *gatherer) spill() error {
	if g.parts == nil {
		parts, err := newPartitions(g.dir)
		if err != nil {
			return err
		}
		g.parts = parts
	}
	for i := range g.groups {
		if err := g.parts.put(&g.groups[i], &g.arena); err != nil {
			return err
		}
	}
	clear(g.index)
	clear(g.groups)
	g.groups, g.held = g.groups[:0], 0
	g.arena.reset()
	return nil
}

// Close removes what was put on disk.
func (g *gatherer) Close() error {
	if g.parts == nil {
		return nil
	}
	return g.parts.Close()
}

// items decodes the items of a group, reusing into.
func (g *gatherer) items(of *group, fields int, into []expr.MappingItem) []expr.MappingItem {
	into = into[:0]
	for text := g.arena.text(of); text != ""; {
		if len(into) < cap(into) {
			into = into[:len(into)+1]
		} else {
			into = append(into, expr.MappingItem{})
		}
		item := &into[len(into)-1]
		if cap(item.Values) < fields {
			item.Values = make([]expr.MappingValue, fields)
		}
		item.Values = item.Values[:fields]
		for i := range item.Values {
			item.Values[i], text = cutValue(text)
		}
	}
	return into
}

// arena holds the items of many groups without a pointer for each: pieces in large blocks, each piece followed by the
// place of the next piece of its group.
//
// A place is a block's number plus one in the upper half and an offset in the lower; a piece is the place of the next
// (8 bytes), its size (4 bytes), and its bytes.
type arena struct {
	blocks [][]byte
	full   int // blocks before it take no more
}

const (
	arenaBlock = 256 << 10
	pieceFrame = 12
)

// append adds items to the chain of a group and returns the bytes used.
func (a *arena) append(to *group, items []byte) int {
	if len(items) == 0 {
		return 0
	}
	need := pieceFrame + len(items)
	for a.full < len(a.blocks) && len(a.blocks[a.full])+need > cap(a.blocks[a.full]) {
		a.full++
	}
	if a.full == len(a.blocks) {
		a.blocks = append(a.blocks, make([]byte, 0, max(arenaBlock, need)))
	}
	block := a.blocks[a.full]
	place := uint64(a.full+1)<<32 | uint64(len(block))
	block = binary.LittleEndian.AppendUint64(block, 0)
	block = binary.LittleEndian.AppendUint32(block, uint32(len(items)))
	a.blocks[a.full] = append(block, items...)
	if to.last == 0 {
		to.first = place
	} else {
		binary.LittleEndian.PutUint64(a.at(to.last), place)
	}
	to.last = place
	return need
}

func (a *arena) at(place uint64) []byte { return a.blocks[place>>32-1][uint32(place):] }

// pieces gives the items of a group piece by piece.
func (a *arena) pieces(of *group, yield func([]byte)) {
	for place := of.first; place != 0; {
		piece := a.at(place)
		place = binary.LittleEndian.Uint64(piece)
		size := binary.LittleEndian.Uint32(piece[8:])
		yield(piece[pieceFrame : pieceFrame+size])
	}
}

// text gives the items of a group as one text.
func (a *arena) text(of *group) string {
	var whole strings.Builder
	whole.Grow(of.size)
	a.pieces(of, func(piece []byte) { whole.Write(piece) })
	return whole.String()
}

// reset empties the arena and keeps its memory.
func (a *arena) reset() {
	for i := range a.blocks {
		a.blocks[i] = a.blocks[i][:0]
	}
	a.full = 0
}
