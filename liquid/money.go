package liquid

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

var moneyFilters = []*filter{
	{name: "money", max: 2, named: true, skipsNil: true, text: func(c *Call, dst []byte) []byte { return c.money(dst, moneySymbol) }},
	{name: "money_with_currency", max: 2, named: true, skipsNil: true, text: func(c *Call, dst []byte) []byte { return c.money(dst, moneyCode) }},
	{name: "money_without_currency", max: 2, named: true, skipsNil: true, text: func(c *Call, dst []byte) []byte { return c.money(dst, moneyBare) }},
	{name: "money_without_trailing_zeros", max: 2, named: true, skipsNil: true, text: func(c *Call, dst []byte) []byte { return c.money(dst, moneyShort) }},
}

// moneyStyle is a currency and how a language writes amounts of it.
type moneyStyle struct {
	code   string
	unit   currency
	locale moneyLocale
}

func moneyStyleOf(code, locale string) moneyStyle {
	code = strings.ToUpper(code)
	unit, ok := currencies[code]
	if !ok {
		unit = currency{code, 2}
	}
	if home := homes[code]; home != "" && strings.HasSuffix(locale, home) {
		unit.symbol = "$"
	}
	return moneyStyle{code, unit, localeOf(locale)}
}

type moneyForm uint8

const (
	moneySymbol moneyForm = iota // $1,299.00
	moneyCode                    // $1,299.00 USD
	moneyBare                    // 1,299.00
	moneyShort                   // $1,299
)

// currency is a symbol and the number of decimals, as ISO 4217 and CLDR have them.
type currency struct {
	symbol   string
	decimals int32
}

var currencies = map[string]currency{
	"USD": {"$", 2}, "EUR": {"€", 2}, "GBP": {"£", 2}, "JPY": {"¥", 0}, "CNY": {"¥", 2}, "KRW": {"₩", 0}, "INR": {"₹", 2},
	"CHF": {"CHF", 2}, "CAD": {"CA$", 2}, "AUD": {"A$", 2}, "NZD": {"NZ$", 2}, "MXN": {"MX$", 2}, "BRL": {"R$", 2},
	"SEK": {"kr", 2}, "NOK": {"kr", 2}, "DKK": {"kr.", 2}, "ISK": {"kr.", 0}, "PLN": {"zł", 2}, "CZK": {"Kč", 2},
	"HUF": {"Ft", 2}, "RON": {"lei", 2}, "BGN": {"лв.", 2}, "UAH": {"₴", 2}, "RUB": {"₽", 2}, "TRY": {"₺", 2},
	"ILS": {"₪", 2}, "AED": {"AED", 2}, "SAR": {"SAR", 2}, "ZAR": {"R", 2}, "SGD": {"S$", 2}, "HKD": {"HK$", 2},
	"TWD": {"NT$", 2}, "THB": {"฿", 2}, "VND": {"₫", 0}, "IDR": {"Rp", 2}, "MYR": {"RM", 2}, "PHP": {"₱", 2},
	"CLP": {"CLP", 0}, "COP": {"COP", 2}, "ARS": {"ARS", 2}, "KWD": {"KWD", 3}, "BHD": {"BHD", 3}, "TND": {"TND", 3},
}

// moneyLocale is how a language writes amounts: CLDR's currency patterns, without its rarer rules.
type moneyLocale struct {
	group, decimal string
	after          bool   // the symbol stands behind the amount
	space          string // between symbol and amount
	indian         bool   // groups of two above the thousands
	minGroup       int    // digits that must stand before the first group
}

const noBreak = "\u00a0"

var moneyLocales = map[string]moneyLocale{
	"en": {",", ".", false, "", false, 1}, "en-IN": {",", ".", false, "", true, 1}, "hi": {",", ".", false, "", true, 1},
	"de": {".", ",", true, noBreak, false, 1}, "de-AT": {".", ",", false, noBreak, false, 1}, "de-CH": {"’", ".", false, noBreak, false, 1},
	"fr": {"\u202f", ",", true, noBreak, false, 1}, "fr-CH": {"\u202f", ",", true, noBreak, false, 1}, "it": {".", ",", true, noBreak, false, 1},
	"es": {".", ",", true, noBreak, false, 2}, "es-MX": {",", ".", false, "", false, 1}, "ca": {".", ",", true, noBreak, false, 1},
	"pt": {".", ",", false, noBreak, false, 1}, "pt-PT": {noBreak, ",", true, noBreak, false, 2}, "nl": {".", ",", false, noBreak, false, 1},
	"pl": {noBreak, ",", true, noBreak, false, 2}, "cs": {noBreak, ",", true, noBreak, false, 1}, "sk": {noBreak, ",", true, noBreak, false, 1},
	"sv": {noBreak, ",", true, noBreak, false, 1}, "nb": {noBreak, ",", true, noBreak, false, 1}, "no": {noBreak, ",", true, noBreak, false, 1},
	"da": {".", ",", true, noBreak, false, 1}, "fi": {noBreak, ",", true, noBreak, false, 1}, "hu": {noBreak, ",", true, noBreak, false, 1},
	"ro": {".", ",", true, noBreak, false, 1}, "bg": {noBreak, ",", true, noBreak, false, 2}, "el": {".", ",", true, noBreak, false, 1},
	"uk": {noBreak, ",", true, noBreak, false, 1}, "ru": {noBreak, ",", true, noBreak, false, 1}, "tr": {".", ",", false, "", false, 1},
	"ja": {",", ".", false, "", false, 1}, "zh": {",", ".", false, "", false, 1}, "ko": {",", ".", false, "", false, 1},
	"th": {",", ".", false, "", false, 1}, "vi": {".", ",", true, noBreak, false, 1}, "id": {".", ",", false, noBreak, false, 1},
	"he": {",", ".", true, noBreak, false, 1},
}

