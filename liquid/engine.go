package liquid

import (
	"context"
	"maps"
	"sync"
	"time"
)

// Engine holds the language that templates are parsed with: options, filters, tags and objects. It does not change
// once made and is safe for concurrent use.
type Engine struct {
	limits          Limits
	autoEscape      bool
	lax             bool
	strictVariables bool
	location        *time.Location
	clock           func() time.Time
	partials        Loader
	filters         map[string]*filter
	tags            map[string]*Tag
	globals         map[string]any
	objects         map[string]ObjectLoader
	currency        string
	locale          string
	money           moneyStyle // of currency and locale
	states          sync.Pool
}

// zone is the location of dates that have none of their own.
func (e *Engine) zone() *time.Location {
	if e.location != nil {
		return e.location
	}
	return time.UTC
}

// Option sets up an Engine.
type Option func(*Engine)

// New returns an engine with the standard language and the given options. Without options it is strict about syntax
// and filters, treats missing variables as nil, does not escape, and keeps to DefaultLimits.
func New(options ...Option) *Engine {
	e := &Engine{
		limits:   DefaultLimits,
		clock:    time.Now,
		filters:  maps.Clone(standardFilters),
		tags:     map[string]*Tag{},
		objects:  map[string]ObjectLoader{},
		currency: "USD",
		locale:   "en",
	}
	for _, option := range options {
		option(e)
	}
	e.money = moneyStyleOf(e.currency, e.locale)
	e.states.New = func() any { return newState() }
	return e
}

// WithLimits bounds what a template may cost.
func WithLimits(limits Limits) Option { return func(e *Engine) { e.limits = limits.withDefaults() } }

// WithAutoEscape makes outputs safe for the place in the HTML document where they stand: text, attribute, URL, script
// or style. The filters `raw` and `safe` opt out; a value that went through `escape` is not escaped again.
func WithAutoEscape(on bool) Option { return func(e *Engine) { e.autoEscape = on } }

// WithLax makes the engine as forgiving as the reference is by default: what cannot be understood inside a tag is
// ignored, unknown filters do nothing, and errors while rendering are written into the output. Limits still end the
// rendering.
func WithLax(on bool) Option { return func(e *Engine) { e.lax = on } }

// WithStrictVariables makes a missing variable an error instead of nil.
func WithStrictVariables(on bool) Option { return func(e *Engine) { e.strictVariables = on } }

// WithLocation sets the time zone in which dates are shown, and read when they name none. Without it, a date is shown
// in the zone that it came with, or UTC.
func WithLocation(location *time.Location) Option { return func(e *Engine) { e.location = location } }

// WithClock sets the clock behind `now` and `today`. The default is time.Now.
func WithClock(clock func() time.Time) Option { return func(e *Engine) { e.clock = clock } }

// WithPartials sets where render and include find their templates.
func WithPartials(loader Loader) Option { return func(e *Engine) { e.partials = loader } }

// WithGlobals adds variables that every template and partial sees, those run by render too.
func WithGlobals(globals map[string]any) Option { return func(e *Engine) { e.globals = globals } }

// WithMoney sets the currency (ISO 4217) and locale (such as "en", "de" or "fr-CH") of the money filter. The default
// is USD and en.
func WithMoney(currency, locale string) Option {
	return func(e *Engine) { e.currency, e.locale = currency, locale }
}

// WithFilter registers a filter, or replaces a standard one.
func WithFilter(name string, f Filter) Option {
	return func(e *Engine) { e.filters[name] = f.compiled(name) }
}

// WithTag registers a tag. The standard tags cannot be replaced.
func WithTag(name string, tag Tag) Option { return func(e *Engine) { e.tags[name] = &tag } }

// ObjectLoader loads an object that a template asks for. data is the hash that the rendering was given: data.Get(name)
// returns a variable of it.
type ObjectLoader func(ctx context.Context, data Value) (any, error)

// WithObject registers a variable that is loaded only if a template reaches it, at most once a rendering. Data of the
// same name comes first. An error ends the rendering.
func WithObject(name string, load ObjectLoader) Option {
	return func(e *Engine) { e.objects[name] = load }
}

// Lazy is a value inside data that is loaded only if a template reaches it, at most once a rendering.
type Lazy struct {
	load func(ctx context.Context) (any, error)
}

// LoadOnUse returns a value that is loaded by load when a template reaches it.
func LoadOnUse(load func(ctx context.Context) (any, error)) *Lazy { return &Lazy{load} }

// Loader finds partial templates.
type Loader interface {
	// Load returns the source of a partial, or an error if there is none of that name.
	Load(name string) (source string, err error)
}

// LoaderFunc is a function that is a Loader.
type LoaderFunc func(name string) (string, error)

// Load calls f.
func (f LoaderFunc) Load(name string) (string, error) { return f(name) }

// Sources is a Loader of the partials in a map.
type Sources map[string]string

// Load returns the source under a name.
func (s Sources) Load(name string) (string, error) {
	if source, ok := s[name]; ok {
		return source, nil
	}
	return "", newError(PartialError, "there is no partial "+quoteShort(name))
}
