package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/app"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// program is the settings of a server.
type program struct {
	Data      string `help:"Directory of the database." env:"TAILORBIRD_DATA" default:"./tailorbird-data" placeholder:"DIR"`
	Listen    string `help:"Address to listen on." env:"TAILORBIRD_LISTEN" default:"127.0.0.1:8080" placeholder:"ADDR"`
	PublicURL string `name:"public-url" help:"Where customers reach the server; links in mail start with it. Without it, http:// and the address." env:"TAILORBIRD_PUBLIC_URL" placeholder:"URL"`
	SMTPURL   string `name:"smtp-url" help:"Where mail leaves: smtp://user:pass@host:port or smtps://…; without it, mail stays in the built-in mailbox." env:"TAILORBIRD_SMTP_URL" placeholder:"URL"`
	database
	Stream   string   `name:"stream-url" help:"Kafka topic that events go through: kafka://host:9092/tailorbird-events; without it, the tracking API applies them itself." env:"TAILORBIRD_STREAM_URL" placeholder:"URL"`
	Networks []string `name:"allow-network" help:"Addresses that sources may call beside public ones: 10.0.0.0/8, kafka.internal, kafka.internal:9092; separated by commas." env:"TAILORBIRD_ALLOW_NETWORK" placeholder:"ADDR"`
	Redis    string   `name:"redis-url" help:"Redis that several nodes share their limits through: redis://user:pass@host:port/0; without it, each has its part." env:"TAILORBIRD_REDIS_URL" placeholder:"URL"`
	limits
	Drain     time.Duration `name:"drain-delay" help:"How long requests are still taken after SIGTERM, while /readyz says no: as long as a load balancer needs to notice." env:"TAILORBIRD_DRAIN_DELAY" placeholder:"DURATION"`
	Metrics   string        `name:"metrics-listen" help:"Second address, for /metrics without a key: one that only the monitoring reaches. Without it, /metrics needs a key with the scope metrics." env:"TAILORBIRD_METRICS_LISTEN" placeholder:"ADDR"`
	Now       moment        `help:"Start the clock at a time (RFC 3339): for staging and replay only." env:"TAILORBIRD_NOW" placeholder:"TIME"`
	LogLevel  string        `help:"debug, info, warn or error." env:"TAILORBIRD_LOG_LEVEL" enum:"debug,info,warn,error" default:"info"`
	LogFormat string        `help:"text or json." env:"TAILORBIRD_LOG_FORMAT" enum:"text,json" default:"text"`
}

// database is where data are kept, other than in a directory.
type database struct {
	Database      string `name:"database-url" help:"PostgreSQL that keeps the data: postgres://user:password@host/database; without it, SQLite in --data does." env:"TAILORBIRD_DATABASE_URL" placeholder:"URL"`
	MasterKeyFile string `name:"master-key-file" help:"File with the key (64 hexadecimal digits or 32 bytes) under which secrets are sealed, the same for all nodes; TAILORBIRD_MASTER_KEY may hold it instead. Without it, that in --data." env:"TAILORBIRD_MASTER_KEY_FILE" placeholder:"FILE"`
	MasterKey     string `name:"master-key" hidden:"" env:"TAILORBIRD_MASTER_KEY"`
}

// Validate refuses what can be no PostgreSQL before anything is opened.
func (d *database) Validate() error {
	if d.Database != "" && !strings.HasPrefix(d.Database, "postgres://") && !strings.HasPrefix(d.Database, "postgresql://") {
		return fault.Setting("database_url", "must be postgres://user:password@host:port/database")
	}
	return nil
}

const (
	masterKeySize = 32
	wantedKey     = "64 hexadecimal digits, such as openssl rand -hex 32 makes"
)

// masterKey reads the key that was chosen; nil for none.
func (d *database) masterKey() ([]byte, error) {
	text := []byte(d.MasterKey)
	if d.MasterKeyFile != "" {
		if len(text) > 0 {
			return nil, fault.Setting("master_key_file", "TAILORBIRD_MASTER_KEY gives the master key, too; leave one out")
		}
		var err error
		if text, err = os.ReadFile(d.MasterKeyFile); err != nil {
			return nil, &fault.Error{Code: fault.Invalid, Setting: "master_key_file", Message: "the master key cannot be read", Cause: err}
		}
	}
	switch key, err := hex.DecodeString(strings.TrimSpace(string(text))); {
	case len(text) == 0 && d.MasterKeyFile == "":
		return nil, nil
	case err == nil && len(key) == masterKeySize:
		return key, nil
	case len(text) == masterKeySize:
		return text, nil
	}
	if d.MasterKeyFile != "" {
		return nil, fault.Setting("master_key_file", "%s must hold %s, or 32 bytes", d.MasterKeyFile, wantedKey)
	}
	return nil, badUsage("TAILORBIRD_MASTER_KEY must be %s", wantedKey)
}

