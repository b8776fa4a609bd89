package connect

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// collector is an Importer that keeps what it is given.
type collector struct {
	mu     sync.Mutex
	events []json.RawMessage
	refuse func(json.RawMessage) string
	fail   func(batches int) error
	count  int
}

func (c *collector) Import(_ context.Context, batch []json.RawMessage) ([]Rejection, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	if c.fail != nil {
		if err := c.fail(c.count); err != nil {
			return nil, err
		}
	}
	var rejected []Rejection
	for i, event := range batch {
		if c.refuse != nil {
			if reason := c.refuse(event); reason != "" {
				rejected = append(rejected, Rejection{i, reason})
				continue
			}
		}
		c.events = append(c.events, slices.Clone(event))
	}
	return rejected, nil
}

// message is what the tests read of an event.
type message struct {
	Type, Event, UserID, AnonymousID, MessageID string
	Timestamp                                   time.Time
	Properties                                  struct {
		OrderID  string `json:"order_id"`
		Currency string
		Total    json.Number
		Quantity int64
		Products []struct {
			ProductID string `json:"product_id"`
			Name      string
			Quantity  int64
			Price     json.Number
		}
	}
}

func (c *collector) messages(t testing.TB) map[string]message {
	t.Helper()
	found := map[string]message{}
	for _, event := range c.events {
		var m message
		if err := json.Unmarshal(event, &m); err != nil {
			t.Fatalf("%v: %s", err, event)
		}
		if _, twice := found[m.MessageID]; twice {
			t.Fatalf("the message id %s stands twice", m.MessageID)
		}
		found[m.MessageID] = m
	}
	return found
}

func retailFile(t testing.TB) string {
	t.Helper()
	data := os.Getenv("TAILORBIRD_TEST_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	path := filepath.Join(data, "online-retail", "online-retail.csv.gz")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the Online Retail data is not here: %v", err)
	}
	return path
}

func retailMapping(t testing.TB) *Mapping {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", "online-retail", "mapping.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseMapping("mapping.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// invoice is an order as encoding/csv and exact arithmetic see it.
type invoice struct {
	customer, first string
	lines           int
	total           int64 // thousandths of a pound
}

// thousandths reads a decimal exactly; the data's prices have at most three places.
func thousandths(t testing.TB, text string) int64 {
	t.Helper()
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole+(fraction + "000")[:3], 10, 64)
	if err != nil || len(fraction) > 3 {
		t.Fatalf("%q is not a decimal of at most three places", text)
	}
	return n
}

func readInvoices(t testing.TB, path string) map[string]*invoice {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	rows := csv.NewReader(plain)
	if _, err := rows.Read(); err != nil {
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
		found := invoices[row[0]]
		if found == nil {
			found = &invoice{customer: row[6], first: row[4]}
			invoices[row[0]] = found
		}
		quantity, err := strconv.ParseInt(row[3], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		found.lines++
		found.total += quantity * thousandths(t, row[5])
	}
}

func TestOnlineRetail(t *testing.T) {
	path := retailFile(t)
	inMemory := &collector{}
	summary, err := Import(t.Context(), ImportConfig{
		Path: path, Mapping: retailMapping(t), Rejected: filepath.Join(t.TempDir(), "rejected.csv"),
	}, inMemory)
	if err != nil {
		t.Fatal(err)
	}
	if summary != (Summary{Rows: 541_909, Events: 25_900}) {
		t.Errorf("summary %+v", summary)
	}
	compareRetail(t, inMemory.messages(t), readInvoices(t, path))

	// A budget far below the data's size sends everything through files, in several levels, with the same outcome.
	temporary := t.TempDir()
	spilled := &collector{}
	if _, err := Import(t.Context(), ImportConfig{
		Path: path, Mapping: retailMapping(t), Rejected: filepath.Join(t.TempDir(), "rejected.csv"),
		MemoryBudget: 200 << 10, TempDir: temporary,
	}, spilled); err != nil {
		t.Fatal(err)
	}
	want, got := inMemory.texts(), spilled.texts()
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Error("gathering through files gives other events than gathering in memory")
	}
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files are left: %v %v", left, err)
	}
}

func compareRetail(t *testing.T, got map[string]message, want map[string]*invoice) {
	t.Helper()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 25_900 || len(want) != 25_900 {
		t.Errorf("%d events of %d invoices, want 25,900", len(got), len(want))
	}
	customers := map[string]bool{}
	var sum, lineSum int64
	cancelled := 0
	for number, order := range want {
		m := got["online-retail-"+number]
		wantEvent := "Order Completed"
		if strings.HasPrefix(number, "C") {
			wantEvent = "Order Cancelled"
			cancelled++
		}
		wantUser, wantAnonymous := strings.TrimSuffix(order.customer, ".0"), ""
		if order.customer == "" {
			wantAnonymous = "invoice-" + number
		} else {
			customers[m.UserID] = true
		}
		wantTime, err := time.ParseInLocation(time.DateTime, order.first, london)
		if err != nil {
			t.Fatal(err)
		}
		if m.Type != "track" || m.Event != wantEvent || m.UserID != wantUser || m.AnonymousID != wantAnonymous ||
			!m.Timestamp.Equal(wantTime) || m.Properties.OrderID != number || m.Properties.Currency != "GBP" ||
			len(m.Properties.Products) != order.lines {
			t.Fatalf("invoice %s of %s at %s with %d lines became %+v", number, order.customer, order.first, order.lines, m)
		}
		total := thousandths(t, m.Properties.Total.String())
		if total != order.total {
			t.Errorf("invoice %s has total %s, want exactly %d thousandths", number, m.Properties.Total, order.total)
		}
		sum += total
		for _, p := range m.Properties.Products {
			lineSum += thousandths(t, p.Price.String()) * p.Quantity
		}
	}
	if len(customers) != 4_372 {
		t.Errorf("%d customers, want 4,372", len(customers))
	}
	if cancelled != 3_836 {
		t.Errorf("%d cancellations, want 3,836", cancelled)
	}
	// The published sum has pennies, the data tenths of them.
	const published = 9_747_747_930
	for name, s := range map[string]int64{"totals": sum, "lines": lineSum} {
		if s < published-10 || s > published+10 {
			t.Errorf("the sum over %s is %d thousandths, want %d", name, s, published)
		}
	}
}

// discard is an Importer that takes everything.
type discard struct{}

func (discard) Import(context.Context, []json.RawMessage) ([]Rejection, error) { return nil, nil }

func BenchmarkOnlineRetail(b *testing.B) {
	path, mapping := retailFile(b), retailMapping(b)
	for _, budget := range []int{64 << 20, 4 << 20} {
		b.Run(strconv.Itoa(budget>>20)+"MB", func(b *testing.B) {
			rows, peak := int64(0), uint64(0)
			for b.Loop() {
				summary, err := Import(b.Context(), ImportConfig{
					Path: path, Mapping: mapping, Rejected: filepath.Join(b.TempDir(), "rejected.csv"), MemoryBudget: budget,
					Progress: func(p Progress) {
						var m runtime.MemStats
						if p.Rows%64 == 0 || p.Events > 0 {
							runtime.ReadMemStats(&m)
							peak = max(peak, m.Sys-m.HeapReleased)
						}
					},
				}, discard{})
				if err != nil {
					b.Fatal(err)
				}
				rows += summary.Rows
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
		})
	}
}
