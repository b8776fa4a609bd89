package expr

import (
	"math"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// attributeFunctions declares what conditions can ask of a value beyond CEL's own functions. What they cannot answer is
// missing.
func attributeFunctions() []cel.EnvOption {
	dyn := cel.DynType
	list := cel.ListType(dyn)
	return []cel.EnvOption{
		cel.Function("fold", cel.Overload("fold", []*cel.Type{cel.StringType}, cel.StringType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return types.String(fold(string(v.(types.String)))) }))),
		cel.Function("version", cel.Overload("version", []*cel.Type{dyn}, dyn,
			cel.UnaryBinding(asVersion))),
		cel.Function("distance", cel.Overload("distance", []*cel.Type{dyn, dyn, dyn, dyn}, cel.DoubleType,
			cel.FunctionBinding(distanceOf))),
		cel.Function("containsAny", cel.MemberOverload("containsAny", []*cel.Type{dyn, list}, cel.BoolType,
			cel.BinaryBinding(func(have, wanted ref.Val) ref.Val {
				return overItems(have, wanted, func(has func(ref.Val) bool, items []ref.Val) bool {
					for _, item := range items {
						if has(item) {
							return true
						}
					}
					return false
				})
			}))),
		cel.Function("containsAll", cel.MemberOverload("containsAll", []*cel.Type{dyn, list}, cel.BoolType,
			cel.BinaryBinding(func(have, wanted ref.Val) ref.Val {
				return overItems(have, wanted, func(has func(ref.Val) bool, items []ref.Val) bool {
					for _, item := range items {
						if !has(item) {
							return false
						}
					}
					return true
				})
			}))),
	}
}

// fold brings texts that differ only in case into one form: Unicode's full case folding under canonical equivalence
// (The Unicode Standard 3.13, D145). "Straße" and "STRASSE" become the same; accents stay.
func fold(s string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFD.String(s)))
}

// overItems asks about the items of two lists; missing where one is none.
func overItems(have, wanted ref.Val, ask func(has func(ref.Val) bool, items []ref.Val) bool) ref.Val {
	haves, ok := have.(traits.Lister)
	wants, wanting := wanted.(traits.Lister)
	if !ok || !wanting {
		return missingValue
	}
	var items []ref.Val
	for it := wants.Iterator(); it.HasNext() == types.True; {
		items = append(items, it.Next())
	}
	return types.Bool(ask(func(item ref.Val) bool {
		for it := haves.Iterator(); it.HasNext() == types.True; {
			if equal(it.Next(), item) {
				return true
			}
		}
		return false
	}, items))
}

// earthRadius is the mean radius R1 of the International Union of Geodesy and Geophysics, in kilometres.
const earthRadius = 6371.0088

func distanceOf(args ...ref.Val) ref.Val {
	var degrees [4]float64
	for i, arg := range args {
		if !isNumber(arg) {
			return missingValue
		}
		d := float64(arg.ConvertToType(types.DoubleType).(types.Double))
		if limit := 90 * float64(1+i%2); math.IsNaN(d) || math.Abs(d) > limit {
			return missingValue
		}
		degrees[i] = d
	}
	return types.Double(distance(degrees[0], degrees[1], degrees[2], degrees[3]))
}

// distance is the length in kilometres of the great circle between two places given in degrees, on a sphere (haversine
// formula; Sinnott, Virtues of the Haversine, 1984). On the real Earth it is off by at most 0.6 %.
func distance(lat1, lon1, lat2, lon2 float64) float64 {
	const radian = math.Pi / 180
	sinLat, sinLon := math.Sin((lat2-lat1)*radian/2), math.Sin((lon2-lon1)*radian/2)
	h := sinLat*sinLat + math.Cos(lat1*radian)*math.Cos(lat2*radian)*sinLon*sinLon
	return 2 * earthRadius * math.Asin(math.Sqrt(min(1, h)))
}
