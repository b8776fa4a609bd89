module github.com/tailorbird/tailorbird/liquid/benchmarks

go 1.26.0

require (
	github.com/osteele/liquid v1.9.2
	github.com/tailorbird/tailorbird v0.0.0
)

require (
	github.com/osteele/tuesday v1.1.1 // indirect
	golang.org/x/mod v0.33.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/tools v0.42.0 // indirect
	gopkg.in/yaml.v2 v2.4.0 // indirect
)

replace github.com/tailorbird/tailorbird => ../..
