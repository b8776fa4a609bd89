// Package broker is how to reach a Kafka cluster: its address, how to sign in, what its failures mean to the people who
// must mend them, and how far a group of consumers is. What is sent and read there is for those who use it to say.
package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Cluster says how to reach a cluster.
type Cluster struct {
	Brokers  []string    // host:port, to begin with
	TLS      *tls.Config // nil: no TLS
	SASL     Mechanism   // "": no signing in
	User     string
	Password string
	// Dial makes connections; nil: to any address.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Mechanism is a way to sign in with a password.
type Mechanism string

// The mechanisms (RFC 4616, RFC 5802).
const (
	Plain       Mechanism = "plain"
	ScramSHA256 Mechanism = "scram-sha-256"
	ScramSHA512 Mechanism = "scram-sha-512"
)

// Timeout bounds the wait for the answer to a small request.
const Timeout = 10 * time.Second

// Options are what a client needs to reach the cluster.
func (c Cluster) Options() []kgo.Opt {
	dial := c.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	options := []kgo.Opt{
		kgo.ClientID("tailorbird"), kgo.SeedBrokers(c.Brokers...), kgo.DisableClientMetrics(),
		kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, Timeout)
			defer cancel()
			conn, err := dial(ctx, network, address)
			if err != nil || c.TLS == nil {
				return conn, err
			}
			return c.secure(ctx, conn, address)
		}),
		kgo.RequestTimeoutOverhead(Timeout), kgo.ConnIdleTimeout(time.Minute),
		kgo.MetadataMinAge(500 * time.Millisecond), kgo.MetadataMaxAge(time.Minute),
	}
	if m := c.mechanism(); m != nil {
		options = append(options, kgo.SASL(m))
	}
	return options
}

// secure makes the TLS connection to a broker on top of a plain one.
func (c Cluster) secure(ctx context.Context, plain net.Conn, address string) (net.Conn, error) {
	config := c.TLS.Clone()
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			host = address
		}
		config.ServerName = host
	}
	secured := tls.Client(plain, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, err
	}
	return secured, nil
}

func (c Cluster) mechanism() sasl.Mechanism {
	switch c.SASL {
	case Plain:
		return plain.Auth{User: c.User, Pass: c.Password}.AsMechanism()
	case ScramSHA256:
		return scram.Auth{User: c.User, Pass: c.Password}.AsSha256Mechanism()
	case ScramSHA512:
		return scram.Auth{User: c.User, Pass: c.Password}.AsSha512Mechanism()
	}
	return nil
}

// TLSConfig makes the settings of TLS from PEM texts, each of which may be empty. Faults name certificate or ca.
func TLSConfig(ca, serverName, certificate, key string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName}
	if ca != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(ca)) {
			return nil, fault.Field("tls.ca", "holds no certificate; give the authority's in PEM, which begins with -----BEGIN CERTIFICATE-----")
		}
	}
	if certificate != "" {
		own, err := tls.X509KeyPair([]byte(certificate), []byte(key))
		if err != nil {
			return nil, fault.Field("tls.certificate", "and its key do not go together: %v", err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	return config, nil
}
