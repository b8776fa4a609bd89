package expr

// The kinds of Node.
const (
	KindAll        = "all"        // every one of Nodes holds
	KindAny        = "any"        // at least one of Nodes holds
	KindNot        = "not"        // the one of Nodes does not hold
	KindTrait      = "trait"      // profile.NAME
	KindPreference = "preference" // preferences.NAME
	KindScore      = "score"      // scores.NAME
	KindConsent    = "consent"    // consent.NAME, the purpose
	KindSegment    = "segment"    // "NAME" in segments
	KindProperty   = "property"   // e.properties.NAME, only inside Where
	KindBehaviour  = "behaviour"  // events(…) with a reducer
	KindSequence   = "sequence"   // sequence(…)
	KindText       = "text"       // anything else, as it is written
)

// Node is a condition, or a part of one, as a form shows it: groups, and leaves that say one thing each. Tree reads it
// from text and Text writes it as text. In JSON:
//
//	{"kind": "all", "nodes": [
//	  {"kind": "trait", "name": "country", "operator": "==", "value": "DE"},
//	  {"kind": "trait", "name": "last_order_at", "function": "age", "operator": "<", "value": "30d"},
//	  {"kind": "segment", "name": "vip"},
//	  {"kind": "consent", "name": "marketing"},
//	  {"kind": "behaviour", "operator": ">=", "value": 3, "behaviour": {
//	    "event": "Product Viewed", "reducer": "count", "within": "7d",
//	    "where": [{"kind": "property", "name": "category", "operator": "==", "value": "outdoor"}]}},
//	  {"kind": "not", "nodes": [{"kind": "behaviour", "behaviour": {"event": "Order Completed", "reducer": "exists", "within": "24h"}}]},
//	  {"kind": "sequence", "sequence": {"steps": [{"event": "Product Viewed"}, {"event": "Product Added"}], "within": "1h"}},
//	  {"kind": "text", "text": "distance(profile.lat, profile.lon, 52.52, 13.405) < 50"}]}
//
// A leaf that has an operator compares what it names, after Function, with Value; one without asks whether it is true.
// The operators are ==, !=, <, <=, > and >= with a text, a number or a boolean; in, includes_any and includes_all with a
// list of them; includes, contains, starts_with, ends_with and matches with one; has with none.
// The functions are age (Value is a duration, such as "30d"), years and anniversary (a number; Zone may name a time
// zone), fold (a text; case does not matter), version (a text), size (a number) and time (a time as text, or "now").
type Node struct {
	Kind      string     `json:"kind" enum:"all,any,not,trait,preference,score,consent,segment,property,behaviour,sequence,text"`
	Nodes     []Node     `json:"nodes,omitempty" doc:"Of a group"`
	Name      string     `json:"name,omitempty" doc:"Of the trait, preference, score, property or segment; of a consent the purpose"`
	Path      []string   `json:"path,omitempty" doc:"The member inside a value that is an object"`
	Function  string     `json:"function,omitempty" enum:"age,years,anniversary,fold,version,size,time"`
	Zone      string     `json:"zone,omitempty" doc:"The time zone of years and anniversary; UTC when left out"`
	Operator  string     `json:"operator,omitempty" enum:"==,!=,<,<=,>,>=,in,includes,includes_any,includes_all,contains,starts_with,ends_with,matches,has"`
	Value     any        `json:"value,omitempty"`
	Behaviour *Behaviour `json:"behaviour,omitempty"`
	Sequence  *Sequence  `json:"sequence,omitempty"`
	Text      string     `json:"text,omitempty"`
}

// Behaviour is what a form shows of events(…): which events count, and what is made of them.
type Behaviour struct {
	Event    string   `json:"event" doc:"The name; empty for all events"`
	Where    []Node   `json:"where,omitempty" doc:"Each must hold of the event"`
	Within   string   `json:"within,omitempty" doc:"Of the last so long, such as 7d"`
	From     string   `json:"from,omitempty" doc:"From this time on"`
	To       string   `json:"to,omitempty" doc:"Before this time"`
	Reducer  string   `json:"reducer" enum:"count,exists,sum,avg,min,max,first,last,distinct,most_common,days,frequency,lifecycle,decayed"`
	Property string   `json:"property,omitempty" doc:"What sum, avg, min, max, distinct, most_common, and if wanted first and last, look at"`
	Path     []string `json:"path,omitempty" doc:"The member inside a property that is an object"`
	Argument string   `json:"argument,omitempty" doc:"The time zone of days, the period of frequency, the half-life of decayed, the expected gap of lifecycle"`
}

// Sequence is what a form shows of sequence(…).
type Sequence struct {
	Steps   []Step `json:"steps" doc:"In order, at least two"`
	Within  string `json:"within,omitempty" doc:"The longest time from the first step to the last"`
	Without []Step `json:"without,omitempty" doc:"None of these in between"`
	During  string `json:"during,omitempty" doc:"All of it in the last so long"`
	From    string `json:"from,omitempty" doc:"From this time on"`
	To      string `json:"to,omitempty" doc:"Before this time"`
}

// Step is one event of a sequence.
type Step struct {
	Event string `json:"event" doc:"The name; empty for all events"`
	Where []Node `json:"where,omitempty" doc:"Each must hold of the event"`
}

// The signs that operators of a Node are written as: between two values, or as a method.
var (
	nodeSigns   = []string{"==", "!=", "<", "<=", ">", ">="}
	nodeMethods = map[string]string{
		"contains": "contains", "starts_with": "startsWith", "ends_with": "endsWith", "matches": "matches",
		"includes_any": "containsAny", "includes_all": "containsAll",
	}
	nodeFunctions = []string{"age", "years", "anniversary", "fold", "version", "size"} // and time, which is no call
	nodeRoots     = map[string]string{KindTrait: "profile", KindPreference: "preferences", KindScore: "scores", KindConsent: "consent"}
)
