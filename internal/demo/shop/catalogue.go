package shop

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Category is one department of the shop.
type Category struct {
	ID            string // as it stands in addresses and in the events' property "category"
	Name          string
	Blurb         string // one line for the shop window
	Subcategories []Subcategory
}

// Subcategory is a kind of product inside a category.
type Subcategory struct{ ID, Name string }

// Product is one thing on offer.
type Product struct {
	ID          string // category and number, for example "outdoor-07"
	SKU         string
	Name        string
	Description string
	Category    string // Category.ID
	Subcategory string // Subcategory.ID
	Price       float64
	Stock       int // pieces at the start of the history
	number      int // index in Catalogue.Products
}

// Catalogue is everything the shop offers. It is read-only.
type Catalogue struct {
	Categories []Category
	Products   []Product
	byID       map[string]int
	byCategory [][]int // product indexes of each category
	appeal     []float64
}

// newCatalogue lays out the assortment; only stock and popularity depend on the seed.
func newCatalogue(seed uint64) *Catalogue {
	c := &Catalogue{byID: map[string]int{}}
	for _, a := range assortment {
		category := Category{ID: a.id, Name: a.name, Blurb: a.blurb}
		c.byCategory = append(c.byCategory, nil)
		for _, r := range a.ranges {
			category.Subcategories = append(category.Subcategories, Subcategory{ID: r.id, Name: r.name})
			for entry := range strings.SplitSeq(r.products, "|") {
				name, price, _ := strings.Cut(entry, "=")
				euro, err := strconv.ParseFloat(price, 64)
				if err != nil {
					panic(fmt.Sprintf("assortment: %q has no price", entry)) // a typing error in the table
				}
				c.take(seed, Product{Name: name, Description: r.blurb, Category: a.id, Subcategory: r.id, Price: euro})
			}
		}
		c.Categories = append(c.Categories, category)
	}
	return c
}

// take adds a product to the last category, with its ids, stock and popularity.
func (c *Catalogue) take(seed uint64, p Product) {
	d := roll(seed, rollProduct, uint64(len(c.Products)))
	members := &c.byCategory[len(c.byCategory)-1]
	p.number = len(c.Products)
	p.ID = fmt.Sprintf("%s-%02d", p.Category, len(*members)+1)
	p.SKU = fmt.Sprintf("NF-%04d", 1000+p.number*7)
	p.Description += " " + careNotes[p.number%len(careNotes)]
	p.Stock = 5 + d.IntN(200)
	c.byID[p.ID] = p.number
	c.Products = append(c.Products, p)
	c.appeal = append(c.appeal, d.logNormal(0, 0.8))
	*members = append(*members, p.number)
}

// careNotes end the descriptions, in turn.
var careNotes = [...]string{
	"Repaired by us for as long as we can find the thread.",
	"Sent in paper and card, nothing else.",
	"Return it within sixty days if it does not suit.",
	"Made in small batches in Europe.",
	"Comes with a five-year guarantee.",
}

// Product finds a product by id.
func (c *Catalogue) Product(id string) (*Product, bool) {
	n, ok := c.byID[id]
	if !ok {
		return nil, false
	}
	return &c.Products[n], true
}

// Category finds a category by id.
func (c *Catalogue) Category(id string) (*Category, bool) {
	if n := c.categoryNumber(id); n >= 0 {
		return &c.Categories[n], true
	}
	return nil, false
}

func (c *Catalogue) categoryNumber(id string) int {
	for n := range c.Categories {
		if c.Categories[n].ID == id {
			return n
		}
	}
	return -1
}

// In lists the products of a category, in the order of the assortment.
func (c *Catalogue) In(category string) []*Product {
	n := c.categoryNumber(category)
	if n < 0 {
		return nil
	}
	products := make([]*Product, 0, len(c.byCategory[n]))
	for _, i := range c.byCategory[n] {
		products = append(products, &c.Products[i])
	}
	return products
}

// Search lists the products that contain every word of the query in their name, category or subcategory, at most limit.
func (c *Catalogue) Search(query string, limit int) []*Product {
	words := strings.Fields(strings.ToLower(query))
	if len(words) == 0 {
		return nil
	}
	var found []*Product
	for i := range c.Products {
		p := &c.Products[i]
		text := strings.ToLower(p.Name + " " + p.Category + " " + p.Subcategory)
		matches := true
		for _, w := range words {
			matches = matches && strings.Contains(text, w)
		}
		if matches {
			found = append(found, p)
		}
		if len(found) == limit {
			break
		}
	}
	return found
}

// pick draws a product of the category for somebody with the given taste in prices (0 cheap to 1 dear): popular
// products more often, and those near the price level that suits.
func (c *Catalogue) pick(d dice, category int, priceLevel float64) *Product {
	members := c.byCategory[category]
	weights := make([]float64, len(members))
	for i, n := range members {
		weights[i] = c.appeal[n] * priceFit(c.Products[n].Price, priceLevel)
	}
	return &c.Products[members[d.pick(weights)]]
}

// priceFit falls from 1 as the price leaves what the customer likes to spend, on a logarithmic scale from 10 to 250 euro.
func priceFit(price, level float64) float64 {
	away := (math.Log(price) - (2.3 + 3.2*level)) / 1.2
	return 0.05 + math.Exp(-away*away/2)
}
