package expr

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// sentence says in words what a leaf came to. A form's node gives the words; what no form shows is quoted.
func sentence(n Node, c *Clause) string {
	text := ""
	switch n.Kind {
	case KindNot: // x == null
		text = phrase(n.Nodes[0], &Clause{Holds: !c.Holds, Operator: "has"})
	default:
		text = phrase(n, c)
	}
	if c.NextChange != nil {
		text += "; changes on " + c.NextChange.Format("2 January 2006 at 15:04:05 MST") + " by itself"
	}
	return text
}

func phrase(n Node, c *Clause) string {
	not := func(yes, no string) string {
		if c.Holds {
			return yes
		}
		return no
	}
	switch n.Kind {
	case KindSegment:
		return not("is in the segment ", "is not in the segment ") + n.Name
	case KindConsent:
		return not("allows ", "does not allow ") + n.Name
	case KindSequence:
		return sequencePhrase(*n.Sequence) + not(" happened", " did not happen")
	case KindText:
		if c.Operator != "" {
			return c.Text + ": " + wordOf(c.Actual, "") + " beside " + wordOf(c.Wanted, "")
		}
		return c.Text + not(" holds", " does not hold")
	case KindBehaviour:
		return behaviourPhrase(n, c)
	}
	what := strings.Join(append([]string{n.Name}, n.Path...), ".")
	switch {
	case c.Operator == "has":
		return what + not(" is known", " is not known")
	case n.Function == "anniversary":
		return fmt.Sprintf("days until the anniversary of %s: %s%s", what, wordOf(c.Actual, ""), wanted(n))
	case n.Function == "years":
		return fmt.Sprintf("years since %s: %s%s", what, wordOf(c.Actual, ""), wanted(n))
	case n.Function == "size":
		return fmt.Sprintf("size of %s: %s%s", what, wordOf(c.Actual, ""), wanted(n))
	case n.Function == "age":
		return agoPhrase(what+" was ", what, c) + wanted(n)
	case c.Operator == "":
		return what + " is " + not("true", "not true")
	}
	return what + " is " + wordOf(c.Actual, "") + wanted(n)
}

func agoPhrase(begin, what string, c *Clause) string {
	if c.Actual == nil {
		return what + " is not known"
	}
	return begin + wordOf(c.Actual, "age") + " ago"
}

// behaviourPhrase says what events came to.
func behaviourPhrase(n Node, c *Clause) string {
	b := n.Behaviour
	events := b.Event
	if events == "" {
		events = "any event"
	}
	if len(b.Where) > 0 {
		events += " as described"
	}
	during := ""
	if b.Within != "" {
		during = " in the last " + lengthOf(b.Within)
	}
	switch {
	case b.From != "" && b.To != "":
		during += " from " + b.From + " until " + b.To
	case b.From != "":
		during += " from " + b.From + " on"
	case b.To != "":
		during += " before " + b.To
	}
	of := strings.Join(append([]string{b.Property}, b.Path...), ".")
	actual := wordOf(c.Actual, "")
	switch b.Reducer {
	case "exists":
		if c.Holds == (c.Operator == "" || c.Wanted == true) {
			return events + " happened" + during
		}
		return "no " + events + during
	case "count":
		return actual + " × " + events + during + wanted(n)
	case "days":
		if actual != "1" {
			return events + " on " + actual + " days" + during + wanted(n)
		}
		return events + " on 1 day" + during + wanted(n)
	case "frequency":
		return events + " " + actual + " times in " + lengthOf(b.Argument) + " on average" + during + wanted(n)
	case "lifecycle":
		return "by " + events + during + " the customer is " + actual + wanted(n)
	case "decayed":
		return actual + " × " + events + during + ", each halved every " + lengthOf(b.Argument) + wanted(n)
	case "first", "last":
		if of != "" {
			return fmt.Sprintf("%s of the %s %s%s is %s%s", of, b.Reducer, events, during, actual, wanted(n))
		}
		if n.Function == "age" {
			return agoPhrase("the "+b.Reducer+" "+events+during+" was ", "a "+b.Reducer+" "+events+during, c) + wanted(n)
		}
		return fmt.Sprintf("the %s %s%s was at %s%s", b.Reducer, events, during, actual, wanted(n))
	}
	name := map[string]string{
		"sum": "the sum", "avg": "the mean", "min": "the least", "max": "the greatest", "distinct": "the number of different values", "most_common": "the most frequent",
	}[b.Reducer]
	return fmt.Sprintf("%s of %s over %s%s is %s%s", name, of, events, during, actual, wanted(n))
}

func sequencePhrase(s Sequence) string {
	name := func(step Step) string {
		text := step.Event
		if text == "" {
			text = "any event"
		}
		if len(step.Where) > 0 {
			text += " as described"
		}
		return text
	}
	names := func(steps []Step, joint string) string {
		texts := make([]string, len(steps))
		for i, step := range steps {
			texts[i] = name(step)
		}
		return strings.Join(texts, joint)
	}
	text := names(s.Steps, ", then ")
	if s.Within != "" {
		text += " within " + lengthOf(s.Within)
	}
	if len(s.Without) > 0 {
		text += " without " + names(s.Without, " or ") + " in between"
	}
	if s.During != "" {
		text += " in the last " + lengthOf(s.During)
	}
	return text
}

// wanted says what a leaf compares with.
func wanted(n Node) string {
	value := wordOf(n.Value, n.Function)
	switch n.Operator {
	case "":
		return ""
	case "==":
		return ", " + value + " wanted"
	case "!=":
		return ", anything but " + value + " wanted"
	case "in":
		return ", one of " + value + " wanted"
	}
	words := map[string]string{
		"<": "less than", "<=": "at most", ">": "more than", ">=": "at least", "includes": "holding", "includes_any": "holding any of",
		"includes_all": "holding all of", "contains": "containing", "starts_with": "beginning with", "ends_with": "ending with", "matches": "matching",
	}
	if n.Function == "time" {
		words = map[string]string{"<": "before", "<=": "not after", ">": "after", ">=": "not before"}
	}
	return ", " + words[n.Operator] + " " + value + " wanted"
}

// maxWord bounds the value that a sentence quotes, in characters.
const maxWord = 60

// wordOf writes a value for people.
func wordOf(v any, function string) string {
	switch v := v.(type) {
	case nil:
		return "not known"
	case string:
		switch function {
		case "age":
			return lengthOf(v)
		case "time":
			return v
		}
		if runes := []rune(v); len(runes) > maxWord {
			v = string(runes[:maxWord]) + "…"
		}
		return "“" + v + "”"
	case float64:
		if function == "age" {
			return length(time.Duration(v * float64(time.Second)))
		}
		return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	case []any:
		words := make([]string, len(v))
		for i, item := range v {
			words[i] = wordOf(item, "")
		}
		return strings.Join(words, ", ")
	}
	return fmt.Sprint(v)
}

// lengthOf reads a duration as conditions write it.
func lengthOf(text string) string {
	d, err := ParseDuration(text)
	if err != nil {
		return text
	}
	return length(d)
}

// length writes a length of time in the unit that suits it.
func length(d time.Duration) string {
	units := []struct {
		name string
		of   time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}}
	for i, unit := range units {
		if d < unit.of && i < len(units)-1 || d%unit.of != 0 && d < 2*unit.of && i < len(units)-1 {
			continue
		}
		n := math.Round(float64(d)/float64(unit.of)*10) / 10
		text := strconv.FormatFloat(n, 'f', -1, 64) + " " + unit.name
		if n != 1 {
			text += "s"
		}
		return text
	}
	return d.String()
}
