package consensus_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/wardledger/ward/node/consensus"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
)

// counter is the smallest application: its state is how many transactions there were.
// It survives the engine, as a state on disk would.
type counter struct {
	abci.BaseApplication

	mu      sync.Mutex
	height  int64
	txs     uint64
	next    uint64
	times   []time.Time
	broken  error
	changed chan struct{}

	checking chan struct{} // if not nil: sent to when a check begins, and again before it ends
}

func newCounter() *counter { return &counter{changed: make(chan struct{})} }

func root(n uint64) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, n))
	return sum[:]
}

func (c *counter) Info(context.Context, *abci.RequestInfo) (*abci.ResponseInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &abci.ResponseInfo{LastBlockHeight: c.height, LastBlockAppHash: root(c.txs)}, nil
}

func (c *counter) InitChain(context.Context, *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	return &abci.ResponseInitChain{AppHash: root(0)}, nil
}

// CheckTx refuses whatever starts with "no", with a code and a reason.
func (c *counter) CheckTx(_ context.Context, r *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	if c.checking != nil {
		c.checking <- struct{}{}
		c.checking <- struct{}{}
	}
	if strings.HasPrefix(string(r.Tx), "no") {
		return &abci.ResponseCheckTx{Code: uint32(receipt.Malformed), Log: "it says no"}, nil
	}
	id := sha256.Sum256(r.Tx)
	return &abci.ResponseCheckTx{Data: id[:]}, nil
}

func (c *counter) FinalizeBlock(_ context.Context, r *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil && len(r.Txs) > 0 {
		return nil, c.broken
	}
	c.next = c.txs + uint64(len(r.Txs))
	c.times = append(c.times, r.Time)
	results := make([]*abci.ExecTxResult, len(r.Txs))
	for i := range results {
		results[i] = &abci.ExecTxResult{}
	}
	return &abci.ResponseFinalizeBlock{TxResults: results, AppHash: root(c.next)}, nil
}

func (c *counter) Commit(context.Context, *abci.RequestCommit) (*abci.ResponseCommit, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.height++
	c.txs = c.next
	close(c.changed)
	c.changed = make(chan struct{})
	return &abci.ResponseCommit{}, nil
}

// patience is what a test waits for something before it says that it never came.
const patience = time.Minute

// until waits for the application to say that it is enough.
func (c *counter) until(t testing.TB, enough func(height int64, txs uint64) bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		c.mu.Lock()
		ok, changed := enough(c.height, c.txs), c.changed
		c.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("height %d with %d transactions after %v", c.height, c.txs, patience)
		}
	}
}

