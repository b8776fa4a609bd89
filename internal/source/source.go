// Package source is where events come from by themselves: topics that are read as long as the program runs. A definition
// says which, and how a message becomes an event; docs/sources.md describes both for people.
package source

import (
	"encoding/json"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Definition is a source as people define it. Passwords and keys are not part of it: it names secrets.
type Definition struct {
	Type        string          `json:"type,omitempty" enum:"kafka" doc:"kafka, the only type"`
	Description string          `json:"description,omitempty" maxLength:"1000"`
	Paused      bool            `json:"paused,omitempty" doc:"Do not read; it goes on later where it stopped"`
	Brokers     []string        `json:"brokers" maxItems:"20" doc:"Addresses to begin with, host:port"`
	Topic       string          `json:"topic" maxLength:"249"`
	Group       string          `json:"group,omitempty" maxLength:"255" doc:"Consumer group; tailorbird- and the name without it"`
	Start       Start           `json:"start,omitempty" enum:"earliest,latest" doc:"Where to begin: earliest (default), or latest: with what comes once the source is defined"`
	Format      Format          `json:"format,omitempty" enum:"json,avro,protobuf" doc:"Of the values; json without it"`
	Registry    *Registry       `json:"registry,omitempty" doc:"Where the schemas of the messages are"`
	Schema      string          `json:"schema,omitempty" maxLength:"500000" doc:"The schema, where no registry has it: Avro's JSON, or a .proto file"`
	Message     string          `json:"message,omitempty" maxLength:"500" doc:"Protobuf without a registry: the message, such as shop.v1.Order; the schema's first one without it"`
	TLS         *TLS            `json:"tls,omitempty" doc:"Connect with TLS"`
	SASL        *SASL           `json:"sasl,omitempty" doc:"Sign in"`
	Historical  bool            `json:"historical,omitempty" doc:"Events are history: they shape profiles and segments and trigger no message"`
	Mapping     json.RawMessage `json:"mapping" doc:"How a message becomes an event: the fields and expressions of an import's mapping"`
}

// Start says where the reading of a topic begins when no offset is known.
type Start string

// The starts.
const (
	Earliest Start = "earliest"
	Latest   Start = "latest"
)

// Format is the encoding of messages.
type Format string

// The formats.
const (
	JSON     Format = "json"
	Avro     Format = "avro"
	Protobuf Format = "protobuf"
)

// Registry is a schema registry with the API of Confluent's.
type Registry struct {
	URL            string `json:"url" maxLength:"2000"`
	Username       string `json:"username,omitempty" maxLength:"1000"`
	PasswordSecret string `json:"password_secret,omitempty" doc:"Name of the secret that holds the password"`
	CA             string `json:"ca,omitempty" maxLength:"100000" doc:"PEM of the authority that signed its certificate; the system's without it"`
}

// TLS says how to connect with TLS; empty, with the system's authorities and no certificate of our own.
type TLS struct {
	CA          string `json:"ca,omitempty" maxLength:"100000" doc:"PEM of the authority that signed the brokers' certificates; the system's without it"`
	ServerName  string `json:"server_name,omitempty" maxLength:"253" doc:"Name that the certificates have, where it is not the host's"`
	Certificate string `json:"certificate,omitempty" maxLength:"100000" doc:"PEM of our own certificate, where the brokers ask for one"`
	KeySecret   string `json:"key_secret,omitempty" doc:"Name of the secret that holds its key, in PEM"`
}

// SASL says how to sign in.
type SASL struct {
	Mechanism      string `json:"mechanism" enum:"plain,scram-sha-256,scram-sha-512"`
	Username       string `json:"username" maxLength:"1000"`
	PasswordSecret string `json:"password_secret" doc:"Name of the secret that holds the password"`
}

// Source is a definition with its name, and the time at which it was first made.
type Source struct {
	Name      string
	CreatedAt time.Time
	Definition
}

// Secrets names the secrets that a definition needs, each once, sorted.
func (d Definition) Secrets() []string {
	var names []string
	if d.Registry != nil {
		names = append(names, d.Registry.PasswordSecret)
	}
	if d.TLS != nil {
		names = append(names, d.TLS.KeySecret)
	}
	if d.SASL != nil {
		names = append(names, d.SASL.PasswordSecret)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
}

// WithDefaults fills in what a definition leaves out.
func (d Definition) WithDefaults(name string) Definition {
	d.Brokers = slices.Clone(d.Brokers)
	for i, b := range d.Brokers {
		if b = strings.TrimSpace(b); b != "" && !strings.Contains(strings.TrimPrefix(b, "["), ":") {
			b += ":9092"
		}
		d.Brokers[i] = b
	}
	for _, field := range []struct {
		value *string
		none  string
	}{
		{&d.Type, "kafka"},
		{&d.Group, "tailorbird-" + name},
		{(*string)(&d.Start), string(Earliest)},
		{(*string)(&d.Format), string(JSON)},
	} {
		if *field.value == "" {
			*field.value = field.none
		}
	}
	return d
}

// Validate finds what is wrong with a definition whose defaults are filled in, the mapping aside. A fault names the field.
func (d Definition) Validate() error {
	switch {
	case d.Type != "kafka":
		return fault.Field("type", "is %.40q; it must be kafka", d.Type)
	case len(d.Brokers) == 0:
		return fault.Field("brokers", "is empty; list an address such as kafka.example.com:9092")
	case d.Start != Earliest && d.Start != Latest:
		return fault.Field("start", "is %.40q; it must be earliest or latest", d.Start)
	case d.Format != JSON && d.Format != Avro && d.Format != Protobuf:
		return fault.Field("format", "is %.40q; it must be json, avro or protobuf", d.Format)
	case d.Format != JSON && d.Registry == nil && d.Schema == "":
		return fault.Field("registry", "is missing: %s messages need a schema; name the registry that has it, or write it as schema", d.Format)
	case d.Registry != nil && d.Schema != "":
		return fault.Field("schema", "stands beside a registry; messages have one or the other")
	case d.Format == JSON && d.Schema != "":
		return fault.Field("schema", "has no meaning for JSON; leave it out")
	case d.Message != "" && (d.Format != Protobuf || d.Registry != nil):
		return fault.Field("message", "is for Protobuf without a registry; leave it out")
	case len(d.Mapping) == 0 || d.Mapping[0] != '{':
		return fault.Field("mapping", "is missing: say how a message becomes an event, with fields such as event, user_id and properties")
	}
	for _, b := range d.Brokers {
		host, port, err := net.SplitHostPort(b)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || host == "" || strings.ContainsAny(host, "/@ ") {
			return fault.Field("brokers", "has %.100q; an address is host:port, such as kafka.example.com:9092", b)
		}
	}
	if err := checkTopic(d.Topic); err != nil {
		return err
	}
	return d.validateAccess()
}

// checkTopic holds a name against Kafka's rule for topics.
func checkTopic(name string) error {
	wrong := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	}
	if name == "" || name == "." || name == ".." || len(name) > 249 || strings.ContainsFunc(name, wrong) {
		return fault.Field("topic", "is %.60q; a topic has 1 to 249 letters, digits, dots, - and _", name)
	}
	return nil
}

func (d Definition) validateAccess() error {
	if r := d.Registry; r != nil {
		u, err := url.Parse(r.URL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return fault.Field("registry.url", "must look like https://registry.example.com; a user name and password have fields of their own")
		}
		if (r.Username == "") != (r.PasswordSecret == "") {
			return fault.Field("registry.password_secret", "a user name and the secret with its password go together")
		}
	}
	if t := d.TLS; t != nil && (t.Certificate == "") != (t.KeySecret == "") {
		return fault.Field("tls.key_secret", "a certificate and the secret with its key go together")
	}
	if s := d.SASL; s != nil {
		if !slices.Contains([]string{"plain", "scram-sha-256", "scram-sha-512"}, s.Mechanism) {
			return fault.Field("sasl.mechanism", "is %.40q; it must be plain, scram-sha-256 or scram-sha-512", s.Mechanism)
		}
		if s.Username == "" || s.PasswordSecret == "" {
			return fault.Field("sasl.password_secret", "signing in needs a user name and the name of the secret that holds the password")
		}
		if s.Mechanism == "plain" && d.TLS == nil {
			return fault.Field("sasl.mechanism", "plain shows the password to the network; add tls, or use scram-sha-256")
		}
	}
	for _, name := range d.Secrets() {
		if err := definition.CheckName(name); err != nil {
			return fault.Field("password_secret", "%.80q cannot be the name of a secret; use small letters, digits, - and _", name)
		}
	}
	return nil
}
