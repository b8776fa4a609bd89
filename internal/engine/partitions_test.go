package engine_test

import (
	"testing"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// TestNodesAgreeOnTablesThatAreSplit is what nodes that are told about the same customers do, where the tables of customers are
// partitions by hash.
func TestNodesAgreeOnTablesThatAreSplit(t *testing.T) {
	t.Setenv(storetest.PartsVariable, "3")
	f := startNodesAt(t, storetest.Postgres(t), 3, func(int, *engine.Config) {})
	nodesAgree(t, f, func(_, node int, e *event.Event) error { return f.nodes[node].Ingest(t.Context(), only(e)) })
}
