package deliver

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-smtp"
)

// Envelope is what the mail server acts upon.
type Envelope struct {
	From string // receives bounces
	To   string
}

// Transport hands a message to a mail server. beforeDot is called exactly once, after the whole message was written
// and before the line that makes the server responsible for it; an error from it abandons the message. Send may be
// called from several goroutines.
type Transport interface {
	Send(ctx context.Context, envelope Envelope, raw []byte, beforeDot func() error) Result
	Close() error
}

// Verdict is what became of a message that was handed over.
type Verdict string

// The verdicts.
const (
	Accepted Verdict = "accepted" // the server is responsible for it now
	Deferred Verdict = "deferred" // 4xx, or no connection: not accepted, worth another attempt
	Refused  Verdict = "refused"  // 5xx: not accepted, and never will be
	InDoubt  Verdict = "in_doubt" // the connection was lost while the server decided
	Withheld Verdict = "withheld" // beforeDot failed: abandoned, Cause says why
)

// Result is a verdict with what the server said.
type Result struct {
	Verdict  Verdict
	Code     int    // of the reply, 0 where there was none
	Text     string // the reply with its enhanced code, or what failed
	BadInbox bool   // Refused because of the recipient's address: it should get no more mail
	Cause    error  // of Withheld
}

// stage is how far a conversation had come.
type stage int

const (
	connecting stage = iota
	sender
	recipient
	content
	decision
)

// judge turns a failed step of the conversation into a result. A permanent refusal of us (the login, our address) is
// deferred: that is for the operator to mend, and no fault of the message.
func judge(at stage, err error) Result {
	var reply *smtp.SMTPError
	if !errors.As(err, &reply) {
		verdict := Deferred
		if at == decision {
			verdict = InDoubt
		}
		return Result{Verdict: verdict, Text: err.Error()}
	}
	r := Result{Verdict: Deferred, Code: reply.Code, Text: replyText(reply)}
	if reply.Code >= 500 && at >= recipient {
		r.Verdict = Refused
		r.BadInbox = badInbox(at, reply)
	}
	return r
}

// badInbox reads the enhanced status code (RFC 3463): class 1 is the address, 2.1 a disabled mailbox. Without one, a
// refusal at the recipient is taken to be about the recipient.
func badInbox(at stage, reply *smtp.SMTPError) bool {
	switch code := reply.EnhancedCode; {
	case code[0] != 5:
		return at == recipient && (reply.Code == 550 || reply.Code == 551 || reply.Code == 553)
	case code[1] == 1:
		return code[2] != 7 && code[2] != 8 // those are about the sender's address
	default:
		return code[1] == 2 && code[2] == 1
	}
}

func replyText(reply *smtp.SMTPError) string {
	if reply.EnhancedCode[0] <= 0 {
		return fmt.Sprintf("%d %s", reply.Code, reply.Message)
	}
	return fmt.Sprintf("%d %d.%d.%d %s", reply.Code, reply.EnhancedCode[0], reply.EnhancedCode[1], reply.EnhancedCode[2], reply.Message)
}
