package connect

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// position is a place between two rows of a source.
type position struct {
	Offset int64 `json:"offset"` // bytes of unpacked text before it
	Line   int64 `json:"line"`   // lines before it
}

// span is one row of a chunk.
type span struct {
	start, end uint32 // in the chunk's text, without the line's end
	line       int64  // 1-based, of its first line in the file
	problem    problem
	quoted     bool // has a quotation mark
}

// problem is what makes a row unreadable.
type problem uint8

const (
	sound problem = iota
	unterminatedQuote
	textAfterQuote
	overlong
)

var problems = [...]string{
	unterminatedQuote: "a quote opens here and does not end",
	textAfterQuote:    "text follows the closing quote of a column",
	overlong:          "the row is longer than 1 MB",
}

// chunk is a piece of a source: whole rows.
type chunk struct {
	text string
	rows []span
	end  position
}

// row is the text of one row as it stands in the file.
func (c *chunk) row(s span) string { return c.text[s.start:s.end] }

// splitter finds where rows end. In CSV a quoted column may hold line ends (RFC 4180); a quote inside an unquoted
// column is an ordinary character. A row that cannot be read costs one line: reading goes on at the next one.
type splitter struct {
	from      io.Reader
	csv       bool
	delimiter byte
	columns   int // expected in each row; 0 for any

	buffer []byte
	unread []byte // the part of buffer that is not split yet
	ended  bool
	at     position

	dropping bool // inside an overlong line
}

func newSplitter(from io.Reader, csv bool, delimiter byte) *splitter {
	return &splitter{from: from, csv: csv, delimiter: delimiter}
}

// fill reads until at least want bytes are unread or the source ends.
func (s *splitter) fill(want int) error {
	if s.ended || len(s.unread) >= want {
		return nil
	}
	if cap(s.buffer) < want {
		s.buffer = make([]byte, want+want/4)
	}
	s.buffer = s.buffer[:cap(s.buffer)]
	n := copy(s.buffer, s.unread)
	for n < want {
		read, err := s.from.Read(s.buffer[n:])
		n += read
		if errors.Is(err, io.EOF) {
			s.ended = true
			break
		}
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "the file cannot be read on after line %d; is it cut short?", s.at.Line)
		}
	}
	s.unread = s.buffer[:n]
	return nil
}

// skipMark drops a byte order mark and refuses UTF-16.
func (s *splitter) skipMark() error {
	if err := s.fill(4); err != nil {
		return err
	}
	if bytes.HasPrefix(s.unread, []byte("\xff\xfe")) || bytes.HasPrefix(s.unread, []byte("\xfe\xff")) {
		return fault.New(fault.Invalid, "the file is in UTF-16: save it as UTF-8")
	}
	if bytes.HasPrefix(s.unread, []byte("\xef\xbb\xbf")) {
		s.unread = s.unread[3:]
		s.at.Offset = 3
	}
	return nil
}

// header reads the names of the columns.
func (s *splitter) header() ([]string, error) {
	first := &chunk{}
	for len(first.rows) == 0 {
		if s.done() {
			return nil, fault.New(fault.Invalid, "the file is empty: its first line must name the columns")
		}
		var err error
		if first, err = s.next(1); err != nil {
			return nil, err
		}
	}
	row := first.rows[0]
	if row.problem != sound {
		return nil, fault.New(fault.Invalid, "line %d names the columns, but %s", row.line, problems[row.problem])
	}
	text := first.row(row)
	if !utf8.ValidString(text) {
		return nil, fault.New(fault.Invalid, "line %d is not UTF-8: write encoding: windows-1252 in the mapping if the file is in that", row.line)
	}
	columns := splitCells(text, s.delimiter, row.quoted, nil)
	if len(columns) > maxColumns {
		return nil, fault.New(fault.Invalid, "the file has %d columns, more than %d", len(columns), maxColumns)
	}
	for i := range columns {
		columns[i] = strings.Clone(strings.TrimSpace(columns[i]))
	}
	return columns, nil
}

// skipTo moves to a position that an earlier reading reported.
func (s *splitter) skipTo(to position) error {
	for s.at.Offset < to.Offset {
		if err := s.fill(64 << 10); err != nil {
			return err
		}
		if len(s.unread) == 0 {
			return fault.New(fault.Conflict, "the file is shorter than it was when the import was interrupted")
		}
		n := min(int64(len(s.unread)), to.Offset-s.at.Offset)
		s.unread = s.unread[n:]
		s.at.Offset += n
	}
	s.at = to
	return nil
}

// next gives whole rows of at least target bytes together, fewer at the end of the source. A target of 1 gives one
// row, or one blank line and no row.
func (s *splitter) next(target int) (*chunk, error) {
	for want := target; ; want = 2 * max(want, 4<<10) {
		if err := s.fill(want); err != nil {
			return nil, err
		}
		c := &chunk{}
		used := 0
		for used < target && used < len(s.unread) {
			size := s.row(c, used)
			if size == 0 {
				break
			}
			used += size
		}
		if used == 0 && !s.ended {
			continue // not one whole row yet
		}
		c.text = string(s.unread[:used])
		s.unread = s.unread[used:]
		s.at.Offset += int64(used)
		s.at.Line += c.end.Line
		if err := s.drop(); err != nil {
			return nil, err
		}
		c.end = s.at
		return c, nil
	}
}

// done tells whether the source has no more rows.
func (s *splitter) done() bool { return s.ended && len(s.unread) == 0 }

