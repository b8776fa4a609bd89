package liquid

import "time"

// Limits bound what a template may cost. A zero field takes the value of DefaultLimits.
type Limits struct {
	Source int           // bytes of source of a template or partial
	Depth  int           // nested blocks, nested expressions, and partials within partials
	Steps  int           // instructions, loop rounds and list elements handled in one rendering
	Output int           // bytes written
	Memory int           // bytes of intermediate strings and lists
	Time   time.Duration // wall clock of one rendering, lazily loaded objects included
}

// DefaultLimits suit a mail or a page: far above any honest template, and a hostile one ends within milliseconds.
var DefaultLimits = Limits{
	Source: 1 << 20,
	Depth:  100,
	Steps:  1_000_000,
	Output: 8 << 20,
	Memory: 16 << 20,
	Time:   5 * time.Second,
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits
	if l.Source > 0 {
		d.Source = l.Source
	}
	if l.Depth > 0 {
		d.Depth = l.Depth
	}
	if l.Steps > 0 {
		d.Steps = l.Steps
	}
	if l.Output > 0 {
		d.Output = l.Output
	}
	if l.Memory > 0 {
		d.Memory = l.Memory
	}
	if l.Time > 0 {
		d.Time = l.Time
	}
	return d
}
