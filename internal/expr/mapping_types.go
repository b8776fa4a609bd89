package expr

import (
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// MappingRow is one record of a file. Cells holds the columns by position where they are known beforehand; Object holds
// a JSON object otherwise, made of nil, bool, int64, float64, string, []any and map[string]any. Message, made of the same and
// time.Time, is what stands around a message of a topic.
type MappingRow struct {
	Cells   []string
	Object  map[string]any
	Message map[string]any
}

// MappingItem is what one row became, one value for each field of the item.
type MappingItem struct {
	Values []MappingValue
}

// mappingTypes teaches CEL the types of row and of an item: which fields they have and how to read them.
type mappingTypes struct {
	*types.Registry
	columns []string
	index   map[string]int // -1: the name stands more than once; nil: JSON rows
	items   []MappingField
	item    map[string]*types.FieldType
}

func newMappingTypes(columns []string, items []MappingField) (*mappingTypes, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the mapping types cannot be built")
	}
	t := &mappingTypes{Registry: registry, columns: columns, items: items, item: map[string]*types.FieldType{}}
	if columns != nil {
		t.index = make(map[string]int, len(columns))
		for i, name := range columns {
			if _, twice := t.index[name]; twice {
				i = -1
			}
			t.index[name] = i
		}
	}
	for i, field := range items {
		t.item[field.Name] = mappingItemField(i, field.Expr.kind)
	}
	return t, nil
}

// FindStructType implements types.Provider.
func (t *mappingTypes) FindStructType(name string) (*types.Type, bool) {
	if name == rowType || name == itemType {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return t.Registry.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (t *mappingTypes) FindStructFieldNames(name string) ([]string, bool) {
	switch name {
	case rowType:
		return t.columns, true
	case itemType:
		var names []string
		for _, field := range t.items {
			names = append(names, field.Name)
		}
		return names, true
	}
	return t.Registry.FindStructFieldNames(name)
}

// FindStructFieldType implements types.Provider.
func (t *mappingTypes) FindStructFieldType(structure, field string) (*types.FieldType, bool) {
	switch structure {
	case rowType:
		if t.index == nil {
			return mappingObjectField(strings.Split(field, mappingPathSeparator)), true
		}
		column, ok := t.index[field]
		if !ok || column < 0 {
			return nil, false
		}
		return mappingCellField(column), true
	case itemType:
		known, ok := t.item[field]
		return known, ok
	}
	return t.Registry.FindStructFieldType(structure, field)
}

// NativeToValue implements types.Adapter: a whole row becomes a map.
func (t *mappingTypes) NativeToValue(value any) ref.Val {
	row, ok := value.(*MappingRow)
	if !ok {
		return t.Registry.NativeToValue(value)
	}
	if t.index == nil {
		return t.Registry.NativeToValue(row.Object)
	}
	whole := make(map[string]string, len(row.Cells))
	for i, cell := range row.Cells {
		if i < len(t.columns) {
			whole[t.columns[i]] = cell
		}
	}
	return t.Registry.NativeToValue(whole)
}

func mappingCellField(column int) *types.FieldType {
	read := func(row any) string {
		r, ok := row.(*MappingRow)
		if !ok || column >= len(r.Cells) {
			return ""
		}
		return r.Cells[column]
	}
	return &types.FieldType{
		Type:    types.StringType,
		GetFrom: func(row any) (any, error) { return read(row), nil },
		IsSet:   func(row any) bool { return read(row) != "" },
	}
}

// mappingObjectField reads a path of a JSON row. Whatever is missing on the way reads as null.
func mappingObjectField(path []string) *types.FieldType {
	read := func(row any) any {
		r, ok := row.(*MappingRow)
		if !ok {
			return types.NullValue
		}
		var at any = r.Object
		below := path
		if path[0] == messagePath {
			at, below = r.Message, path[1:]
		}
		for _, name := range below {
			object, ok := at.(map[string]any)
			if !ok {
				return types.NullValue
			}
			at = object[name]
		}
		if at == nil {
			return types.NullValue
		}
		return at
	}
	return &types.FieldType{
		Type:    types.DynType,
		GetFrom: func(row any) (any, error) { return read(row), nil },
		IsSet:   func(row any) bool { return read(row) != types.NullValue },
	}
}

func mappingItemField(position int, kind *types.Type) *types.FieldType {
	read := func(item any) (any, error) {
		i, ok := item.(*MappingItem)
		if !ok || position >= len(i.Values) {
			return types.NullValue, nil
		}
		return i.Values[position].native()
	}
	return &types.FieldType{
		Type:    kind,
		GetFrom: read,
		IsSet: func(item any) bool {
			i, ok := item.(*MappingItem)
			return ok && position < len(i.Values) && i.Values[position].Kind != MappingNull
		},
	}
}

// ConvertToNative implements ref.Val.
func (i *MappingItem) ConvertToNative(to reflect.Type) (any, error) {
	return nil, fmt.Errorf("an item cannot become a %v", to)
}

// ConvertToType implements ref.Val.
func (i *MappingItem) ConvertToType(to ref.Type) ref.Val {
	return types.NewErr("an item cannot become a %s", to.TypeName())
}

// Equal implements ref.Val: items are equal when all their values are.
func (i *MappingItem) Equal(other ref.Val) ref.Val {
	o, ok := other.(*MappingItem)
	return types.Bool(ok && slices.Equal(i.Values, o.Values))
}

// Type implements ref.Val.
func (i *MappingItem) Type() ref.Type { return types.NewObjectType(itemType) }

// Value implements ref.Val.
func (i *MappingItem) Value() any { return i }

func sortedMappingColumns(used map[int]bool) []int {
	var columns []int
	for column := range used {
		columns = append(columns, column)
	}
	sort.Ints(columns)
	return columns
}

// mappingColumnNames lists what a file has, for an error message: in the file's order, at most a dozen.
func mappingColumnNames(index map[string]int) string {
	names := make([]string, 0, len(index))
	for name := range index {
		names = append(names, name)
	}
	// Names that stand twice have no position and come last.
	sort.Slice(names, func(a, b int) bool { return uint(index[names[a]]) < uint(index[names[b]]) })
	const shown = 12
	if len(names) > shown {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", len(names)-shown)
	}
	return strings.Join(names, ", ")
}
