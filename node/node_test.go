package node_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/app"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/tx"
)

// key is the n-th key of these tests.
func key(t testing.TB, n byte) *tx.SecretKey {
	t.Helper()
	k, err := tx.NewEd25519(bytes.Repeat([]byte{n}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

const accounts = 8

// newHome is the home of a new chain with a few accounts and no contract: what is sent to
// "nobody" is executed, fails, and leaves a receipt and a `refused` event.
func newHome(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home")
	o := node.InitOptions{Chain: "node-test", Operator: key(t, 1).Public().Address()}
	for n := range byte(accounts) {
		o.Accounts = append(o.Accounts, genesis.Account{
			Key: key(t, n+1).Public().Bytes, QuotaPerHour: 1 << 50, Scope: genesis.Everything(),
		})
	}
	if _, err := node.Init(dir, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

// config listens on any port of this machine, and speaks up only about errors.
func config(t testing.TB, home string) node.Config {
	return node.Config{
		Home: home, HTTP: "127.0.0.1:0", P2P: "127.0.0.1:0", RPC: node.None, Rate: -1,
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}

func opened(t testing.TB, c node.Config) *node.Node {
	t.Helper()
	n, err := node.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// knock is a transaction of key n.
func knock(t testing.TB, n byte, sequence uint64) []byte {
	t.Helper()
	raw, err := tx.Sign(&tx.Tx{
		Chain: "node-test", Sequence: sequence, GasLimit: 1_000_000, Contract: "nobody", Method: "knock", Args: []byte{0xa0},
	}, key(t, n))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// answer is what the HTTP surface says of a transaction.
type answer struct {
	HTTP   int `json:"-"` // its status
	ID     string
	Height uint64
	Time   int64
	Code   string // of the receipt
	Error  struct {
		Code   string
		Reason string
	}
}

func post(ctx context.Context, address net.Addr, raw []byte, wait string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://%s/v1/tx?wait=%s", address, wait), bytes.NewReader(raw))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Content-Type", "application/cose")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{HTTP: res.StatusCode}
	if err := json.Unmarshal(b, &a); err != nil {
		return answer{}, fmt.Errorf("%s: %w", b, err)
	}
	return a, nil
}

// untilCommit waits for the block as long as a node waits at most: in ten seconds, which are the default, a busy machine may make none.
const untilCommit = "commit&timeout=30"

// patience is what a test waits for something before it says that it never came.
const patience = time.Minute

// onTime wants the block of a transaction that was asked for at a moment to have the true time. However long the block took, its proposer
// looked at the clock after that moment.
func onTime(t testing.TB, asked time.Time, a answer) {
	t.Helper()
	const cut = time.Second // a block's time is told in whole seconds
	block := time.Unix(a.Time, 0)
	if lag := asked.Sub(block); lag > app.MaxLag+cut {
		t.Errorf("the time of block %d was %v behind when it was asked for", a.Height, lag)
	}
	if ahead := time.Until(block); ahead > cut {
		t.Errorf("the time of block %d is %v ahead", a.Height, ahead)
	}
}

// committed posts a transaction and waits for its block.
func committed(t testing.TB, n *node.Node, raw []byte) answer {
	t.Helper()
	a, err := post(t.Context(), n.HTTP(), raw, untilCommit)
	if err != nil {
		t.Fatal(err)
	}
	if a.Code != "unknown_contract" || a.Height == 0 {
		t.Fatalf("answer %+v, want the receipt of a call to an unknown contract", a)
	}
	return a
}

// A node commits, ends when it is told to, and comes back where it was.
func TestRun(t *testing.T) {
	home := newHome(t)
	var heights []uint64
	for life := range uint64(3) {
		n := opened(t, config(t, home))
		if h := n.Log().Height(); life > 0 && h < heights[life-1] {
			t.Fatalf("life %d begins at height %d, the last ended at %d", life, h, heights[life-1])
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- n.Wait(ctx) }()
		asked := time.Now()
		a := committed(t, n, knock(t, 1, life+1))
		onTime(t, asked, a)
		stop()
		if err := <-ended; err != nil {
			t.Errorf("life %d ended with %v", life, err)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		root, height := n.Runtime().Root(), n.Runtime().Height()
		heights = append(heights, height)

		again := opened(t, config(t, home))
		if again.Runtime().Height() < height {
			t.Fatalf("height %d after a restart, was %d", again.Runtime().Height(), height)
		}
		h, err := again.Log().Block(height)
		if err != nil || h == nil || !bytes.Equal(h.Root, root) {
			t.Fatalf("block %d after a restart: %+v, %v; want root %x", height, h, err, root)
		}
		if r, err := again.Log().Tx([32]byte(unhex(t, a.ID))); err != nil || r == nil {
			t.Fatalf("the receipt is gone: %v", err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		if err := again.Close(); err != nil {
			t.Errorf("closed twice: %v", err)
		}
		if err := again.Wait(t.Context()); err == nil {
			t.Error("a closed node is waited for in vain")
		}
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Two processes never use one home, and the second is told who does.
func TestLock(t *testing.T) {
	home := newHome(t)
	n := opened(t, config(t, home))
	_, err := node.New(t.Context(), config(t, home))
	var locked *node.LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() || !strings.Contains(err.Error(), filepath.Join(home, "ward.lock")) {
		t.Fatalf("the second node: %v", err)
	}
	if _, err := node.CreateKeys(home); !errors.As(err, &locked) {
		t.Errorf("keys of a home in use: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	opened(t, config(t, home))
}

// What is wrong is said before anything is opened, and nothing stays open.
func TestNewRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		why    string
		change func(*node.Config)
	}{
		{"no home folder", func(c *node.Config) { c.Home = "" }},
		{"genesis.json", func(c *node.Config) { c.Home = t.TempDir() }},
		{`HTTP address "9273"`, func(c *node.Config) { c.HTTP = "9273" }},
		{`RPC address "off"`, func(c *node.Config) { c.RPC = "off" }},
		{"address already in use", func(c *node.Config) { c.HTTP = taken.Addr().String() }},
		{"address already in use", func(c *node.Config) { c.P2P = taken.Addr().String() }},
		{`peer "somebody"`, func(c *node.Config) { c.Peers = []string{"somebody"} }},
		{"must not be negative", func(c *node.Config) { c.EmptyInterval = -1 }},
		{"sign two different votes", func(c *node.Config) {
			if err := os.Remove(filepath.Join(c.Home, "data", "engine", "validator-state.json")); err != nil {
				t.Fatal(err)
			}
		}},
		{"genesis: chain: \"\"", func(c *node.Config) {
			if err := os.WriteFile(filepath.Join(c.Home, "genesis.json"), []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"data", func(c *node.Config) { // a file where a folder must be
			if err := os.WriteFile(filepath.Join(c.Home, "data", "events"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		good := config(t, newHome(t))
		bad := good
		c.change(&bad)
		if n, err := node.New(t.Context(), bad); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("want an error with %q, got %v", c.why, err)
			if n != nil {
				n.Close()
			}
		}
		if bad.Home == good.Home && good.Validate() == nil {
			if _, err := node.CreateKeys(good.Home); err != nil {
				t.Errorf("%s: the home is not free again: %v", c.why, err)
			}
		}
	}
}

// A home is made once; keys are secret and are never replaced.
func TestInit(t *testing.T) {
	home := newHome(t)
	before, err := node.CreateKeys(home)
	if err != nil {
		t.Fatal(err)
	}
	g, err := node.ReadGenesis(home)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(g.Authorities[0].Key, before.Authority) || len(before.NodeID) != 40 {
		t.Errorf("identity %+v, the genesis has %x", before, g.Authorities[0].Key)
	}
	_, err = node.Init(home, node.InitOptions{Chain: "another", Operator: g.Operator, Accounts: g.Accounts})
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second chain in one home: %v", err)
	}
	if after, err := node.CreateKeys(home); err != nil || after.NodeID != before.NodeID || !bytes.Equal(after.Authority, before.Authority) {
		t.Errorf("the keys have changed: %+v, %v", after, err)
	}
	if _, err := node.Init(filepath.Join(t.TempDir(), "x"), node.InitOptions{Chain: "no accounts"}); err == nil {
		t.Error("a genesis that can't work was written")
	}
	if runtime.GOOS != "windows" {
		for _, name := range []string{"keys/validator.json", "keys/node.json", "data/engine/validator-state.json"} {
			if info, err := os.Stat(filepath.Join(home, name)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
		}
	}
	if left, err := filepath.Glob(filepath.Join(home, "keys", ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// The event log of another chain under this one's blocks: the node must not start, and must
// say what is wrong.
func TestForeignLog(t *testing.T) {
	mine, other := newHome(t), newHome(t)
	for i, home := range []string{mine, other} {
		n := opened(t, config(t, home))
		committed(t, n, knock(t, byte(i+1), 1))
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"state", "events"} {
		if err := os.RemoveAll(filepath.Join(mine, "data", dir)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(filepath.Join(other, "data", "events"), filepath.Join(mine, "data", "events")); err != nil {
		t.Fatal(err)
	}
	n, err := node.New(t.Context(), config(t, mine))
	if err == nil {
		n.Close()
		t.Fatal("the node runs")
	}
	if !strings.Contains(err.Error(), "event log: height 1 holds block") {
		t.Errorf("the reason is %v", err)
	}
	// Without any log the node makes it anew.
	if err := os.RemoveAll(filepath.Join(mine, "data", "events")); err != nil {
		t.Fatal(err)
	}
	again := opened(t, config(t, mine))
	x, err := tx.Decode(knock(t, 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := again.Log().Tx(x.ID()); err != nil || r == nil {
		t.Errorf("the receipt was not made again: %v", err)
	}
}

// After half a minute of silence a transaction's block has the true time, at the price of
// one empty block.
func TestTrueClock(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: waits for 30 s of silence")
	}
	t.Parallel()
	n := opened(t, config(t, newHome(t)))
	first := committed(t, n, knock(t, 1, 1))
	silence := time.NewTimer(30 * time.Second)
	<-silence.C
	before := n.Log().Height()
	began := time.Now()
	a := committed(t, n, knock(t, 1, 2))
	t.Logf("after 30 s of silence: committed in %v, heights %d, %d, %d", time.Since(began), first.Height, before, a.Height)
	onTime(t, began, a)
	if a.Height != before+2 {
		t.Errorf("the transaction is in block %d, want %d: one empty block before it", a.Height, before+2)
	}
	next := committed(t, n, knock(t, 1, 3))
	most := a.Height + 2 // behind the one that proves the block before
	if time.Since(began) > app.MaxLag {
		most++ // what a busy machine takes may be a silence again
	}
	if next.Height > most {
		t.Errorf("without silence the next is in block %d, after %d", next.Height, a.Height)
	}
}
