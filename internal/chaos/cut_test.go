package chaos

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLinksAreCut shows that a cut link carries nothing in the direction that is cut, also of connections that are open, that
// a healed one does again, and that nothing of a network stays.
func TestLinksAreCut(t *testing.T) {
	ctx := t.Context()
	n, here, refused := openNetwork(ctx)
	if refused != nil {
		t.Skipf("no network namespaces: %v", refused)
	}
	defer func() {
		n.close(context.WithoutCancel(ctx))
		if left, _ := filepath.Glob(filepath.Join(namespaces, n.prefix+"-*")); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		if _, err := os.Stat("/sys/class/net/" + n.prefix); err == nil {
			t.Errorf("the interface %s is left", n.prefix)
		}
	}()
	there, err := n.host(ctx, "there")
	if err != nil {
		t.Fatal(err)
	}
	third, err := n.host(ctx, "third")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", here.address+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // says everything back
				defer c.Close()
				b := make([]byte, 100)
				for {
					k, err := c.Read(b)
					if err != nil {
						return
					}
					if _, err := c.Write(b[:k]); err != nil {
						return
					}
				}
			}()
		}
	}()
	port := l.Addr().(*net.TCPAddr).Port
	// talks opens a connection, waits for the word to go on, and tries the connection.
	ask := fmt.Sprintf("exec 3<>/dev/tcp/%s/%d && echo open && read -r _ && echo hello >&3 && read -t 1 -r answer <&3 && echo $answer", here.address, port)
	talk := func(from *host, meanwhile func()) string {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		cmd := from.command(ctx, "bash", "-c", ask)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		opened := make(chan struct{})
		cmd.Stdout = writer(func(b []byte) (int, error) {
			if out.Len() == 0 {
				close(opened)
			}
			return out.Write(b)
		})
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-opened:
		case <-ctx.Done():
		}
		meanwhile()
		fmt.Fprintln(in, "go on")
		_ = cmd.Wait() // what it wrote tells
		return strings.ReplaceAll(out.String(), "\n", " ")
	}
	nothing := func() {}
	for _, direction := range [][2]*host{{here, there}, {there, here}} {
		if got := talk(there, nothing); got != "open hello " {
			t.Fatalf("before anything was cut: %q", got)
		}
		var heal func(context.Context) error
		cut := func() {
			if heal, err = n.cut(ctx, direction[0], direction[1]); err != nil {
				t.Fatal(err)
			}
		}
		if got := talk(there, cut); got != "open " {
			t.Errorf("cut from %s to %s, an open connection: %q", direction[0].name, direction[1].name, got)
		}
		if got := talk(there, nothing); got != "" {
			t.Errorf("cut from %s to %s, a new connection: %q", direction[0].name, direction[1].name, got)
		}
		if got := talk(third, nothing); got != "open hello " {
			t.Errorf("another host, which is not concerned: %q", got)
		}
		if err := heal(ctx); err != nil {
			t.Fatal(err)
		}
		if got := talk(there, nothing); got != "open hello " {
			t.Errorf("healed: %q", got)
		}
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }
