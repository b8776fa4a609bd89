package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Sum tells the rows of a table from others, in whatever order they are read.
type Sum struct {
	Rows     int64
	Checksum string // 32 hexadecimal digits
}

// summing makes a Sum: the SHA-256 of each row, whose first two words are added up, so that order does not matter.
type summing struct {
	rows  int64
	words [2]uint64
	buf   []byte
}

// The kinds of values in what is summed.
const (
	noValue byte = iota
	wholeValue
	floatValue
	textValue
)

// add takes a row. Both databases give the same for the same row, whatever they keep its values as.
func (s *summing) add(columns []copiedColumn, row []any) error {
	s.buf = s.buf[:0]
	for i, column := range columns {
		if column.loose {
			continue
		}
		if err := s.value(column, row[i]); err != nil {
			return fmt.Errorf("store: column %s: %w", column.name, err)
		}
	}
	digest := sha256.Sum256(s.buf)
	s.rows++
	for i := range s.words {
		s.words[i] += binary.BigEndian.Uint64(digest[8*i:])
	}
	return nil
}

func (s *summing) value(column copiedColumn, value any) error {
	if value == nil {
		s.buf = append(s.buf, noValue)
		return nil
	}
	switch column.kind {
	case "bigint", "boolean":
		if n, ok := integer(value); ok {
			s.buf = binary.BigEndian.AppendUint64(append(s.buf, wholeValue), uint64(n))
			return nil
		}
	case "double precision":
		if n, ok := integer(value); ok {
			value = float64(n)
		}
		if f, ok := value.(float64); ok {
			s.buf = binary.BigEndian.AppendUint64(append(s.buf, floatValue), math.Float64bits(f))
			return nil
		}
	case "text", "jsonb", "bytea", "uuid":
		text, ok := textual(value)
		if !ok {
			break
		}
		var err error
		switch column.kind {
		case "text":
			text = storable(text)
		case "jsonb":
			text, err = plainJSON(storableJSON(text))
		}
		s.buf = binary.AppendUvarint(append(s.buf, textValue), uint64(len(text)))
		s.buf = append(s.buf, text...)
		return err
	}
	return fmt.Errorf("a %T is no %s", value, column.kind)
}

func (s *summing) sum() Sum {
	words := binary.BigEndian.AppendUint64(nil, s.words[0])
	return Sum{s.rows, hex.EncodeToString(binary.BigEndian.AppendUint64(words, s.words[1]))}
}

// plainJSON writes JSON in one form of the many that it may have: without spaces, members in order, numbers without
// superfluous zeros.
func plainJSON(text string) (string, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return "", err
	}
	var out bytes.Buffer
	err := json.NewEncoder(&out).Encode(plainNumbers(value))
	return out.String(), err
}

// plainNumbers replaces the numbers in a value by texts of one form.
func plainNumbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = plainNumbers(member)
		}
	case []any:
		for i, item := range v {
			v[i] = plainNumbers(item)
		}
	case json.Number:
		return json.RawMessage(plainNumber(string(v)))
	}
	return value
}

// plainNumber writes a number as its digits and a power of ten, exactly.
func plainNumber(text string) string {
	digits, negative := strings.CutPrefix(text, "-")
	digits, power, _ := strings.Cut(strings.ToLower(digits), "e")
	exponent, _ := strconv.Atoi(power) // "" is 0
	whole, fraction, _ := strings.Cut(digits, ".")
	exponent -= len(fraction)
	digits = strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0"
	}
	short := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(short)
	if negative {
		short = "-" + short
	}
	return short + "e" + strconv.Itoa(exponent)
}
