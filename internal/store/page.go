package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"sort"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// record is an entry of a page: a key of its kind's fixed length, by whose bytes records are ordered, and a value.
type record struct {
	key   []byte
	value []byte
}

const (
	pageRaw        = 1 // keys alone, one after the other
	pageCompressed = 2 // zstd over key, length, value, …
)

var errPage = errors.New("store: a page of events is damaged")

// window is how far back a compressor looks: a page, or most blocks.
const window = 256 << 10

var (
	compressor, _   = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithWindowSize(window))
	decompressor, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(1<<30))
)

// encodePage stores records; those without values stay as they are, since hashes do not compress.
func encodePage(records []record) []byte {
	kind := byte(pageRaw)
	if slices.ContainsFunc(records, func(r record) bool { return len(r.value) > 0 }) {
		kind = pageCompressed
	}
	plain := plainPages.Get().(*[]byte)
	buf := (*plain)[:0]
	for _, r := range records {
		buf = appendRecord(buf, r, kind)
	}
	page := finishPage(buf, kind)
	*plain = buf
	plainPages.Put(plain)
	return page
}

// plainPages are pages that have been compressed: their room is used again.
var plainPages = sync.Pool{New: func() any { return new([]byte) }}

// appendRecord adds a record to a page that is being made.
func appendRecord(buf []byte, r record, kind byte) []byte {
	buf = append(buf, r.key...)
	if kind == pageCompressed {
		buf = append(binary.AppendUvarint(buf, uint64(len(r.value))), r.value...)
	}
	return buf
}

// finishPage makes a page of the records that have been added; buf may be used again.
func finishPage(buf []byte, kind byte) []byte {
	if kind == pageRaw {
		return append(append(make([]byte, 0, len(buf)+1), kind), buf...)
	}
	return compressor.EncodeAll(buf, append(make([]byte, 0, len(buf)/3), kind))
}

// decodePage reads what encodePage wrote. The records share one buffer.
func decodePage(data []byte, keySize int) ([]record, error) {
	records, _, err := appendPage(nil, nil, data, keySize)
	return records, err
}

// appendPage adds a page's records, which lie in data, or in what it adds to buf.
func appendPage(records []record, buf, data []byte, keySize int) (more []record, grown []byte, err error) {
	if len(data) == 0 {
		return nil, nil, errPage
	}
	kind, data := data[0], data[1:]
	switch kind {
	case pageRaw:
		if len(data)%keySize != 0 {
			return nil, nil, errPage
		}
		for ; len(data) > 0; data = data[keySize:] {
			records = append(records, record{key: data[:keySize]})
		}
		return records, buf, nil
	case pageCompressed:
		before := len(buf)
		buf, err := decompressor.DecodeAll(data, buf)
		if err != nil {
			return nil, nil, errors.Join(errPage, err)
		}
		data := buf[before:]
		records = slices.Grow(records, len(data)/256)
		for len(data) > 0 {
			var r record
			if r, data, err = nextRecord(data, keySize); err != nil {
				return nil, nil, err
			}
			records = append(records, r)
		}
		return records, buf, nil
	}
	return nil, nil, errPage
}

// nextRecord reads the first record of what a compressed page holds, and gives what comes after it.
func nextRecord(data []byte, keySize int) (r record, rest []byte, err error) {
	if len(data) < keySize {
		return r, nil, errPage
	}
	key := data[:keySize]
	n, skip := binary.Uvarint(data[keySize:])
	data = data[keySize+max(skip, 0):]
	if skip <= 0 || n > uint64(len(data)) {
		return r, nil, errPage
	}
	return record{key, data[:n]}, data[n:], nil
}

// pageHas looks a key up in a page of keys alone.
func pageHas(data, key []byte) (bool, error) {
	if len(data) == 0 || data[0] != pageRaw || (len(data)-1)%len(key) != 0 {
		return false, errPage
	}
	keys := data[1:]
	_, found := sort.Find(len(keys)/len(key), func(i int) int { return bytes.Compare(key, keys[i*len(key):(i+1)*len(key)]) })
	return found, nil
}
