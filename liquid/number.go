package liquid

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// maxDigits bounds the integers and decimals that arithmetic will make or read.
const maxDigits = 4096

// number is an exact number: coefficient * 10^-scale. With scale below zero never used, an integer has scale zero and
// decimal false. Results of decimals become floats when they leave a filter, as in the reference.
type number struct {
	small   int64
	big     *big.Int // instead of small, outside int64
	scale   int32
	decimal bool
	odd     float64 // infinity or NaN, else zero
	minus   bool    // zero with a minus sign, as floats have it
}

// toNumber reads a value as the reference does: a string counts for the number it begins with, or zero.
func toNumber(v Value) number {
	switch v.kind {
	case kindInt:
		return number{small: v.n}
	case kindFloat:
		return decimalOfFloat(v.float())
	case kindBig:
		return number{big: bigOf(v)}
	case kindString:
		return numberInText(v.str())
	}
	return number{}
}

// shortDecimal is decimalOfFloat for a float that is the nearest one to a number of at most 15 digits, four of them
// decimals. No other number that short has the same nearest float.
func shortDecimal(f float64) (number, bool) {
	if f == 0 || math.Abs(f) >= 1e11 {
		return number{}, false
	}
	for scale := range int32(5) {
		unit := float64(pow10[scale])
		if c := math.Round(f * unit); c/unit == f {
			return number{small: int64(c), scale: scale, decimal: true}, true
		}
	}
	return number{}, false
}

func decimalOfFloat(f float64) number {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return number{odd: f, decimal: true}
	}
	if n, ok := shortDecimal(f); ok {
		return n
	}
	var buf [32]byte
	digits := strconv.AppendFloat(buf[:0], f, 'e', -1, 64)
	n := number{decimal: true, minus: f == 0 && math.Signbit(f)}
	negative, exponent, fraction := false, int32(0), false
	for i, c := range digits {
		switch c {
		case '-':
			negative = true
		case '.':
			fraction = true
		case 'e':
			e, _ := strconv.ParseInt(string(digits[i+1:]), 10, 32)
			exponent = int32(e)
		default:
			n.small = n.small*10 + int64(c-'0')
			if fraction {
				n.scale++
			}
		}
		if c == 'e' {
			break
		}
	}
	if negative {
		n.small = -n.small
	}
	n.scale -= exponent
	if n.scale < 0 {
		n = n.rescaled(0)
	}
	return n
}

// numberInText reads "12.5" as a decimal when that is all there is, else the integer that the text begins with.
func numberInText(s string) number {
	t := strings.TrimSpace(s)
	whole, fraction, isDecimal := strings.Cut(strings.TrimPrefix(t, "-"), ".")
	if isDecimal && whole != "" && fraction != "" && allDigits(whole) && allDigits(fraction) && len(t) <= maxDigits {
		sign := ""
		if t[0] == '-' {
			sign = "-"
		}
		n := integerOf(sign + whole + fraction)
		n.decimal, n.scale, n.minus = true, int32(len(fraction)), sign == "-" && n.isZero()
		return n
	}
	end := 0
	if end < len(t) && (t[end] == '-' || t[end] == '+') {
		end++
	}
	for end < len(t) && end < maxDigits && (isDigit(t[end]) || t[end] == '_' && end > 0 && end+1 < len(t) && isDigit(t[end+1]) && isDigit(t[end-1])) {
		end++
	}
	return integerOf(strings.ReplaceAll(t[:end], "_", ""))
}

func integerOf(digits string) number {
	if i, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return number{small: i}
	}
	if b, ok := new(big.Int).SetString(digits, 10); ok {
		return number{big: b}
	}
	return number{}
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// parseInteger reads a string that is an integer and nothing else.
func parseInteger(s string) (int64, bool) {
	i, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	return i, err == nil
}

func (n number) coefficient() *big.Int {
	if n.big != nil {
		return n.big
	}
	return big.NewInt(n.small)
}

func (n number) isZero() bool {
	return n.odd == 0 && (n.big == nil && n.small == 0 || n.big != nil && n.big.Sign() == 0)
}

