package reach

import (
	"net"
	"net/netip"
	"testing"

	"github.com/tailorbird/tailorbird/internal/fault"
)

func TestWhatMayBeCalled(t *testing.T) {
	p, err := Parse([]string{"10.1.0.0/16", " 192.168.1.7:9092", "Kafka.Internal", "*.shop.internal:443", "[fd00::7]:9092", ""})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at, port string
		want     bool
	}{
		{"1.1.1.1", "80", true},
		{"2606:4700:4700::1111", "80", true},
		{"10.1.255.255", "1", true},
		{"10.2.0.0", "1", false},
		{"::ffff:10.1.2.3", "1", true},
		{"::ffff:10.2.2.3", "1", false},
		{"192.168.1.7", "9092", true},
		{"192.168.1.7", "9093", false},
		{"fd00::7", "9092", true},
		{"fd00::8", "9092", false},
		// RFC 1122, 1918, 3927, 4193, 4291, 6598, 2544, 6052, 3056, 5737
		{"127.0.0.1", "80", false},
		{"0.0.0.0", "80", false},
		{"172.16.0.1", "80", false},
		{"169.254.169.254", "80", false},
		{"fc00::1", "80", false},
		{"::1", "80", false},
		{"fe80::1%eth0", "80", false},
		{"ff02::1", "80", false},
		{"100.64.0.1", "80", false},
		{"198.18.0.1", "80", false},
		{"64:ff9b::7f00:1", "80", false},
		{"2002:7f00:1::", "80", false},
		{"203.0.113.1", "80", false},
		{"255.255.255.255", "80", false},
		{"224.0.0.1", "80", false},
		{"::127.0.0.1", "80", false},
	} {
		if got := p.Allows(netip.MustParseAddr(c.at), c.port); got != c.want {
			t.Errorf("%s:%s allowed: %v", c.at, c.port, got)
		}
	}
	for _, c := range []struct {
		host, port string
		want       bool
	}{
		{"kafka.internal", "1", true},
		{"KAFKA.internal.", "1", true},
		{"a.kafka.internal", "1", false},
		{"notkafka.internal", "1", false},
		{"b.shop.internal", "443", true},
		{"shop.internal", "443", false},
		{"b.shop.internal", "80", false},
	} {
		if got := p.named(c.host, c.port); got != c.want {
			t.Errorf("%s:%s named: %v", c.host, c.port, got)
		}
	}
	for _, wrong := range []string{"a b", "http://x", "*", "*.", "10.0.0.0/99", "a*b"} {
		if _, err := Parse([]string{wrong}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// A name that leads to this machine is refused at the moment of the call, whatever it looks like, unless it is allowed.
func TestDialChecksTheAddress(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost"} {
		if _, err := (Policy{}).Dial(t.Context(), "tcp", net.JoinHostPort(host, port)); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, entry := range []string{"127.0.0.0/8", "127.0.0.1:" + port} {
		p, err := Parse([]string{entry})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := p.Dial(t.Context(), "tcp4", net.JoinHostPort("localhost", port))
		if err != nil {
			t.Errorf("%s: %v", entry, err)
			continue
		}
		conn.Close()
	}
}
