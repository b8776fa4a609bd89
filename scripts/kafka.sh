#!/usr/bin/env bash
# kafka.sh start [DIR] starts an Apache Kafka broker for tests: one node in KRaft mode, on free loopback ports, with its
# data in DIR (a new temporary directory without it). DIR that an earlier start made goes on with its data and ports.
# It prints what reaches it as assignments, for `eval` or a test to read:
#
#     TAILORBIRD_TEST_KAFKA=127.0.0.1:PORT          no password
#     TAILORBIRD_TEST_KAFKA_SASL=127.0.0.1:PORT     TLS and SASL: PLAIN as plain, SCRAM as scram, both with the password secret
#     TAILORBIRD_TEST_KAFKA_DIR=DIR                 holds ca.pem, server.log and broker.pid
#
# TAILORBIRD_TEST_KAFKA_HOST names another address to listen on than 127.0.0.1.
#
# kafka.sh stop DIR [keep] stops it and removes DIR, or keeps it. Jars are resolved by Maven once, into .tools/kafka.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/server.sh"
version=$(sed -n 's:.*<version>\(.*\)</version>.*:\1:p' "$root/scripts/kafka-pom.xml" | sed -n 2p)
jars=$root/.tools/kafka/$version
password=secret
host=${TAILORBIRD_TEST_KAFKA_HOST:-127.0.0.1}

fetch() {
  "$root/scripts/need.sh" mvn:maven
  mvn -q -B -f "$root/scripts/kafka-pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$1"
}

# The program takes the place of the shell that runs it, so that $! is its own id.
java_() { exec java -Xmx256m -Xms64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -Dlog4j2.configurationFile="$dir/log4j2.properties" -cp "$jars/*" "$@"; }

configure() {
  read -r plain secured controller < <(free_ports 3 "$host")
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=localhost \
    -addext subjectAltName=IP:$host,DNS:localhost -keyout "$dir/key.pem" -out "$dir/ca.pem" 2>/dev/null
  cat "$dir/key.pem" "$dir/ca.pem" >"$dir/server.pem"
  cat >"$dir/log4j2.properties" <<EOF
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %m (%c{1})%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=INFO
EOF
  cat >"$dir/server.properties" <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@$host:$controller
listeners=PLAINTEXT://$host:$plain,SASL_SSL://$host:$secured,CONTROLLER://$host:$controller
advertised.listeners=PLAINTEXT://$host:$plain,SASL_SSL://$host:$secured
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_plain="$password";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location=$dir/server.pem
log.dirs=$dir/data
num.partitions=3
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=2097152
num.network.threads=2
num.io.threads=2
EOF
  (java_ kafka.tools.StorageTool format --cluster-id 4L6g3nShT-eMCtK--X86sw --config "$dir/server.properties" \
    --add-scram "SCRAM-SHA-256=[name=scram,password=$password]" --add-scram "SCRAM-SHA-512=[name=scram,password=$password]") \
    >"$dir/format.log" 2>&1 || { cat "$dir/format.log" >&2; stop "$dir"; exit 1; }
}

port_of() { sed -n "s/^advertised.listeners=.*$1:\/\/$host:\([0-9]*\).*/\1/p" "$dir/server.properties"; }

start() {
  "$root/scripts/need.sh" java:default-jre-headless openssl:openssl python3:python3 >&2
  bring "$jars" fetch
  dir=${1:-$(mktemp -d "${TMPDIR:-/tmp}/tailorbird-kafka.XXXXXX")}
  mkdir -p "$dir"
  [ -e "$dir/server.properties" ] || configure
  : >"$dir/server.log"
  java_ kafka.Kafka "$dir/server.properties" </dev/null >>"$dir/server.log" 2>&1 &
  echo $! >"$dir/broker.pid"
  for _ in $(seq 1800); do
    if grep -q 'Kafka Server started' "$dir/server.log"; then
      echo "TAILORBIRD_TEST_KAFKA=$host:$(port_of PLAINTEXT)"
      echo "TAILORBIRD_TEST_KAFKA_SASL=$host:$(port_of SASL_SSL)"
      echo "TAILORBIRD_TEST_KAFKA_DIR=$dir"
      return
    fi
    kill -0 "$(cat "$dir/broker.pid")" 2>/dev/null || break
    sleep 0.1
  done
  cat "$dir/server.log" >&2
  echo "kafka.sh: the broker did not start" >&2
  stop "$dir"
  exit 1
}

stop() {
  dir=${1:?usage: kafka.sh stop DIR [keep]}
  end "$dir/broker.pid"
  [ "${2:-}" = keep ] || rm -rf "$dir"
}

case ${1:-} in
  start) start "${2:-}" ;;
  stop) stop "${2:-}" "${3:-}" ;;
  *) echo "usage: kafka.sh start [DIR] | stop DIR [keep]" >&2; exit 2 ;;
esac
