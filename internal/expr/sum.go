package expr

import "math"

// exactSum adds numbers without rounding until it is read, so that the order does not matter and what was added can be
// taken out again (Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997, grow-expansion; the final rounding as in
// Python's math.fsum).
type exactSum struct{ partials []float64 }

func (s *exactSum) add(x float64) {
	i := 0
	for _, y := range s.partials {
		if math.Abs(x) < math.Abs(y) {
			x, y = y, x
		}
		high := x + y
		if low := y - (high - x); low != 0 {
			s.partials[i] = low
			i++
		}
		x = high
	}
	s.partials = append(s.partials[:i], x)
}

func (s *exactSum) value() float64 {
	n := len(s.partials) - 1
	if n < 0 {
		return 0
	}
	high, low := s.partials[n], 0.0
	for n > 0 {
		n--
		x := high
		y := s.partials[n]
		high = x + y
		if low = y - (high - x); low != 0 {
			break
		}
	}
	// Half-way cases round by what follows.
	if n > 0 && (low < 0 && s.partials[n-1] < 0 || low > 0 && s.partials[n-1] > 0) {
		y := low * 2
		if x := high + y; y == x-high {
			high = x
		}
	}
	return high + 0 // no negative zero
}
