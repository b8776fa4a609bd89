package shop

import (
	"time"
)

// Event is one event in the form of Segment's tracking API; its JSON is one member of a batch.
type Event struct {
	Type        string    `json:"type"` // track, identify or page
	MessageID   string    `json:"messageId"`
	UserID      string    `json:"userId,omitempty"`
	AnonymousID string    `json:"anonymousId,omitempty"`
	Event       string    `json:"event,omitempty"` // of track
	Name        string    `json:"name,omitempty"`  // of page
	Timestamp   time.Time `json:"timestamp"`
	Context     *Context  `json:"context,omitempty"`
	Properties  any       `json:"properties,omitempty"`
	Traits      *Traits   `json:"traits,omitempty"`

	Customer *Customer `json:"-"` // who did it, known or not
}

// Context is the part of Segment's context that the shop fills in.
type Context struct {
	Locale      string       `json:"locale,omitempty"`
	Campaign    *UTM         `json:"campaign,omitempty"`
	ExternalIDs []ExternalID `json:"externalIds,omitempty"`
}

// UTM is how a visitor came.
type UTM struct {
	Name   string `json:"name"`
	Source string `json:"source"`
	Medium string `json:"medium"`
}

// ExternalID is an identifier from another system.
type ExternalID struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Collection string `json:"collection"`
	Encoding   string `json:"encoding"`
}

// Traits are what the shop knows about a customer.
type Traits struct {
	Email        string    `json:"email"`
	FirstName    string    `json:"first_name"`
	LastName     string    `json:"last_name"`
	Phone        string    `json:"phone,omitempty"`
	Country      string    `json:"country"`
	City         string    `json:"city"`
	Language     string    `json:"language"`
	Birthday     string    `json:"birthday"`
	SignUpSource string    `json:"sign_up_source"`
	CreatedAt    time.Time `json:"created_at"`
}

// Page are the properties of a page view.
type Page struct {
	URL      string `json:"url"`
	Path     string `json:"path"`
	Title    string `json:"title"`
	Category string `json:"category,omitempty"`
}

// ProductProperties are a product as Segment's e-commerce specification has it.
type ProductProperties struct {
	ProductID string  `json:"product_id"`
	SKU       string  `json:"sku"`
	Name      string  `json:"name"`
	Category  string  `json:"category"`
	Variant   string  `json:"variant"` // the subcategory
	Price     float64 `json:"price"`
	Currency  string  `json:"currency,omitempty"`
	Quantity  int     `json:"quantity,omitempty"`
	CartID    string  `json:"cart_id,omitempty"`
	URL       string  `json:"url,omitempty"`
	ImageURL  string  `json:"image_url,omitempty"`
}

// OrderProperties are those of Checkout Started, Order Completed and Order Cancelled.
type OrderProperties struct {
	OrderID  string              `json:"order_id"`
	Channel  string              `json:"channel"` // "web" or "store"
	Total    float64             `json:"total"`   // what is paid
	Subtotal float64             `json:"subtotal"`
	Shipping float64             `json:"shipping"`
	Currency string              `json:"currency"`
	Products []ProductProperties `json:"products"`
}

// SearchProperties are those of Products Searched.
type SearchProperties struct {
	Query string `json:"query"`
}

// ListProperties are those of Subscribed and Unsubscribed.
type ListProperties struct {
	List   string `json:"list"`
	Source string `json:"source,omitempty"`
}

// MailProperties are those of the e-mail events of past newsletters, as Segment's e-mail specification has them.
type MailProperties struct {
	CampaignID   string `json:"campaign_id"`
	CampaignName string `json:"campaign_name"`
	EmailSubject string `json:"email_subject"`
	LinkURL      string `json:"link_url,omitempty"`
	Machine      bool   `json:"machine"`
}

func (s *Shop) traits(c *Customer) *Traits {
	return &Traits{
		Email: c.Email, FirstName: c.FirstName, LastName: c.LastName, Phone: c.Phone, Country: c.Country, City: c.City,
		Language: c.Language, Birthday: c.Birthday, SignUpSource: c.Source, CreatedAt: c.Joined,
	}
}

// PageURL is the address of a page of the shop, "" for the front page, "p/outdoor-07" for a product.
func (s *Shop) PageURL(path string) string {
	if path == "" {
		return s.config.URL + "/shop"
	}
	return s.config.URL + "/shop/" + path
}

// ImageURL is the address of a product's picture.
func (s *Shop) ImageURL(p *Product) string { return s.config.URL + "/products/" + p.ID + ".svg" }

// properties describe a product in full.
func (s *Shop) properties(p *Product) *ProductProperties {
	return &ProductProperties{
		ProductID: p.ID, SKU: p.SKU, Name: p.Name, Category: p.Category, Variant: p.Subcategory, Price: p.Price,
		Currency: Currency, URL: s.PageURL("p/" + p.ID), ImageURL: s.ImageURL(p),
	}
}
