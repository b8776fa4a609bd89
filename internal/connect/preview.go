package connect

import (
	"context"
	"encoding/json"
	"errors"
)

// Preview is what the beginning of a file would become.
type Preview struct {
	Events   []json.RawMessage
	Rejected []RejectedRow
	Rows     int  // read
	Complete bool // the whole file was read; otherwise gathered events may lack later rows
}

// RejectedRow is a row that would go to the rejects file.
type RejectedRow struct {
	Line   int64
	Reason string
	Row    string
}

// errEnough ends a preview early.
var errEnough = errors.New("enough rows")

// PreviewImport makes the first events of a file, at most so many, of its first 10,000 rows or so. It sends and writes
// nothing.
func PreviewImport(ctx context.Context, config ImportConfig, events int) (Preview, error) {
	const mostRows, mostRejected = 10_000, 100
	config, err := config.withDefaults()
	if err != nil {
		return Preview{}, err
	}
	im, err := begin(config)
	if err != nil {
		return Preview{}, err
	}
	defer im.source.Close()
	preview := Preview{Events: []json.RawMessage{}, Complete: true}
	refuse := func(line int64, reason, row string) {
		if len(preview.Rejected) < mostRejected {
			preview.Rejected = append(preview.Rejected, RejectedRow{line, reason, row})
		}
	}
	g := newGatherer(config.MemoryBudget, config.TempDir, 0)
	defer g.Close()
	first := newReader(im.plan, config.Mapping.delimiter)
	err = im.rows(ctx, im.source, func(m *mapped) error {
		preview.Rows += len(m.rows)
		for _, r := range m.refused {
			refuse(r.line, r.reason, m.row(r.span))
		}
		for _, e := range m.events {
			if len(preview.Events) == events {
				return errEnough
			}
			preview.Events = append(preview.Events, e.json)
		}
		if err := g.take(m, first); err != nil {
			return err
		}
		if preview.Rows >= mostRows {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		preview.Complete, err = false, nil
	}
	if err != nil || im.plan.key == nil {
		return preview, err
	}
	err = im.events(ctx, g, func(e *gatheredEvent) error {
		if len(preview.Events) == events {
			return errEnough
		}
		if e.err != nil {
			refuse(e.line, reasonOf(e.err), e.key)
		} else {
			preview.Events = append(preview.Events, e.json)
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return preview, err
}
