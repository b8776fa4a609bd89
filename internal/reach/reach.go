// Package reach says which addresses of the network the program may call on somebody's behalf. Whoever edits definitions
// names servers; only the operator says which of them may lie inside the operator's own network.
package reach

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Policy allows public addresses and those that it lists. The zero value allows public ones alone. It does not change.
type Policy struct{ allowed []entry }

// entry is an address range, or a name, of which either may go with a port.
type entry struct {
	prefix netip.Prefix
	name   string // lower case; ".example.com" stands for everything below it
	port   string // "" for any
}

// Parse reads what an operator allows beside public addresses: 10.0.0.0/8, 192.168.1.7, 192.168.1.7:9092,
// kafka.internal, kafka.internal:9092, *.kafka.internal, [fd00::7]:9092. An Invalid fault names the one that is wrong.
func Parse(entries []string) (Policy, error) {
	var p Policy
	for _, text := range entries {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		e, ok := parse(text)
		if !ok {
			return Policy{}, fault.New(fault.Invalid, "%.100q is no address that may be called; write 10.0.0.0/8, 192.168.1.7, kafka.internal or kafka.internal:9092", text)
		}
		p.allowed = append(p.allowed, e)
	}
	return p, nil
}

func parse(text string) (entry, bool) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return entry{prefix: prefix.Masked()}, true
	}
	host, port := text, ""
	if h, p, err := net.SplitHostPort(text); err == nil {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return entry{}, false
		}
		host, port = h, p
	}
	if at, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		at = at.Unmap()
		return entry{prefix: netip.PrefixFrom(at, at.BitLen()), port: port}, true
	}
	name := strings.TrimPrefix(strings.ToLower(host), "*")
	if name == "" || name == "." || strings.ContainsAny(name, " /:*@?#[]") {
		return entry{}, false
	}
	return entry{name: name, port: port}, true
}

// named reports whether the operator names a host, so that it may have whatever address its name resolves to.
func (p Policy) named(host, port string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, e := range p.allowed {
		if e.name == "" || e.port != "" && e.port != port {
			continue
		}
		if host == e.name || e.name[0] == '.' && strings.HasSuffix(host, e.name) {
			return true
		}
	}
	return false
}

// Allows reports whether an address may be called at a port.
func (p Policy) Allows(at netip.Addr, port string) bool {
	at = at.Unmap().WithZone("")
	if public(at) {
		return true
	}
	for _, e := range p.allowed {
		if e.prefix.IsValid() && e.prefix.Contains(at) && (e.port == "" || e.port == port) {
			return true
		}
	}
	return false
}

// reserved are the ranges that lead to no host of the public network although nothing in their name says so (IANA's registries of
// special-purpose addresses, RFC 6890 and its successors). Those that carry an IPv4 address inside them are among them.
var reserved = func() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
		"2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}()

func public(at netip.Addr) bool {
	if !at.IsGlobalUnicast() || at.IsPrivate() {
		return false
	}
	for _, prefix := range reserved {
		if prefix.Contains(at) {
			return false
		}
	}
	return true
}

// dialTimeout bounds the making of one connection.
const dialTimeout = 10 * time.Second

// Dial makes a connection. What the policy does not allow is Forbidden: it is decided by the address that is being
// called, at that moment, so that no name can lead elsewhere later.
func (p Policy) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%.100q is not an address such as kafka.example.com:9092", address)
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	if !p.named(host, port) {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !p.Allows(at.Addr(), port) {
				return fault.New(fault.Forbidden,
					"%s is inside a private network (%s), which this installation may not call; its operator can allow it with --allow-network", host, address)
			}
			return nil
		}
	}
	return dialer.DialContext(ctx, network, address)
}
