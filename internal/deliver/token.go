package deliver

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// LinkKind is what a link in a mail does.
type LinkKind byte

// The kinds of links.
const (
	OpenLink        LinkKind = 'o' // the pixel
	ClickLink       LinkKind = 'c' // a redirect
	UnsubscribeLink LinkKind = 'u'
)

// Tokens makes and reads the tokens in links. A token carries the message, and for a click the destination, sealed: it
// cannot be read, guessed or changed without the key, and a redirect goes only where we once sent somebody. The same
// link always has the same token, and tokens do not expire.
//
// The construction is that of SIV mode (RFC 5297): the tag, HMAC-SHA256 cut to 16 bytes over kind and content, is also
// the counter block with which AES-CTR hides the content.
type Tokens struct {
	tagKey []byte
	block  cipher.Block
}

const (
	tagSize     = 16
	maxTokenURL = 4096
)

// NewTokens takes the secret key, 32 bytes or more.
func NewTokens(key []byte) (*Tokens, error) {
	if len(key) < 32 {
		return nil, fault.New(fault.Internal, "the link key is too short")
	}
	block, err := aes.NewCipher(derive(key, "link content"))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the link key cannot be used")
	}
	return &Tokens{tagKey: derive(key, "link tag"), block: block}, nil
}

func derive(key []byte, purpose string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// Seal makes a token. url is for ClickLink only.
func (t *Tokens) Seal(kind LinkKind, message int64, url string) string {
	token := make([]byte, tagSize+8+len(url))
	content := token[tagSize:]
	binary.BigEndian.PutUint64(content, uint64(message))
	copy(content[8:], url)
	copy(token, t.tag(kind, content))
	cipher.NewCTR(t.block, token[:tagSize]).XORKeyStream(content, content)
	return base64.RawURLEncoding.EncodeToString(token)
}

// Parse reads a token of the kind: the message, and a click's destination. Anything else is NotFound.
func (t *Tokens) Parse(kind LinkKind, token string) (message int64, url string, err error) {
	unknown := fault.New(fault.NotFound, "this link is not one of ours, or was cut off")
	if len(token) > base64.RawURLEncoding.EncodedLen(tagSize+8+maxTokenURL) {
		return 0, "", unknown
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < tagSize+8 {
		return 0, "", unknown
	}
	content := b[tagSize:]
	cipher.NewCTR(t.block, b[:tagSize]).XORKeyStream(content, content)
	if !hmac.Equal(b[:tagSize], t.tag(kind, content)) {
		return 0, "", unknown
	}
	return int64(binary.BigEndian.Uint64(content)), string(content[8:]), nil
}

func (t *Tokens) tag(kind LinkKind, content []byte) []byte {
	mac := hmac.New(sha256.New, t.tagKey)
	mac.Write([]byte{byte(kind)})
	mac.Write(content)
	return mac.Sum(nil)[:tagSize]
}

// Links makes the links of one message. It implements content.Links.
type Links struct {
	tokens  *Tokens
	base    string
	message int64
}

// Links gives the links of a message under the public URL base, which has no slash at its end.
func (t *Tokens) Links(base string, message int64) *Links {
	return &Links{tokens: t, base: base, message: message}
}

// Click is the redirect to url. One too long for a link is left as it is, untracked.
func (l *Links) Click(url string) string {
	if len(url) > maxTokenURL {
		return url
	}
	return l.base + "/c/" + l.tokens.Seal(ClickLink, l.message, url)
}

// Pixel is the picture whose loading means that the mail was opened.
func (l *Links) Pixel() string {
	return l.base + "/o/" + l.tokens.Seal(OpenLink, l.message, "") + ".gif"
}

// Unsubscribe is the page and one-click endpoint that ends the mailings.
func (l *Links) Unsubscribe() string {
	return l.base + "/u/" + l.tokens.Seal(UnsubscribeLink, l.message, "")
}
