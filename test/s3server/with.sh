#!/bin/sh
# usage: test/s3server/with.sh COMMAND ...
# Runs a command with an S3 server of its own (bin/s3server, bucket "lake"), which ends with it. Tarn finds
# it by the environment; other programs by AWS_ENDPOINT_URL.
set -eu
directory=$(mktemp -d)
: >"$directory/url"
"$(dirname "$0")/../../bin/s3server" -wait -dir "$directory/buckets" -buckets lake -log "$directory/access.log" >"$directory/url" 2>"$directory/errors" &
server=$!
trap '{ kill "$server" && wait "$server"; } 2>/dev/null || true; rm -rf "$directory"' EXIT
trap 'exit 130' INT TERM HUP
for _ in $(seq 100); do
  grep -q '^http://' "$directory/url" && break
  kill -0 "$server" 2>/dev/null || { cat "$directory/errors" >&2; exit 1; }
  sleep 0.1
done
url=$(grep '^http://' "$directory/url")
export TARN_STORAGE_S3_ENDPOINT="$url" TARN_STORAGE_S3_REGION=us-east-1 TARN_STORAGE_S3_PATH_STYLE=true
export TARN_STORAGE_S3_ACCESS_KEY_ID=tarn TARN_STORAGE_S3_SECRET_ACCESS_KEY=tarn-secret
export AWS_ENDPOINT_URL="$url" AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=tarn AWS_SECRET_ACCESS_KEY=tarn-secret S3_ACCESS_LOG="$directory/access.log"
echo "S3 server: $url, bucket lake" >&2
status=0
"$@" || status=$?
if [ -n "${S3_COUNTS:-}" ]; then
  grep -o ' s3_[A-Za-z0-9]*' "$directory/access.log" | sort | uniq -c >&2 || true
fi
exit "$status"
