package connect

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// ImportConfig says what to import and how. Path and Mapping are required; the rest has defaults.
type ImportConfig struct {
	Path     string   // CSV or JSON Lines, plain or gzip
	Mapping  *Mapping // what becomes of the rows
	Rejected string   // file of refused rows; default Path + ".rejected.csv"
	Target   string   // names the receiver, such as its URL: an interrupted import resumes only to the same one
	Restart  bool     // begin anew even if an interrupted import could go on

	MemoryBudget int    // bytes of gathered rows held in memory before they go to temporary files; default 32 MB, at least 16 KB
	TempDir      string // of temporary files; default the system's
	Workers      int    // goroutines that map rows; default one per CPU
	BatchEvents  int    // events of one request; default 1,000
	BatchBytes   int    // bytes of one request; default 1 MB, at most 4 MB
	InFlight     int    // requests under way at a time; default 4

	// Progress, if set, is told now and then how far the import is. Calls do not overlap.
	Progress func(Progress)
}

// Progress is how far an import is.
type Progress struct {
	BytesRead, BytesTotal int64 // of the file, packed as it is
	Rows                  int64 // read
	Events                int64 // taken by the receiver
	Gathered              int64 // events to send in all, once gathering is over; 0 before
	Rejected              int64 // rows written to the rejects file, or known to go there
}

// Summary is what an import did.
type Summary struct {
	Rows           int64  // read, refused and filtered ones included
	RowsFiltered   int64  // left out by the mapping's condition
	RowsRejected   int64  // written to the rejects file
	Events         int64  // taken by the receiver, those that it knew already included
	EventsRejected int64  // refused by the mapping or the receiver; their rows are among RowsRejected
	EventsPartial  int64  // made without some of their rows, which were refused
	ResumedAfter   int64  // line after which an interrupted import went on; 0 for none
	Rejected       string // the rejects file; "" if every row was taken
}

func (c ImportConfig) withDefaults() (ImportConfig, error) {
	if c.Path == "" || c.Mapping == nil {
		return c, fault.New(fault.Invalid, "an import needs a file and a mapping")
	}
	if c.Rejected == "" {
		c.Rejected = c.Path + ".rejected.csv"
	}
	for _, number := range []struct {
		value               *int
		normal, least, most int
	}{
		{&c.MemoryBudget, 32 << 20, 16 << 10, 1 << 40},
		{&c.Workers, runtime.GOMAXPROCS(0), 1, 256},
		{&c.BatchEvents, 1_000, 1, 100_000},
		{&c.BatchBytes, 1 << 20, 1, maxRequest},
		{&c.InFlight, 4, 1, 64},
	} {
		if *number.value == 0 {
			*number.value = number.normal
		}
		*number.value = min(max(*number.value, number.least), number.most)
	}
	rejected, err := os.Stat(c.Rejected)
	if err != nil {
		return c, nil //nolint:nilerr // it is yet to be made
	}
	if file, err := os.Stat(c.Path); err == nil && os.SameFile(file, rejected) {
		return c, fault.New(fault.Invalid, "the rejects file must not be the file to import")
	}
	return c, nil
}

// statePath is where an interrupted import remembers how far it came.
func (c *ImportConfig) statePath() string {
	return strings.TrimSuffix(c.Rejected, filepath.Ext(c.Rejected)) + ".state.json"
}

// Import reads the file and hands its events to sink. It may be repeated: message ids depend on the mapping and the
// data only, so the receiver keeps each event once. Refused rows and events go to the rejects file and do not stop
// the import; an error does, and means that the import should be run again. The Summary holds in either case.
func Import(ctx context.Context, config ImportConfig, sink Importer) (Summary, error) {
	config, err := config.withDefaults()
	if err != nil {
		return Summary{}, err
	}
	im, err := begin(config)
	if err != nil {
		return Summary{}, err
	}
	defer im.source.Close()
	if err := im.open(); err != nil {
		return Summary{}, err
	}
	var sending context.Context // ends when sending fails
	im.send, sending = newSender(ctx, sink, &im.config, im.start)
	im.send.refused, im.send.accepted = im.refusedByReceiver, im.accepted
	if im.plan.key != nil {
		err = im.gathered(sending)
	} else {
		err = im.rows(sending, im.source, im.each)
	}
	if sendErr := im.send.close(err != nil); sendErr != nil {
		err = sendErr // what came of it elsewhere is only that the work was cancelled
	}
	if err == nil && len(im.refused) > 0 {
		err = im.rejectRefused(ctx)
	}
	return im.finish(err)
}

// importing is an import under way.
type importing struct {
	config  ImportConfig
	source  *source
	plan    *plan
	rejects *rejects
	send    *sender

	print   string            // fingerprint of file, mapping and target
	start   position          // after the header, or where an interrupted import had come
	refused map[string]string // gathered keys whose events were refused, and why; guarded by send.mu
	tally   tally
}

