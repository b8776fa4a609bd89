#!/usr/bin/env bash
# pgbouncer.sh with COMMAND…   runs a command with PgBouncer, in session mode, between it and the server of
#                              TAILORBIRD_TEST_POSTGRES, which is the pooler's address then
#
# It listens on a free port of the loopback interface and keeps its files in a temporary directory. As root it runs as the user
# postgres or nobody. Without a server, which the tests tell themselves, it runs the command alone; and it takes the server away
# where there is no PgBouncer and nobody may install it, except in continuous integration (CI is set).
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/server.sh"

[ "${1:-}" = with ] && [ $# -gt 1 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
shift
[ -n "${TAILORBIRD_TEST_POSTGRES:-}" ] || exec "$@"
[[ $TAILORBIRD_TEST_POSTGRES =~ ^postgres://([^:]+):([^@]+)@([^:/]+):([0-9]+)/([^?]+) ]] ||
  { echo "pgbouncer.sh: TAILORBIRD_TEST_POSTGRES is not as postgres.sh gives it" >&2; exit 2; }
if may_lack && ! there pgbouncer python3; then
  echo "PgBouncer is not installed (Debian: pgbouncer): the tests through it are skipped" >&2
  TAILORBIRD_TEST_POSTGRES='' exec "$@"
fi
"$root/scripts/need.sh" pgbouncer:pgbouncer python3:python3 >&2

dir=$(mktemp -d "${TMPDIR:-/tmp}/tailorbird-pgbouncer.XXXXXX")
trap 'end "$dir/pid"; rm -rf "$dir"' EXIT
port=$(free_ports 1)
cat >"$dir/pgbouncer.ini" <<INI
[databases]
* = host=${BASH_REMATCH[3]} port=${BASH_REMATCH[4]} user=${BASH_REMATCH[1]} password=${BASH_REMATCH[2]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
pidfile = $dir/pid
auth_type = any
pool_mode = session
max_client_conn = 500
default_pool_size = 150
INI
[ "$(id -u)" -ne 0 ] || chown -R "$(unprivileged id -u):$(unprivileged id -g)" "$dir"
unprivileged pgbouncer "$dir/pgbouncer.ini" </dev/null >"$dir/log" 2>&1 &
for _ in $(seq 100); do
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  kill -0 $! 2>/dev/null || { cat "$dir/log" >&2; echo "pgbouncer.sh: PgBouncer did not start" >&2; exit 1; }
  sleep 0.1
done
TAILORBIRD_TEST_POSTGRES="postgres://${BASH_REMATCH[1]}:any@127.0.0.1:$port/${BASH_REMATCH[5]}?sslmode=disable" "$@"
