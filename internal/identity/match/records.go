package match

import "slices"

// Bounds of one record.
const (
	maxValues = 8   // of one field
	maxLength = 100 // bytes of one value; what is longer is cut
	// MaxRecords is how many records a set takes.
	MaxRecords = 20_000_000
)

// Records is a set of records in columns. Fill it with Add, then give it to Find; it cannot be added to after that.
type Records struct {
	fields  []Field
	columns []*dictionary
	ids     []int64
	starts  []uint32 // of record r and field f: values[starts[r*F+f]:starts[r*F+f+1]]
	values  []uint32
	frozen  bool
}

// NewRecords makes an empty set. It returns an Invalid fault where the fields cannot be.
func NewRecords(fields []Field) (*Records, error) {
	if err := checkFields(fields); err != nil {
		return nil, err
	}
	r := &Records{fields: slices.Clone(fields), starts: []uint32{0}}
	for range fields {
		r.columns = append(r.columns, newDictionary())
	}
	return r, nil
}

// Add takes one record: for each field, in their order, its values as they were given. Empty values and those that say
// nothing count as missing. It reports false where the set is full.
func (r *Records) Add(id int64, values [][]string) bool {
	if r.frozen || len(r.ids) >= MaxRecords {
		return false
	}
	r.ids = append(r.ids, id)
	for f, field := range r.fields {
		begin := len(r.values)
		if f < len(values) {
			for _, raw := range values[f] {
				text := normalize(field.Kind, raw)
				if text == "" || len(r.values)-begin >= maxValues {
					continue
				}
				if v := r.columns[f].number(text); !slices.Contains(r.values[begin:], v) {
					r.values = append(r.values, v)
					r.columns[f].counts[v]++
				}
			}
		}
		if len(r.values) > begin {
			r.columns[f].filled++
		}
		r.starts = append(r.starts, uint32(len(r.values)))
	}
	return true
}

// Len is the number of records.
func (r *Records) Len() int { return len(r.ids) }

func (r *Records) freeze() {
	if !r.frozen {
		r.frozen = true
		for _, c := range r.columns {
			c.freeze()
		}
	}
}

// of gives the numbers of a record's values in a field, none where there is no such field (-1).
func (r *Records) of(record uint32, field int) []uint32 {
	if field < 0 {
		return nil
	}
	at := int(record)*len(r.fields) + field
	return r.values[r.starts[at]:r.starts[at+1]]
}

// first gives a record's first value in a field, nil where it has none or where there is no such field (-1).
func (r *Records) first(record uint32, field int) []byte {
	if v := r.of(record, field); len(v) > 0 {
		return r.columns[field].value(v[0])
	}
	return nil
}

// field gives the place of the field of a kind, -1 for none.
func (r *Records) field(kind Kind) int {
	return slices.IndexFunc(r.fields, func(f Field) bool { return f.Kind == kind })
}

// pairs is how many pairs the records make.
func (r *Records) pairs() float64 {
	n := float64(r.Len())
	return max(1, n*(n-1)/2)
}
