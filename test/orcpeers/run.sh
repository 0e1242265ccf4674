#!/bin/sh
# usage: test/orcpeers/run.sh
# Writes ORC files with Tarn (all types, codecs, many stripes, no rows, dictionaries, Bloom filters) and has
# ORC's Java reader (as in Spark and Hive) and ORC C++ (pyarrow) read them: they must see the same rows.
# Needs Java 17 or later, Maven and Python, and the package registries once.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tarn-orcpeers
mkdir -p "$cache"
if ! cmp -s "$here/pom.xml" "$cache/pom.xml"; then
  rm -rf "$cache/lib"
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$cache/lib"
  cp "$here/pom.xml" "$cache/pom.xml"
fi
if ! cmp -s "$here/requirements.txt" "$cache/requirements.txt"; then
  python3 -m venv --clear "$cache/python"
  "$cache/python/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$cache/requirements.txt"
fi
javac -nowarn -cp "$cache/lib/*" -d "$cache/classes" "$here/Dump.java"
export ORC_JAVA="$cache" ORC_PYTHON="$cache/python/bin/python $here/dump.py"
cd "$here/../.."
exec go test -count=1 -tags peers -run 'TestPeers' -v ./internal/format/orc
