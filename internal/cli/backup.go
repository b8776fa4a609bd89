package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/tailorbird/tailorbird/internal/app"
	"github.com/tailorbird/tailorbird/internal/backup"
	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// backups is how a server keeps copies of everything.
type backups struct {
	Dir   string        `name:"backup-dir" help:"Directory of the server's backups; backups in the data directory without it." env:"TAILORBIRD_BACKUP_DIR" placeholder:"DIR"`
	Every time.Duration `name:"backup-every" help:"Make a backup whenever the newest is so old, such as 24h; only when asked without it." env:"TAILORBIRD_BACKUP_EVERY" placeholder:"DURATION"`
	Keep  int           `name:"backup-keep" help:"How many backups stay, the newest." env:"TAILORBIRD_BACKUP_KEEP" default:"7" placeholder:"N"`
	passphrase
}

// Validate refuses what would fill the disk, or keep nothing.
func (b *backups) Validate() error {
	switch {
	case b.Every != 0 && b.Every < time.Minute:
		return fmt.Errorf("--backup-every is %s; give a minute or more", b.Every)
	case b.Keep < 1:
		return fmt.Errorf("--backup-keep is %d; at least the newest backup stays", b.Keep)
	}
	return nil
}

func (b *backups) config() app.Backups {
	return app.Backups{Dir: b.Dir, Every: b.Every, Keep: b.Keep, Passphrase: b.Passphrase}
}

// passphrase encrypts backups. It is read from a variable or the config file, as keys are.
type passphrase struct {
	Passphrase string `name:"backup-passphrase" hidden:"" env:"TAILORBIRD_BACKUP_PASSPHRASE"`
}

type backupCommand struct {
	File string `arg:"" help:"The new file."`
	connection
	passphrase
}

func (*backupCommand) Help() string {
	return `Copies everything into one file, of a data directory whether a server works on it or not, or through a server elsewhere.
The file has its name only when it is complete and has been read back. With TAILORBIRD_BACKUP_PASSPHRASE it is encrypted and
holds master.key too; without, keep a copy of master.key elsewhere. A server encrypts with its own passphrase. Data in PostgreSQL
are backed up with its own tools: pg_dump, or pg_basebackup with an archive of the write-ahead log.

Examples:

  tailorbird backup /mnt/backups/monday.tar.zst --data /var/lib/tailorbird
  TAILORBIRD_BACKUP_PASSPHRASE=… tailorbird backup monday.tar.zst.age
  tailorbird backup monday.tar.zst --server https://mail.shop.example`
}

// copied is what a command says of a backup.
type copied struct {
	File      string    `json:"file"`
	CreatedAt time.Time `json:"created_at"`
	Version   string    `json:"version,omitempty"`
	Profiles  int64     `json:"profiles_with_merged,omitempty"`
	MasterKey string    `json:"master_key"`
}

func (c *backupCommand) Run(ctx context.Context) error {
	if c.Server != "" {
		return c.with(ctx, func(api *client.Client) error { return c.fetch(ctx, api) })
	}
	if c.Database != "" {
		return app.ErrElsewhere
	}
	bar := newProgress(c.streams.Err, "copying", 0)
	defer bar.end()
	made, err := app.Backup(ctx, c.Data, c.File, c.Passphrase, version, bar.set)
	if err != nil {
		return err
	}
	bar.end()
	return c.tell(describe(c.File, made, c.Passphrase != "", filepath.Join(c.Data, backup.MasterKeyFile)))
}

func describe(file string, m backup.Manifest, encrypted bool, key string) copied {
	told := copied{File: file, CreatedAt: m.CreatedAt, Version: m.Version, Profiles: m.Rows["profiles"], MasterKey: "in the backup"}
	if !encrypted {
		told.MasterKey = "not in the backup: keep a copy of " + key + " elsewhere"
	}
	return told
}

func (c *connection) tell(what any) error {
	object, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return c.print(object)
}

// fetch has a server make a backup, and takes it from there.
func (c *backupCommand) fetch(ctx context.Context, api *client.Client) error {
	var b struct {
		Name, Status, Problem string
		CreatedAt             time.Time `json:"created_at"`
		Encrypted             bool
	}
	if err := api.Call(ctx, http.MethodPost, "/api/v1/backups", nil, &b); err != nil {
		return err
	}
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for b.Status == backup.Running {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := api.Get(ctx, under("backups", b.Name), &b); err != nil {
			return err
		}
	}
	if b.Status != backup.Done {
		return fault.New(fault.Unavailable, "the server could not make the backup: %s", b.Problem)
	}
	err := backup.Receive(c.File, func(w io.Writer) error { return api.Download(ctx, under("backups", b.Name, "file"), w) })
	if err != nil {
		return err
	}
	if err := api.Call(ctx, http.MethodDelete, under("backups", b.Name), nil, nil); err != nil {
		return err
	}
	return c.tell(describe(c.File, backup.Manifest{CreatedAt: b.CreatedAt}, b.Encrypted, "the server's "+backup.MasterKeyFile))
}

type restoreCommand struct {
	File      string `arg:"" help:"The backup."`
	Data      string `help:"Data directory to make: missing, empty, or with master.key alone." env:"TAILORBIRD_DATA" default:"./tailorbird-data" placeholder:"DIR"`
	MasterKey string `name:"master-key-file" help:"The master.key that belongs to a backup that is not encrypted." placeholder:"FILE"`
	Check     bool   `help:"Only make sure that the backup is good; restore nothing."`
	passphrase
}

func (*restoreCommand) Help() string {
	return `Checks every byte, page and index before the data directory becomes one, and overwrites nothing. A backup of an older
release is brought up to date at the next start; one of a newer release is refused. Campaigns that were being sent when the
backup was made are paused.

Examples:

  tailorbird restore monday.tar.zst --data /var/lib/tailorbird --master-key-file /root/master.key
  TAILORBIRD_BACKUP_PASSPHRASE=… tailorbird restore monday.tar.zst.age --data /var/lib/tailorbird
  tailorbird restore monday.tar.zst --check`
}

func (c *restoreCommand) Run(ctx context.Context, streams Streams) error {
	if c.Check {
		m, err := app.CheckBackup(ctx, c.File, c.Passphrase, c.MasterKey)
		if err == nil {
			fmt.Fprintf(streams.Out, "%s is good: %s\n", c.File, summary(m))
		}
		return err
	}
	m, held, err := app.Restore(ctx, c.File, c.Data, c.Passphrase, c.MasterKey)
	if err != nil {
		return err
	}
	fmt.Fprintf(streams.Out, "restored %s into %s\n", summary(m), c.Data)
	for _, campaign := range held {
		fmt.Fprintf(streams.Out, "campaign %s was being sent, and is paused: who got it after the backup would get it again if you resumed it\n", campaign)
	}
	return nil
}

func summary(m backup.Manifest) string {
	return fmt.Sprintf("backup of %s, %d profiles with those that merged, release %s", m.CreatedAt.Format(time.RFC3339), m.Rows["profiles"], m.Version)
}
