package node_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/api"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/vm/wasmtest"
)

// small is a contract that returns from every call; no two are alike.
func small(n int32) []byte {
	m := wasmtest.New()
	m.Export(abi.ExportCall, wasmtest.I32(n), wasmtest.Drop)
	return m.Bytes()
}

// homeWith is the home of a new chain with contracts, and an operator that may do everything.
func homeWith(t testing.TB, contracts ...genesis.Contract) string {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	operator := key(t, 1).Public()
	_, err := node.Init(home, node.InitOptions{
		Chain: "node-test", Operator: operator.Address(), Contracts: contracts,
		Accounts: []genesis.Account{{Key: operator.Bytes, QuotaPerHour: 1 << 50, Scope: genesis.Everything()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return home
}

// A node makes its contracts ready without being asked anything, when its chain begins and again after each start, and
// says how far it is.
func TestWarm(t *testing.T) {
	var contracts []genesis.Contract
	for n := range int32(5) {
		contracts = append(contracts, genesis.Contract{Name: fmt.Sprintf("quiet-%d", n), Code: small(n), Admin: key(t, 1).Public().Address()})
	}
	home := homeWith(t, contracts...)
	want := api.Readiness{Ready: 5, Of: 5}
	for _, start := range []string{"the first start", "a restart"} {
		var log lines
		c := config(t, home)
		c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		n, err := node.New(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		deadline := time.Now().Add(patience)
		for n.Condition().Contracts != want {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %+v, want %+v", start, n.Condition().Contracts, want)
			}
			<-time.After(time.Millisecond)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		for message, times := range map[string]int{"making contracts ready": 1, "contract is ready": 5, "contracts are ready": 1} {
			if got := log.count(message); got < times {
				t.Errorf("%s: the log says %q %d times, want %d", start, message, got, times)
			}
		}
		if got := compiled(t, home); got != 5 {
			t.Errorf("%s: %d modules are in the cache, want 5", start, got)
		}
	}
}

// lines is a log that tests look into.
type lines struct {
	mu  sync.Mutex
	all [][]byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, bytes.Clone(b))
	return len(b), nil
}

// count is how many lines have a message.
func (l *lines) count(message string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		var entry struct{ Msg string }
		if json.Unmarshal(line, &entry) == nil && entry.Msg == message {
			n++
		}
	}
	return n
}

// compiled counts the files in the home's cache.
func compiled(t testing.TB, home string) (files int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(home, "cache"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
