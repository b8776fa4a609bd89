package query

// Table is one that queries may read.
type Table struct {
	Name    string   `json:"name"`
	Row     string   `json:"row" doc:"What a row is"`
	Columns []Column `json:"columns"`
}

// Column is one of a table's.
type Column struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`
}

// Tables lists what queries may read: what docs/tables.md describes, which has the same tables and columns. What a table
// has beside these columns reads as NULL, or is not there, by the database.
func Tables() []Table { return tables }

// TableNames lists the names of the tables.
func TableNames() []string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Name
	}
	return names
}

const (
	micros = "microseconds since 1970, UTC"
	whose  = "the customer: profiles.id"
)

var tables = []Table{
	{"profiles", "a customer", []Column{
		{"id", "the customer"},
		{"traits", "JSON: what events told, such as traits ->> 'country'"},
		{"computed", "JSON: computed traits"},
		{"preferences", "JSON"},
		{"subscribed", "1 or 0"},
		{"created_at", micros},
		{"updated_at", micros},
		{"first_seen_at", micros},
		{"last_seen_at", micros},
		{"merged_into", "the profile that took this one; NULL for living ones"},
	}},
	{"identifiers", "something that a customer is known by", []Column{
		{"type", "email, phone, user_id, anonymous_id, …"}, {"value", ""}, {"profile_id", whose}, {"created_at", micros},
	}},
	{"memberships", "a customer in a segment", []Column{{"segment", "its name"}, {"profile_id", whose}, {"since", micros}}},
	{"segment_days", "a day of a segment", []Column{
		{"segment", "its name"}, {"day", "days since 1970, UTC"}, {"entered", "how often customers entered"}, {"left_it", "how often they left"},
	}},
	{"segment_sizes", "a segment that has had members", []Column{{"segment", "its name"}, {"members", "how many it has"}}},
	{"segment_results", "a row of an SQL segment's result", []Column{
		{"segment", "its name"}, {"profile_id", whose}, {"columns", "JSON: the further columns"}, {"since", "since when a row names the customer, " + micros},
	}},
	{"overrides", "something that a person said of a customer", []Column{
		{"profile_id", whose},
		{"kind", "segment or trait"},
		{"name", ""},
		{"value", "JSON"},
		{"set_at", micros},
		{"until", micros + ", or NULL"},
		{"actor", ""},
		{"note", ""},
		{"lifted_at", micros + ", or NULL"},
		{"lifted_by", ""},
	}},
	{"merges", "two profiles that became one", []Column{
		{"winner_id", ""},
		{"loser_id", ""},
		{"merged_at", micros},
		{"cause", "event, manual or match"},
		{"message_id", "the event that linked them"},
		{"identifiers", "JSON"},
		{"actor", ""},
		{"note", ""},
		{"winner_side", "JSON"},
		{"loser_side", "JSON"},
		{"undone_at", micros + "; NULL while it holds"},
		{"undone_by", ""},
	}},
	{"kept_apart", "two profiles that no event joins", []Column{
		{"profile_id", whose}, {"other_id", ""}, {"since", micros}, {"actor", ""}, {"note", ""},
	}},
	{"match_candidates", "two customers who are probably one", []Column{
		{"a_id", "the older one"},
		{"b_id", ""},
		{"probability", "0 to 1"},
		{"bits", "log2 of the odds"},
		{"evidence", "JSON"},
		{"status", ""},
		{"found_at", micros},
		{"decided_at", micros + ", or NULL"},
		{"decided_by", ""},
	}},
	{"match_runs", "a search for them", []Column{
		{"status", ""}, {"started_at", micros}, {"finished_at", micros + ", or NULL"}, {"error", ""}, {"summary", "JSON"},
	}},
	{"messages", "one recipient of a campaign's run, skipped ones included", []Column{
		{"id", "the message"},
		{"run_id", "0 for a test"},
		{"campaign", "its name"},
		{"profile_id", whose},
		{"email", ""},
		{"status", ""},
		{"reason", ""},
		{"subject", ""},
		{"transport", "sink or relay"},
		{"attempts", ""},
		{"node_id", "the node that has it in hand; 0 for none"},
		{"first_attempt_at", micros},
		{"created_at", micros},
		{"sent_at", micros + ", or NULL"},
	}},
	{"responses", "an open, click, bounce, complaint or unsubscribe", []Column{
		{"message_id", "messages.id"},
		{"profile_id", whose},
		{"name", "the event's, such as Email Clicked"},
		{"link", ""},
		{"machine", "1: not a person"},
		{"at", micros},
	}},
	{"conversions", "an order that a message earned", []Column{
		{"event", "message id of the order's event"}, {"message_id", "messages.id"}, {"profile_id", whose}, {"at", micros}, {"revenue", ""},
	}},
	{"campaign_runs", "the sending of a campaign", []Column{
		{"campaign", "its name"},
		{"version", ""},
		{"definition", "JSON, as it was"},
		{"status", ""},
		{"recipients", ""},
		{"queued", ""},
		{"sent", ""},
		{"bounced", ""},
		{"failed", ""},
		{"skipped", ""},
		{"in_doubt", ""},
		{"started_at", micros},
		{"finished_at", micros + ", or NULL"},
	}},
	{"suppressions", "an address that gets no mail", []Column{{"email", ""}, {"reason", ""}, {"created_at", micros}}},
	{"definitions", "one version of a segment, trait, template or campaign", []Column{
		{"kind", ""}, {"name", ""}, {"version", ""}, {"spec", "JSON; NULL in a version that deletes"}, {"created_at", micros}, {"created_by", ""},
	}},
	{"quantiles", "where the parts of a quantile begin among all customers", []Column{
		{"key", "what is asked"}, {"since", micros}, {"cuts", "JSON"},
	}},
	{"nodes", "a process that uses the database", []Column{{"id", ""}, {"name", ""}, {"started_at", micros}, {"seen_at", micros}, {"serves", "1 where it takes requests"}}},
	{"claims", "work that one node at a time may do", []Column{{"name", ""}, {"node_id", "nodes.id"}}},
	{"segment_queries", "the query of an SQL segment", []Column{
		{"segment", "its name"},
		{"sql", ""},
		{"schedule", ""},
		{"next_run_at", micros + ", or NULL"},
		{"node_id", "the node that runs it; 0 for none"},
		{"result_at", "when the result that holds was read, " + micros + ", or NULL"},
		{"result_rows", "customers in it"},
		{"columns", "JSON: its further columns"},
	}},
	{"segment_runs", "a run of an SQL segment's query", []Column{
		{"segment", "its name"},
		{"cause", "schedule, change or demand"},
		{"actor", ""},
		{"status", "running, done, failed or interrupted"},
		{"started_at", micros},
		{"finished_at", micros + ", or NULL"},
		{"listed", "customers in the result"},
		{"added", ""},
		{"removed", ""},
		{"changed", "whose further columns changed"},
		{"unknown", "rows that named no customer"},
		{"twice", "rows that named a customer again"},
		{"error", ""},
	}},
}
