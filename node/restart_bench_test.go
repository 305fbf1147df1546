package node_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
)

// BenchmarkRestart measures how long it takes a node with 20 contracts in plain Go to be ready for all of them, with their
// compiled code in the cache: up-ms until it serves, op until every contract is ready. They are the standard contracts, five
// times each, made distinct in what is compiled.
func BenchmarkRestart(b *testing.B) {
	var contracts []genesis.Contract
	for _, name := range []string{"access", "authority", "devices", "energy"} {
		wasm := plainGo(b, filepath.Join("..", "contracts", name))
		for n := range uint64(5) {
			contracts = append(contracts, genesis.Contract{
				Name: fmt.Sprintf("%s-%d", name, n), Code: distinct(b, wasm, n), Admin: key(b, 1).Public().Address(),
			})
		}
	}
	home := homeWith(b, contracts...)
	start := func() (n *node.Node, up time.Duration) {
		began := time.Now()
		n, err := node.New(b.Context(), config(b, home))
		if err != nil {
			b.Fatal(err)
		}
		up = time.Since(began)
		for c := n.Condition().Contracts; c.Ready < len(contracts); c = n.Condition().Contracts {
			<-time.After(time.Millisecond)
		}
		return n, up
	}
	stop := func(n *node.Node) {
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
	}
	n, _ := start() // compiles
	stop(n)
	var total time.Duration
	for b.Loop() {
		n, up := start()
		total += up
		b.StopTimer()
		stop(n)
		b.StartTimer()
	}
	b.ReportMetric(float64(total.Milliseconds())/float64(b.N), "up-ms")
}

// plainGo builds a contract, without its spec, so that none wants arguments for its init.
func plainGo(t testing.TB, folder string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "contract.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./"+folder)
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// distinct adds a global that nothing uses to a module. It must not be data, or custom: the engine compiles neither.
func distinct(t testing.TB, wasm []byte, n uint64) []byte {
	t.Helper()
	const header, globals = 8, 6
	for at := header; at < len(wasm); {
		size, width := binary.Uvarint(wasm[at+1:])
		start := at + 1 + width
		end := start + int(size)
		if wasm[at] == globals {
			count, width := binary.Uvarint(wasm[start:])
			body := binary.AppendUvarint(nil, count+1)
			body = append(body, wasm[start+width:end]...)
			body = append(body, 0x7e, 0, 0x42, byte(n), 0x0b) // an i64 that never changes
			out := append(append([]byte{}, wasm[:at]...), globals)
			out = binary.AppendUvarint(out, uint64(len(body)))
			return append(append(out, body...), wasm[end:]...)
		}
		at = end
	}
	t.Fatal("the module has no globals")
	return nil
}
