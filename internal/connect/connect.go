// Package connect brings data in from elsewhere. An import reads a file of rows (CSV or JSON Lines), turns them into
// events by a mapping, and hands the events on in batches. docs/import.md describes mappings and files for people.
//
// A row passes through one line of stages: source splits the file into chunks of whole rows, plan turns the rows of a
// chunk into events or into items of events to be gathered, gatherer brings together the rows of one event, and sender
// delivers batches. Rows and events that fail go to the rejects file; nothing is dropped silently.
package connect

import (
	"context"
	"encoding/json"
)

// Limits that hold for every import.
const (
	maxRow      = 1 << 20       // bytes of one row
	maxColumns  = 2_000         // columns of a CSV file
	maxEvent    = 1 << 20       // bytes of one event's JSON, the limit of the import endpoint
	maxRequest  = 4<<20 - 1<<10 // bytes of the events of one request, its limit less the frame
	maxMapping  = 1 << 20       // bytes of a mapping file
	maxRefused  = 1_000_000     // gathered events that may be refused before an import stops
	chunkTarget = 256 << 10     // bytes of rows handed to a worker at a time
)

// Importer takes events. It answers once the events of the batch are durable, and may be given the same event again:
// it keeps one per message id. Rejections name events that it will never take; the rest of the batch is taken. An error
// means that it is not known which events were taken.
//
// Import is called by several goroutines at a time. The batch must not be kept.
type Importer interface {
	Import(ctx context.Context, batch []json.RawMessage) ([]Rejection, error)
}

// Rejection is one event of a batch that is not acceptable.
type Rejection struct {
	Index  int    // position in the batch
	Reason string // what is wrong, beginning with the field to blame
}
