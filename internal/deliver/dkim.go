package deliver

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Key signs the mail of one domain (DKIM, RFC 6376).
type Key struct {
	Domain   string
	Selector string
	private  *rsa.PrivateKey
}

// Keys finds the key of a sending domain, making it on first use. Signing without a key is not foreseen.
type Keys interface {
	SigningKey(ctx context.Context, domain string) (*Key, error)
}

// KeyBits is the size that mailbox providers ask for.
const KeyBits = 2048

// GenerateKey makes a key from random.
func GenerateKey(random io.Reader, domain, selector string) (*Key, error) {
	private, err := rsa.GenerateKey(random, KeyBits)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the signing key cannot be made")
	}
	return &Key{Domain: domain, Selector: selector, private: private}, nil
}

// PEM is the private key as PKCS #8.
func (k *Key) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the signing key cannot be written")
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// ParseKey reads what PEM wrote.
func ParseKey(domain, selector string, text []byte) (*Key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fault.New(fault.Invalid, "the signing key of %s is not PEM", domain)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the signing key of %s cannot be read", domain)
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fault.New(fault.Invalid, "the signing key of %s is not an RSA key", domain)
	}
	return &Key{Domain: domain, Selector: selector, private: private}, nil
}

// RecordName is where the public key is published in DNS.
func (k *Key) RecordName() string { return k.Selector + "._domainkey." + k.Domain }

// Record is the TXT record to publish there. Its text is longer than the 255 bytes of one DNS string; DNS panels split
// it by themselves.
func (k *Key) Record() (string, error) {
	der, err := x509.MarshalPKIXPublicKey(&k.private.PublicKey)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "the public key cannot be written")
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der), nil
}

// signedHeaders are the fields that the signature covers. A field named once more than it occurs cannot be added
// without breaking the signature: From and what recipients act upon are named so ("oversigned").
var signedHeaders = []string{
	"From", "From", "Reply-To", "Reply-To", "To", "To", "Subject", "Subject", "Date", "Date", "Message-ID", "Message-ID",
	"MIME-Version", "Content-Type", "Content-Type", "List-Unsubscribe", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Unsubscribe-Post", "Feedback-ID",
}

// Sign puts a DKIM signature before a composed message: relaxed/relaxed, so that it survives re-folding, and over the
// whole body.
func (k *Key) Sign(raw []byte) ([]byte, error) {
	signer, err := dkim.NewSigner(&dkim.SignOptions{
		Domain: k.Domain, Selector: k.Selector, Signer: k.private,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		HeaderKeys: signedHeaders,
	})
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the message cannot be signed")
	}
	if _, err := signer.Write(raw); err != nil {
		_ = signer.Close()
		return nil, fault.Wrap(fault.Internal, err, "the message cannot be signed")
	}
	if err := signer.Close(); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the message cannot be signed")
	}
	return append([]byte(signer.Signature()), raw...), nil
}

// The verdicts on a mail's signature.
const (
	DKIMPass = "pass"
	DKIMFail = "fail"
	DKIMNone = "none"
)

// Verify checks the signatures of a mail. lookup gives the TXT records of a name; nil asks DNS.
func Verify(raw []byte, lookup func(name string) ([]string, error)) string {
	found, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: lookup, MaxVerifications: 5})
	if err != nil && len(found) == 0 {
		return DKIMFail
	}
	verdict := DKIMNone
	for _, v := range found {
		if v.Err == nil {
			return DKIMPass
		}
		verdict = DKIMFail
	}
	return verdict
}
