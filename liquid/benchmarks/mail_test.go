// Package benchmarks compares package liquid with osteele/liquid and text/template on one promotional mail. It is a
// module of its own so that the comparison adds no dependency.
package benchmarks

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

const products = 8

// mail is a promotional mail of about 12 KB: 29 variables, four conditions, a loop over eight products, and the date,
// money and escape filters. Between its parts stands the bulk of such mails: tables and inline styles.
func mail(v vocabulary) string {
	var b strings.Builder
	b.WriteString("<!doctype html><html><head><title>" + v.out("subject") + "</title><style>" + strings.Repeat(".col{width:100%;max-width:600px;padding:0 12px}@media(max-width:480px){.col{width:100%!important}}", 40) + "</style></head><body>")
	filler := "<!--[if mso]><table role=\"presentation\" align=\"center\" width=\"600\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"width:600px\"><tr><td style=\"line-height:0px;font-size:0px;mso-line-height-rule:exactly\"><![endif]--><table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" style=\"border-collapse:collapse;font-family:Helvetica,Arial,sans-serif;font-size:16px;line-height:24px;color:#333333\"><tr><td align=\"center\" style=\"padding:24px 12px\">"
	closing := "</td></tr></table><!--[if mso]></td></tr></table><![endif]-->\n"
	section := func(content string) { b.WriteString(filler + content + closing) }
	section("<div style=\"display:none\">" + v.out("preheader") + "</div>")
	section("<img src=\"" + v.out("shop_logo") + "\" alt=\"" + v.out("shop_name") + "\"><p>" + v.out("headline") + "</p>")
	section("<p>Hello " + v.fallback("first_name", "there") + " " + v.escape("last_name") + ",</p><p>" + v.escape("intro") + "</p>")
	section(v.when("vip", "<p>Thank you for being a "+v.out("tier")+" member since "+v.date("member_since")+". You have "+v.out("points")+" points.</p>", "<p>Join our club: "+v.out("club_url")+"</p>"))
	section(v.when("coupon", "<p>Your code <b>"+v.out("coupon")+"</b> is valid until "+v.date("coupon_until")+" and worth "+v.money("coupon_value")+".</p>", ""))
	section("<h2>" + v.escape("list_title") + "</h2>")
	b.WriteString(v.each("products", filler+"<a href=\""+v.item("url")+"\"><img src=\""+v.item("image")+"\" alt=\""+v.itemEscape("name")+"\"></a><h3>"+v.itemEscape("name")+"</h3><p>"+v.itemMoney("price")+"</p>"+closing))
	section(v.when("cart_total", "<p>In your cart: "+v.money("cart_total")+" since "+v.date("cart_at")+".</p>", ""))
	section("<p>" + v.escape("story_title") + "</p><p>" + v.escape("story") + "</p><a href=\"" + v.out("story_url") + "\">More</a>")
	section(v.when("store", "<p>Your store: "+v.escape("store")+", "+v.out("store_city")+"</p>", ""))
	section("<p>" + v.out("shop_name") + ", " + v.out("shop_address") + "</p><p><a href=\"" + v.out("unsubscribe_url") + "\">Unsubscribe</a> · <a href=\"" + v.out("preferences_url") + "\">Preferences</a> · " + v.date("sent_at") + "</p>")
	b.WriteString("</body></html>")
	return b.String()
}

// vocabulary writes the parts of a template in one of the two languages.
type vocabulary struct {
	out, escape, date, money, item, itemEscape, itemMoney func(name string) string
	fallback                                              func(name, text string) string
	when                                                  func(name, yes, no string) string
	each                                                  func(name, body string) string
}

func pattern(p string) func(string) string {
	return func(name string) string { return strings.ReplaceAll(p, "$", name) }
}

var liquidWords = vocabulary{
	out: pattern("{{ $ }}"), escape: pattern("{{ $ | escape }}"), date: pattern("{{ $ | date: '%d %B %Y' }}"), money: pattern("{{ $ | money }}"),
	item: pattern("{{ product.$ }}"), itemEscape: pattern("{{ product.$ | escape }}"), itemMoney: pattern("{{ product.$ | money }}"),
	fallback: func(name, text string) string { return fmt.Sprintf("{{ %s | default: '%s' }}", name, text) },
	when: func(name, yes, no string) string {
		return "{% if " + name + " %}" + yes + "{% else %}" + no + "{% endif %}"
	},
	each: func(name, body string) string { return "{% for product in " + name + " %}" + body + "{% endfor %}" },
}

