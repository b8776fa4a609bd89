// Package cli is the command line: it reads flags, variables and the config file, runs one command, and turns faults into
// words on standard error and an exit status. Commands about data speak the public API, with a running server or with a
// program opened in this process on its data directory.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Exit statuses.
const (
	exitFine   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Streams are where a command reads and writes. Data goes to Out; logs, progress and errors to Err.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// commands is the tree of commands; each field's type is in the file of its subject.
type commands struct {
	ConfigFile kong.ConfigFlag `name:"config" help:"YAML file of settings: flags by name, with _ for -." env:"TAILORBIRD_CONFIG" placeholder:"FILE"`

	Serve serveCommand `cmd:"" help:"Run the server."`
	Demo  demoCommand  `cmd:"" help:"Run the server with a simulated shop; nothing leaves the machine."`

	Import   importCommand   `cmd:"" help:"Bring in history from a CSV or JSON Lines file."`
	Source   sourceCommand   `cmd:"" help:"See to topics that are read all the time."`
	Profile  profileCommand  `cmd:"" help:"Find customers and see what is known of them."`
	Match    matchCommand    `cmd:"" help:"Find customers who are there twice, and decide about them."`
	Segment  segmentCommand  `cmd:"" help:"Define groups of customers, and see who is in them."`
	Trait    traitCommand    `cmd:"" help:"Define computed traits."`
	Template templateCommand `cmd:"" help:"Write mail, and see it as a customer will."`
	Campaign campaignCommand `cmd:"" help:"Send a template to a segment, and see what it was worth."`

	Plan   planCommand   `cmd:"" help:"Show what apply would change."`
	Apply  applyCommand  `cmd:"" help:"Make the definitions as the files of a directory say."`
	Export exportCommand `cmd:"" help:"Write all definitions as files into a directory."`

	Backup  backupCommand  `cmd:"" help:"Copy everything into one file." set:"data_directory=Data directory, whether a server works on it or not."`
	Restore restoreCommand `cmd:"" help:"Make a data directory of a backup."`
	Copy    copyCommand    `cmd:"" help:"Move an installation from a data directory to PostgreSQL."`

	Health  healthCommand  `cmd:"" help:"Ask a server whether it is well."`
	Stream  streamCommand  `cmd:"" help:"See to the topic that events go through."`
	Migrate migrateCommand `cmd:"" help:"Bring the tables of the database up to date, or show how they stand."`

	Key     keyCommand     `cmd:"" help:"Make and revoke API keys."`
	Secret  secretCommand  `cmd:"" help:"Keep passwords that definitions name."`
	Bench   benchCommand   `cmd:"" help:"Measure this machine."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// helpTexts are what the help of several commands says; a command that needs another text sets it.
var helpTexts = kong.Vars{"data_directory": "Data directory of a server that does not run."}

const description = `Tailorbird collects what customers do, knows who they are, groups them, and sends each the right mail.

Settings are read from flags, then from TAILORBIRD_* variables, then from the file that --config names.
Exit status: 0 fine, 1 failed, 2 bad usage.`

// Run runs the command that args name, until it ends or ctx does, and gives the exit status.
func Run(ctx context.Context, args []string, streams Streams) (status int) {
	defer func() {
		if code, ended := recover().(ended); ended {
			status = int(code)
		}
	}()
	parser, err := kong.New(&commands{},
		kong.Name("tailorbird"),
		kong.Description(description),
		helpTexts,
		kong.Writers(streams.Out, streams.Err),
		kong.Exit(func(code int) { panic(ended(code)) }),
		kong.Configuration(settingsFile),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(streams),
	)
	if err != nil {
		return report(streams.Err, "tailorbird", err)
	}
	for _, name := range unknownVariables(parser.Model, os.Environ()) {
		fmt.Fprintf(streams.Err, "warning: the variable %s sets nothing; is it misspelt?\n", name)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		var wrong *kong.ParseError
		if errors.As(err, &wrong) && wrong.Context != nil && len(args) == 0 {
			wrong.Context.Stdout = streams.Err
			_ = wrong.Context.PrintUsage(false) // a terminal that has gone reads no help
			return exitUsage
		}
		command := "tailorbird"
		if wrong != nil {
			command = commandOf(wrong.Context)
		}
		return report(streams.Err, command, usage{err})
	}
	return report(streams.Err, commandOf(parsed), parsed.Run())
}

// ended is how --help and --version end the parsing.
type ended int

// usage is what a command finds wrong with its flags or arguments.
type usage struct{ error }

func badUsage(format string, args ...any) error { return usage{fmt.Errorf(format, args...)} }

// commandOf is the command line as far as it names a command, such as "tailorbird segment put".
func commandOf(parsed *kong.Context) string {
	command := "tailorbird"
	if parsed == nil {
		return command
	}
	for _, step := range parsed.Path {
		if step.Command != nil {
			command += " " + step.Command.Name
		}
	}
	return command
}

// report writes every fault of err on a line of its own and gives the exit status.
func report(w io.Writer, command string, err error) int {
	if err == nil {
		return exitFine
	}
	var wrong usage
	if errors.As(err, &wrong) {
		fmt.Fprintf(w, "tailorbird: %v; see %s --help\n", err, command)
		return exitUsage
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "tailorbird: interrupted")
		return exitFailed
	}
	var quiet silent
	if errors.As(err, &quiet) {
		return exitFailed
	}
	status := exitFailed
	for _, f := range fault.All(err) {
		fmt.Fprintf(w, "tailorbird: %v\n", f)
		if f.Setting != "" && f.Code == fault.Invalid {
			status = exitUsage
		}
	}
	return status
}

// silent is a failure that the output has told already.
type silent struct{}

func (silent) Error() string { return "failed" }
