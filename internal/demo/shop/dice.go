package shop

import (
	"math"
	"math/rand/v2"
)

// What a stream of randomness is for. Each purpose has its own stream, so that drawing more for one thing changes nothing
// else: this is what keeps a customer's own orders the same whether or not mail is sent.
const (
	rollProduct uint64 = iota + 1
	rollCustomer
	rollBaseline
	rollVisit
	rollReaction
	rollDevice
	rollOrder
	rollHousehold
	rollArrival
)

// dice is one seeded stream of randomness.
type dice struct{ *rand.Rand }

// roll opens the stream of (key, purpose, n). The same three give the same stream.
func roll(key, purpose, n uint64) dice {
	a := mix(key ^ mix(purpose))
	return dice{rand.New(rand.NewPCG(a, mix(a+n)))}
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection of 64 bits that scatters near values.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// mixText folds a text into a key.
func mixText(key uint64, text string) uint64 {
	for i := range len(text) {
		key = mix(key ^ uint64(text[i]))
	}
	return key
}

func (d dice) chance(p float64) bool { return d.Float64() < p }

func (d dice) logNormal(mu, sigma float64) float64 { return math.Exp(mu + sigma*d.NormFloat64()) }

// gamma draws from the gamma distribution of the given shape with mean shape×scale (Marsaglia and Tsang 2000).
func (d dice) gamma(shape, scale float64) float64 {
	if shape < 1 {
		return d.gamma(shape+1, scale) * math.Pow(1-d.Float64(), 1/shape)
	}
	a := shape - 1.0/3
	b := 1 / math.Sqrt(9*a)
	for {
		x := d.NormFloat64()
		v := 1 + b*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-d.Float64()) < x*x/2+a-a*v+a*math.Log(v) {
			return a * v * scale
		}
	}
}

// beta draws from the beta distribution with mean a/(a+b).
func (d dice) beta(a, b float64) float64 {
	x, y := d.gamma(a, 1), d.gamma(b, 1)
	return x / (x + y)
}

// pick draws an index in proportion to the weights.
func (d dice) pick(weights []float64) int {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	x := d.Float64() * total
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// geometric draws how many successes of chance p come before the first failure, at most limit.
func (d dice) geometric(p float64, limit int) int {
	n := 0
	for n < limit && d.chance(p) {
		n++
	}
	return n
}