func (n number) negative() bool { return n.odd < 0 || n.minus && n.isZero() || n.sign() < 0 }

func (n number) sign() int {
	if n.big != nil {
		return n.big.Sign()
	}
	return sign(n.small < 0, n.small > 0)
}

// appendCoefficient appends the digits of the number without its decimal point.
func (n number) appendCoefficient(dst []byte) []byte {
	if n.big != nil {
		return n.big.Append(dst, 10)
	}
	return strconv.AppendInt(dst, n.small, 10)
}

func (n number) withBig(b *big.Int) number {
	if b.IsInt64() {
		n.small, n.big = b.Int64(), nil
	} else {
		n.small, n.big = 0, b
	}
	return n
}

var pow10 = func() (t [19]int64) {
	t[0] = 1
	for i := 1; i < len(t); i++ {
		t[i] = t[i-1] * 10
	}
	return t
}()

func powerOfTen(n int32) number {
	if n < int32(len(pow10)) {
		return number{small: pow10[n]}
	}
	return number{big: bigPow10(n)}
}

func bigPow10(n int32) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// rescaled returns the same number with a larger scale.
func (n number) rescaled(scale int32) number {
	by := scale - n.scale
	n.scale = scale
	if n.big == nil && by < int32(len(pow10)) {
		if r := n.small * pow10[by]; n.small == 0 || r/n.small == pow10[by] && r%n.small == 0 {
			n.small = r
			return n
		}
	}
	return n.withBig(new(big.Int).Mul(n.coefficient(), bigPow10(by)))
}

func aligned(a, b number) (number, number) {
	if a.scale < b.scale {
		a = a.rescaled(b.scale)
	} else if b.scale < a.scale {
		b = b.rescaled(a.scale)
	}
	return a, b
}

func (n number) float() float64 {
	if n.odd != 0 {
		return n.odd
	}
	if n.minus && n.isZero() {
		return math.Copysign(0, -1)
	}
	if n.big == nil && n.small > -1<<53 && n.small < 1<<53 && n.scale <= 18 {
		return float64(n.small) / float64(pow10[n.scale])
	}
	f, _ := strconv.ParseFloat(n.coefficient().String()+"e-"+strconv.Itoa(int(n.scale)), 64)
	return f
}

// value is the number as a Liquid value.
func (n number) value() Value {
	switch {
	case n.decimal:
		return Float(n.float())
	case n.big != nil:
		return bigInt(n.big)
	}
	return Int(n.small)
}

func (n number) compare(m number) int {
	if n.odd != 0 || m.odd != 0 {
		return sign(n.float() < m.float(), n.float() > m.float())
	}
	a, b := aligned(n, m)
	if a.big == nil && b.big == nil {
		return sign(a.small < b.small, a.small > b.small)
	}
	return a.coefficient().Cmp(b.coefficient())
}

func (n number) negated() number {
	n.odd = -n.odd
	n.minus = n.isZero() && !n.minus
	if n.big == nil && n.small != math.MinInt64 {
		n.small = -n.small
		return n
	}
	return n.withBig(new(big.Int).Neg(n.coefficient()))
}

func (n number) abs() number {
	if n.odd < 0 || n.sign() < 0 {
		return n.negated()
	}
	n.minus = false
	return n
}

func (n number) plus(m number) number {
	n.minus = n.minus && m.minus
	if n.odd != 0 || m.odd != 0 {
		return number{odd: n.float() + m.float(), decimal: true}
	}
	a, b := aligned(n, m)
	a.decimal = n.decimal || m.decimal
	if a.big == nil && b.big == nil {
		if r := a.small + b.small; (r > a.small) == (b.small > 0) {
			a.small = r
			return a
		}
	}
	return a.withBig(new(big.Int).Add(a.coefficient(), b.coefficient()))
}

// quotientOverflows reports whether a/b does not fit: the one such case of int64.
func quotientOverflows(a, b int64) bool { return a == math.MinInt64 && b == -1 }