// home is a folder with keys for the only authority of a new chain.
func home(t testing.TB) consensus.Config {
	t.Helper()
	keys, err := consensus.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := consensus.Config{
		Genesis: &genesis.Genesis{
			Chain: "engine-test", Time: time.Now(), Operator: address.FromKey(keys.Authority),
			Authorities: []genesis.Authority{{Key: keys.Authority}},
			Accounts:    []genesis.Account{{Key: keys.Authority, Scope: genesis.Everything()}},
		},
		Dir:            dir,
		ValidatorKey:   filepath.Join(dir, "validator.json"),
		ValidatorState: filepath.Join(dir, "signed.json"),
		NodeKey:        filepath.Join(dir, "node.json"),
		Listen:         "127.0.0.1:0",
	}
	for file, b := range map[string][]byte{c.ValidatorKey: keys.Validator, c.ValidatorState: keys.ValidatorState, c.NodeKey: keys.Node} {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func started(t testing.TB, c consensus.Config, app abci.Application) *consensus.Engine {
	t.Helper()
	e, err := consensus.New(t.Context(), c, app)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

func submit(t testing.TB, e *consensus.Engine, raw string) receipt.Receipt {
	t.Helper()
	r, err := e.Submit(t.Context(), []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// One authority commits what it is given, stops cleanly and goes on where it was.
func TestCommitAndRestart(t *testing.T) {
	c, app := home(t), newCounter()
	for life := uint64(1); life <= 3; life++ {
		e := started(t, c, app)
		raw := "transaction of life " + string(rune('0'+life))
		if r := submit(t, e, raw); r.Code != receipt.OK || r.TxID != sha256.Sum256([]byte(raw)) {
			t.Fatalf("life %d: %+v", life, r)
		}
		app.until(t, func(_ int64, txs uint64) bool { return txs == life })
		if r := submit(t, e, "no"); r.Code != receipt.Malformed || r.Reason != "it says no" {
			t.Errorf("a refusal came back as %+v", r)
		}
		found := 0
		for height := range app.height + 2 { // none at 0, and none above the newest
			txs, err := e.Transactions(uint64(height))
			if err != nil {
				t.Errorf("life %d: block %d: %v", life, height, err)
			}
			for _, b := range txs {
				if found++; string(b) != "transaction of life "+string(rune('0'+found)) {
					t.Errorf("life %d: block %d has %q", life, height, b)
				}
			}
		}
		if found != int(life) {
			t.Errorf("life %d: the blocks have %d transactions", life, found)
		}
		if err := e.Stop(); err != nil {
			t.Fatal(err)
		}
		if txs, err := e.Transactions(1); txs != nil || err != nil {
			t.Errorf("a stopped engine has transactions %q, %v", txs, err)
		}
		if err := e.Stop(); err != nil {
			t.Errorf("stopped twice: %v", err)
		}
		if _, err := e.Submit(t.Context(), []byte(raw)); err == nil {
			t.Error("a stopped engine took a transaction")
		}
		if s := e.Status(); !s.Votes || s.CatchingUp || len(s.Authorities) != 1 || s.Height != uint64(app.height) {
			t.Errorf("life %d: status %+v, the application is at %d", life, s, app.height)
		}
		select {
		case <-e.Done():
			t.Errorf("Stop counts as a failure: %v", e.Err())
		default:
		}
	}
}

// Who submits what is being checked already is told how that ends.
func TestSubmitTwiceAtOnce(t *testing.T) {
	app := newCounter()
	app.checking = make(chan struct{})
	e := started(t, home(t), app)
	type answer struct {
		receipt.Receipt
		err error
	}
	ask := func() <-chan answer {
		c := make(chan answer, 1)
		go func() {
			r, err := e.Submit(context.Background(), []byte("no"))
			c <- answer{r, err}
		}()
		return c
	}
	first := ask()
	<-app.checking
	second := ask()
	select {
	case a := <-second:
		<-app.checking
		t.Fatalf("answered %+v while the first is being checked", a)
	case <-time.After(100 * time.Millisecond): // as good as asked
	}
	for answered := 0; answered < 2; {
		var a answer
		select {
		case <-app.checking:
			continue
		case a = <-first:
		case a = <-second:
		}
		if answered++; a.err != nil || a.Code != receipt.Malformed {
			t.Errorf("answered %+v", a)
		}
	}
}

// A quiet chain makes a block that proves the last one, and then none.
func TestQuiet(t *testing.T) {
	c, app := home(t), newCounter()
	c.EmptyInterval = 700 * time.Millisecond
	e := started(t, c, app)
	submit(t, e, "one")
	app.until(t, func(_ int64, txs uint64) bool { return txs == 1 })
	app.mu.Lock()
	before := app.height
	app.mu.Unlock()
	app.until(t, func(height int64, _ uint64) bool { return height >= before+3 }) // the proof, then one per interval
	app.mu.Lock()
	defer app.mu.Unlock()
	n := len(app.times)
	// A block's time is the commit of the one before it: the last two are one interval apart.
	if gap := app.times[n-1].Sub(app.times[n-2]); gap < 600*time.Millisecond {
		t.Errorf("empty blocks are %v apart, want %v", gap, c.EmptyInterval)
	}
}

// An application that is broken ends consensus, and Err says why.
func TestBrokenApplication(t *testing.T) {
	c, app := home(t), newCounter()
	e := started(t, c, app)
	app.until(t, func(height int64, _ uint64) bool { return height >= 1 })
	app.mu.Lock()
	app.broken = errors.New("the disk is on fire")
	app.mu.Unlock()
	submit(t, e, "fatal")
	select {
	case <-e.Done():
	case <-time.After(patience):
		t.Fatal("the engine goes on")
	}
	if err := e.Err(); err == nil || !strings.Contains(err.Error(), "the disk is on fire") {
		t.Errorf("the reason is %v", err)
	}
	if _, err := e.Submit(t.Context(), []byte("more")); err == nil {
		t.Error("a halted engine took a transaction")
	}
	if err := e.Stop(); err != nil {
		t.Error(err)
	}
}

// A home that can't work is refused with a sentence, and its files are let go.
func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		why   string
		spoil func(*testing.T, *consensus.Config)
	}{
		{"sign two different votes", func(t *testing.T, c *consensus.Config) { remove(t, c.ValidatorState) }},
		{"validator key: ", func(t *testing.T, c *consensus.Config) { remove(t, c.ValidatorKey) }},
		{"holds no private key", func(t *testing.T, c *consensus.Config) { write(t, c.NodeKey, "{}") }},
		{"is 65537 bytes, limit 65536", func(t *testing.T, c *consensus.Config) { write(t, c.NodeKey, strings.Repeat(" ", 65537)) }},
		{"no genesis", func(_ *testing.T, c *consensus.Config) { c.Genesis = nil }},
		{"operator: ", func(_ *testing.T, c *consensus.Config) { c.Genesis.Operator[0]++ }},
		{`"state" is not an absolute path`, func(_ *testing.T, c *consensus.Config) { c.ValidatorState = "state" }},
		{`peer address: "9274" is not host:port`, func(_ *testing.T, c *consensus.Config) { c.Listen = "9274" }},
		{`peer "x@y:1": must be id@host:port`, func(_ *testing.T, c *consensus.Config) { c.Peers = []string{"x@y:1"} }},
	} {
		config := home(t)
		good := config
		g := *config.Genesis
		good.Genesis = &g
		c.spoil(t, &config)
		_, err := consensus.New(t.Context(), config, newCounter())
		if err == nil || !strings.Contains(err.Error(), c.why) || !strings.HasPrefix(err.Error(), "consensus: ") {
			t.Errorf("want a consensus error with %q, got %v", c.why, err)
		}
	}

	// The engine keeps the genesis that it began with; a changed document must not go unnoticed.
	config, app := home(t), newCounter()
	e := started(t, config, app)
	app.until(t, func(height int64, _ uint64) bool { return height >= 1 })
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	other := *config.Genesis
	other.Chain = "another-chain"
	changed := config
	changed.Genesis = &other
	_, err := consensus.New(t.Context(), changed, app)
	if err == nil || !strings.Contains(err.Error(), `began with the chain "engine-test"`) {
		t.Errorf("a changed genesis: %v", err)
	}
	// So is a state that does not belong to the engine's blocks: it panics, we get an error.
	stranger := newCounter()
	stranger.height, stranger.txs = app.height, 99
	if _, err := consensus.New(t.Context(), config, stranger); err == nil || !strings.Contains(err.Error(), "AppHash") {
		t.Errorf("a foreign state: %v", err)
	}
	// After all these failures the stores are free again.
	e = started(t, config, app)
	if s := e.Status(); s.Height == 0 {
		t.Errorf("status %+v", s)
	}
}

// What the engine leaves behind when it is killed while it writes is cleared away.
func TestSweep(t *testing.T) {
	c := home(t)
	litter := filepath.Join(filepath.Dir(c.ValidatorState), "write-file-atomic-0123")
	write(t, litter, "half a rec")
	e, err := consensus.New(t.Context(), c, newCounter())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(litter); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the litter is still there: %v", err)
	}
	if err := e.Stop(); err != nil { // never started
		t.Error(err)
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
