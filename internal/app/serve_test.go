package app

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// Nothing says that it listens while one of the addresses is taken.
func TestNothingBeginsWhereAnAddressIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for option, config := range map[string]Config{
		"--listen":         {Listen: taken.Addr().String(), Metrics: "127.0.0.1:0"},
		"--metrics-listen": {Listen: "127.0.0.1:0", Metrics: taken.Addr().String()},
	} {
		config.DataDir, config.Log = t.TempDir(), slog.New(slog.DiscardHandler)
		config.Ready = func(url string) { t.Errorf("%s: it is ready at %s", option, url) }
		config.DatabaseURL = storetest.Database(t, config.DataDir)
		_, err := Open(t.Context(), config)
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), taken.Addr().String()) || !strings.Contains(err.Error(), "with "+option+":") {
			t.Errorf("%s: %v", option, err)
		}
	}
}

// Who stops it at once does so in good order.
func TestServingThatIsStoppedAtOnceHasNotFailed(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(t.Context(), Config{DataDir: dir, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler), DatabaseURL: storetest.Database(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := a.Serve(ctx); err != nil {
		t.Error(err)
	}
}
