// Package shop holds the definitions of the simulated shop: computed traits, segments, templates and campaigns, one YAML
// file each. They are read from here by `tailorbird plan` and `apply`, and embedded for `tailorbird demo`.
package shop

import "embed"

// Home is the shop's address in the definitions. Whoever applies them for another address replaces it.
const Home = "https://shop.example"

// Files are the definitions.
//
//go:embed segments traits templates campaigns
var Files embed.FS
