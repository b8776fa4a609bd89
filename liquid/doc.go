// Package liquid is a compiled, safe implementation of the Liquid template language.
//
// A template is parsed once into a compact program whose variables are numbered slots. Rendering runs that program
// over pooled state that is fresh for each call, so one Template serves any number of goroutines and nothing of one
// rendering is visible to the next.
//
//	engine := liquid.New(liquid.WithAutoEscape(true))
//	template, err := engine.Parse("Hello {{ name | default: 'there' }}!")
//	if err != nil {
//		return err // *liquid.Error with line and column
//	}
//	text, err := template.Render(ctx, map[string]any{"name": "Ada"})
//
// The language is that of Shopify's Liquid 5, with additions for mail: contextual HTML escaping, time zones and
// money, fallbacks known to analysis, and objects that are loaded only when a template reaches them.
//
// Untrusted templates may be run: source size, nesting, steps, output, working memory and time are limited, inside
// filters too, and each limit ends the rendering with an *Error of its own kind.
package liquid
