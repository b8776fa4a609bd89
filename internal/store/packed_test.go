package store

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/tailorbird/tailorbird/internal/engine"
)

// randomRecords are records of few profiles at few moments, with values of any length.
func randomRecords(random *rand.Rand, n int) (records []record) {
	for range n {
		value := make([]byte, random.IntN(3)*random.IntN(200))
		for i := range value {
			value[i] = byte(random.Uint32())
		}
		records = append(records, record{recordKey(random.Int64N(5), random.Int64N(7)-3, random.Uint64N(9)), value})
	}
	return records
}

func sameRecord(a, b record) bool { return bytes.Equal(a.key, b.key) && bytes.Equal(a.value, b.value) }

// What is packed is what was given, in its order, and so is what its page is read as; as far as nothing of it is missing.
func TestRecordsArePackedAndUnpacked(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for n := range 50 {
		given := randomRecords(random, n)
		p := pack(func(to *packed) {
			for _, r := range given {
				to.add(r)
			}
		})
		pack(func(to *packed) { to.add(record{profileKey(1), []byte("in the same room")}) })
		page := p.page()
		read, err := unpack(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range []*packed{p, read} {
			if found.len() != n || !slices.EqualFunc(slices.Collect(found.all()), given, sameRecord) {
				t.Fatalf("%d records are not what was given", n)
			}
			for i, want := range given {
				if !sameRecord(found.at(i), want) {
					t.Fatalf("record %d of %d is %v, want %v", i, n, found.at(i), want)
				}
			}
		}
	}
}

// A block of which the disk gives anything else than what was written is not read.
func TestADamagedBlockIsNotRead(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 18))
	page := pack(func(to *packed) {
		for _, r := range randomRecords(random, 20) {
			to.add(r)
		}
	}).page()
	damages := [][]byte{nil, page[1:], page[:len(page)-1], append(slices.Clone(page), 0)}
	for i := range page {
		damaged := slices.Clone(page)
		damaged[i] ^= 1 << random.UintN(8)
		damages = append(damages, damaged)
	}
	for _, damaged := range damages {
		if _, err := unpack(damaged); !errors.Is(err, errPage) {
			t.Fatalf("a damaged page is read, %v: %x", err, damaged)
		}
	}
}

// A block that is read from the disk is the one that was made, and says what the commit said.
func TestABlockIsReadAsItWasMade(t *testing.T) {
	l := openFiles(t).log.(*blockLog)
	for _, batch := range benchBatches(rand.New(rand.NewPCG(13, 14)), 2) {
		e := l.prepare(batch).(*blockEntry)
		read, events, err := e.stored.open()
		if err != nil {
			t.Fatal(err)
		}
		made := e.block
		if read.id != made.id || read.at != batch.Now || !bytes.Equal(read.records.data, made.records.data) ||
			!slices.Equal(read.records.begins, made.records.begins) || !slices.Equal(read.hashes, made.hashes) {
			t.Error("the block is not what was made")
		}
		for i, want := range batch.Events {
			if got := read.records.at(i); keyProfile(got.key) != want.ProfileID || !reflect.DeepEqual(events[i], want.Event) {
				t.Fatalf("event %d is %+v, want %+v", i, events[i], want.Event)
			}
		}
		var transitions []engine.Transition
		for i := len(events); i < read.records.len(); i++ {
			more, err := decodeTransitions(read.records.at(i))
			if err != nil {
				t.Fatal(err)
			}
			transitions = append(transitions, more...)
		}
		if len(events) != len(batch.Events) || !slices.Equal(transitions, batch.Changes.Transitions) {
			t.Errorf("%d events and the transitions %v", len(events), transitions)
		}
	}
}
