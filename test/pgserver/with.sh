#!/bin/sh
# usage: test/pgserver/with.sh COMMAND ...
# Runs a command with a PostgreSQL server of its own for Tarn's catalog, which ends with it. Without
# PostgreSQL's programs it says so and runs the command with what catalog it has.
set -eu
if [ -n "${TARN_CATALOG_URL:-}" ]; then exec "$@"; fi
bin=$(command -v initdb || ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1 || true)
if [ -z "$bin" ]; then
  echo "PostgreSQL is missing (initdb is neither in PATH nor below /usr/lib/postgresql): the catalog is the coordinator's own" >&2
  exec "$@"
fi
bin=$(dirname "$bin")
as=
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
  user=postgres
  id "$user" >/dev/null 2>&1 || user=nobody
  if ! command -v setpriv >/dev/null; then
    echo "PostgreSQL does not run as root, and setpriv is missing: the catalog is the coordinator's own" >&2
    exec "$@"
  fi
  as="setpriv --reuid=$user --regid=$(id -g "$user") --clear-groups"
fi
directory=$(mktemp -d)
child=
finish() {
  trap - EXIT INT TERM HUP
  [ -z "$child" ] || { kill -TERM "$child" 2>/dev/null && wait "$child" || true; }
  (cd "$directory" && $as "$bin/pg_ctl" -D "$directory/data" -m immediate stop) >/dev/null 2>&1 || true
  rm -rf "$directory"
}
trap finish EXIT
trap 'finish; exit 130' INT TERM HUP
[ -z "$as" ] || chown "$user" "$directory"
(cd "$directory" && $as "$bin/initdb" -D "$directory/data" -U postgres -A trust -E UTF8 --locale=C -N &&
  $as "$bin/pg_ctl" -D "$directory/data" -w -l "$directory/server.log" \
    -o "-c listen_addresses= -c unix_socket_directories=$directory -c fsync=off" start) >"$directory.log" 2>&1 ||
  { cat "$directory.log" "$directory/server.log" >&2; rm -f "$directory.log"; exit 1; }
rm -f "$directory.log"
export TARN_CATALOG_URL="postgres://postgres@/postgres?host=$directory"
echo "PostgreSQL: $TARN_CATALOG_URL" >&2
# In the background, so that a signal is heard at once; Ctrl-C then reaches it as TERM.
status=0
"$@" <&0 &
child=$!
wait "$child" || status=$?
child=
exit "$status"
