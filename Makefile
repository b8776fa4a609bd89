# Everything that is done to this project, by name. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X github.com/tailorbird/tailorbird/internal/cli.version=$(VERSION)

# What ingest does most is compiled for speed, by a profile of it (make profile); PGO=off builds in less time.
PGO ?= cmd/tailorbird/ingest.pgo

LINTER_VERSION := v2.15.0
LINTER := .tools/bin/golangci-lint-$(LINTER_VERSION)

# The end-to-end tests run the real binary and measure it: by themselves, after the others.
E2E_PACKAGE := ./internal/e2e
NODES_PACKAGE := ./internal/chaos
# Nothing in the tests of these goes on beside anything else: the race detector would find nothing, and take ten times as long.
SEQUENTIAL_PACKAGES := ./internal/expr ./internal/event
KEEPING_PACKAGES = ./internal/definition ./internal/access ./internal/server
KEEPING_RANDOM_PACKAGES = ./internal/store ./internal/engine
# lint vets already, and nobody looks at a test with a debugger; without either, building the tests takes two thirds of the time.
GO_TEST = go test -vet=off -ldflags=-w
PACKAGES = $(call all_but,$(E2E_PACKAGE) $(NODES_PACKAGE))
RACED_PACKAGES = $(call all_but,$(E2E_PACKAGE) $(NODES_PACKAGE) $(SEQUENTIAL_PACKAGES))
all_but = $(filter-out $(1),$(patsubst github.com/tailorbird/tailorbird/%,./%,$(shell go list ./...)))

# What the tests of the whole program need; nothing where it has just been built.
PROGRAM ?= build

FUZZTIME ?= 30s
ROUNDS ?= 200
SEEDS ?= 10000
SEED ?= 1
EVENTS ?= 1000000
STREAM ?= false

UI_SOURCES := $(shell find ui/src ui/public -type f 2>/dev/null) ui/index.html ui/vite.config.ts ui/tsconfig.json

.PHONY: help run build test lint lint-go lint-ui lint-deploy test-go test-postgres test-simulate test-liquid test-ui test-e2e test-loop test-faults test-nodes test-browser \
	bench bench-liquid bench-match bench-nodes fuzz simulate verify-data soak chaos pictures profile clean tools format

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- build and run

run: build ## build, then start Tailorbird with a simulated shop and print its address
	@bin/tailorbird demo

build: ui/dist/index.html ## write bin/tailorbird, the web application inside it
	@scripts/need.sh gcc:gcc g++:g++
	@CGO_ENABLED=1 go build -pgo=$(PGO) -ldflags '$(LDFLAGS)' -o bin/tailorbird ./cmd/tailorbird

ui/node_modules/.stamp: ui/package.json ui/package-lock.json
	@scripts/need.sh node:nodejs npm:npm
	@echo "ui: installing packages"
	@cd ui && npm ci --loglevel=error >/dev/null
	@touch $@

ui/dist/index.html: ui/node_modules/.stamp $(UI_SOURCES)
	@echo "ui: building"
	@cd ui && npm run --silent build -- --logLevel warn
	@touch $@

e2e/node_modules/.stamp: e2e/package.json e2e/package-lock.json
	@scripts/need.sh node:nodejs npm:npm
	@echo "e2e: installing packages"
	@cd e2e && npm ci --loglevel=error >/dev/null
	@touch $@

# --- check

# Two parts at a time, the longest first: half of the time they wait for clocks, disks and browsers. What several need is made
# before, so that they begin in this order. What a part says is shown at its end.
test: build e2e/node_modules/.stamp ## everything that must hold, as the continuous integration runs it
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target PROGRAM= test-go lint test-postgres test-browser test-loop test-ui test-simulate test-liquid
	@echo "make test: every check passed"

lint: lint-ui lint-go lint-deploy ## what can be said without running anything

lint-ui: ui/node_modules/.stamp
	@cd ui && npm run --silent lint && npm run --silent typecheck

lint-go: $(LINTER) ui/dist/index.html
	@scripts/need.sh gcc:gcc g++:g++
	@go vet ./...
	@$(LINTER) run ./...

lint-deploy: ## the Dockerfile, compose files, chart and unit of deploy/
	@scripts/lint-deploy.sh

test-ui: ui/node_modules/.stamp ## unit tests of the web application
	@cd ui && npm run --silent test

test-go: ui/dist/index.html ## Go tests with the race detector, the import rules among them
	@scripts/need.sh gcc:gcc g++:g++ ruby:ruby 'ruby -rliquid -e 0:ruby-liquid'
	@scripts/postgres.sh with $(GO_TEST) -race -p 2 -timeout 10m $(RACED_PACKAGES)
	@scripts/postgres.sh with $(GO_TEST) $(SEQUENTIAL_PACKAGES) ./internal/identity/match

# On the newest version through PgBouncer, on the one that is installed, and on the oldest that serves.
test-postgres: ## the tests of whatever keeps things once more, on PostgreSQL
	@TAILORBIRD_TEST_DATABASE=postgres TAILORBIRD_TEST_POSTGRES_VERSION=18 scripts/postgres.sh with scripts/pgbouncer.sh with $(GO_TEST) -count=1 -p 1 -timeout 10m $(KEEPING_PACKAGES)
	@TAILORBIRD_TEST_DATABASE=postgres scripts/postgres.sh with $(GO_TEST) -count=1 -p 2 -timeout 20m $(KEEPING_RANDOM_PACKAGES) -rapid.checks=10
	@TAILORBIRD_TEST_DATABASE=postgres TAILORBIRD_TEST_POSTGRES_VERSION=14 TAILORBIRD_TEST_PARTS=2 scripts/postgres.sh with $(GO_TEST) -count=1 -timeout 10m -skip 'Durable|MayCrash' ./internal/store -rapid.checks=5