// limits are how much each key may ask for.
type limits struct {
	APILimit      string `name:"api-limit" help:"Requests that one key may make of the management API, such as 6000/m or 10/s; 0: any number." env:"TAILORBIRD_API_LIMIT" default:"6000/m" placeholder:"N/TIME"`
	TrackingLimit string `name:"tracking-limit" help:"Requests that one key may make of the tracking API." env:"TAILORBIRD_TRACKING_LIMIT" default:"600000/m" placeholder:"N/TIME"`
}

// keys are secrets that are chosen rather than made. They are read from variables and the config file alone: flags of a
// process are for everyone on the machine to see.
type keys struct {
	APIKey   string `name:"api-key" hidden:"" env:"TAILORBIRD_API_KEY"`
	WriteKey string `name:"write-key" hidden:"" env:"TAILORBIRD_WRITE_KEY"`
}

// Validate refuses what can be no database, and a drain that no supervisor would wait for.
func (p *program) Validate() error {
	if err := p.database.Validate(); err != nil {
		return err
	}
	if p.Drain < 0 || p.Drain > longestDrain {
		return fmt.Errorf("--drain-delay is %s; give up to %s", p.Drain, longestDrain)
	}
	return nil
}

const longestDrain = 5 * time.Minute

func (p *program) config(k keys, streams Streams) (app.Config, error) {
	master, err := p.masterKey()
	return app.Config{
		DatabaseURL: p.Database, MasterKey: master, StreamURL: p.Stream,
		DataDir: p.Data, Listen: p.Listen, PublicURL: p.PublicURL, SMTPURL: p.SMTPURL, Now: p.Now.Time,
		RedisURL: p.Redis, Metrics: p.Metrics, DrainDelay: p.Drain, Limits: app.Limits{API: p.APILimit, Tracking: p.TrackingLimit},
		AllowNetwork: p.Networks, APIKey: k.APIKey, WriteKey: k.WriteKey, Version: version, Log: p.log(streams.Err),
	}, err
}

// log writes structured logs. The level and format were checked with the flags.
func (p *program) log(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(p.LogLevel))
	options := &slog.HandlerOptions{Level: level}
	if p.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

type serveCommand struct {
	program
	keys
	backups
}

// Validate checks all that it embeds.
func (c *serveCommand) Validate() error {
	err := errors.Join(c.program.Validate(), c.backups.Validate())
	if c.Database != "" && c.Every != 0 {
		err = errors.Join(err, errors.New("--backup-every is for data in a directory; with --database-url PostgreSQL's own tools make backups: leave it out"))
	}
	return err
}

func (*serveCommand) Help() string {
	return `Prints one line, "listening on http://…", when it is ready; logs go to standard error. SIGTERM and SIGINT end it once
what is under way is done. The keys of the APIs are made at the first start and shown once; set TAILORBIRD_API_KEY and
TAILORBIRD_WRITE_KEY to choose them.

Examples:

  tailorbird serve
  tailorbird serve --data /var/lib/tailorbird --public-url https://mail.shop.example --smtp-url smtp://relay:587
  TAILORBIRD_NOW=2011-12-10T00:00:00Z tailorbird serve --data ./replay`
}

// Run serves until ctx ends.
func (c *serveCommand) Run(ctx context.Context, streams Streams) error {
	config, err := c.program.config(c.keys, streams)
	if err != nil {
		return err
	}
	config.Backups = c.backups.config()
	config.Ready = func(url string) { fmt.Fprintf(streams.Out, "listening on %s\n", url) }
	server, err := app.Open(ctx, config)
	if err != nil {
		return err
	}
	showKeys(streams.Err, server.NewKeys())
	return errors.Join(server.Serve(ctx), server.Close())
}

// showKeys shows the keys that this start made, for the only time.
func showKeys(w io.Writer, made []access.Issued) {
	for _, k := range made {
		if k.Secret != "" {
			fmt.Fprintf(w, "made the key %q (%s): %s\n", k.Key.Name, join(k.Key.Scopes), k.Secret)
		}
	}
}

func join(scopes []access.Scope) string {
	var names []string
	for _, s := range scopes {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}
