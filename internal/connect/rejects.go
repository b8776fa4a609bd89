package connect

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// rejects is the CSV file of rows that did not make it: line, reason, and the row as it was, column by column for CSV
// and in one column for JSON. The file appears with the first such row. It is safe for concurrent use.
type rejects struct {
	path      string
	columns   []string // of the source; nil where rows are JSON
	delimiter byte

	mu     sync.Mutex
	file   *os.File
	buffer *bufio.Writer
	cells  []string
	line   []byte
}

// newRejects begins an empty file; what an earlier import left at path is removed.
func newRejects(path string, columns []string, delimiter byte) (*rejects, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fault.Wrap(fault.Invalid, err, "the rejects file of an earlier import cannot be removed")
	}
	return &rejects{path: path, columns: columns, delimiter: delimiter}, nil
}

// resumeRejects goes on with the file of an interrupted import, less what it says of lines after through: those rows
// are read again.
func resumeRejects(path string, columns []string, delimiter byte, through int64) (*rejects, error) {
	old, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return newRejects(path, columns, delimiter)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the rejects file of the interrupted import cannot be read")
	}
	defer old.Close()
	kept := path + ".new"
	if err := os.Remove(kept); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fault.Wrap(fault.Invalid, err, "%s is in the way", kept)
	}
	r := &rejects{path: kept, columns: columns, delimiter: delimiter}
	rows := csv.NewReader(old)
	rows.FieldsPerRecord, rows.ReuseRecord = -1, true
	for first := true; ; first = false {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var syntax *csv.ParseError
		if err != nil && !errors.As(err, &syntax) {
			return nil, fault.Wrap(fault.Invalid, err, "the rejects file of the interrupted import cannot be read")
		}
		if err != nil {
			break // cut short when the import was interrupted, so it is of a later line
		}
		line, err := strconv.ParseInt(row[0], 10, 64)
		if first || err != nil || line > through {
			continue
		}
		if err := r.put(row); err != nil {
			return nil, err
		}
	}
	if r.file == nil {
		r.path = path
		return r, os.Remove(path)
	}
	if err := r.flush(); err != nil {
		return nil, err
	}
	r.path = path
	return r, fault.Wrap(fault.Internal, os.Rename(kept, path), "the rejects file cannot be rewritten")
}

// add writes one row. quoted tells whether the row has quotation marks; a row that cannot be taken apart stands whole
// in the first column.
func (r *rejects) add(text string, s span, reason string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cells = append(r.cells[:0], strconv.FormatInt(s.line, 10), reason)
	if r.columns != nil && s.problem == sound {
		r.cells = splitCells(text, r.delimiter, s.quoted, r.cells)
	} else {
		r.cells = append(r.cells, text)
	}
	return r.put(r.cells)
}

func (r *rejects) put(cells []string) error {
	if r.file == nil {
		file, err := os.OpenFile(r.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "the rejects file cannot be made")
		}
		r.file, r.buffer = file, bufio.NewWriterSize(file, 32<<10)
		header := []string{"line", "reason", "row"}
		if r.columns != nil {
			header = append(header[:2], r.columns...)
		}
		if err := r.write(header); err != nil {
			return err
		}
	}
	return r.write(cells)
}

func (r *rejects) write(cells []string) error {
	r.line = r.line[:0]
	for i, cell := range cells {
		if i > 0 {
			r.line = append(r.line, ',')
		}
		r.line = appendCell(r.line, cell)
	}
	r.line = append(r.line, '\n')
	_, err := r.buffer.Write(r.line)
	return fault.Wrap(fault.Internal, err, "the rejects file cannot be written")
}

// numeral is what a spreadsheet takes for a number, sign and all.
var numeral = regexp.MustCompile(`^[+-]?[0-9][0-9.,]*$`)

// appendCell writes a column. A spreadsheet would take a text that begins with = + - @ tab or CR for a formula; an
// apostrophe before it prevents that (OWASP, CSV Injection). Numbers stay as they are.
func appendCell(to []byte, cell string) []byte {
	guard := cell != "" && strings.IndexByte("=+-@\t\r", cell[0]) >= 0 && !numeral.MatchString(cell)
	if !guard && !strings.ContainsAny(cell, "\",\r\n") && utf8.ValidString(cell) && strings.TrimSpace(cell) == cell {
		return append(to, cell...)
	}
	to = append(to, '"')
	if guard {
		to = append(to, '\'')
	}
	to = append(to, strings.ReplaceAll(cell, `"`, `""`)...)
	return append(to, '"')
}

// flush makes what was added durable.
func (r *rejects) flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	err := r.buffer.Flush()
	if err == nil {
		err = r.file.Sync()
	}
	return fault.Wrap(fault.Internal, err, "the rejects file cannot be written")
}

// Close makes the file durable and closes it.
func (r *rejects) Close() error {
	err := r.flush()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil {
		err = errors.Join(err, r.file.Close())
		r.file = nil
	}
	return err
}
