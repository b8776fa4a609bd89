#!/usr/bin/env bash
# redis.sh start [DIR] starts a Redis server for tests on a free loopback port, with its data in DIR (a new temporary
# directory without it), and prints what reaches it as assignments:
#
#     TAILORBIRD_TEST_REDIS=redis://127.0.0.1:PORT/0
#     TAILORBIRD_TEST_REDIS_DIR=DIR                  holds server.log and server.pid
#
# DIR that an earlier start made goes on with its data and port. redis.sh stop DIR [keep] stops it and removes DIR, or
# keeps it.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/server.sh"

start() {
  "$root/scripts/need.sh" redis-server:redis-server redis-cli:redis-tools python3:python3 >&2
  dir=${1:-$(mktemp -d "${TMPDIR:-/tmp}/tailorbird-redis.XXXXXX")}
  mkdir -p "$dir"
  [ -e "$dir/port" ] || free_ports 1 >"$dir/port"
  port=$(cat "$dir/port")
  redis-server --bind 127.0.0.1 --port "$port" --dir "$dir" --save '' --appendonly no --maxmemory 64mb \
    </dev/null >>"$dir/server.log" 2>&1 &
  echo $! >"$dir/server.pid"
  for _ in $(seq 100); do
    if [ "$(redis-cli -h 127.0.0.1 -p "$port" ping 2>/dev/null)" = PONG ]; then
      echo "TAILORBIRD_TEST_REDIS=redis://127.0.0.1:$port/0"
      echo "TAILORBIRD_TEST_REDIS_DIR=$dir"
      return
    fi
    kill -0 "$(cat "$dir/server.pid")" 2>/dev/null || break
    sleep 0.1
  done
  cat "$dir/server.log" >&2
  echo "redis.sh: the server did not start" >&2
  stop "$dir"
  exit 1
}

stop() {
  dir=${1:?usage: redis.sh stop DIR [keep]}
  end "$dir/server.pid"
  [ "${2:-}" = keep ] || rm -rf "$dir"
}

case ${1:-} in
  start) start "${2:-}" ;;
  stop) stop "${2:-}" "${3:-}" ;;
  *) echo "usage: redis.sh start [DIR] | stop DIR [keep]" >&2; exit 2 ;;
esac
