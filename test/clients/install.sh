#!/usr/bin/env bash
# Puts the Python clients and the JDBC driver into DIR, once; what is there already stays.
# usage: install.sh DIR
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$1
mkdir -p "$dir"
if ! cmp -s "$here/requirements.txt" "$dir/requirements.txt"; then
  rm -rf "$dir/venv"
  python3 -m venv "$dir/venv"
  "$dir/venv/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$dir/requirements.txt"
fi
if [ ! -f "$dir/postgresql-42.7.7.jar" ]; then
  mvn -q -B dependency:copy -Dartifact=org.postgresql:postgresql:42.7.7 -DoutputDirectory="$dir"
fi