test-simulate: ## random histories on a failing disk, a few hundred
	@scripts/need.sh gcc:gcc g++:g++
	@$(GO_TEST) -timeout 10m ./internal/sim

test-liquid:
	@if [ -f liquid/benchmarks/go.mod ]; then cd liquid/benchmarks && go vet ./... && go test ./...; fi

test-e2e: test-loop test-browser ## the real program from outside: the loop, crashes, an SDK and a browser

test-loop: $(PROGRAM)
	@scripts/need.sh curl:curl
	@TAILORBIRD_BIN=$(CURDIR)/bin/tailorbird $(GO_TEST) -race -count=1 -timeout 15m -v $(E2E_PACKAGE) | grep -vE '^=== '

test-faults: build ## a node whose databases lack something, and three while everything breaks, in short: some four minutes
	@TAILORBIRD_BIN=$(CURDIR)/bin/tailorbird $(GO_TEST) -count=1 -timeout 15m -v $(NODES_PACKAGE) -events 4000 -rate 250 -readers 100 | grep -vE '^=== '

test-nodes: build ## several nodes while everything breaks: some minutes
	@TAILORBIRD_BIN=$(CURDIR)/bin/tailorbird $(GO_TEST) -count=1 -timeout 20m -v $(NODES_PACKAGE) | grep -vE '^=== '

test-browser: $(PROGRAM) e2e/node_modules/.stamp
	@scripts/need.sh chromium:chromium
	@cd e2e && npm run --silent test

format: $(LINTER) ## write Go files in the one format
	@$(LINTER) fmt ./...

# --- measure, and look for longer

bench: build ## micro-benchmarks, then ingest through HTTP on this machine
	@go test -run '^$$' -bench . -benchmem $(PACKAGES)
	@bin/tailorbird bench ingest

profile: build ## look anew at what ingest does most, for builds to come
	@bin/tailorbird bench ingest --profiles 1000000 --active 200000 --events 2000000 --cpuprofile cmd/tailorbird/ingest.pgo

bench-liquid: ## the template engine against two others, in turns on one core, with the ratios that must hold
	@cd liquid/benchmarks && GOMAXPROCS=1 go test -count=1 -run Ratios -ratios -v . | grep -vE '^(===|PASS|ok)'

bench-match: ## find the probable matches among a million made-up profiles
	@TAILORBIRD_MATCH_PROFILES=1000000 go test -run '^$$' -bench Find -benchtime 1x -timeout 1h ./internal/identity/match

bench-nodes: build ## the same events through one node and through two on PostgreSQL, in turns; STREAM=true through Kafka
	@TAILORBIRD_BIN=$(CURDIR)/bin/tailorbird go test -count=1 -timeout 2h -v -run Cost $(NODES_PACKAGE) -stream=$(STREAM) -cost-rounds 3 -limit 1h | grep -vE '^=== '

fuzz: ## every fuzz test for FUZZTIME (30s)
	@scripts/fuzz.sh $(FUZZTIME)

simulate: ## SEEDS (10000) random histories on a failing disk; a failure names its seed, and tells it in short
	@go test -count=1 -timeout 6h -v -run 'Seed$$' ./internal/sim -seeds $(SEEDS) | grep -vE '^=== |^ +--- PASS'

verify-data: ## every customer of the real data at positions of the clock, where the tests take every tenth
	@TAILORBIRD_WHOLE=1 go test -count=1 -timeout 1h -v -run RealPurchases ./internal/engine

soak: build ## kill the program ROUNDS (200) times in the middle of ingest and of a send
	@TAILORBIRD_BIN=$(CURDIR)/bin/tailorbird TAILORBIRD_KILLS=$(ROUNDS) \
		go test -count=1 -timeout 6h -v -run Kill $(E2E_PACKAGE)

chaos: build ## the same with EVENTS (1000000) events and the faults of SEED (1)
	@TAILORBIRD_BIN=$(CURDIR)/bin/tailorbird go test -count=1 -timeout 7h -v -run Nodes $(NODES_PACKAGE) \
		-seed $(SEED) -events $(EVENTS) -rate 2000 -readers 5000 -limit 6h

pictures: build e2e/node_modules/.stamp ## take the pictures in docs/pictures again
	@scripts/need.sh chromium:chromium
	@cd e2e && npm run --silent pictures

# --- tools

tools: $(LINTER) ## install the tools that the checks use

$(LINTER):
	@echo "golangci-lint $(LINTER_VERSION): compiling"
	@GOBIN=$(CURDIR)/.tools/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINTER_VERSION)
	@mv .tools/bin/golangci-lint $@

clean: ## remove what was built or installed here
	@rm -rf bin .tools ui/node_modules e2e/node_modules e2e/results
	@find ui/dist -mindepth 1 ! -name .gitkeep -delete 2>/dev/null || true
