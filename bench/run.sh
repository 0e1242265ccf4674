#!/bin/sh
# usage: bench/run.sh [flags of bin/bench]    for example: bench/run.sh -scale 10 -engines tarn,duckdb -queries 1-6
# Installs the peers' Python packages under .cache/ on first use, builds bin/bench and runs it. PYTHON names the Python.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

# packages DIRECTORY PIP-ARGUMENTS…: a virtual environment with these packages
packages() {
	directory=.cache/$1
	shift
	if [ "$(cat "$directory/installed" 2>/dev/null)" != "$*" ]; then
		"$python" -m venv "$directory"
		"$directory/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
		echo "$*" >"$directory/installed"
	fi
}

mkdir -p bin data/bench
go build -o bin/bench ./bench
packages bench $(cat bench/requirements.txt)
case "$*" in
*tpcds*)
	# The wheel of DuckDB 1.0.0 is the last that contains the generator of TPC-DS.
	packages bench-dsdgen duckdb==1.0.0
	bin/bench "$@" -prepare -python .cache/bench-dsdgen/bin/python
	;;
esac
case "$*" in
*-s3* | *cached*)
	# The newest DuckDB whose extension httpfs is a package as well.
	packages bench-s3 duckdb==1.5.5 duckdb-extensions==1.5.5 duckdb-extension-httpfs==1.5.5
	(cd test/s3server && go build -o ../../bin/s3server .)
	;;
esac
exec bin/bench -python .cache/bench/bin/python "$@"
