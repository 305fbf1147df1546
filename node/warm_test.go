package node_test

import (
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/vm/wasmtest"
)

// A node compiles its contracts without being asked anything: for blocks at genesis, and for
// views, which need other code, right after.
func TestWarm(t *testing.T) {
	m := wasmtest.New()
	m.Export(abi.ExportCall)
	home := filepath.Join(t.TempDir(), "home")
	operator := key(t, 1).Public()
	_, err := node.Init(home, node.InitOptions{
		Chain: "node-test", Operator: operator.Address(),
		Accounts:  []genesis.Account{{Key: operator.Bytes, QuotaPerHour: 1 << 50, Scope: genesis.Everything()}},
		Contracts: []genesis.Contract{{Name: "quiet", Code: m.Bytes(), Admin: operator.Address()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	opened(t, config(t, home))
	deadline := time.Now().Add(20 * time.Second)
	for compiled(t, home) < 2 {
		if time.Now().After(deadline) {
			t.Fatalf("%d modules are compiled, want one for blocks and one for views", compiled(t, home))
		}
		<-time.After(10 * time.Millisecond)
	}
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