// localeOf finds the money rules of a locale such as "de-AT", or of its language, or of English.
func localeOf(name string) moneyLocale {
	name = strings.ReplaceAll(name, "_", "-")
	if l, ok := moneyLocales[name]; ok {
		return l
	}
	language, _, _ := strings.Cut(name, "-")
	if l, ok := moneyLocales[strings.ToLower(language)]; ok {
		return l
	}
	return moneyLocales["en"]
}

// money writes an amount in whole units of a currency: {{ order.total | money }}, {{ total | money: "EUR", "de" }} or
// money: currency: "EUR", locale: "de". What is no amount stays as it is, and nil nothing.
func (c *Call) money(dst []byte, form moneyForm) []byte {
	e := c.st.engine
	style := &e.money
	if len(c.args)+len(c.named) > 0 {
		code, locale := e.currency, e.locale
		for _, v := range []struct {
			set   *string
			value Value
		}{{&code, c.Arg(0)}, {&locale, c.Arg(1)}, {&code, c.Named("currency")}, {&locale, c.Named("locale")}} {
			if v.value.IsString() {
				*v.set = v.value.str()
			}
		}
		other := moneyStyleOf(code, locale)
		style = &other
	}
	if c.input.kind == kindFloat {
		// Most amounts are a whole number of the smallest unit.
		f, unit := c.input.float(), float64(pow10[style.unit.decimals])
		if amount := math.Round(f * unit); math.Abs(amount) < 1e15 && amount/unit == f {
			var buf [24]byte
			return style.append(dst, strconv.AppendInt(buf[:0], int64(amount), 10), form)
		}
	}
	n := toNumber(c.input)
	if !isAmount(c.input) || n.odd != 0 {
		return c.put(dst, c.text(c.input))
	}
	n = n.rounded(style.unit.decimals, roundHalfAway)
	if n.scale < style.unit.decimals {
		n = n.rescaled(style.unit.decimals)
	}
	return style.append(dst, n.appendCoefficient(nil), form)
}

// isAmount reports whether a value is a number, or text that begins with one.
func isAmount(v Value) bool {
	if v.kind != kindString {
		return isNumber(v)
	}
	s := strings.TrimPrefix(strings.TrimSpace(v.str()), "-")
	return s != "" && isDigit(s[0])
}

// append writes an amount that is given as the digits of a number of the smallest unit.
func (style *moneyStyle) append(dst, digits []byte, form moneyForm) []byte {
	locale, symbol := &style.locale, style.unit.symbol
	if digits[0] == '-' {
		digits = digits[1:]
		dst = append(dst, '-')
	}
	if form != moneyBare && !locale.after {
		dst = append(dst, symbol...)
		if dst = append(dst, locale.space...); locale.space == "" && len(symbol) > 0 && isNameStart(symbol[len(symbol)-1]) {
			dst = append(dst, noBreak...)
		}
	}
	dst = locale.appendAmount(dst, digits, int(style.unit.decimals), form == moneyShort)
	if form != moneyBare && locale.after {
		dst = append(append(dst, locale.space...), symbol...)
	}
	if form == moneyCode && symbol != style.code {
		dst = append(append(dst, ' '), style.code...)
	}
	return dst
}

// homes are the regions where a currency is simply written $.
var homes = map[string]string{
	"CAD": "-CA", "AUD": "-AU", "NZD": "-NZ", "MXN": "-MX", "SGD": "-SG", "HKD": "-HK", "TWD": "-TW",
}

func (l *moneyLocale) appendAmount(dst, digits []byte, decimals int, short bool) []byte {
	for range decimals + 1 - len(digits) {
		digits = append([]byte{'0'}, digits...)
	}
	whole, fraction := digits[:len(digits)-decimals], digits[len(digits)-decimals:]
	if len(whole) < 3+l.minGroup {
		dst = append(dst, whole...)
	} else {
		dst = l.appendGroups(dst, whole)
	}
	if len(fraction) == 0 || short && len(bytes.Trim(fraction, "0")) == 0 {
		return dst
	}
	return append(append(dst, l.decimal...), fraction...)
}

func (l *moneyLocale) appendGroups(dst, whole []byte) []byte {
	for i, digit := range whole {
		left := len(whole) - i
		isBreak := left%3 == 0
		if l.indian && left > 3 {
			isBreak = left%2 == 1
		}
		if i > 0 && isBreak {
			dst = append(dst, l.group...)
		}
		dst = append(dst, digit)
	}
	return dst
}
