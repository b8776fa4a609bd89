package access

import (
	"context"
	"time"
)

// Request is one that its caller may send again, under a name of the caller's choice.
type Request struct {
	KeyID       int64
	Name        string
	Fingerprint Hash // of all that it asks for
	At          time.Time
}

// RequestState is what is known of a Request.
type RequestState int

// The states.
const (
	Begun     RequestState = iota // it is new: whoever asked shall work on it, and then end it
	InFlight                      // somebody works on it
	Answered                      // it was answered
	Different                     // the name is that of another request
)

// Requests keeps what was answered to requests, so that each is carried out once.
type Requests interface {
	// BeginRequest notes a request, unless it is known; with Answered comes the answer. Requests noted before forgotten are
	// forgotten, and so are those before givenUp that were never ended: the process has gone.
	BeginRequest(ctx context.Context, r Request, forgotten, givenUp time.Time) (RequestState, []byte, error)
	// EndRequest keeps the answer; nil forgets the request, which may then be made again.
	EndRequest(ctx context.Context, r Request, answer []byte) error
}