// row appends the row that begins at from to c and returns its size with the line's end; 0 if it is not all there.
// c.end.Line counts lines meanwhile.
func (s *splitter) row(c *chunk, from int) int {
	rest := s.unread[from:]
	line, size, whole := cutLine(rest, s.ended)
	if !whole {
		if len(rest) <= maxRow {
			return 0
		}
		return s.overlong(c, from)
	}
	row := span{start: uint32(from), line: s.at.Line + c.end.Line + 1}
	lines := int64(1)
	end := len(line)
	switch {
	case end > maxRow:
		row.problem = overlong
	case s.csv && bytes.IndexByte(line, '"') >= 0:
		row.quoted = true
		through, found, ok := s.quoted(rest, &row)
		if !ok {
			return 0
		}
		inner := int64(bytes.Count(rest[:through], []byte{'\n'}))
		if inner > 0 && row.problem == sound && s.columns > 0 && found != s.columns {
			// More likely a stray quote than a row of several lines: give up one line, not all.
			row.problem = unterminatedQuote
		}
		if row.problem == sound {
			_, last, _ := cutLine(rest[through:], true)
			end, size, lines = through, through+last, inner+1
		}
	case end == 0:
		c.end.Line++
		return size // a blank line
	}
	row.end = uint32(from + end)
	c.rows = append(c.rows, row)
	c.end.Line += lines
	return size
}

// overlong takes the beginning of a line that does not end within bounds; drop passes over the rest of it.
func (s *splitter) overlong(c *chunk, from int) int {
	const kept = 1 << 10 // for the rejects file
	c.rows = append(c.rows, span{
		start: uint32(from), end: uint32(from + kept), line: s.at.Line + c.end.Line + 1, problem: overlong,
	})
	c.end.Line++
	s.dropping = true
	return len(s.unread) - from
}

// drop passes over the rest of an overlong line.
func (s *splitter) drop() error {
	for s.dropping {
		if err := s.fill(1); err != nil {
			return err
		}
		size := len(s.unread)
		if at := bytes.IndexByte(s.unread, '\n'); at >= 0 || size == 0 {
			s.dropping = false
			size = at + 1
		}
		s.unread = s.unread[size:]
		s.at.Offset += int64(size)
	}
	return nil
}

// cutLine splits off a line: its text without "\n" or "\r\n", and its size with them.
func cutLine(text []byte, ended bool) (line []byte, size int, whole bool) {
	at := bytes.IndexByte(text, '\n')
	if at < 0 {
		return bytes.TrimSuffix(text, []byte{'\r'}), len(text), ended
	}
	return bytes.TrimSuffix(text[:at], []byte{'\r'}), at + 1, true
}

// quoted walks the columns of a row with quotes. It returns where the row's text ends and its number of columns, or
// not ok if more must be read first; a problem is noted in row.
func (s *splitter) quoted(text []byte, row *span) (through, columns int, ok bool) {
	for at := 0; ; at++ {
		columns++
		if at < len(text) && text[at] == '"' {
			at++
			for {
				quote := bytes.IndexByte(text[at:], '"')
				if quote < 0 {
					if !s.ended && len(text) <= maxRow {
						return 0, 0, false
					}
					row.problem = unterminatedQuote
					return 0, 0, true
				}
				at += quote + 1
				if at == len(text) && !s.ended {
					return 0, 0, false // the next character decides what this quote means
				}
				if at < len(text) && text[at] == '"' {
					at++
					continue
				}
				break
			}
			if at > maxRow {
				row.problem = unterminatedQuote
				return 0, 0, true
			}
			switch {
			case at == len(text) || text[at] == '\n':
				return at, columns, true
			case text[at] == s.delimiter:
				continue
			case text[at] == '\r' && at+1 < len(text) && text[at+1] == '\n', text[at] == '\r' && at+1 == len(text):
				return at, columns, true
			}
			row.problem = textAfterQuote
			return 0, 0, true
		}
		stop := bytes.IndexByte(text[at:], '\n')
		next := bytes.IndexByte(text[at:], s.delimiter)
		switch {
		case next >= 0 && (stop < 0 || next < stop):
			at += next
		case stop >= 0:
			return at + len(bytes.TrimSuffix(text[at:at+stop], []byte{'\r'})), columns, true
		case s.ended:
			return at + len(bytes.TrimSuffix(text[at:], []byte{'\r'})), columns, true
		default:
			return 0, 0, false
		}
	}
}

// splitCells cuts a readable row into its columns, appended to cells.
func splitCells(row string, delimiter byte, quoted bool, cells []string) []string {
	for {
		if quoted && strings.HasPrefix(row, `"`) {
			cell, rest, more := unquote(row[1:], delimiter)
			cells = append(cells, cell)
			if !more {
				return cells
			}
			row = rest
			continue
		}
		at := strings.IndexByte(row, delimiter)
		if at < 0 {
			return append(cells, row)
		}
		cells = append(cells, row[:at])
		row = row[at+1:]
	}
}

// unquote reads a quoted column from behind its opening quote.
func unquote(text string, delimiter byte) (cell, rest string, more bool) {
	escaped := false
	for at := 0; ; {
		quote := strings.IndexByte(text[at:], '"')
		if quote < 0 {
			return text, "", false
		}
		at += quote
		if at+1 < len(text) && text[at+1] == '"' {
			escaped = true
			at += 2
			continue
		}
		cell = text[:at]
		if escaped {
			cell = strings.ReplaceAll(cell, `""`, `"`)
		}
		if at+1 < len(text) && text[at+1] == delimiter {
			return cell, text[at+2:], true
		}
		return cell, "", false
	}
}
