package connect

import (
	"bytes"
	"encoding/csv"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// splitAll reads all rows, target bytes at a time, and checks what every chunk must hold.
func splitAll(t testing.TB, from io.Reader, columns, target int) (rows [][]string, spans []span, end position) {
	t.Helper()
	s := newSplitter(from, true, ',')
	s.columns = columns
	line := int64(0)
	for !s.done() {
		c, err := s.next(target)
		if err != nil {
			t.Fatal(err)
		}
		last := uint32(0)
		for _, row := range c.rows {
			if row.start < last || row.end < row.start || int(row.end) > len(c.text) || row.line <= line {
				t.Fatalf("row %+v after offset %d and line %d of %q", row, last, line, c.text)
			}
			last, line = row.end, row.line
			var cells []string
			if row.problem == sound {
				cells = splitCells(c.row(row), ',', row.quoted, nil)
			}
			rows = append(rows, cells)
			row.start, row.end = 0, row.end-row.start
			spans = append(spans, row)
		}
	}
	return rows, spans, s.at
}

func TestRowsAsEncodingCSV(t *testing.T) {
	for _, text := range []string{
		"a,b\n1,2\n", "a,b\r\n1,2", "a,b\n\n\n1,2\r\n\r\n", "\"x\",\"y,z\"\n\"1\n2\",\"3 \"\"q\"\"\"\n", "a,\n,\n", "\"\",\"\"\n",
		"one\ntwo", "ä,ö\nü,\"ß\"", "a,b\n\"1\r\",2\r", " \"",
	} {
		reader := csv.NewReader(strings.NewReader(text))
		want, err := reader.ReadAll()
		if err != nil && text != ` "` {
			t.Fatalf("%q: %v", text, err)
		}
		for _, target := range []int{1, 2, 5, chunkTarget} {
			got, _, _ := splitAll(t, iotest.OneByteReader(strings.NewReader(text)), 0, target)
			if err == nil && !reflect.DeepEqual(got, want) {
				t.Errorf("%q by %d: %q, want %q", text, target, got, want)
			}
		}
	}
}

func TestRowsThatCannotBeRead(t *testing.T) {
	long := strings.Repeat("x", maxRow+10)
	for _, c := range []struct {
		name, text string
		problems   map[int64]problem // by line
		sound      [][]string
	}{
		{"a quote that never ends", "1,2\n\"3,4\n5,6\n", map[int64]problem{2: unterminatedQuote}, [][]string{{"1", "2"}, {"5", "6"}}},
		{"a quote that ends in a later row", "\"1,2\n3,\"4\"\n5,6\n", map[int64]problem{1: textAfterQuote}, [][]string{{"3", "4"}, {"5", "6"}}},
		{"a quote that swallows a row", "\"1,2\n3,\"\n5,6\n", map[int64]problem{1: unterminatedQuote, 2: unterminatedQuote}, [][]string{{"5", "6"}}},
		{"text after a quote", "\"1\"x,2\n5,6\n", map[int64]problem{1: textAfterQuote}, [][]string{{"5", "6"}}},
		{"inches", "5\" pipe,2\n5,6\n", nil, [][]string{{`5" pipe`, "2"}, {"5", "6"}}},
		{"a long line", "1,2\n" + long + "\n5,6\n", map[int64]problem{2: overlong}, [][]string{{"1", "2"}, {"5", "6"}}},
		{"a longer line at the end", "1,2\n" + long + long, map[int64]problem{2: overlong}, [][]string{{"1", "2"}}},
		{"a quote in a long text", "\"" + strings.Repeat(long+"\n", 3) + "5,6\n", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, target := range []int{1, 3, 100, chunkTarget} {
				rows, spans, end := splitAll(t, strings.NewReader(c.text), 2, target)
				if end.Offset != int64(len(c.text)) {
					t.Errorf("by %d: ended at %d of %d", target, end.Offset, len(c.text))
				}
				if c.sound == nil {
					if last := rows[len(rows)-1]; !reflect.DeepEqual(last, []string{"5", "6"}) {
						t.Errorf("by %d: the last row is %q", target, last)
					}
					continue
				}
				var good [][]string
				bad := map[int64]problem{}
				for i, s := range spans {
					if s.problem == sound {
						good = append(good, rows[i])
					} else {
						bad[s.line] = s.problem
					}
				}
				if !reflect.DeepEqual(good, c.sound) || len(bad) != len(c.problems) {
					t.Errorf("by %d: rows %q and problems %v, want %q and %v", target, good, bad, c.sound, c.problems)
				}
				for line, want := range c.problems {
					if bad[line] != want {
						t.Errorf("by %d: line %d: %v, want %v", target, line, bad[line], want)
					}
				}
			}
		})
	}
}

func FuzzRows(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "\"a\n\",b\r\n\"\"\"\",\"", "x\"y,\n\"z\"w", "\xef\xbb\xbf,\"\r"} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, text []byte, target int) {
		columns := 0
		reader := csv.NewReader(bytes.NewReader(text))
		want, err := reader.ReadAll()
		if err == nil && len(want) > 0 {
			columns = len(want[0])
		}
		rows, spans, end := splitAll(t, bytes.NewReader(text), columns, chunkTarget)
		if end.Offset != int64(len(text)) {
			t.Fatalf("ended at %d of %d", end.Offset, len(text))
		}
		target = 1 + max(target, -target)&0xff
		again, spansAgain, endAgain := splitAll(t, iotest.HalfReader(bytes.NewReader(text)), columns, target)
		if !reflect.DeepEqual(rows, again) || !reflect.DeepEqual(spans, spansAgain) || end != endAgain {
			t.Fatalf("by %d: %q, at once: %q", target, again, rows)
		}
		if err != nil {
			return
		}
		// encoding/csv reads \r\n inside quotes as \n.
		for _, row := range rows {
			for i := range row {
				row[i] = strings.ReplaceAll(row[i], "\r\n", "\n")
			}
		}
		if len(want) != len(rows) || len(want) > 0 && !reflect.DeepEqual(rows, want) {
			t.Fatalf("%q, want %q", rows, want)
		}
	})
}