var goWords = vocabulary{
	out: pattern("{{ .$ }}"), escape: pattern("{{ .$ | html }}"), date: pattern("{{ date .$ }}"), money: pattern("{{ money .$ }}"),
	item: pattern("{{ .$ }}"), itemEscape: pattern("{{ .$ | html }}"), itemMoney: pattern("{{ money .$ }}"),
	fallback: func(name, text string) string { return fmt.Sprintf("{{ or .%s %q }}", name, text) },
	when: func(name, yes, no string) string {
		return "{{ if ." + name + " }}" + yes + "{{ else }}" + no + "{{ end }}"
	},
	each: func(name, body string) string { return "{{ range ." + name + " }}" + body + "{{ end }}" },
}

func data() map[string]any {
	at := time.Date(2024, 2, 29, 13, 5, 9, 0, time.UTC)
	list := make([]any, products)
	for i := range list {
		list[i] = map[string]any{
			"name": fmt.Sprintf("Mug & saucer no. %d", i), "url": fmt.Sprintf("https://shop.example/p/%d", i),
			"image": fmt.Sprintf("https://cdn.example/%d.png", i), "price": 12.95 + float64(i),
		}
	}
	return map[string]any{
		"subject": "Spring is here", "preheader": "New mugs and more", "shop_logo": "https://cdn.example/logo.png", "shop_name": "Pottery",
		"headline": "Fresh from the kiln", "first_name": "Ada", "last_name": "O'Hara", "intro": "We made <new> things & thought of you.",
		"vip": true, "tier": "gold", "member_since": at.AddDate(-3, 0, 0), "points": 1250, "club_url": "https://shop.example/club",
		"coupon": "SPRING-20", "coupon_until": at.AddDate(0, 1, 0), "coupon_value": 20.0, "list_title": "Picked for you", "products": list,
		"cart_total": 54.9, "cart_at": at, "story_title": "How we glaze", "story": "Slowly, \"by hand\", and at 1,200 degrees.",
		"story_url": "https://shop.example/s/1", "store": "Main Street", "store_city": "Springfield", "shop_address": "1 Main St",
		"unsubscribe_url": "https://shop.example/u", "preferences_url": "https://shop.example/prefs", "sent_at": at,
	}
}

// product and campaign are the data as Go structs, for typed slots.
type product struct {
	Name  string  `json:"name"`
	URL   string  `json:"url"`
	Image string  `json:"image"`
	Price float64 `json:"price"`
}

type campaign struct {
	Subject        string    `json:"subject"`
	Preheader      string    `json:"preheader"`
	ShopLogo       string    `json:"shop_logo"`
	ShopName       string    `json:"shop_name"`
	Headline       string    `json:"headline"`
	FirstName      string    `json:"first_name"`
	LastName       string    `json:"last_name"`
	Intro          string    `json:"intro"`
	VIP            bool      `json:"vip"`
	Tier           string    `json:"tier"`
	MemberSince    time.Time `json:"member_since"`
	Points         int       `json:"points"`
	ClubURL        string    `json:"club_url"`
	Coupon         string    `json:"coupon"`
	CouponUntil    time.Time `json:"coupon_until"`
	CouponValue    float64   `json:"coupon_value"`
	ListTitle      string    `json:"list_title"`
	Products       []product `json:"products"`
	CartTotal      float64   `json:"cart_total"`
	CartAt         time.Time `json:"cart_at"`
	StoryTitle     string    `json:"story_title"`
	Story          string    `json:"story"`
	StoryURL       string    `json:"story_url"`
	Store          string    `json:"store"`
	StoreCity      string    `json:"store_city"`
	ShopAddress    string    `json:"shop_address"`
	UnsubscribeURL string    `json:"unsubscribe_url"`
	PreferencesURL string    `json:"preferences_url"`
	SentAt         time.Time `json:"sent_at"`
}

// typedData is data as a campaign.
func typedData(tb testing.TB) *campaign {
	raw, err := json.Marshal(data())
	if err != nil {
		tb.Fatal(err)
	}
	var c campaign
	if err := json.Unmarshal(raw, &c); err != nil {
		tb.Fatal(err)
	}
	return &c
}

func goDate(t time.Time) string { return t.Format("02 January 2006") }

func goMoney(amount float64) string { return fmt.Sprintf("$%.2f", amount) }
