package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"sort"

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

var (
	compressor, _   = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2))
	decompressor, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(1<<30))
)

// encodePage stores records; those without values stay as they are, since hashes do not compress.
func encodePage(records []record) []byte {
	kind := byte(pageRaw)
	size := 0
	for _, r := range records {
		if len(r.value) > 0 {
			kind = pageCompressed
		}
		size += len(r.key) + len(r.value) + binary.MaxVarintLen32
	}
	buf := make([]byte, 0, size)
	for _, r := range records {
		buf = appendRecord(buf, r, kind)
	}
	return finishPage(buf, kind)
}

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
	return compressor.EncodeAll(buf, append(make([]byte, 0, len(buf)/4), kind))
}

// decodePage reads what encodePage wrote. The records share one buffer.
func decodePage(data []byte, keySize int) ([]record, error) {
	if len(data) == 0 {
		return nil, errPage
	}
	kind, data := data[0], data[1:]
	var records []record
	switch kind {
	case pageRaw:
		if len(data)%keySize != 0 {
			return nil, errPage
		}
		for ; len(data) > 0; data = data[keySize:] {
			records = append(records, record{key: data[:keySize]})
		}
		return records, nil
	case pageCompressed:
		data, err := decompressor.DecodeAll(data, nil)
		if err != nil {
			return nil, errors.Join(errPage, err)
		}
		records = make([]record, 0, len(data)/256)
		for len(data) > 0 {
			r, rest, err := nextRecord(data, keySize)
			if err != nil {
				return nil, err
			}
			records, data = append(records, r), rest
		}
		return records, nil
	}
	return nil, errPage
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
