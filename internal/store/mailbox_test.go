package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/fault"
)

func TestMailboxLists(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	outbox := NewOutbox(s)
	mailbox := NewMailbox(s, func() time.Time { return sendingDay })
	var public []string
	for i := range 5 {
		campaign := fmt.Sprint("c", i%2)
		to := fmt.Sprintf("p%d@x.example", i)
		id, err := outbox.EnqueueTest(ctx, campaign, 0, to, sendingDay)
		if err != nil {
			t.Fatal(err)
		}
		public = append(public, s.PublicID(MessageKind, id))
		raw, err := deliver.Compose(deliver.Message{ID: public[i], From: deliver.Address{Name: "Shöp", Email: "news@shop.example"}, To: to, Subject: "Grüße " + to, HTML: "<p>x</p>", Text: "x", Date: sendingDay})
		if err != nil {
			t.Fatal(err)
		}
		if err := mailbox.Put(ctx, "news@shop.example", strings.ToUpper(to[:1])+to[1:], raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := mailbox.Put(ctx, "x@y.example", "p0@x.example", []byte("not a mail")); err != nil {
		t.Fatal(err)
	}
	subjects := func(to, campaign string, limit int) string {
		t.Helper()
		var got []string
		for cursor := ""; ; {
			list, next, err := s.Mails(ctx, to, campaign, cursor, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range list {
				got = append(got, m.Subject)
			}
			if cursor = next; next == "" {
				return strings.Join(got, ", ")
			}
		}
	}
	for _, c := range []struct{ to, campaign, want string }{
		{"", "", ", Grüße p4@x.example, Grüße p3@x.example, Grüße p2@x.example, Grüße p1@x.example, Grüße p0@x.example"},
		{"P3@x.example", "", "Grüße p3@x.example"},
		{"", "c1", "Grüße p3@x.example, Grüße p1@x.example"},
		{"p1@x.example", "c1", "Grüße p1@x.example"},
		{"p1@x.example", "c0", ""},
	} {
		if got := subjects(c.to, c.campaign, 2); got != c.want {
			t.Errorf("%s %s: %s", c.to, c.campaign, got)
		}
	}
	list, _, err := s.Mails(ctx, "p3@x.example", "", "", 1)
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v %v", list, err)
	}
	m, err := s.Mail(ctx, list[0].ID)
	if err != nil || m.MessageID != public[3] || m.Campaign != "c1" || m.From != "Shöp <news@shop.example>" || !m.ReceivedAt.Equal(sendingDay) || !strings.Contains(string(m.Raw), "Message-Id: <"+public[3]+"@shop.example>") {
		t.Errorf("%+v %v", m, err)
	}
	for _, bad := range []string{"", "nonsense", s.PublicID(MessageKind, 1), s.PublicID(MailKind, 99)} {
		if _, err := s.Mail(ctx, bad); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, _, err := s.Mails(ctx, "", "", "nonsense", 1); fault.CodeOf(err) != fault.Invalid {
		t.Error(err)
	}
}
