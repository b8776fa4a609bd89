package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"sort"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// record is an entry of a page: a key of its kind's fixed length, by whose bytes records are ordered, and a value.
type record struct {
	key   []byte
	value []byte
}

const (
	pageRaw        = 1 // keys alone, one after the other: hashes do not compress
	pageCompressed = 2 // zstd over key, length, value, …
	pageSoonGone   = 3 // S2, behind its CRC-32C, over the same: for half of the time of zstd, and half as much room again
)

var errPage = errors.New("store: a page of events is damaged")

// window is how far back a compressor looks: a page, or most blocks.
const window = 256 << 10

var (
	compressor      = newCompressor()
	decompressor, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(1<<30))
)

func newCompressor() *zstd.Encoder {
	c, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithWindowSize(window))
	c.EncodeAll([]byte{0}, nil) // it makes its channels when it is first used, and a test's synctest bubble must not own them
	return c
}

// appendRecord adds a record to a page that is being made.
func appendRecord(buf []byte, r record, kind byte) []byte {
	buf = append(buf, r.key...)
	if kind != pageRaw {
		buf = append(binary.AppendUvarint(buf, uint64(len(r.value))), r.value...)
	}
	return buf
}

// finishPage makes a page of the records that have been added; buf may be used again.
func finishPage(buf []byte, kind byte) []byte {
	room := finished.Get().(*[]byte)
	defer finished.Put(room)
	page := append((*room)[:0], kind)
	switch kind {
	case pageRaw:
		page = append(page, buf...)
	case pageCompressed:
		page = compressor.EncodeAll(buf, page)
	case pageSoonGone:
		page = slices.Grow(page, sumSize+s2.MaxEncodedLen(len(buf)))
		data := s2.Encode(page[1+sumSize:cap(page)], buf)
		page = append(binary.LittleEndian.AppendUint32(page, crc32.Checksum(data, castagnoli)), data...)
	}
	*room = page
	return bytes.Clone(page)
}

// finished is room in which pages have been made, and can be again.
var finished = sync.Pool{New: func() any { return new([]byte) }}

const sumSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// plainPage adds to buf what a compressed page holds.
func plainPage(page, buf []byte) (_ []byte, err error) {
	switch {
	case len(page) > 0 && page[0] == pageCompressed:
		buf, err = decompressor.DecodeAll(page[1:], buf)
	case len(page) > sumSize && page[0] == pageSoonGone:
		data := page[1+sumSize:]
		if crc32.Checksum(data, castagnoli) != binary.LittleEndian.Uint32(page[1:]) {
			return nil, errPage
		}
		var n int
		if n, err = s2.DecodedLen(data); err == nil {
			buf = slices.Grow(buf, n)[:len(buf)+n]
			_, err = s2.Decode(buf[len(buf)-n:], data)
		}
	default:
		return nil, errPage
	}
	if err != nil {
		return nil, errors.Join(errPage, err)
	}
	return buf, nil
}

// appendPage adds a page's records, which lie in data, or in what it adds to buf.
func appendPage(records []record, buf, data []byte, keySize int) (more []record, grown []byte, err error) {
	if len(data) > 0 && data[0] == pageRaw {
		data = data[1:]
		if len(data)%keySize != 0 {
			return nil, nil, errPage
		}
		for ; len(data) > 0; data = data[keySize:] {
			records = append(records, record{key: data[:keySize]})
		}
		return records, buf, nil
	}
	before := len(buf)
	if buf, err = plainPage(data, buf); err != nil {
		return nil, nil, err
	}
	data = buf[before:]
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
