// Package e2e tests the program from outside: the real binary as a process of its own, real HTTP, real SMTP, real signals.
//
// TAILORBIRD_BIN names the binary; without it, one is built. TAILORBIRD_TEST_DATA names the folder of real data;
// without it, ../shared/data beside the checkout is tried. TAILORBIRD_KILLS and TAILORBIRD_SEED steer the crash tests.
// The tests take minutes: -short leaves them out.
package e2e
