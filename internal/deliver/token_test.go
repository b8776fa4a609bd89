package deliver

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/internal/fault"
)

func testTokens(t testing.TB) *Tokens {
	tokens, err := NewTokens(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func TestTokensComeBackAndAreBoundToTheirKind(t *testing.T) {
	tokens := testTokens(t)
	for _, kind := range []LinkKind{OpenLink, ClickLink, UnsubscribeLink} {
		for _, message := range []int64{0, 1, 1 << 40, -1} {
			for _, url := range []string{"", "https://shop.example/?a=ü&b=2#x"} {
				token := tokens.Seal(kind, message, url)
				if strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
					t.Fatalf("token %q", token)
				}
				if m, u, err := tokens.Parse(kind, token); err != nil || m != message || u != url {
					t.Errorf("%c %d %q came back as %d %q %v", kind, message, url, m, u, err)
				}
				if token != tokens.Seal(kind, message, url) {
					t.Error("a link's token changes")
				}
				for _, other := range []LinkKind{OpenLink, ClickLink, UnsubscribeLink} {
					if _, _, err := tokens.Parse(other, token); (err == nil) != (other == kind) {
						t.Errorf("a token of %c read as %c: %v", kind, other, err)
					}
				}
			}
		}
	}
	if strings.Contains(tokens.Seal(ClickLink, 1, "https://shop.example"), "shop") {
		t.Error("the destination can be read")
	}
	if _, err := NewTokens([]byte("short")); err == nil {
		t.Error("a short key is taken")
	}
}

func TestAnyChangeBreaksAToken(t *testing.T) {
	tokens := testTokens(t)
	token := tokens.Seal(ClickLink, 42, "https://shop.example/p")
	for i := range token {
		for range 8 {
			changed := []byte(token)
			changed[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[rand.IntN(64)]
			if string(changed) == token {
				continue
			}
			if _, _, err := tokens.Parse(ClickLink, string(changed)); fault.CodeOf(err) != fault.NotFound {
				t.Fatalf("%s is taken", changed)
			}
		}
		if _, _, err := tokens.Parse(ClickLink, token[:i]); err == nil {
			t.Fatalf("%s is taken", token[:i])
		}
	}
	other, _ := NewTokens(bytes.Repeat([]byte{8}, 32))
	if _, _, err := other.Parse(ClickLink, token); err == nil {
		t.Error("another key reads it")
	}
}

func FuzzParseToken(f *testing.F) {
	tokens := testTokens(f)
	known := tokens.Seal(ClickLink, 42, "https://shop.example/p")
	f.Add(known)
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		if _, _, err := tokens.Parse(ClickLink, token); err == nil && token != known {
			t.Errorf("%q is taken", token)
		}
	})
}
