# Everything a developer types. `make demo` runs the nightly job on embedded defaults; `make test` passes the tests.
GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION) -linkmode external -extldflags "-static"
TAGS     := netgo,osusergo
PACKAGES ?= ./...
FUZZTIME ?= 5m
FUZZFLAGS ?= -parallel 1 -fuzzminimizetime 1x

.PHONY: build demo s3server test test-race lint fmt bench soak fuzz docs clean

build: ## one static binary, bin/tarn
	CGO_ENABLED=1 $(GO) build -trimpath -tags $(TAGS) -ldflags '$(LDFLAGS)' -o bin/tarn ./cmd/tarn

demo: build $(if $(filter s3,$(STORAGE)),s3server) ## a small warehouse, its nightly job and its dashboards; STORAGE=s3 keeps it in an S3 server's bucket, WORKERS=3 runs it on a cluster
	$(if $(filter s3,$(STORAGE)),S3_COUNTS=1 test/s3server/with.sh) $(if $(WORKERS),test/pgserver/with.sh) ./bin/tarn demo $(if $(filter s3,$(STORAGE)),--storage s3://lake/demo) $(if $(WORKERS),--workers $(WORKERS)) $(DEMO)

s3server: ## the S3 server of tests and of STORAGE=s3, bin/s3server
	$(GO) build -C test/s3server -o ../../bin/s3server .

test: lint build s3server ## vet, format, static analysis, then every test
	$(GO) test -timeout 20m $(PACKAGES)

test-race: ## the concurrent packages under the race detector
	$(GO) test -race -timeout 20m ./internal/memory ./internal/slots ./internal/gossip ./internal/rpc ./test/cluster ./exec/... ./worker/... ./coordinator/... ./catalog/...

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }
	$(GO) vet $(PACKAGES)
	$(GO) build -C test/tools -o ../../bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	./bin/staticcheck -checks 'SA*,U1000,S1*' $(PACKAGES)

fmt:
	gofmt -w $$(git ls-files '*.go')

bench: build ## TPC-H beside DuckDB and Polars; see bench/README.md
	bench/run.sh $(BENCH)

fuzz soak: ## every fuzz target for FUZZTIME; FUZZ='pattern' picks some
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' FUZZFLAGS='$(FUZZFLAGS)' FUZZ='$(FUZZ)' test/soak.sh

docs: ## regenerate docs/functions.md
	$(GO) test ./exec/functions -run DocumentIsCurrent -update -count=1

clean:
	rm -rf bin tarn-data
