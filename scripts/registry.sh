#!/usr/bin/env bash
# registry.sh start [DIR] starts a schema registry for tests, Apicurio's with the API of Confluent's, on a free loopback
# port. It keeps schemas in memory and what it writes in DIR (a new temporary directory without it). It prints what reaches
# it as assignments:
#
#     TAILORBIRD_TEST_REGISTRY=http://127.0.0.1:PORT/apis/ccompat/v7   wants a password: secret, of the user reader
#     TAILORBIRD_TEST_REGISTRY_DIR=DIR                                 holds server.log and server.pid
#
# registry.sh stop DIR stops it and removes DIR. Maven brings its programs, once, into .tools/registry.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/server.sh"
version=3.0.9
fetched=$root/.tools/registry/$version
password=secret

fetch() {
  "$root/scripts/need.sh" mvn:maven
  mvn -q -B dependency:copy -Dartifact="io.apicurio:apicurio-registry-app:$version:tar.gz:all" -DoutputDirectory="$1"
  tar -xzf "$1"/*.tar.gz -C "$1"
  rm "$1"/*.tar.gz
}

# serve takes the place of the shell that runs it, so that $! is the id of the program. It calls nobody: there is no
# server of OpenID Connect, and nobody listens to its events.
serve() {
  exec java -Xmx192m -Xms64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:-UsePerfData -Djava.io.tmpdir="$dir" \
    -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$port" \
    -Dquarkus.oidc.tenant-enabled=false -Dapicurio.events.ksink= \
    -Dquarkus.http.auth.basic=true \
    -Dquarkus.http.auth.permission.all.paths='/*' -Dquarkus.http.auth.permission.all.policy=authenticated \
    -Dquarkus.security.users.embedded.plain-text=true -Dquarkus.security.users.embedded.users.reader="$password" \
    -Dapicurio.import.work-dir="$dir" -Dapicurio.storage.snapshot.location="$dir" \
    -Dquarkus.http.access-log.enabled=false -Dquarkus.log.category.\"io.quarkus\".level=INFO \
    -jar "$fetched/apicurio-registry-app-$version-runner.jar"
}

start() {
  "$root/scripts/need.sh" java:default-jre-headless python3:python3 >&2
  bring "$fetched" fetch
  dir=${1:-$(mktemp -d "${TMPDIR:-/tmp}/tailorbird-registry.XXXXXX")}
  mkdir -p "$dir"
  port=$(free_ports 1)
  : >"$dir/server.log"
  serve </dev/null >>"$dir/server.log" 2>&1 &
  echo $! >"$dir/server.pid"
  for _ in $(seq 1800); do
    if grep -q 'Listening on' "$dir/server.log"; then
      echo "TAILORBIRD_TEST_REGISTRY=http://127.0.0.1:$port/apis/ccompat/v7"
      echo "TAILORBIRD_TEST_REGISTRY_DIR=$dir"
      return
    fi
    kill -0 "$(cat "$dir/server.pid")" 2>/dev/null || break
    sleep 0.1
  done
  cat "$dir/server.log" >&2
  echo "registry.sh: the server did not start" >&2
  stop "$dir"
  exit 1
}

stop() {
  dir=${1:?usage: registry.sh stop DIR}
  end "$dir/server.pid"
  rm -rf "$dir"
}

case ${1:-} in
  start) start "${2:-}" ;;
  stop) stop "${2:-}" ;;
  *) echo "usage: registry.sh start [DIR] | stop DIR" >&2; exit 2 ;;
esac
