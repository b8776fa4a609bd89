package profile

// due is the moment (µs) at which the store names a profile as one that time changes, 0 for never, where that is known.
type due struct {
	at    int64
	known bool
}

// NamedAt notes when the store, as it was read, names her.
func (p *Profile) NamedAt(at int64) { p.due = due{at, true} }

// Schedule decides when the store is to name her from now on, and whether that may be another moment than so far. It is never too
// late. One that has become too early stays: what is put off again and again would be moved in an index each time, and to look
// once in vain costs less.
func (p *Profile) Schedule(now int64) (at int64, moved bool) {
	next, had := p.Timers.Next(), p.due
	if had.known && now < had.at && had.at <= next {
		return had.at, false
	}
	p.due = due{next, true}
	return next, p.due != had
}
