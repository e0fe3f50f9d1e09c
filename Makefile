.DEFAULT_GOAL := help
.PHONY: help check build generate test e2e race fuzz soak nightly bench demo release reproducible clean

# Static, stripped, without paths of the machine it was built on. Go stamps the
# commit, which `envivo version` and every page show.
BUILD    := CGO_ENABLED=0 go build -trimpath -ldflags='-s -w'
FUZZTIME ?= 30s
COUNT    ?= 10

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

check: ## everything that must hold, exactly as CI runs it
	@bash .ci/run

build: ## the binary ./envivo for this machine
	$(BUILD) -o envivo .

generate: ## the Go files of the templates
	go tool templ generate -path ./ui

test: ## all tests except end to end, once
	go test -shuffle=on $$(go list ./... | grep -v '/e2e$$')

race: ## all tests with the race detector, end to end included
	ENVIVO_AXE=$$(bash .ci/axe) go test -race -shuffle=on -timeout 20m ./...

e2e: ## the built binary and a real browser; pictures of every screen in artifacts/screens
	ENVIVO_AXE=$$(bash .ci/axe) ENVIVO_SHOTS=$(CURDIR)/artifacts/screens go test -timeout 20m ./e2e

fuzz: ## every fuzz target for FUZZTIME (30s)
	@.ci/fuzz $(FUZZTIME)

soak: ## half an hour of everything at once; report and plot in docs/bench
	ENVIVO_SOAK=30m ENVIVO_SOAK_OUT=$(CURDIR)/docs/bench go test -timeout 45m -run 'TestSoak$$' -v ./e2e

nightly: ## the long tests with their full numbers: 500 kills, soak, ten minutes of each fuzz target
	@bash .ci/nightly

bench: ## all benchmarks, COUNT (10) times, for benchstat
	go test -run '^$$' -bench . -benchmem -count $(COUNT) $$(go list ./... | grep -v '/e2e')

demo: ## the real server on a sample plant, at 127.0.0.1:8080
	go run . demo

release: ## static binaries for linux (amd64, arm64) and windows (amd64) in dist/, with sums and bills of materials
	go run ./release -out dist

reproducible: ## the same of the current commit, twice in different folders; the bytes must be equal
	go run ./release -out dist -prove

clean: ## what the other targets made
	rm -rf dist envivo
