package expr

// need is what a reducer needs its entries to come to.
type need uint8

const (
	needCount need = iota // how many
	needSum               // how many and their sum
	needFirst
	needLast
	needMin
	needMax
	needTally  // how many of each value
	needAll    // all of them, in order
	needFading // how many of each value on each day
)

var needs = map[string]need{
	"count": needCount, "exists": needCount, "sum": needSum, "avg": needSum, "first": needFirst, "last": needLast,
	"min": needMin, "max": needMax, "distinct": needTally, "most_common": needTally, "sequence": needAll,
	"decayed": needFading, "interests": needFading,
}

// bare reports whether the entries of a term are nothing but times.
func (t *Term) bare() bool { return t.value == nil && t.need != needAll }

// selective reports whether the term's value is that of one entry.
func (t *Term) selective() bool { return t.need >= needFirst && t.need <= needMax }

// nothing is the term's value over no events.
func (t *Term) nothing() datum {
	switch t.Reducer {
	case "count", "distinct":
		return datumInt(0)
	case "exists", "sequence":
		return datum{kept: keptBool(false)}
	case "sum", "decayed":
		return datum{kept: keptNumber(0)}
	}
	return missingDatum
}

// folds reports whether what leaves no window is forgotten once it has been counted.
func (t *Term) folds() bool { return t.Window == 0 && t.need != needAll }

// bound is how many entries are kept.
func (t *Term) bound() int {
	switch {
	case t.newest > 0:
		return t.newest
	case t.need == needAll:
		return maxSequence
	}
	return maxEntries
}

// better reports whether e takes the place of best. Among equal values the earlier event stands.
func (t *Term) better(e, best Entry) bool {
	switch t.need {
	case needFirst:
		return e.before(best)
	case needLast:
		return best.before(e)
	case needMin, needMax:
		return t.superior(e, best) || !t.superior(best, e) && e.before(best)
	}
	return false
}

// superior reports whether the value of e is less, for min, or greater, for max, than that of f.
func (t *Term) superior(e, f Entry) bool {
	c := e.Value.order(f.Value)
	return c < 0 && t.need == needMin || c > 0 && t.need == needMax
}
