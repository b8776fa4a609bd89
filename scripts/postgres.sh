#!/usr/bin/env bash
# postgres.sh start [name=value …]   starts a PostgreSQL server of its own and prints its URL
# postgres.sh stop URL               ends it and removes what it kept
# postgres.sh with COMMAND…          runs a command beside one, its URL in TAILORBIRD_TEST_POSTGRES
#
# The server lies in a temporary directory and listens on a free port of the loopback interface. As root it runs as the
# user postgres or nobody, for it refuses to be root. Arguments of start, such as fsync=on, are settings of the server;
# without any it is quick and not durable, for tests. Where PostgreSQL is not installed: root on Debian installs it;
# otherwise "with" says so and runs the command without, and the tests on PostgreSQL skip themselves, except in continuous
# integration (CI is set), where they fail.
#
# TAILORBIRD_TEST_POSTGRES_VERSION=14 (or another of those below) has it be that version instead of the one that is
# installed. Maven brings its programs, once, into .tools/postgres.
set -euo pipefail
shopt -s inherit_errexit

. "$(dirname "$0")/server.sh"
root=${TMPDIR:-/tmp}
version=${TAILORBIRD_TEST_POSTGRES_VERSION:-}
fetched=$(cd "$(dirname "$0")/.." && pwd)/.tools/postgres/$version

release() {
  case $version in
    14) echo 14.20.0 ;;
    18) echo 18.1.0 ;;
    *) echo "postgres.sh: version $version is not one of those that it can bring: 14, 18" >&2; return 1 ;;
  esac
}

# fetch brings the programs of the version that is asked for.
fetch() {
  "$(dirname "$0")/need.sh" mvn:maven java:default-jre-headless xz:xz-utils python3:python3
  local artifact release
  release=$(release)
  artifact=embedded-postgres-binaries-linux-$(case $(uname -m) in aarch64) echo arm64v8 ;; *) echo amd64 ;; esac)
  mvn -q -B dependency:copy -Dartifact="io.zonky.test.postgres:$artifact:$release" -DoutputDirectory="$1" -Dmdep.stripVersion=true
  (cd "$1" && python3 -m zipfile -e "$artifact.jar" . && tar -xJf ./*.txz && rm -r "$artifact.jar" ./*.txz META-INF)
}

program() {
  if [ -n "$version" ]; then
    [ -x "$fetched/bin/$1" ] && echo "$fetched/bin/$1"
    return
  fi
  command -v "$1" 2>/dev/null && return
  local newest
  newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/"$1" /usr/pgsql-*/bin/"$1" | sort -V | tail -n 1)
  [ -x "$newest" ] && echo "$newest"
}

installed() { program initdb >/dev/null && program postgres >/dev/null; }

fetchable() { [ -n "$version" ] && there mvn java xz python3; }

# serve runs the server until it is told to end.
serve() {
  local dir=$1 port=$2
  shift 2
  cd /
  unprivileged "$(program postgres)" -D "$dir/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= "$@"
}

start() {
  if [ -n "$version" ]; then bring "$fetched" fetch; fi
  installed || "$(dirname "$0")/need.sh" initdb:postgresql >&2
  installed || { echo "postgres.sh: PostgreSQL is not installed" >&2; exit 1; }
  [ $# -gt 0 ] || set -- fsync=off synchronous_commit=off full_page_writes=off max_connections=200
  local new password options=()
  new=$(mktemp -d "$root/tailorbird-postgres-new.XXXXXX")
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  chmod 700 "$new"
  printf '%s\n' "$password" >"$new/password"
  [ "$(id -u)" -ne 0 ] || chown -R "$(unprivileged id -u):$(unprivileged id -g)" "$new"
  if [ -n "$version" ] && ! unprivileged test -x "$fetched/bin/postgres"; then # it may not look where we are
    cp -R "$fetched" "$new/programs"
    fetched=$new/programs
  fi
  (cd / && unprivileged "$(program initdb)" -D "$new/data" -U tailorbird --pwfile="$new/password" --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$new/initdb.log" 2>&1) || { cat "$new/initdb.log" >&2; exit 1; }
  for setting in "$@"; do options+=(-c "$setting"); done
  for _ in 1 2 3 4 5 6 7 8; do
    local port=$((20000 + RANDOM)) dir
    dir=$root/tailorbird-postgres-$port
    [ ! -e "$dir" ] && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue
    mv "$new" "$dir"
    fetched=${fetched/#"$new"/"$dir"}
    serve "$dir" "$port" "${options[@]}" </dev/null >"$dir/log" 2>&1 &
    echo $! >"$dir/pid"
    for _ in $(seq 200); do
      if grep -q 'ready to accept connections' "$dir/log" && [ -e "$dir/data/postmaster.pid" ]; then
        echo "postgres://tailorbird:$password@127.0.0.1:$port/postgres?sslmode=disable"
        return
      fi
      kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
      sleep 0.05
    done
    if kill -0 "$(cat "$dir/pid")" 2>/dev/null; then break; fi
    mv "$dir" "$new" # somebody else took the port
    fetched=${fetched/#"$dir"/"$new"}
  done
  cat "$root/tailorbird-postgres-$port/log" "$new/log" 2>/dev/null >&2 || true
  echo "postgres.sh: the server does not start" >&2
  exit 1
}

stop() {
  local port dir
  port=$(sed -E 's|.*@127\.0\.0\.1:([0-9]+)/.*|\1|' <<<"$1")
  dir=$root/tailorbird-postgres-$port
  [ -e "$dir/data/postmaster.pid" ] || { echo "postgres.sh: no server of mine at $1" >&2; exit 1; }
  local pid
  pid=$(head -n 1 "$dir/data/postmaster.pid")
  kill -INT "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  rm -rf "$dir"
}

case ${1:-} in
  start) shift; start "$@" ;;
  stop) stop "${2:?the URL that start printed}" ;;
  with)
    shift
    if may_lack && ! installed && ! fetchable; then
      if [ -n "$version" ]; then lacks="Maven, Java, xz or Python, which bring PostgreSQL $version," packages="maven default-jre-headless xz-utils python3"
      else lacks=PostgreSQL packages=postgresql; fi
      echo "$lacks is not installed (Debian: $packages): the tests on it are skipped" >&2
      exec "$@"
    fi
    url=$(start)
    trap 'stop "$url"' EXIT
    TAILORBIRD_TEST_POSTGRES=$url "$@"
    ;;
  *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
esac
