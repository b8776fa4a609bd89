package connect

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// source is an open file of rows, unpacked and in UTF-8 (or whatever its author called so).
type source struct {
	file    *os.File
	size    int64
	read    atomic.Int64 // bytes of the file, packed as it is
	text    io.Reader
	columns []string // of CSV; nil where rows are JSON
	split   *splitter
}

// openSource opens the file, finds out whether it is packed, and reads the header of CSV.
func openSource(path string, m *Mapping) (*source, error) {
	format, err := m.formatOf(path)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fault.New(fault.NotFound, "there is no file %s", path)
	case err != nil:
		return nil, fault.Wrap(fault.Invalid, err, "the file cannot be opened")
	}
	s := &source{file: file}
	if err := s.begin(format, m); err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

func (s *source) begin(format string, m *Mapping) error {
	info, err := s.file.Stat()
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the file cannot be examined")
	}
	if info.IsDir() {
		return fault.New(fault.Invalid, "%s is a directory: import one file at a time", s.file.Name())
	}
	s.size = info.Size()
	plain := bufio.NewReaderSize(&counter{from: s.file, read: &s.read}, 64<<10)
	s.text = plain
	if magic, _ := plain.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(plain)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "the file is not sound gzip")
		}
		s.text = unpacked
	}
	if m.encoding == "windows-1252" {
		s.text = &windows1252{from: bufio.NewReaderSize(s.text, 64<<10)}
	}
	s.split = newSplitter(s.text, format == "csv", m.delimiter)
	if err := s.split.skipMark(); err != nil {
		return err
	}
	if format != "csv" {
		return nil
	}
	if s.columns = m.columns; s.columns == nil {
		if s.columns, err = s.split.header(); err != nil {
			return err
		}
	}
	s.split.columns = len(s.columns)
	return nil
}

func (s *source) Close() error { return s.file.Close() }

// formatOf is the format that the mapping says or else the name of the file.
func (m *Mapping) formatOf(path string) (string, error) {
	if m.format != "" {
		return m.format, nil
	}
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(path)), ".gz")
	switch filepath.Ext(name) {
	case ".csv", ".tsv", ".txt":
		return "csv", nil
	case ".jsonl", ".ndjson", ".json":
		return "jsonl", nil
	}
	return "", fault.Field("format", "the name %s does not tell the format: write format: csv or format: jsonl in the mapping", filepath.Base(path))
}

// sourceName is the beginning of default message ids: what the mapping says, or the file's name without extensions.
func (m *Mapping) sourceName(path string) string {
	if m.source != "" {
		return m.source
	}
	name := filepath.Base(path)
	name = strings.TrimSuffix(name, ".gz")
	name = strings.TrimSuffix(name, filepath.Ext(name))
	for len(name) > 100 {
		_, last := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-last]
	}
	return strings.ToValidUTF8(name, "_")
}

// counter counts what is read through it.
type counter struct {
	from io.Reader
	read *atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// windows1252 turns that encoding, a superset of ISO 8859-1, into UTF-8.
type windows1252 struct {
	from *bufio.Reader
	rest []byte
}

// high holds the characters 0x80 to 0x9f (WHATWG Encoding Standard, index windows-1252).
var high = []rune("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ")

func (w *windows1252) Read(p []byte) (int, error) {
	if len(w.rest) == 0 {
		if _, err := w.from.Peek(1); err != nil {
			return 0, err
		}
		in, _ := w.from.Peek(w.from.Buffered())
		for _, c := range in {
			switch {
			case c < 0x80:
				w.rest = append(w.rest, c)
			case c < 0xa0:
				w.rest = utf8.AppendRune(w.rest, high[c-0x80])
			default:
				w.rest = utf8.AppendRune(w.rest, rune(c))
			}
		}
		if _, err := w.from.Discard(len(in)); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.rest)
	if w.rest = w.rest[n:]; len(w.rest) == 0 {
		w.rest = w.rest[:0]
	}
	return n, nil
}
