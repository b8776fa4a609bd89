// Package chaos is the fault test of several nodes: the real program, PostgreSQL and Kafka, each in a network namespace of its
// own, while customers come and go and things break. Nodes are killed, ended and stopped for longer than they may be silent,
// PostgreSQL and Kafka die and come back, and links are cut, also in one direction only; several at once, drawn from a seed.
//
// In the end everything works again, and what was acknowledged must be there once, nothing else, and under the customer whose
// it is. Who is who, and who is in which segment, is worked out anew from what was sent; no mail may have gone out twice.
//
// One node, too, while its databases lack something: a full disk, no connection left, locks that somebody keeps, a server that
// stands still. Whoever asks meanwhile is told within seconds to come again.
//
// The namespaces need root and iproute2. Without them everything listens on the loopback interface, and the faults of links are
// left out; the test says so.
//
//	go test ./internal/chaos -v                             some minutes, as make test-nodes does; make test-faults is shorter
//	go test ./internal/chaos -v -seed 4711 -events 1000000  as make chaos does
package chaos
