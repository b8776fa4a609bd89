package brokertest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
)

// RegistryUser is who may use the registry, with Password.
const RegistryUser = "reader"

// Registry is a running schema registry.
type Registry struct {
	URL string // of the API of Confluent's
	Dir string
}

// SharedRegistry is a registry that all tests of a package share, each with subjects of its own. The package's TestMain
// calls Main.
func SharedRegistry(t testing.TB) *Registry {
	t.Helper()
	return sharedRegistry.get(t)
}

// Add registers a schema, which may refer to those that are there, as the next version of a subject, and gives its id.
func (r *Registry) Add(t testing.TB, subject string, schema sr.Schema) int {
	t.Helper()
	client, err := sr.NewClient(sr.URLs(r.URL), sr.BasicAuth(RegistryUser, Password))
	if err != nil {
		t.Fatal(err)
	}
	id, err := client.RegisterSchema(t.Context(), subject, schema, -1, -1)
	if err != nil {
		t.Fatalf("schema of %s: %v", subject, err)
	}
	return id
}

func startRegistry() (*Registry, error) {
	said, err := registry.start()
	if err != nil {
		return nil, err
	}
	return &Registry{URL: said["TAILORBIRD_TEST_REGISTRY"], Dir: said["TAILORBIRD_TEST_REGISTRY_DIR"]}, nil
}
