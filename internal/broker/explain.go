package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// answers are what brokers say, and what to do about it.
var answers = []struct {
	err  error
	code fault.Code
	say  string
}{
	{kerr.SaslAuthenticationFailed, fault.Unauthorized, "the brokers do not accept the user name or the password"},
	{kerr.UnsupportedSaslMechanism, fault.Unauthorized, "the brokers do not offer this way to sign in; choose the mechanism that they have"},
	{kerr.IllegalSaslState, fault.Unauthorized, "the brokers do not expect a sign-in at this port"},
	{kerr.TopicAuthorizationFailed, fault.Forbidden, "the user may not use the topic; the cluster's administrator must allow it"},
	{kerr.GroupAuthorizationFailed, fault.Forbidden, "the user may not use the consumer group; the cluster's administrator must allow it to read and describe it"},
	{kerr.ClusterAuthorizationFailed, fault.Forbidden, "the cluster does not allow this user to do that"},
	{kerr.UnknownTopicOrPartition, fault.NotFound, "the topic does not exist; it is used as soon as it does"},
	{kerr.UnknownTopicID, fault.NotFound, "the topic was deleted"},
	{kerr.InvalidTopicException, fault.Invalid, "the cluster allows no topic of that name"},
	{kerr.NotEnoughReplicas, fault.Unavailable, "too few brokers hold a copy of the topic"},
	{kerr.MessageTooLarge, fault.TooLarge, "the message is over the topic's limit, max.message.bytes"},
}

// Explain says what a failure means and what to do. The code is Unavailable where waiting may help. nil gives nil; a
// fault is given as it is.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return known
	}
	for _, a := range answers {
		if errors.Is(err, a.err) {
			return &fault.Error{Code: a.code, Message: a.say}
		}
	}
	return explainConnection(err)
}

func explainConnection(err error) error {
	say := func(format string, args ...any) error { return fault.New(fault.Unavailable, format, args...) }
	var (
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		host        x509.HostnameError
		alert       tls.AlertError
		record      tls.RecordHeaderError
		name        *net.DNSError
		timeout     net.Error
		closed      *kgo.ErrFirstReadEOF
	)
	switch {
	case errors.As(err, &authority):
		return say("the brokers' certificate is signed by an authority that is not known here; give its certificate as tls.ca")
	case errors.As(err, &host):
		return say("the brokers' certificate is for another name; give it as tls.server_name, or use the address that it names")
	case errors.As(err, &certificate):
		return say("the brokers' certificate is not accepted: %v", certificate.Err)
	case errors.As(err, &alert):
		return say("the brokers ended the making of the TLS connection (%v); do they ask for a certificate of ours?", alert)
	case errors.As(err, &record):
		return say("the brokers do not speak TLS at this port; use another port, or leave tls out")
	case errors.As(err, &name):
		return say("the name %.100s is not known to DNS", name.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return say("nothing listens at the brokers' addresses; are the brokers running?")
	case errors.As(err, &closed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return say("the brokers end the connection at once; do they ask for TLS or a sign-in, or for another one?")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, kgo.ErrRecordTimeout), errors.As(err, &timeout) && timeout.Timeout():
		return say("the brokers do not answer in time; are they overloaded, or is a firewall in between?")
	}
	// The driver's words, on one line, are better than none.
	return say("the brokers cannot be used: %s", strings.Join(strings.Fields(err.Error()), " "))
}
