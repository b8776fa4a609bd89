package deliver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// secureSession asks for a login.
type secureSession struct {
	scriptedSession
	users *[]string
}

func (s *secureSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *secureSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if password != "p@ss" {
			return smtp.ErrAuthFailed
		}
		_, encrypted := s.conn.TLSConnectionState()
		*s.users = append(*s.users, username)
		if !encrypted {
			*s.users = append(*s.users, "in the clear")
		}
		return nil
	}), nil
}

// secureServer serves with a certificate of its own making, from the first byte or after STARTTLS.
func secureServer(t *testing.T, implicit bool) (address string, roots *x509.CertPool, users *[]string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(certificate)
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	users = new([]string)
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &secureSession{scriptedSession{server: &scriptedServer{}, conn: c}, users}, nil
	}))
	server.ErrorLog = discard{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = listener.Addr().String()
	if implicit {
		listener = tls.NewListener(listener, config)
	} else {
		server.TLSConfig = config
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return address, roots, users
}

func TestEncryptionAndLogin(t *testing.T) {
	for _, scheme := range []string{"smtp", "smtps"} {
		address, roots, users := secureServer(t, scheme == "smtps")
		send := func(url string, trust bool) Result {
			t.Helper()
			relay := newRelay(t, url)
			if trust {
				relay.tls.RootCAs = roots
			}
			return relay.Send(t.Context(), envelope, []byte("Subject: x\r\n\r\n"), func() error { return nil })
		}
		good := scheme + "://ada:p%40ss@" + address
		if r := send(good, true); r.Verdict != Accepted {
			t.Errorf("%s: %+v", scheme, r)
		}
		if r := send(good, false); r.Verdict != Deferred || !strings.Contains(r.Text, "certificate") {
			t.Errorf("%s with an unknown certificate: %+v", scheme, r)
		}
		if r := send(good+"?verify=no", false); r.Verdict != Accepted {
			t.Errorf("%s without verification: %+v", scheme, r)
		}
		if r := send(scheme+"://ada:wrong@"+address, true); r.Verdict != Deferred || r.Code != 535 {
			t.Errorf("%s with a wrong password: %+v", scheme, r)
		}
		if got := strings.Join(*users, " "); got != "ada ada" {
			t.Errorf("%s: logins %s", scheme, got)
		}
	}
}

// TestStrippedEncryptionSendsNothing speaks to a server without STARTTLS, as somebody in between may make of any. It is on
// this machine, so the test names it as if it were not.
func TestStrippedEncryptionSendsNothing(t *testing.T) {
	for query, want := range map[string]Verdict{"": Deferred, "?tls=yes": Deferred, "?tls=no": Accepted} {
		server := startServer(t, &scriptedServer{})
		_, port, err := net.SplitHostPort(strings.TrimPrefix(server.url, "smtp://"))
		if err != nil {
			t.Fatal(err)
		}
		relay := newRelay(t, "smtp://relay.example:"+port+query)
		relay.address = net.JoinHostPort("127.0.0.1", port)
		r := relay.Send(t.Context(), envelope, []byte("Subject: x\r\n\r\n"), func() error { return nil })
		if r.Verdict != want || (want == Deferred) != strings.Contains(r.Text, "tls=no") || (want == Deferred) != (len(server.accepted) == 0) {
			t.Errorf("%q: %+v, %d messages arrived", query, r, len(server.accepted))
		}
	}
}
