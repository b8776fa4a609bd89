package shop

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Quadrant is how a customer answers mail with purchases: the four cells of uplift modelling.
type Quadrant string

// The quadrants.
const (
	SureThing   Quadrant = "sure_thing"   // buys as much with mail as without
	Persuadable Quadrant = "persuadable"  // buys more because of mail
	LostCause   Quadrant = "lost_cause"   // hardly reads mail, never buys because of it
	SleepingDog Quadrant = "sleeping_dog" // buys less because of mail
)

// Habit is what is true of a customer and no event says outright.
type Habit struct {
	Tastes     []float64 // by category, in the order of the catalogue; sums to 1
	PriceLevel float64   // 0 buys the cheapest, 1 the dearest
	VisitRate  float64   // visits of their own accord a year while active, averaged over the seasons
	Conversion float64   // chance that such a visit ends in an order
	Dropout    float64   // chance, after each order, of never coming back (browsers: after each visit)
	Hour       float64   // of the day, local time, around which they shop and read
	Subscriber bool      // takes the newsletter
	Quadrant   Quadrant
	OpenRate   float64 // of mail delivered
	ClickRate  float64 // of mail opened
	Proxied    bool    // a privacy proxy loads the pictures of all their mail, read or not
	// Uplift is the chance that a click leads to an order that would not have been; for a sleeping dog it is negative, and
	// its size is the chance that an opened mail spoils the next order of their own.
	Uplift            float64
	UnsubscribeHazard float64 // chance per mail opened
	ComplaintHazard   float64 // chance per mail delivered
}

// Customer is one person who buys, or might.
type Customer struct {
	Number    int    // 0-based; from Config.Customers on they are newcomers of the live shop
	UserID    string // "customer-00042"
	FirstName string
	LastName  string
	Email     string // at a reserved domain
	Phone     string // a number reserved for fiction, or empty
	Country   string // ISO 3166
	City      string
	Language  string
	Birthday  string // "1984-03-27"
	Source    string // of the sign-up: newsletter, checkout, account
	LoyaltyID string // of the card for the shops in town, or empty
	Joined    time.Time
	Dropped   time.Time // the moment after which they never come of their own accord; zero: not within the next years
	Habit     Habit

	key       uint64
	utcOffset int
	devices   []uint64 // keys of the devices; the first is the one used most
	shared    bool     // the first device belongs to a household of two
}

// Parameters of the population. Rates are per year.
const (
	orderShape, orderScale         = 1.3, 4.2 // gamma: orders a year of active buyers, mean 5.5, few buy very much
	convertA, convertB             = 4.0, 9.0 // beta: orders per visit, mean 0.31
	dropoutA, dropoutB             = 1.0, 7.0 // beta: dropout after an order, mean 0.13
	browserShare                   = 0.10     // never buy
	browserVisits                  = 8.0      // visits a year of a browser, mean
	browserDropout                 = 0.07     // after each visit
	subscriberShare                = 0.64     // take the newsletter
	existingShare                  = 0.58     // customers before the history begins
	openA, openB                   = 2.0, 4.6 // beta: mean 0.30
	clickA, clickB                 = 1.6, 6.4 // beta: mean 0.20
	proxiedShare                   = 0.12
	unsubscribeB                   = 140.0     // beta(1, b): mean 0.7 % of mail opened
	complaintB                     = 2600.0    // beta(1, b): mean 0.04 % of mail delivered
	earlier                        = 730 * day // how long before the history the first customers joined
	dropoutHorizon                 = 6 * 365 * day
	secondDeviceShare              = 0.30
	sharedHouseholdShare           = 0.08 // of pairs of neighbours in number
	loyaltyShare                   = 0.25
	phoneShare                     = 0.55
	day                            = 24 * time.Hour
	year                           = 365.25 * 24 * float64(time.Hour)
	tasteConcentration     float64 = 0.35 // Dirichlet: most like two or three categories
)

// quadrantShares are the weights of the quadrants among buyers.
var quadrantShares = []struct {
	quadrant Quadrant
	weight   float64
}{{SureThing, 35}, {Persuadable, 30}, {LostCause, 25}, {SleepingDog, 10}}

// Customer makes the n-th customer, 0 ≤ n < Config.Customers. The same n gives the same person.
func (s *Shop) Customer(n int) *Customer {
	d := roll(s.seed, rollCustomer, uint64(n))
	joined := s.start.Add(time.Duration(d.Float64() * float64(s.end.Sub(s.start))))
	if d.chance(existingShare) {
		joined = s.start.Add(-time.Duration(d.Float64() * float64(earlier)))
	}
	return s.newCustomer(n, mix(s.seed^mix(uint64(n)+1)), joined, d)
}

func (s *Shop) newCustomer(n int, key uint64, joined time.Time, d dice) *Customer {
	from := drawCountry(d)
	c := &Customer{
		Number: n, key: key, UserID: fmt.Sprintf("customer-%05d", n+1),
		FirstName: choose(d, from.first), LastName: choose(d, from.last),
		Country: from.code, City: choose(d, from.cities), Language: from.language, utcOffset: from.utcOffset,
		Source: choose(d, signUpSources), Joined: joined.Truncate(time.Second),
	}
	born := time.Date(1948, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(d.beta(2.4, 2.6)*58*365))
	c.Birthday = born.Format(time.DateOnly)
	c.Email = asciiFold.Replace(strings.ToLower(c.FirstName+"."+c.LastName)) + strconv.Itoa(n+1) + "@" + choose(d, mailDomains)
	if hasPhone := d.chance(phoneShare); hasPhone && from.phone != nil {
		c.Phone, _ = from.phone(n)
	}
	if d.chance(loyaltyShare) {
		c.LoyaltyID = fmt.Sprintf("NF%08d", 10_000_000+n)
	}
	c.Habit = s.drawHabit(d)
	s.giveDevices(c, d.chance(secondDeviceShare))
	c.Dropped = s.dropout(c)
	return c
}

var signUpSources = words("newsletter|newsletter|checkout|checkout|checkout|account")

func (s *Shop) drawHabit(d dice) Habit {
	h := Habit{Tastes: make([]float64, len(s.catalogue.Categories))}
	total := 0.0
	for i := range h.Tastes {
		h.Tastes[i] = 0.004 + d.gamma(tasteConcentration, 1)
		total += h.Tastes[i]
	}
	for i := range h.Tastes {
		h.Tastes[i] /= total
	}
	h.PriceLevel = d.beta(2, 2.4)
	if d.chance(browserShare) {
		h.VisitRate, h.Dropout = d.gamma(2, browserVisits/2), browserDropout
	} else {
		h.Conversion = d.beta(convertA, convertB)
		h.VisitRate = min(d.gamma(orderShape, orderScale)/h.Conversion, 120)
		h.Dropout = d.beta(dropoutA, dropoutB)
	}
	h.Hour = math.Mod(24+19.5+3*d.NormFloat64(), 24)
	h.Subscriber = d.chance(subscriberShare)
	s.drawMailHabit(d, &h)
	return h
}

func (s *Shop) drawMailHabit(d dice, h *Habit) {
	weights := make([]float64, len(quadrantShares))
	for i, q := range quadrantShares {
		weights[i] = q.weight
	}
	h.Quadrant = quadrantShares[d.pick(weights)].quadrant
	h.OpenRate, h.ClickRate = d.beta(openA, openB), d.beta(clickA, clickB)
	h.UnsubscribeHazard, h.ComplaintHazard = d.beta(1, unsubscribeB), d.beta(1, complaintB)
	h.Proxied = d.chance(proxiedShare)
	uplift := d.beta(4, 7) // drawn for everybody, so that the quadrant changes nothing else
	switch h.Quadrant {
	case Persuadable:
		h.Uplift = uplift
	case LostCause:
		h.OpenRate *= 0.35
	case SleepingDog:
		h.Uplift = -uplift
		h.UnsubscribeHazard *= 5
		h.ComplaintHazard *= 6
	}
	if h.Conversion == 0 && h.Uplift < 0 {
		h.Quadrant, h.Uplift = LostCause, 0 // nothing to spoil
	}
}

// giveDevices deals out the devices. In some pairs of neighbours the second uses the first one's device.
func (s *Shop) giveDevices(c *Customer, second bool) {
	own := mix(c.key ^ mix(rollDevice))
	if c.Number < s.config.Customers { // newcomers have no neighbour yet
		household := roll(s.seed, rollHousehold, uint64(c.Number/2))
		c.shared = household.chance(sharedHouseholdShare)
		if c.shared && c.Number%2 == 1 {
			own = mix(mix(s.seed^mix(uint64(c.Number))) ^ mix(rollDevice))
		}
	}
	c.devices = []uint64{own}
	if second {
		c.devices = append(c.devices, mix(own+uint64(c.Number)+1))
	}
}

// tastesIn are the tastes as they stand in a month.
func (s *Shop) tastesIn(c *Customer, m time.Month) []float64 {
	weights := make([]float64, len(c.Habit.Tastes))
	for i, t := range c.Habit.Tastes {
		weights[i] = t * categorySeason(s.catalogue.Categories[i].ID, m)
	}
	return weights
}
