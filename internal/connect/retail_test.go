package connect

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"math/big"
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
	total           *big.Rat
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
		if err == io.EOF {
			return invoices
		}
		if err != nil {
			t.Fatal(err)
		}
		found := invoices[row[0]]
		if found == nil {
			found = &invoice{customer: row[6], first: row[4], total: new(big.Rat)}
			invoices[row[0]] = found
		}
		quantity, _ := new(big.Rat).SetString(row[3])
		price, _ := new(big.Rat).SetString(row[5])
		found.lines++
		found.total.Add(found.total, quantity.Mul(quantity, price))
	}
}

func TestOnlineRetail(t *testing.T) {
	path := retailFile(t)
	want := readInvoices(t, path)
	sink := &collector{}
	summary, err := Import(t.Context(), ImportConfig{
		Path: path, Mapping: retailMapping(t), Rejected: filepath.Join(t.TempDir(), "rejected.csv"),
	}, sink)
	if err != nil {
		t.Fatal(err)
	}
	if summary.Rows != 541_909 || summary.Events != 25_900 || summary.RowsRejected != 0 || summary.Rejected != "" {
		t.Errorf("summary %+v", summary)
	}
	compareRetail(t, sink.messages(t), want)
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
	sum, lineSum := new(big.Rat), new(big.Rat)
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
		total, ok := new(big.Rat).SetString(m.Properties.Total.String())
		if !ok || total.Cmp(order.total) != 0 {
			t.Errorf("invoice %s has total %s, want exactly %s", number, m.Properties.Total, order.total.FloatString(4))
		}
		sum.Add(sum, total)
		for _, p := range m.Properties.Products {
			price, _ := new(big.Rat).SetString(p.Price.String())
			lineSum.Add(lineSum, price.Mul(price, new(big.Rat).SetInt64(p.Quantity)))
		}
	}
	if len(customers) != 4_372 {
		t.Errorf("%d customers, want 4,372", len(customers))
	}
	if cancelled != 3_836 {
		t.Errorf("%d cancellations, want 3,836", cancelled)
	}
	// The published sum is 9,747,747.93; the exact one has a tenth of a penny more.
	published := big.NewRat(974_774_793, 100)
	for name, s := range map[string]*big.Rat{"totals": sum, "lines": lineSum} {
		if off := new(big.Rat).Sub(s, published); off.Abs(off).Cmp(big.NewRat(1, 100)) > 0 {
			t.Errorf("the sum over %s is %s, want 9747747.93", name, s.FloatString(4))
		}
	}
}

// A budget far below the data's size sends everything through files, in several levels, with the same outcome.
func TestOnlineRetailSpilled(t *testing.T) {
	path := retailFile(t)
	want := readInvoices(t, path)
	temporary := t.TempDir()
	sink := &collector{}
	summary, err := Import(t.Context(), ImportConfig{
		Path: path, Mapping: retailMapping(t), Rejected: filepath.Join(t.TempDir(), "rejected.csv"),
		MemoryBudget: 200 << 10, TempDir: temporary,
	}, sink)
	if err != nil {
		t.Fatal(err)
	}
	if summary.Events != 25_900 {
		t.Errorf("summary %+v", summary)
	}
	compareRetail(t, sink.messages(t), want)
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files are left: %v %v", left, err)
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
