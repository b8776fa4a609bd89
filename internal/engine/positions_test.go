package engine_test

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/identity"
)

// readOnlineRetail gives the invoices of known customers.
func readOnlineRetail(t *testing.T) (all []purchase) {
	folder := os.Getenv("TAILORBIRD_TEST_DATA")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "data")
	}
	file, err := os.Open(filepath.Join(folder, "online-retail", "online-retail.csv.gz"))
	if err != nil {
		t.Skipf("no data: %v; set TAILORBIRD_TEST_DATA to the folder that has online-retail", err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	rows := csv.NewReader(unpacked)
	seen := map[string]bool{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse("2006-01-02 15:04:05", row[4])
		if invoice := row[0] + row[6]; err == nil && row[6] != "" && !strings.HasPrefix(row[0], "C") && !seen[invoice] {
			seen[invoice] = true
			all = append(all, purchase{customer: strings.TrimSuffix(row[6], ".0"), at: at})
		}
	}
}

// At each position of the clock, before the first purchase and long after the last, in the middle, and where a window
// ends to the microsecond, what is kept is what the stored events say, and what the file says, also of customers who were
// made one by hand, and of those of whom that was taken back.
func TestRealPurchasesAtPositionsOfTheClock(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(*testing.T) []purchase{"CDNOW": readCDNOW, "Online Retail": readOnlineRetail} {
		t.Run(name, func(t *testing.T) {
			purchases := read(t)
			switch {
			case os.Getenv("TAILORBIRD_WHOLE") != "":
			case slow:
				purchases = ofEvery(20, purchases)
			default:
				purchases = ofEvery(10, purchases)
			}
			slices.SortStableFunc(purchases, func(a, b purchase) int { return a.at.Compare(b.at) })
			first, middle, last := purchases[0].at, purchases[len(purchases)/2].at, purchases[len(purchases)-1].at
			const window = 30 * 24 * time.Hour
			f := start(t, t.TempDir(), first.Add(-48*time.Hour), compile(t,
				map[string]string{"regular": `events("Order Completed").within("30d").count() >= 2`, "silent": `profile.orders >= 1 && age(profile.last_order) >= duration("30d")`},
				map[string]string{"orders": `events("Order Completed").count()`, "last_order": `events("Order Completed").last()`}))
			defer f.close()
			of := map[string][]time.Time{}
			for from := 0; from < len(purchases); from += 2000 {
				var batch []*event.Event
				for i, p := range purchases[from:min(from+2000, len(purchases))] {
					of[p.customer] = append(of[p.customer], p.at)
					batch = append(batch, f.decode(p.at, map[string]any{
						"type": "track", "event": "Order Completed", "userId": p.customer, "messageId": fmt.Sprint("m", from+i),
					}))
				}
				if err := f.Ingest(context.Background(), batch); err != nil {
					t.Fatal(err)
				}
			}
			var customers []string
			for c := range of {
				customers = append(customers, c)
			}
			slices.Sort(customers)
			r := rand.New(rand.NewPCG(1, 1))
			r.Shuffle(len(customers), func(i, j int) { customers[i], customers[j] = customers[j], customers[i] })
			partner := map[string]string{}
			for i, at := range []time.Time{
				first.Add(-24 * time.Hour), middle, middle.Add(window - time.Microsecond), middle.Add(window), last, last.Add(window), last.Add(10 * 7 * 24 * time.Hour),
			} {
				f.advance(at.Sub(f.now()))
				f.verify()
				checkPurchases(t, f, at, window, of, customers, partner)
				for n := range 10 { // two of them become one, and half of these two again
					a, b := customers[20*i+2*n], customers[20*i+2*n+1]
					pa, pb := f.profile(identity.UserID, a), f.profile(identity.UserID, b)
					if _, err := f.Merge(context.Background(), pa.ID, pb.ID, engine.MergeCause{Kind: engine.MergedByHand}); err != nil {
						t.Fatal(err)
					}
					if partner[a], partner[b] = b, a; n%2 == 0 {
						f.unmerge(max(pa.ID, pb.ID))
						delete(partner, a)
						delete(partner, b)
					}
				}
				f.verify()
				checkPurchases(t, f, at, window, of, customers, partner)
			}
		})
	}
}

// checkPurchases compares everybody with the file.
func checkPurchases(
	t *testing.T, f *fixture, now time.Time, window time.Duration, of map[string][]time.Time, customers []string, partner map[string]string,
) {
	t.Helper()
	wrong := 0
	for _, c := range customers {
		orders, recent, latest := 0, 0, time.Time{}
		for _, at := range append(slices.Clone(of[c]), of[partner[c]]...) {
			if at.After(now) {
				continue
			}
			orders++
			if at.After(latest) {
				latest = at
			}
			if at.Add(window).After(now) {
				recent++
			}
		}
		p := f.profile(identity.UserID, c)
		count, _ := p.Trait("orders")
		regular, silent := recent >= 2, orders > 0 && now.Sub(latest) >= window
		if count != float64(orders) || p.InSegment("regular") != regular || p.InSegment("silent") != silent {
			if wrong++; wrong < 5 {
				t.Errorf("%v: customer %s has %v orders, is regular %v, silent %v; the file says %d, %v, %v",
					now, c, count, p.InSegment("regular"), p.InSegment("silent"), orders, regular, silent)
			}
		}
	}
	if wrong > 0 {
		t.Fatalf("%v: %d customers are wrong", now, wrong)
	}
}
