package stream

import (
	"cmp"
	"context"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/tailorbird/tailorbird/internal/broker"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Config says where the topic is.
type Config struct {
	broker.Cluster
	// Admit is asked before the topic is written to or read, with the id of the cluster: an error says why it must not be. nil: it may.
	Admit       func(ctx context.Context, cluster string) error
	Topic       string
	Group       string // of consumers
	Partitions  int    // of a topic that is made here
	Replication int    // copies of each; -1: what the cluster does by default
}

// find asks after the topic, which must be admitted whether it exists or not.
func (c *Config) find(ctx context.Context, admin *kadm.Client) (broker.Topic, error) {
	topic, err := broker.FindTopic(ctx, admin, c.Topic)
	if (err == nil || fault.CodeOf(err) == fault.NotFound) && c.Admit != nil {
		err = cmp.Or(c.Admit(ctx, topic.Cluster), err)
	}
	return topic, err
}

const (
	defaultTopic      = "tailorbird-events"
	defaultPartitions = 12
)

var topicPattern = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// ParseURL reads kafka://[USER[:PASSWORD]@]HOST:PORT[,HOST:PORT…][/TOPIC][?SETTING=VALUE…]. The settings are group,
// partitions and replication (of a topic that does not exist yet), tls (true), ca, cert and key (PEM files), server_name,
// sasl (plain, scram-sha-256, scram-sha-512; default scram-sha-512 where there is a user), and password_file. A fault is
// Invalid and never holds the password.
func ParseURL(text string) (Config, error) {
	wrong := func(format string, args ...any) (Config, error) {
		return Config{}, fault.Setting("stream_url", format, args...)
	}
	// Several hosts are no URL of RFC 3986: only the first goes through the parser.
	scheme, rest, _ := strings.Cut(text, "://")
	end := len(rest)
	if at := strings.IndexAny(rest, "/?#"); at >= 0 {
		end = at
	}
	authority := rest[:end]
	user, hosts := "", authority
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		user, hosts = authority[:at+1], authority[at+1:]
	}
	all := strings.Split(hosts, ",")
	u, err := url.Parse("kafka://" + user + all[0] + rest[end:])
	if err != nil || scheme != "kafka" || u.Fragment != "" {
		return wrong("must look like kafka://kafka.example.com:9092/tailorbird-events")
	}
	c := Config{Topic: strings.TrimPrefix(u.Path, "/"), Partitions: defaultPartitions, Replication: -1}
	if c.Topic == "" {
		c.Topic = defaultTopic
	}
	if !topicPattern.MatchString(c.Topic) {
		return wrong("the topic %.60q must have 1 to 249 letters, digits, dots, - and _", c.Topic)
	}
	for _, host := range all {
		if !strings.Contains(strings.TrimPrefix(host, "["), ":") {
			host += ":9092"
		}
		h, err := url.Parse("kafka://" + host)
		if err != nil || h.Hostname() == "" || h.Port() == "" || h.Path != "" {
			return wrong("%.100q is not an address such as kafka.example.com:9092", host)
		}
		c.Brokers = append(c.Brokers, host)
	}
	settings := u.Query()
	for name := range settings {
		if !slices.Contains(settingNames, name) {
			return wrong("there is no setting %.40q; there are %s", name, strings.Join(settingNames, ", "))
		}
	}
	c.Group = c.Topic
	if group := settings.Get("group"); group != "" {
		c.Group = group
	}
	for name, into := range map[string]*int{"partitions": &c.Partitions, "replication": &c.Replication} {
		if given := settings.Get(name); given != "" {
			n, err := strconv.Atoi(given)
			if err != nil || n < 1 || n > 10_000 {
				return wrong("%s must be a number from 1 to 10000", name)
			}
			*into = n
		}
	}
	if err := c.secure(u, settings); err != nil {
		return wrong("%v", err)
	}
	return c, nil
}

var settingNames = []string{"group", "partitions", "replication", "tls", "ca", "cert", "key", "server_name", "sasl", "password_file"}

func (c *Config) secure(u *url.URL, settings url.Values) error {
	pem := map[string]string{}
	for _, name := range []string{"ca", "cert", "key", "password_file"} {
		if path := settings.Get(name); path != "" {
			text, err := os.ReadFile(path)
			if err != nil {
				return fault.New(fault.Invalid, "%s cannot be read: %v", name, err)
			}
			pem[name] = string(text)
		}
	}
	if settings.Get("tls") == "true" || pem["ca"]+pem["cert"] != "" {
		var err error
		if c.TLS, err = broker.TLSConfig(pem["ca"], settings.Get("server_name"), pem["cert"], pem["key"]); err != nil {
			return err
		}
	}
	if u.User == nil {
		return nil
	}
	c.User = u.User.Username()
	c.Password, _ = u.User.Password()
	if file := strings.TrimRight(pem["password_file"], "\r\n"); file != "" {
		c.Password = file
	}
	c.SASL = broker.ScramSHA512
	if given := settings.Get("sasl"); given != "" {
		c.SASL = broker.Mechanism(given)
	}
	if !slices.Contains([]broker.Mechanism{broker.Plain, broker.ScramSHA256, broker.ScramSHA512}, c.SASL) {
		return fault.New(fault.Invalid, "sasl must be plain, scram-sha-256 or scram-sha-512")
	}
	return nil
}