// begin opens the file and compiles the mapping against its columns.
func begin(config ImportConfig) (*importing, error) {
	source, err := openSource(config.Path, config.Mapping)
	if err != nil {
		return nil, err
	}
	plan, err := config.Mapping.bind(source.columns, config.Mapping.sourceName(config.Path))
	if err != nil {
		source.Close()
		return nil, err
	}
	im := &importing{config: config, source: source, plan: plan, refused: map[string]string{}}
	im.tally.report, im.tally.progress.BytesTotal = config.Progress, source.size
	return im, nil
}

// open prepares the rejects file and goes to where an interrupted import had come. Gathered imports begin anew: any
// row of the file may belong to an event that is not sent yet.
func (im *importing) open() (err error) {
	im.print, err = fingerprint(im.source, im.config.Mapping, im.plan.source, im.config.Target)
	if err != nil {
		return err
	}
	im.start = im.source.split.at
	if im.plan.key == nil && !im.config.Restart {
		saved, err := loadCheckpoint(im.config.statePath(), im.print)
		if err != nil {
			return err
		}
		if saved.Offset > im.start.Offset {
			im.tally.summary.ResumedAfter = saved.Line
			im.start = saved
			im.rejects, err = resumeRejects(im.config.Rejected, im.source.columns, im.config.Mapping.delimiter, saved.Line)
			if err != nil {
				return err
			}
			return im.source.split.skipTo(saved)
		}
	}
	im.rejects, err = newRejects(im.config.Rejected, im.source.columns, im.config.Mapping.delimiter)
	return err
}

// finish closes the books. An interrupted import of single rows leaves a state to go on from.
func (im *importing) finish(err error) (Summary, error) {
	closeErr := im.rejects.Close()
	if err == nil {
		err = closeErr
	}
	switch {
	case err == nil:
		err = dropCheckpoint(im.config.statePath())
	case im.plan.key == nil && im.send.through.Offset > im.start.Offset && closeErr == nil:
		err = errors.Join(err, saveCheckpoint(im.config.statePath(), checkpoint{im.print, im.send.through}))
	}
	if im.tally.summary.RowsRejected > 0 || im.tally.summary.ResumedAfter > 0 {
		if _, statErr := os.Stat(im.config.Rejected); statErr == nil {
			im.tally.summary.Rejected = im.config.Rejected
		}
	}
	return im.tally.summary, err
}

// rows maps the rows of a source on all workers and gives the chunks in order.
func (im *importing) rows(ctx context.Context, from *source, consume func(*mapped) error) error {
	return inOrder(ctx, im.config.Workers, func(emit func(*chunk) error) error {
		for !from.split.done() {
			next, err := from.split.next(chunkTarget)
			if err != nil {
				return err
			}
			if err := emit(next); err != nil {
				return err
			}
		}
		return nil
	}, func() func(*chunk) *mapped {
		return newReader(im.plan, im.config.Mapping.delimiter).chunk
	}, consume)
}

// each takes a chunk of rows that are events by themselves.
func (im *importing) each(m *mapped) error {
	if err := im.reject(m); err != nil {
		return err
	}
	for _, e := range m.events {
		if err := im.send.add(e.json, origin{span: e.span, text: m.row(e.span)}); err != nil {
			return err
		}
	}
	im.send.mark(m.end)
	return nil
}

// reject writes the refused rows of a chunk and counts all of them.
func (im *importing) reject(m *mapped) error {
	for _, r := range m.refused {
		if err := im.rejects.add(m.row(r.span), r.span, r.reason); err != nil {
			return err
		}
	}
	im.tally.chunk(m, im.source.read.Load())
	return nil
}

// refusedByReceiver notes an event that the receiver will never take.
func (im *importing) refusedByReceiver(from origin, reason string) error {
	im.tally.refused()
	if im.plan.key != nil {
		return im.refuseKey(from.key, reason)
	}
	im.tally.rejected(1)
	return im.rejects.add(from.text, from.span, reason)
}

// refuseKey notes that the rows of a key have to go to the rejects file.
func (im *importing) refuseKey(key, reason string) error {
	if len(im.refused) >= maxRefused {
		return fault.New(fault.Invalid, "more than %d events were refused, the last because %s: correct the mapping", maxRefused, reason)
	}
	im.refused[key] = reason
	return nil
}

// accepted counts a batch, and now and then notes how far the import is.
func (im *importing) accepted(events int, through position, batch int) error {
	im.tally.accepted(events)
	const often = 32 // batches from one checkpoint to the next
	if im.plan.key != nil || batch%often != often-1 || through == im.start {
		return nil
	}
	if err := im.rejects.flush(); err != nil {
		return err
	}
	return saveCheckpoint(im.config.statePath(), checkpoint{im.print, through})
}
