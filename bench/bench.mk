# The benchmark's targets, to be included by the Makefile of the root (or: make -f bench/bench.mk bench).
#   make bench SF="1 10" ENGINES=tarn,duckdb     side by side over TPC-H's 22 queries; tables go to data/bench/*.md
#   make bench-tpcds SF=1                        the same over TPC-DS's 99 queries
SF ?= 1
ENGINES ?= tarn,duckdb,polars
PYTHON ?= python3
BENCH_PYTHON := .cache/bench/bin/python
# DuckDB 1.0.0's wheel is the last that contains the generator of TPC-DS.
BENCH_DSDGEN := .cache/bench-dsdgen/bin/python

.PHONY: bench bench-tpcds bench-program

bench: bench-program $(BENCH_PYTHON)
	for sf in $(SF); do \
		bin/bench -suite tpch -scale $$sf -engines $(ENGINES) -python $(BENCH_PYTHON) -out data/bench/tpch-sf$$sf.md && cat data/bench/tpch-sf$$sf.md || exit 1; \
	done

bench-tpcds: bench-program $(BENCH_PYTHON) $(BENCH_DSDGEN)
	for sf in $(SF); do \
		bin/bench -suite tpcds -scale $$sf -prepare -python $(BENCH_DSDGEN) || exit 1; \
		bin/bench -suite tpcds -scale $$sf -engines $(ENGINES) -python $(BENCH_PYTHON) -out data/bench/tpcds-sf$$sf.md && cat data/bench/tpcds-sf$$sf.md || exit 1; \
	done

bench-program:
	@mkdir -p bin data/bench
	go build -o bin/bench ./bench

$(BENCH_PYTHON): bench/requirements.txt
	$(PYTHON) -m venv .cache/bench
	$@ -m pip install --quiet -r bench/requirements.txt
	@touch $@

$(BENCH_DSDGEN):
	$(PYTHON) -m venv .cache/bench-dsdgen
	$@ -m pip install --quiet duckdb==1.0.0
	@touch $@
