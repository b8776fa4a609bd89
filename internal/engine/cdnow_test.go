package engine_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/examples/starters"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// purchase is a line of CDNOW: a customer, a day and the cents spent.
type purchase struct {
	customer string
	at       time.Time
	cents    int64
}

// readCDNOW reads all of them, which are as many as were published.
func readCDNOW(t *testing.T) []purchase {
	folder := os.Getenv("TAILORBIRD_TEST_DATA")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "data")
	}
	file, err := os.Open(filepath.Join(folder, "cdnow", "CDNOW_master.txt.gz"))
	if err != nil {
		t.Skipf("no data: %v; set TAILORBIRD_TEST_DATA to the folder that has cdnow", err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []purchase
	customers := map[string]bool{}
	for lines := bufio.NewScanner(unpacked); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) != 4 {
			continue
		}
		at, err := time.Parse("20060102", f[1])
		if err != nil {
			continue // the heading
		}
		dollars, err := strconv.ParseFloat(f[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, purchase{f[0], at, int64(dollars*100 + 0.5)})
		customers[f[0]] = true
	}
	if len(all) != 69_659 || len(customers) != 23_570 {
		t.Fatalf("%d purchases of %d customers", len(all), len(customers))
	}
	return all
}

// slow says that real data are thinned: the other suite has them all.
var slow = raced || storetest.OnPostgres()

// ofEvery leaves the purchases of one in n customers.
func ofEvery(n uint64, purchases []purchase) []purchase {
	return slices.DeleteFunc(purchases, func(p purchase) bool { return event.Tie(p.customer)%n != 0 })
}

// starter are the definitions of one of the examples, by name.
func starter(t *testing.T, name string) (segments, traits map[string]string) {
	files, err := definition.ReadFiles(starters.Files)
	if err != nil {
		t.Fatal(err)
	}
	segments, traits = map[string]string{}, map[string]string{}
	for _, f := range files {
		var spec struct{ Condition, Expression string }
		if err := json.Unmarshal(f.Spec, &spec); err != nil {
			t.Fatal(err)
		}
		switch {
		case f.Path != name+".yaml":
		case f.Kind == definition.Segment:
			segments[f.Name] = spec.Condition
		default:
			traits[f.Name] = spec.Expression
		}
	}
	return segments, traits
}

// RFM of CDNOW's 23,570 customers is what sorting them says, and every buyer is in one of its segments.
func TestRFMOfCDNOW(t *testing.T) {
	t.Parallel()
	purchases := readCDNOW(t)
	if slow {
		purchases = ofEvery(5, purchases)
	}
	segments, traits := starter(t, "rfm")
	f := start(t, t.TempDir(), time.Date(1998, 7, 1, 12, 0, 0, 0, time.UTC), compile(t, segments, traits))
	defer f.close()
	recency, frequency, monetary := map[string]int64{}, map[string]int64{}, map[string]int64{}
	var batch []*event.Event
	for i, p := range purchases {
		recency[p.customer] = max(recency[p.customer], p.at.Unix())
		frequency[p.customer]++
		monetary[p.customer] += p.cents
		raw := fmt.Sprintf(`{"type":"track","messageId":"m%d","userId":%q,"event":"Order Completed","timestamp":%q,"properties":{"total":%d.%02d}}`,
			i, p.customer, p.at.Format(time.RFC3339), p.cents/100, p.cents%100)
		e, err := event.Decode([]byte(raw), event.Door{ReceivedAt: f.now(), Historical: true})
		if err != nil {
			t.Fatal(err)
		}
		if batch = append(batch, e); len(batch) == 2000 || i == len(purchases)-1 {
			if err := f.Ingest(context.Background(), batch); err != nil {
				t.Fatal(err)
			}
			batch = nil
		}
	}
	if err := f.Learn(context.Background()); err != nil {
		t.Fatal(err)
	}
	wanted := map[string]map[string]float64{"rfm_recency": fifths(recency), "rfm_frequency": fifths(frequency), "rfm_monetary": fifths(monetary)}
	wrong, sizes := map[string]int{}, map[string]int{}
	for customer := range recency {
		p := f.profile(identity.UserID, customer)
		for trait, want := range wanted {
			if p.Computed.Get(trait) != want[customer] {
				wrong[trait]++
			}
		}
		if p.Segments.Len() != 1 {
			t.Fatalf("customer %s is in %v", customer, p.Segments.Map())
		}
		for name := range p.Segments.All() {
			sizes[name]++
		}
	}
	t.Logf("%d customers: %v", len(recency), sizes)
	if len(wrong) > 0 {
		t.Errorf("of %d customers these are otherwise than sorting says: %v", len(recency), wrong)
	}
	f.verify()
}

// fifths gives everybody's quintile by sorting.
func fifths(values map[string]int64) map[string]float64 {
	var sorted []int64
	for _, v := range values {
		sorted = append(sorted, v)
	}
	slices.Sort(sorted)
	out := map[string]float64{}
	for name, v := range values {
		below, _ := slices.BinarySearch(sorted, v)
		out[name] = float64(1 + below*5/len(sorted))
	}
	return out
}
