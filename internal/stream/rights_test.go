package stream

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailorbird/tailorbird/internal/broker/brokertest"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/source"
)

// TestTheRightsOfTheDocumentAreEnough gives a user the ACLs of docs/operations.md, and no other, on a broker that asks for them.
func TestTheRightsOfTheDocumentAreEnough(t *testing.T) {
	t.Parallel()
	b := brokertest.Own(t)
	b.Stop(t)
	settings := filepath.Join(b.Dir, "server.properties")
	text, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\nsuper.users=User:ANONYMOUS\n"...)
	if err := os.WriteFile(settings, text, 0o600); err != nil {
		t.Fatal(err)
	}
	b.Start(t)

	c, err := ParseURL(fmt.Sprintf("kafka://scram:%s@%s?partitions=3&ca=%s", brokertest.Password, b.Secured, url.QueryEscape(filepath.Join(b.Dir, "ca.pem"))))
	if err != nil {
		t.Fatal(err)
	}
	p := produce(t, c)
	d := newDatabase()
	consumer, _ := consume(t, c, d)
	until(t, "what is in the way", func() bool {
		err := p.Ready()
		return err != nil && strings.Contains(err.Error(), "may not use the topic") && strings.Contains(consumer.Status().Problem, "may not use the topic")
	})

	admin := kadm.NewClient(b.Client(t))
	granted := 0
	for _, command := range aclsOfTheDocument(t) {
		builder := kadm.NewACLs().ResourcePatternType(kadm.ACLPatternLiteral).Allow("User:scram").AllowHosts()
		var operations []kadm.ACLOperation
		for _, option := range regexp.MustCompile(`--(operation|topic|group) (\S+)`).FindAllStringSubmatch(command, -1) {
			switch option[1] {
			case "topic":
				builder.Topics(option[2])
			case "group":
				builder.Groups(option[2])
			default:
				operation, err := kmsg.ParseACLOperation(strings.ToUpper(option[2]))
				if err != nil {
					t.Fatal(err)
				}
				operations = append(operations, operation)
			}
			granted++
		}
		results, err := admin.CreateACLs(t.Context(), builder.Operations(operations...))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
		}
	}
	if granted < 8 {
		t.Fatalf("the document grants %d things", granted)
	}
	ready(t, p)
	if err := p.Ingest(t.Context(), []*event.Event{track("u", 1), track("u", 2)}); err != nil {
		t.Fatal(err)
	}
	until(t, "the events", func() bool { return d.size() == 2 })
	until(t, "the lag", func() bool {
		s := consumer.Status()
		lag, known := s.Lag()
		return s.State == source.Running && len(s.Partitions) == 3 && known && lag == 0
	})
	until(t, "offsets in Kafka", func() bool {
		kept, err := admin.FetchOffsets(t.Context(), c.Group)
		return err == nil && kept.Error() == nil && len(kept[c.Topic]) > 0
	})
}

func aclsOfTheDocument(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^kafka-acls\.sh .*$`).FindAllString(string(text), -1)
}
