package demo

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// keeper is the shopkeeper's own profile. Its traits say which history the server holds, so that the server remembers by
// itself, wherever its data lies.
const keeper = "shop-keeper"

// books are what the shopkeeper's profile says.
type books struct {
	Seed            uint64
	Customers, Days int
	Start           time.Time
	Loaded          bool // the history is there to its end
}

// keeperTraits are the books as traits.
type keeperTraits struct {
	FirstName string    `json:"first_name"`
	LastName  string    `json:"last_name"`
	Email     string    `json:"email"`
	Seed      string    `json:"demo_seed"` // as text: JSON numbers are too short for it
	Customers int       `json:"demo_customers"`
	Days      int       `json:"demo_days"`
	Start     time.Time `json:"demo_start"`
	Loaded    bool      `json:"demo_loaded"`
}

// readBooks finds out which history the server holds; nil for none.
func (d *driver) readBooks(ctx context.Context) (*books, error) {
	var found struct {
		Items []struct {
			Traits keeperTraits `json:"traits"`
		} `json:"items"`
	}
	if err := d.api.Get(ctx, "/api/v1/profiles?identifier="+url.QueryEscape("user_id:"+keeper), &found); err != nil {
		return nil, err
	}
	if len(found.Items) == 0 {
		return nil, nil
	}
	t := found.Items[0].Traits
	seed, err := strconv.ParseUint(t.Seed, 10, 64)
	if err != nil {
		return nil, fault.Wrap(fault.Conflict, err, "the profile %s does not say which shop this is; use another data directory", keeper)
	}
	b := &books{Seed: seed, Customers: t.Customers, Days: t.Days, Start: t.Start, Loaded: t.Loaded}
	if d.Customers != 0 && d.Customers != b.Customers || d.Days != 0 && d.Days != b.Days || d.Seed != 0 && d.Seed != b.Seed {
		d.Log.Warn("this data directory holds another shop, which goes on; use another directory for a new one",
			"seed", b.Seed, "customers", b.Customers, "days", b.Days)
	}
	return b, nil
}

// openBooks fixes which history is about to be loaded: the one that ends now.
func (d *driver) openBooks(ctx context.Context) (*books, error) {
	b := &books{Seed: d.Seed, Customers: d.Customers, Days: d.Days}
	if b.Seed == 0 {
		b.Seed = 1
	}
	if b.Customers == 0 {
		b.Customers = 5000
	}
	if b.Days == 0 {
		b.Days = 365
	}
	b.Start = d.Now().UTC().Truncate(time.Second).Add(-time.Duration(b.Days) * 24 * time.Hour)
	return b, d.write(ctx, b)
}

// closeBooks notes that the history is there.
func (d *driver) closeBooks(ctx context.Context, b *books) error {
	b.Loaded = true
	return d.write(ctx, b)
}

func (d *driver) write(ctx context.Context, b *books) error {
	entry := map[string]any{
		"type": "identify", "userId": keeper,
		"messageId": keeper + "-" + strconv.FormatInt(b.Start.Unix(), 36) + "-" + strconv.FormatBool(b.Loaded),
		"timestamp": d.Now().UTC(),
		"traits": keeperTraits{
			FirstName: "Robin", LastName: "Wren", Email: "robin@nestandfield.example",
			Seed: strconv.FormatUint(b.Seed, 10), Customers: b.Customers, Days: b.Days, Start: b.Start, Loaded: b.Loaded,
		},
	}
	event, err := json.Marshal(entry)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the books cannot be written")
	}
	return d.importBatch(ctx, []json.RawMessage{event})
}
