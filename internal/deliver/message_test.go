package deliver

import (
	"bytes"
	"crypto/rand"
	"io"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/tailorbird/tailorbird/internal/fault"
)

var testKey = sync.OnceValue(func() *Key {
	key, err := GenerateKey(rand.Reader, "shop.example", "tb1")
	if err != nil {
		panic(err)
	}
	return key
})

func testMessage() Message {
	return Message{
		ID: "m1abc", From: Address{Name: "Shöp, the \"best\"", Email: "news@shop.example"}, ReplyTo: Address{Email: "help@shop.example"},
		To: "ada@customer.example", Subject: "Grüße — " + strings.Repeat("long ", 40) + "🎉",
		HTML: "<p>" + strings.Repeat("A very long line. ", 200) + "</p>\n.\n..dots\n<p>Ünïcode</p>", Text: "Hello\n.\nFrom here\r\nend = \n",
		Date: time.Date(2011, 12, 10, 9, 0, 0, 0, time.UTC), Unsubscribe: "https://t.example/u/" + strings.Repeat("x", 300), FeedbackID: "spring::broadcast:tailorbird",
	}
}

func TestComposedMessageFollowsTheRules(t *testing.T) {
	raw, err := Compose(testMessage())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) || bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\r")) {
		t.Error("a bare line feed or carriage return")
	}
	for _, line := range bytes.Split(raw, []byte("\r\n")) {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes", len(line))
		}
		for _, c := range line {
			if c > 0x7e {
				t.Fatalf("a byte beyond ASCII in %q", line)
			}
		}
	}
	again, _ := Compose(testMessage())
	if !bytes.Equal(raw, again) {
		t.Error("composing twice differs")
	}
	// The standard library's parser is the independent reader.
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Message-Id": "<m1abc@shop.example>", "To": "<ada@customer.example>", "Date": "Sat, 10 Dec 2011 09:00:00 +0000",
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "List-Unsubscribe": "<" + testMessage().Unsubscribe + ">", "Mime-Version": "1.0",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	from, err := m.Header.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Name != testMessage().From.Name || from[0].Address != "news@shop.example" {
		t.Errorf("From: %v %v", from, err)
	}
	read, err := ReadMail(raw, nil)
	if err != nil || read.Subject != testMessage().Subject || read.DKIM != DKIMNone {
		t.Errorf("read back: %v, subject %q, dkim %s", err, read.Subject, read.DKIM)
	}
	lf := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
	if lf(read.HTML) != lf(testMessage().HTML) || lf(read.Text) != lf(testMessage().Text) {
		t.Errorf("bodies changed: %q %q", read.HTML, read.Text)
	}
}

func TestNoHeaderCanBeInjected(t *testing.T) {
	const evil = "x\r\nBcc: victim@example.com"
	for field, change := range map[string]func(*Message){
		"id": func(m *Message) { m.ID = evil }, "from": func(m *Message) { m.From.Name = evil }, "reply_to": func(m *Message) { m.ReplyTo.Email = evil },
		"to": func(m *Message) { m.To = evil }, "subject": func(m *Message) { m.Subject = evil }, "unsubscribe": func(m *Message) { m.Unsubscribe = evil },
		"feedback_id": func(m *Message) { m.FeedbackID = "a\nb" },
	} {
		m := testMessage()
		change(&m)
		_, err := Compose(m)
		if fault.CodeOf(err) != fault.Invalid || fault.All(err)[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func lookup(key *Key) func(string) ([]string, error) {
	return func(name string) ([]string, error) {
		record, err := key.Record()
		if name != key.RecordName() {
			return nil, nil
		}
		return []string{record}, err
	}
}

func TestSignatureVerifiesAndCoversWhatMatters(t *testing.T) {
	raw, err := Compose(testMessage())
	if err != nil {
		t.Fatal(err)
	}
	pem, err := testKey().PEM()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParseKey("shop.example", "tb1", pem)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := key.Sign(raw)
	if err != nil {
		t.Fatal(err)
	}
	found, err := dkim.VerifyWithOptions(bytes.NewReader(signed), &dkim.VerifyOptions{LookupTXT: lookup(testKey())})
	if err != nil || len(found) != 1 || found[0].Err != nil || found[0].Domain != "shop.example" {
		t.Fatalf("verification: %v %+v", err, found)
	}
	covered := " " + strings.ToLower(strings.Join(found[0].HeaderKeys, "  ")) + " "
	for _, twice := range []string{" from ", " subject ", " to ", " date ", " list-unsubscribe ", " list-unsubscribe-post "} {
		if strings.Count(covered, twice) != 2 {
			t.Errorf("%sis not oversigned: %s", twice, covered)
		}
	}
	if signature := string(signed[:len(signed)-len(raw)]); strings.Contains(signature, " l=") || !strings.Contains(signature, "c=relaxed/relaxed") {
		t.Errorf("signature %s", signature)
	}
	for change, spoil := range map[string]string{
		"second From":        "From: evil@evil.example\r\n" + string(signed),
		"other unsubscribe":  strings.Replace(string(signed), "https://t.example/u/", "https://e.example/u/", 1),
		"no one-click":       strings.Replace(string(signed), "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", "", 1),
		"second unsubscribe": "List-Unsubscribe: <https://evil.example>\r\n" + string(signed),
		"text after the end": string(signed) + "more\r\n",
		"another subject":    "Subject: evil\r\n" + string(signed),
	} {
		if got := Verify([]byte(spoil), lookup(key)); got != DKIMFail {
			t.Errorf("%s: %s", change, got)
		}
	}
	// Relaxed: white space and folding may change on the way.
	refolded := strings.Replace(string(signed), "To: <ada@customer.example>", "To:\r\n   <ada@customer.example>  ", 1)
	if got := Verify([]byte(refolded), lookup(key)); refolded == string(signed) || got != DKIMPass {
		t.Errorf("after re-folding: %s", got)
	}
	if key.private.N.BitLen() != 2048 {
		t.Errorf("%d bits", key.private.N.BitLen())
	}
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string]Address{
		"Shop <News@Shop.Example>":        {"Shop", "news@shop.example"},
		"ada@example.com":                 {"", "ada@example.com"},
		`"Last, First" <a.b+c@x.example>`: {"Last, First", "a.b+c@x.example"},
		"ada@münchen.example":             {"", "ada@xn--mnchen-3ya.example"},
	} {
		if got, err := ParseAddress(in); err != nil || got != want {
			t.Errorf("%s: %v %v", in, got, err)
		}
	}
	for _, bad := range []string{
		"", "ada", "@x.example", "ada@", "a b@x.example", "a@x.example, b@x.example", "a@x.example\r\nBcc: b@x.example",
		"ada@nodot", strings.Repeat("a", 250) + "@x.example", "jürgen@x.example", "a@-x-.example", "a@x..example",
	} {
		if got, err := ParseAddress(bad); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q became %v, %v", bad, got, err)
		}
	}
}

func FuzzReadMail(f *testing.F) {
	raw, _ := Compose(testMessage())
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = ReadMail(raw, func(string) ([]string, error) { return nil, io.EOF })
	})
}

func BenchmarkSign(b *testing.B) {
	raw, _ := Compose(testMessage())
	for b.Loop() {
		if _, err := testKey().Sign(raw); err != nil {
			b.Fatal(err)
		}
	}
}
