package server

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// buffers hold bodies while they are decoded. Decoded events hold no part of them.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

var gzips = sync.Pool{New: func() any { return new(gzip.Reader) }}

// recycle keeps a buffer for the next request, save a huge one.
func recycle(b *bytes.Buffer) {
	if b.Cap() <= 1<<20 {
		b.Reset()
		buffers.Put(b)
	}
}

// readBody reads a plain or gzipped body of at most limit bytes, before and after decompression.
func readBody(w http.ResponseWriter, r *http.Request, into *bytes.Buffer, limit int64) error {
	var from io.Reader = http.MaxBytesReader(w, r.Body, limit)
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip":
		z := gzips.Get().(*gzip.Reader)
		defer gzips.Put(z)
		if err := z.Reset(from); err != nil {
			return unreadable(err, limit)
		}
		from = z
	default:
		return fault.Field("header.Content-Encoding", "is %.40q; send the body plain or as gzip", encoding)
	}
	n, err := into.ReadFrom(io.LimitReader(from, limit+1))
	if err != nil {
		return unreadable(err, limit)
	}
	if n > limit {
		return unreadable(&http.MaxBytesError{Limit: limit}, limit)
	}
	return nil
}

func unreadable(err error, limit int64) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fault.New(fault.TooLarge, "the body is larger than %d bytes; send several smaller ones", limit)
	}
	return &fault.Error{Code: fault.Invalid, Message: "the body cannot be read to its end, or is not gzip as Content-Encoding says", Cause: err}
}
