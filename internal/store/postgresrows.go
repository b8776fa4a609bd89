package store

import (
	"bytes"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgresRows are the rows of an answer as they come.
type postgresRows struct {
	statement *postgresStatement
	pipeline  *pgconn.Pipeline // that the answer is the last of; nil for none
	answer    *pgconn.ResultReader
	kept      [][][]byte // rows that were taken into memory
	whole     bool       // all of them
	changed   int64
	err       error
	row       Row
	closed    bool
}

// next reads a row; false at the end.
func (r *postgresRows) next() bool {
	var values [][]byte
	switch {
	case len(r.kept) > 0:
		values, r.kept = r.kept[0], r.kept[1:]
	case r.whole || !r.answer.NextRow():
		return false
	default:
		values = r.answer.Values()
	}
	for i, field := range r.statement.Fields {
		if r.row[i], r.err = decodeColumn(field.DataTypeOID, values[i]); r.err != nil {
			return false
		}
	}
	return true
}

// keep takes the rest into memory.
func (r *postgresRows) keep() error {
	for r.answer.NextRow() {
		values := r.answer.Values()
		row := make([][]byte, len(values))
		for i, v := range values {
			if v != nil {
				row[i] = append([]byte{}, v...)
			}
		}
		r.kept = append(r.kept, row)
	}
	r.whole = true
	// The row that is being looked at must outlive the buffer that it was read into.
	for i, v := range r.row {
		if b, ok := v.(borrowed); ok {
			r.row[i] = borrowed(bytes.Clone(b))
		}
	}
	return r.finish()
}

// finish ends the answer and what it came in.
func (r *postgresRows) finish() error {
	if r.closed {
		return r.err
	}
	r.closed = true
	tag, err := r.answer.Close()
	r.changed = tag.RowsAffected()
	if r.pipeline != nil {
		if closed := r.pipeline.Close(); err == nil {
			err = closed
		}
	}
	if err != nil && r.err == nil {
		r.err = postgresError(err, r.statement.SQL)
	}
	return r.err
}

// close ends the answer and tells how many rows were changed.
func (r *postgresRows) close() (changed int64, err error) {
	err = r.finish()
	return r.changed, err
}
