package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tailorbird/tailorbird/internal/app"
	"github.com/tailorbird/tailorbird/internal/backup"
)

type copyCommand struct {
	From string `required:"" help:"The data directory that is copied: sqlite:DIR. No server may work on it." placeholder:"sqlite:DIR"`
	To   string `required:"" help:"The empty database that it is copied to." env:"TAILORBIRD_DATABASE_URL" placeholder:"postgres://…"`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (*copyCommand) Help() string {
	return `Moves an installation from a data directory to PostgreSQL: everything, the events and their history included. What was
broken off goes on when the same command is given again; a server opens the target only once all is there. In the end both
sides are read, and every table must have as many rows and the same checksum. The data directory stays as it is.

Secrets stay sealed under the same master key: give the servers that use PostgreSQL the directory's master.key.

Examples:

  tailorbird copy --from sqlite:/var/lib/tailorbird --to postgres://tailorbird@db.internal/tailorbird
  TAILORBIRD_DATABASE_URL=postgres://… tailorbird copy --from sqlite:./tailorbird-data --json`
}

// copiedAll is what the command says.
type copiedAll struct {
	Resumed   bool          `json:"resumed"`
	MasterKey string        `json:"master_key,omitempty"` // its file, where the directory has it
	Tables    []copiedTable `json:"tables"`
}

type copiedTable struct {
	Name     string `json:"name"`
	Rows     int64  `json:"rows"`
	Checksum string `json:"checksum"`
}

func (c *copyCommand) Run(ctx context.Context, streams Streams) error {
	dir, is := strings.CutPrefix(c.From, "sqlite:")
	if !is || dir == "" {
		return badUsage("--from must be sqlite:DIR, such as sqlite:/var/lib/tailorbird")
	}
	bar := newSpokenProgress(streams.Err, "copying")
	defer bar.end()
	copied, err := app.Copy(ctx, dir, c.To, telling(streams.Err, bar))
	if err != nil {
		return err
	}
	bar.end()
	told := copiedAll{Resumed: copied.Resumed}
	if key, err := filepath.Abs(filepath.Join(dir, backup.MasterKeyFile)); err == nil {
		if _, err := os.Stat(key); err == nil {
			told.MasterKey = key
		}
	}
	for _, one := range copied.Tables {
		told.Tables = append(told.Tables, copiedTable{one.Name, one.From.Rows, one.From.Checksum})
	}
	if c.JSON {
		object, err := json.Marshal(told)
		if err != nil {
			return err
		}
		return writeJSON(streams.Out, object)
	}
	return told.write(streams)
}

// telling shows progress, and that of a copy that was broken off from where it goes on.
func telling(w io.Writer, bar progress) func(app.CopyProgress) {
	said := false
	return func(at app.CopyProgress) {
		if at.Resumed && !said {
			said = true
			fmt.Fprintf(w, "going on with the copy that was broken off, at %d %%\n", 100*at.Done/max(at.Total, 1))
		}
		bar.set(at.Done, at.Total)
	}
}

func (told *copiedAll) write(streams Streams) error {
	rows := func(yield func(json.RawMessage, error) bool) {
		for _, one := range told.Tables {
			if object, err := json.Marshal(one); !yield(object, err) {
				return
			}
		}
	}
	if err := writeTable(streams.Out, rows, []column{{"TABLE", "name"}, {"ROWS", "rows"}, {"CHECKSUM", "checksum"}}); err != nil {
		return err
	}
	key := "the master key that the server had"
	if told.MasterKey != "" {
		key = "--master-key-file " + told.MasterKey
	}
	fmt.Fprintf(streams.Err, "Both sides agree. Start servers with --database-url and %s; never again one on the directory alone.\n", key)
	return nil
}
