package e2e

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What is known of the data from its authors and from summing its lines; see SOURCE.txt beside it.
const (
	retailRows     = 541_909
	retailInvoices = 25_900
	retailUsers    = 4_372
	retailSum      = 9_747_747.93

	retailClock     = "2011-12-10T00:00:00Z"
	retailCondition = `events("Order Completed").within("90d").count() > 5 && ` +
		`events("Order Completed").within("30d").sum(e, e.properties.total) > 1000.0`
)

// invoice is what a direct reading of the CSV knows of one.
type invoice struct {
	customer  string // "" for none
	at        time.Time
	cancelled bool
	total     float64
}

// readRetail reads the CSV with nothing of the product's.
func readRetail(t *testing.T, path string) map[string]*invoice {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	rows := csv.NewReader(unpacked)
	rows.ReuseRecord = true
	if _, err := rows.Read(); err != nil { // InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
		t.Fatal(err)
	}
	invoices := map[string]*invoice{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return invoices
		}
		if err != nil {
			t.Fatal(err)
		}
		in := invoices[row[0]]
		if in == nil {
			at, err := time.ParseInLocation(time.DateTime, row[4], london)
			if err != nil {
				t.Fatal(err)
			}
			in = &invoice{customer: strings.TrimSuffix(row[6], ".0"), at: at, cancelled: strings.HasPrefix(row[0], "C")}
			invoices[strings.Clone(row[0])] = in
			in.customer = strings.Clone(in.customer)
		}
		quantity, err := strconv.ParseFloat(row[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		price, err := strconv.ParseFloat(row[5], 64)
		if err != nil {
			t.Fatal(err)
		}
		in.total += quantity * price
	}
}

// frequentSpenders computes retailCondition from the invoices: the user ids for which it holds.
func frequentSpenders(invoices map[string]*invoice, now time.Time) []string {
	orders, spent := map[string]int{}, map[string]float64{}
	for _, in := range invoices {
		if in.cancelled || in.customer == "" {
			continue
		}
		if age := now.Sub(in.at); age >= 0 && age < 90*24*time.Hour {
			orders[in.customer]++
			if age < 30*24*time.Hour {
				spent[in.customer] += in.total
			}
		}
	}
	var who []string
	for customer, n := range orders {
		if n > 5 && spent[customer] > 1000 {
			who = append(who, customer)
		}
	}
	slices.Sort(who)
	return who
}

func retailMapping(t *testing.T) string {
	t.Helper()
	return filepath.Join(repository(t), "examples", "online-retail", "mapping.yaml")
}

// quick holds a speed: n things in an outcome, at least perSecond of them on two processors. The clock on the wall
// decides; where the machine is busy with other programs, the processor time does, which they do not change.
func quick(t *testing.T, o outcome, what string, n, seconds, perSecond float64) {
	t.Helper()
	const processors = 2
	t.Logf("%.0f %s/s: %.1f s, %.1f s of processor time, %d MB", n/seconds, what, seconds, o.processor, o.memory>>20)
	if n/seconds < perSecond && o.processor > processors*n/perSecond {
		t.Errorf("%.0f %s/s; at least %.0f are required", n/seconds, what, perSecond)
	}
}

// TestImportIsQuickAndSmall imports into a data directory, in a process of its own.
func TestImportIsQuickAndSmall(t *testing.T) {
	file := realData(t, "online-retail/online-retail.csv.gz")
	o := tailorbird(t, []string{"TAILORBIRD_NOW=" + retailClock}, "import", file, "--mapping", retailMapping(t),
		"--data", filepath.Join(t.TempDir(), "data"), "--rejected", filepath.Join(t.TempDir(), "rejected.csv"))
	if o.status != 0 {
		t.Fatalf("exit status %d\n%s%s", o.status, o.stdout, o.stderr)
	}
	quick(t, o, "rows", retailRows, o.seconds, 100_000)
	if o.memory > 300<<20 {
		t.Errorf("%d MB of memory; at most 300 are allowed", o.memory>>20)
	}
}

// TestIngestIsQuick measures the tracking API as an operator would: the load generator takes its share of the processors.
func TestIngestIsQuick(t *testing.T) {
	const events = 150_000
	o := tailorbird(t, nil, "bench", "ingest", "--events", strconv.Itoa(events), "--json",
		"--segments", "10", "--traits", "5", "--profiles", "0", "--active", "20000")
	var result struct {
		Segments, Traits, Batch int
		EventsPerSecond         float64 `json:"events_per_second"`
	}
	if err := json.Unmarshal([]byte(o.stdout), &result); err != nil || o.status != 0 {
		t.Fatalf("exit status %d, %v\n%s", o.status, err, o.stderr)
	}
	if result.Segments != 10 || result.Traits != 5 || result.Batch != 100 {
		t.Fatalf("measured with %+v", result)
	}
	quick(t, o, "events", events, events/result.EventsPerSecond, 10_000)
}

// TestRetail holds the imported year against a direct computation over its CSV, then mails one segment.
func TestRetail(t *testing.T) {
	file := realData(t, "online-retail/online-retail.csv.gz")
	invoices := readRetail(t, file)
	if len(invoices) != retailInvoices {
		t.Fatalf("the CSV has %d invoices, not %d", len(invoices), retailInvoices)
	}
	data := filepath.Join(t.TempDir(), "data")
	env := []string{"TAILORBIRD_NOW=" + retailClock}
	mailbox := newSink(t, 0)
	s := serve(t, data, env, "--smtp-url", mailbox.url())
	load := func() {
		must(t, nil, "import", file, "--mapping", retailMapping(t), "--server", s.URL(), "--rejected", filepath.Join(t.TempDir(), "rejected.csv"))
	}
	load()
	once := get[overview](t, s.Client, "/api/v1/overview")
	if once.Events != retailInvoices || once.Messages != 0 {
		t.Errorf("%d events and %d messages, want %d and none", once.Events, once.Messages, retailInvoices)
	}
	checkEveryOrder(t, s, invoices)

	load()
	if twice := get[overview](t, s.Client, "/api/v1/overview"); twice != once {
		t.Errorf("after a second import: %+v, before %+v", twice, once)
	}

	now, err := time.Parse(time.RFC3339, retailClock)
	if err != nil {
		t.Fatal(err)
	}
	want := frequentSpenders(invoices, now)
	state := define(t, s.Client, "frequent-spenders", retailCondition)
	var got []string
	for _, p := range members(t, s.Client, "frequent-spenders") {
		got = append(got, p.value("user_id"))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || state.Count != len(want) {
		t.Fatalf("%d members (count %d), a direct computation gives %d\n got %v\nwant %v", len(got), state.Count, len(want), got, want)
	}
	t.Logf("%d of %d customers are in the segment", len(want), retailUsers)

	mailSegment(t, s, mailbox, "frequent-spenders", want)

	if status := s.end(15); status != 0 {
		t.Errorf("SIGTERM: exit status %d\n%s", status, s.stderr.String())
	}
	t.Log(strings.TrimSpace(must(t, env, "segment", "verify", "--data", data)))
}

// checkEveryOrder compares each stored event with its invoice.
func checkEveryOrder(t *testing.T, s *server, invoices map[string]*invoice) {
	t.Helper()
	users, sum, seen := 0, 0.0, map[string]bool{}
	for _, p := range list[profile](t, s.Client, "/api/v1/profiles", nil) {
		user := p.value("user_id")
		if user != "" {
			users++
		}
		for _, e := range list[event](t, s.Client, "/api/v1/profiles/"+p.ID+"/events", nil) {
			number, _ := e.Properties["order_id"].(string)
			in := invoices[number]
			name := "Order Completed"
			if in != nil && in.cancelled {
				name = "Order Cancelled"
			}
			if in == nil || seen[number] || e.Name != name || in.customer != user || !e.Timestamp.Equal(in.at) {
				t.Fatalf("event %+v of user %q; its invoice is %+v (seen before: %v)", e, user, in, seen[number])
			}
			seen[number] = true
			lines := 0.0
			products, _ := e.Properties["products"].([]any)
			for _, p := range products {
				product, _ := p.(map[string]any)
				quantity, _ := product["quantity"].(float64)
				price, _ := product["price"].(float64)
				lines += quantity * price
			}
			total, _ := e.Properties["total"].(float64)
			if math.Abs(lines-in.total) > 0.001 || math.Abs(total-in.total) > 0.001 {
				t.Fatalf("invoice %s: products add up to %f, total says %f, the CSV %f", number, lines, total, in.total)
			}
			sum += lines
		}
	}
	if len(seen) != retailInvoices || users != retailUsers || math.Abs(sum-retailSum) > 0.01 {
		t.Errorf("%d orders, %d profiles with a user id, sum %.2f; want %d, %d, %.2f", len(seen), users, sum, retailInvoices, retailUsers, retailSum)
	}
}
