package expr

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// version is a release number that compares as people mean it: 1.10 is after 1.9. The order is that of Semantic
// Versioning 2.0.0 (section 11) for any count of numbers, where those left out are 0: what stands before a release
// (1.2-beta) comes before it, and what follows a plus or a space says nothing.
type version struct {
	numbers []uint64
	pre     []string
}

var versionType = types.NewObjectType("version", traits.ComparerType)

const maxVersionNumbers = 8

// parseVersion reads a version such as "1.10.2", "v2" or "3.0-rc.1".
func parseVersion(s string) (version, bool) {
	s, _, _ = strings.Cut(strings.TrimSpace(s), " ")
	s, _, _ = strings.Cut(s, "+")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "v"), "V")
	release, pre, early := strings.Cut(s, "-")
	var v version
	for part := range strings.SplitSeq(release, ".") {
		n, err := strconv.ParseUint(part, 10, 63)
		if err != nil || len(v.numbers) == maxVersionNumbers {
			return version{}, false
		}
		v.numbers = append(v.numbers, n)
	}
	for len(v.numbers) > 1 && v.numbers[len(v.numbers)-1] == 0 {
		v.numbers = v.numbers[:len(v.numbers)-1]
	}
	if early {
		if v.pre = strings.Split(pre, "."); slices.Contains(v.pre, "") {
			return version{}, false
		}
	}
	return v, true
}

func (v version) compare(w version) int {
	if c := slices.Compare(v.numbers, w.numbers); c != 0 {
		return c
	}
	if len(v.pre) == 0 || len(w.pre) == 0 {
		return cmp.Compare(len(w.pre), len(v.pre)) // the release itself comes last
	}
	return slices.CompareFunc(v.pre, w.pre, func(a, b string) int {
		n, errA := strconv.ParseUint(a, 10, 63)
		m, errB := strconv.ParseUint(b, 10, 63)
		switch {
		case errA == nil && errB == nil:
			return cmp.Compare(n, m)
		case errA == nil:
			return -1
		case errB == nil:
			return 1
		}
		return cmp.Compare(a, b)
	})
}

// asVersion reads a text or a number as a version; what is none is missing.
func asVersion(v ref.Val) ref.Val {
	text := ""
	switch v := v.(type) {
	case version:
		return v
	case types.String:
		text = string(v)
	case types.Double:
		text = strconv.FormatFloat(float64(v), 'f', -1, 64)
	case types.Int:
		text = strconv.FormatInt(int64(v), 10)
	}
	if parsed, ok := parseVersion(text); ok {
		return parsed
	}
	return missingValue
}

func (v version) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a version is no %v", t)
}
func (v version) ConvertToType(ref.Type) ref.Val { return missingValue }
func (v version) Type() ref.Type                 { return versionType }
func (v version) Value() any                     { return v.numbers }

func (v version) Equal(other ref.Val) ref.Val {
	w, ok := asVersion(other).(version)
	return types.Bool(ok && v.compare(w) == 0)
}

// Compare orders it beside another version, or a text that is one.
func (v version) Compare(other ref.Val) ref.Val {
	w, ok := asVersion(other).(version)
	if !ok {
		return missingValue
	}
	return types.Int(v.compare(w))
}