func (n number) times(m number) number {
	if n.odd != 0 || m.odd != 0 {
		return number{odd: n.float() * m.float(), decimal: true}
	}
	r := number{decimal: n.decimal || m.decimal, scale: n.scale + m.scale, minus: n.negative() != m.negative()}
	if n.big == nil && m.big == nil {
		hi := n.small * m.small
		if n.small == 0 || hi/n.small == m.small && !quotientOverflows(m.small, n.small) {
			r.small = hi
			return r
		}
	}
	return r.withBig(new(big.Int).Mul(n.coefficient(), m.coefficient()))
}

// divide returns the quotient: floored between integers, else the nearest float, infinite or NaN if m is zero. m is
// not an integer zero with n an integer.
func (n number) divide(m number) Value {
	if n.odd != 0 || m.odd != 0 || m.isZero() {
		return Float(n.float() / m.float())
	}
	if !n.decimal && !m.decimal {
		return floorDivide(n, m).value()
	}
	if n.isZero() {
		return number{decimal: true, minus: n.negative() != m.negative()}.value()
	}
	a, b := aligned(n, m)
	if a.big == nil && b.big == nil && b.small != 0 && !quotientOverflows(a.small, b.small) && a.small%b.small == 0 {
		return Float(float64(a.small / b.small))
	}
	f, _ := new(big.Rat).SetFrac(a.coefficient(), b.coefficient()).Float64()
	return Float(f)
}

// floorDivide returns the whole part of n/m, rounded down, of two numbers of the same scale.
func floorDivide(n, m number) number {
	if n.big == nil && m.big == nil && !quotientOverflows(n.small, m.small) {
		q := n.small / m.small
		if n.small%m.small != 0 && (n.small < 0) != (m.small < 0) {
			q--
		}
		return number{small: q}
	}
	q, r := new(big.Int).QuoRem(n.coefficient(), m.coefficient(), new(big.Int))
	if r.Sign() != 0 && r.Sign() != m.coefficient().Sign() {
		q.Sub(q, big.NewInt(1))
	}
	return number{}.withBig(q)
}

// modulo returns the remainder, which takes the sign of m. m is not zero.
func (n number) modulo(m number) number {
	if n.odd != 0 || m.odd != 0 {
		return number{odd: math.Mod(n.float(), m.float()), decimal: true}
	}
	a, b := aligned(n, m)
	q := floorDivide(a, b)
	q.decimal = n.decimal || m.decimal
	r := n.plus(q.times(m).negated())
	r.minus = false
	return r
}

// rounding is how a number loses its decimals.
type rounding uint8

const (
	roundHalfAway rounding = iota
	roundDown
	roundUp
)

// rounded returns the number with at most places decimals; places may be below zero.
func (n number) rounded(places int32, how rounding) number {
	if n.odd != 0 || places >= n.scale {
		return n
	}
	if n.scale-places > maxDigits {
		return number{}
	}
	unit := powerOfTen(n.scale - places)
	coefficient := n
	coefficient.scale = 0
	switch how {
	case roundHalfAway:
		half := floorDivide(unit, number{small: 2})
		if n.sign() < 0 {
			coefficient = coefficient.negated().plus(half)
			coefficient = floorDivide(coefficient, unit).negated()
		} else {
			coefficient = floorDivide(coefficient.plus(half), unit)
		}
	case roundDown:
		coefficient = floorDivide(coefficient, unit)
	case roundUp:
		coefficient = floorDivide(coefficient.negated(), unit).negated()
	}
	coefficient.scale, coefficient.decimal, coefficient.minus = max(places, 0), n.decimal, n.negative()
	if places < 0 {
		coefficient = coefficient.times(powerOfTen(-places))
	}
	return coefficient
}

// truncated returns the number without its decimals, as an integer.
func (n number) truncated() number {
	if n.negative() {
		return n.rounded(0, roundUp).integral()
	}
	return n.rounded(0, roundDown).integral()
}

// integral returns the number as an integer, without its decimals, which are zero.
func (n number) integral() number {
	n.decimal = false
	return n
}

// digits is a bound on the length of the number, to stop products that grow without end.
func (n number) digits() int {
	if n.big == nil {
		return 19
	}
	return n.big.BitLen()*3/10 + 1
}
