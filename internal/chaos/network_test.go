package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// network joins hosts, each a network namespace whose only way out is a router, another namespace, which drops what a cut
// link says. The test itself is a host too: it stays in the namespace that it was started in.
//
// Without namespaces every host is the loopback interface, and links cannot be cut.
type network struct {
	prefix string // of the names of namespaces and interfaces; "" without namespaces
	net    int    // third byte of every address

	mu    sync.Mutex
	hosts int
	cuts  int
}

// host is a place with an address, at which processes run.
type host struct {
	network *network
	name    string
	address string
	space   string // the namespace; "" for the one of the test
}

const (
	namespaces = "/run/netns"
	ourNames   = "tbc" // begins the names of our namespaces; the id of the test's process follows
)

// openNetwork makes the router and a link to the test. Where the system refuses, it gives one without namespaces, and why.
func openNetwork(ctx context.Context) (n *network, here *host, refused error) {
	sweep(ctx)
	pid := os.Getpid()
	n = &network{prefix: fmt.Sprintf("%s%d", ourNames, pid), net: pid%250 + 1}
	if err := n.open(ctx); err != nil {
		n.close(ctx)
		n = &network{}
		return n, &host{network: n, name: "client", address: "127.0.0.1"}, err
	}
	n.hosts++
	return n, &host{network: n, name: "client", address: n.addressOf(1)}, nil
}

func (n *network) open(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("only root makes network namespaces")
	}
	router := n.router()
	return ip(ctx,
		"netns add "+router,
		"-n "+router+" link set lo up",
		"-n "+router+" addr add "+n.addressOf(254)+"/32 dev lo",
		"netns exec "+router+" sysctl -qw net.ipv4.ip_forward=1",
		"link add "+n.prefix+" type veth peer name client netns "+router,
		"addr add "+n.addressOf(1)+"/32 dev "+n.prefix,
		"link set "+n.prefix+" up",
		"-n "+router+" link set client up",
		"-n "+router+" route add "+n.addressOf(1)+"/32 dev client",
		"route add "+n.addressOf(254)+"/32 dev "+n.prefix,
		"route add "+n.addressOf(0)+"/24 via "+n.addressOf(254)+" dev "+n.prefix,
	)
}

func (n *network) router() string { return n.prefix + "-router" }

func (n *network) addressOf(number int) string { return fmt.Sprintf("10.231.%d.%d", n.net, number) }

// real says whether hosts have namespaces.
func (n *network) real() bool { return n.prefix != "" }

// host makes one more.
func (n *network) host(ctx context.Context, name string) (*host, error) {
	if !n.real() {
		return &host{network: n, name: name, address: "127.0.0.1"}, nil
	}
	n.mu.Lock()
	n.hosts++
	address := n.addressOf(n.hosts)
	n.mu.Unlock()
	h := &host{network: n, name: name, address: address, space: n.prefix + "-" + name}
	return h, ip(ctx,
		"netns add "+h.space,
		"-n "+h.space+" link set lo up",
		"link add eth0 netns "+h.space+" type veth peer name "+name+" netns "+n.router(),
		"-n "+h.space+" addr add "+address+"/32 dev eth0",
		"-n "+h.space+" link set eth0 up",
		"-n "+n.router()+" link set "+name+" up",
		"-n "+n.router()+" route add "+address+"/32 dev "+name,
		"-n "+h.space+" route add "+n.addressOf(254)+"/32 dev eth0",
		"-n "+h.space+" route add default via "+n.addressOf(254),
	)
}

// command is a program that runs at the host.
func (h *host) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	if h.space != "" {
		program, args = "ip", append([]string{"netns", "exec", h.space, program}, args...)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt of the terminal is for the test alone
	return cmd
}

// port is one that nothing at the host listens on: always the same in a namespace, a free one without.
func (h *host) port(usual int) (int, error) {
	if h.space != "" {
		return usual, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// cut drops without a word whatever one host sends to another, until heal is called. The other direction is a cut of its own.
func (n *network) cut(ctx context.Context, from, to *host) (heal func(context.Context) error, err error) {
	n.mu.Lock()
	n.cuts++
	rule := fmt.Sprintf("pref %d blackhole from %s to %s", n.cuts, from.address, to.address)
	n.mu.Unlock()
	heal = func(ctx context.Context) error { return ip(ctx, "-n "+n.router()+" rule del "+rule) }
	return heal, ip(ctx, "-n "+n.router()+" rule add "+rule)
}

// isolate cuts every link of a host to others, in both directions.
func (n *network) isolate(ctx context.Context, h *host, from []*host) (heal func(context.Context) error, err error) {
	var heals []func(context.Context) error
	heal = func(ctx context.Context) (err error) {
		for _, heal := range heals {
			err = errors.Join(err, heal(ctx))
		}
		return err
	}
	for _, other := range from {
		for _, d := range [][2]*host{{h, other}, {other, h}} {
			one, err := n.cut(ctx, d[0], d[1])
			if err != nil {
				return heal, errors.Join(err, heal(ctx))
			}
			heals = append(heals, one)
		}
	}
	return heal, nil
}

// close ends every process in the namespaces and removes them.
func (n *network) close(ctx context.Context) {
	if n.real() {
		remove(ctx, n.prefix)
	}
}

// sweep removes what tests left behind that were killed themselves.
func sweep(ctx context.Context) {
	left, _ := filepath.Glob(filepath.Join(namespaces, ourNames+"*-router"))
	for _, space := range left {
		prefix := strings.TrimSuffix(filepath.Base(space), "-router")
		pid, err := strconv.Atoi(strings.TrimPrefix(prefix, ourNames))
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			remove(ctx, prefix)
		}
	}
}

func remove(ctx context.Context, prefix string) {
	spaces, _ := filepath.Glob(filepath.Join(namespaces, prefix+"-*"))
	for _, space := range spaces {
		name := filepath.Base(space)
		out, _ := exec.CommandContext(ctx, "ip", "netns", "pids", name).Output()
		for _, field := range strings.Fields(string(out)) {
			if pid, err := strconv.Atoi(field); err == nil {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may just have ended
			}
		}
		_ = ip(ctx, "netns del "+name) // takes its end of every link along
	}
	_ = ip(ctx, "link del "+prefix) // where the router was never made
}

// ip runs commands of iproute2, one after the other, until one fails.
func ip(ctx context.Context, commands ...string) error {
	for _, c := range commands {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		out, err := exec.CommandContext(ctx, "ip", strings.Fields(c)...).CombinedOutput()
		cancel()
		if err != nil {
			return fmt.Errorf("ip %s: %w: %s", c, err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
