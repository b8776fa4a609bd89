package store

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/source"
)

func TestQuarantine(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	message := func(of string, partition int32, offset int64) source.Quarantined {
		return source.Quarantined{Source: of, Size: 9, Reason: "wrong", At: at, Attempts: 1, Message: source.Message{
			Topic: "t", TopicID: "x", Partition: partition, Offset: offset, Key: []byte{0xff}, Value: []byte{}, Headers: map[string]string{"h": "v"}, Timestamp: at,
		}}
	}
	first := []source.Quarantined{message("a", 0, 1), message("a", 1, 1), message("b", 0, 1)}
	again := message("a", 0, 1)
	again.Reason = "another"
	if err := s.Quarantine(t.Context(), append(first, again)); err != nil {
		t.Fatal(err)
	}
	list, next, err := s.Quarantined(t.Context(), "a", "", 1)
	if err != nil || len(list) != 1 || next == "" {
		t.Fatal(list, next, err)
	}
	want := first[0]
	want.ID = list[0].ID
	if !reflect.DeepEqual(list[0], want) {
		t.Errorf(" got %+v\nwant %+v", list[0], want)
	}
	if list, next, err = s.Quarantined(t.Context(), "a", next, 1); err != nil || len(list) != 1 || next != "" || list[0].Message.Partition != 1 {
		t.Error(list, next, err)
	}
	if list, _, err = s.Quarantined(t.Context(), "", "", 10); err != nil || len(list) != 3 {
		t.Error(list, err)
	}
	public := s.PublicQuarantineID(want.ID)
	if err := s.NoteAttempt(t.Context(), want.ID, "still wrong"); err != nil {
		t.Fatal(err)
	}
	if q, err := s.QuarantinedMessage(t.Context(), public); err != nil || q.Reason != "still wrong" || q.Attempts != 2 {
		t.Error(q, err)
	}
	if err := s.DropQuarantined(t.Context(), want.ID); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{public, "nonsense", s.PublicID(MessageKind, want.ID)} {
		if _, err := s.QuarantinedMessage(t.Context(), id); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s: %v", id, err)
		}
	}
	if n, err := s.QuarantineSize(t.Context(), "a"); n != 1 || err != nil {
		t.Error(n, err)
	}
	if n, err := s.Discard(t.Context(), "b"); n != 1 || err != nil {
		t.Error(n, err)
	}
}

func TestNamedSecretsAreSealed(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const value = "correct horse battery staple"
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := s.SetNamedSecret(t.Context(), "kafka", "an earlier one", "ada", at); err != nil {
		t.Fatal(err)
	}
	if err := s.SetNamedSecret(t.Context(), "kafka", value, "ada", at); err != nil {
		t.Fatal(err)
	}
	if got, err := s.NamedSecret(t.Context(), "kafka"); got != value || err != nil {
		t.Error(got, err)
	}
	if list, err := s.NamedSecrets(t.Context()); err != nil || len(list) != 1 || list[0].Name != "kafka" || list[0].SetBy != "ada" || !list[0].SetAt.Equal(at) {
		t.Error(list, err)
	}
	err = s.View(t.Context(), func(c *Conn) error {
		return c.Query(`SELECT value FROM named_secrets`, nil, func(r Row) error {
			if bytes.Contains(r.Bytes(0), []byte("horse")) {
				t.Error("the secret stands in the database as it is")
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
	if err := s.DeleteNamedSecret(t.Context(), "kafka"); err != nil {
		t.Error(err)
	}
	if err := s.DeleteNamedSecret(t.Context(), "kafka"); fault.CodeOf(err) != fault.NotFound {
		t.Error(err)
	}
}
