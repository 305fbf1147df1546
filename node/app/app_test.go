package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"pgregory.net/rapid"

	"github.com/wardledger/ward/node/app"
	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
)

// harness drives an App as the engine would, one call after the other.
type harness struct {
	t       *testing.T
	genesis *genesis.Genesis
	disk    *state.Memory // survives a restart
	events  *state.Memory
	log     *recorder
	runtime *runtime.Runtime
	app     *app.App
	logger  *slog.Logger // or nil
	now     time.Time
	height  int64
	txs     int   // what the mempool says
	bytes   int64 //
}

// recorder is the event log, with a look at the order of things and a way to break.
type recorder struct {
	*eventlog.Log
	height func() uint64 // the state's
	order  []string
	fail   error // returned by Append, after it has written
}

func (r *recorder) Append(b eventlog.Block) error {
	r.order = append(r.order, fmt.Sprintf("append %d on state %d", b.Height, r.height()))
	return errors.Join(r.Log.Append(b), r.fail)
}

func (r *recorder) Raise(height uint64) error {
	r.order = append(r.order, fmt.Sprintf("raise %d on state %d", height, r.height()))
	return r.Log.Raise(height)
}

const (
	poolTxs   = 100
	poolBytes = 10 << 20
	quota     = 1 << 50 // gas per hour: no bound here
)

func key(t testing.TB, n byte) *tx.SecretKey {
	k, err := tx.NewEd25519(bytes.Repeat([]byte{n}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	return newHarnessWith(t, func(*genesis.Genesis) {})
}

// newHarnessWith is newHarness on another genesis.
func newHarnessWith(t *testing.T, change func(*genesis.Genesis)) *harness {
	t.Helper()
	h := &harness{
		t: t, disk: state.NewMemory(), events: state.NewMemory(),
		now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	owner := key(t, 1).Public()
	h.genesis = &genesis.Genesis{
		Chain: "app-test", Time: h.now, Operator: owner.Address(),
		Authorities: []genesis.Authority{{Key: key(t, 9).Public().Bytes}},
		Accounts: []genesis.Account{
			{Key: owner.Bytes, QuotaPerHour: quota, Scope: genesis.Everything()},
			{Key: key(t, 2).Public().Bytes, QuotaPerHour: 20 * tx.MaxGas, Scope: genesis.Everything()},
		},
	}
	change(h.genesis)
	h.open()
	h.init()
	h.block()
	return h
}

// open makes the App anew on what is on disk, as a restart does.
func (h *harness) open() {
	h.t.Helper()
	s, err := state.Open(h.disk, state.Options{})
	if err != nil {
		h.t.Fatal(err)
	}
	engine, err := vm.New(vm.Options{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { engine.Close() })
	if h.runtime, err = runtime.New(runtime.Config{State: s, Engine: engine}); err != nil {
		h.t.Fatal(err)
	}
	log, err := eventlog.Open(h.events)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := log.Raise(s.Height()); err != nil {
		h.t.Fatal(err)
	}
	h.log = &recorder{Log: log, height: s.Height}
	h.app, err = app.New(app.Config{
		Runtime: h.runtime, Log: h.log, Genesis: h.genesis, PoolTxs: poolTxs, PoolBytes: poolBytes, Logger: h.logger,
		Clock: func() time.Time { return h.now },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(h.app.Close)
	h.app.Attach(func() (int, int64) { return h.txs, h.bytes })
	info, err := h.app.Info(context.Background(), &abci.RequestInfo{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.height = info.LastBlockHeight
	if !bytes.Equal(info.LastBlockAppHash, s.Root()) {
		h.t.Fatalf("info says root %x, the state %x", info.LastBlockAppHash, s.Root())
	}
}

func (h *harness) init() []byte {
	h.t.Helper()
	doc, err := h.genesis.Encode()
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := h.app.InitChain(context.Background(), &abci.RequestInitChain{
		ChainId: h.genesis.Chain, InitialHeight: 1, Time: h.genesis.Time, AppStateBytes: doc,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return r.AppHash
}

// execute has the next block executed, at the harness's time.
func (h *harness) execute(txs ...[]byte) *abci.ResponseFinalizeBlock {
	h.t.Helper()
	r, err := h.app.FinalizeBlock(context.Background(), &abci.RequestFinalizeBlock{
		Height: h.height + 1, Time: h.now, Txs: txs, Hash: bytes.Repeat([]byte{byte(h.height + 1)}, 32),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *harness) commit() error {
	_, err := h.app.Commit(context.Background(), &abci.RequestCommit{})
	if err == nil {
		h.height++
	}
	return err
}

func (h *harness) block(txs ...[]byte) *abci.ResponseFinalizeBlock {
	h.t.Helper()
	r := h.execute(txs...)
	if err := h.commit(); err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *harness) check(raw []byte, kind abci.CheckTxType) *abci.ResponseCheckTx {
	h.t.Helper()
	r, err := h.app.CheckTx(context.Background(), &abci.RequestCheckTx{Tx: raw, Type: kind})
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// signed is a transaction of key n. There are no contracts here: it will be executed and
// fail, with an event, which is all that the application cares about.
func signed(t testing.TB, n byte, change func(*tx.Tx)) []byte {
	t.Helper()
	x := tx.Tx{Chain: "app-test", Sequence: 1, GasLimit: 10_000_000, Contract: "nobody", Method: "knock", Args: []byte{0xa0}}
	if change != nil {
		change(&x)
	}
	raw, err := tx.Sign(&x, key(t, n))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func numbered(t testing.TB, n byte, sequence uint64) []byte {
	return signed(t, n, func(x *tx.Tx) { x.Sequence = sequence })
}

// A block goes its way: results are those of the receipts, the log is written before the
// state and published after it.
func TestWay(t *testing.T) {
	h := newHarness(t)
	h.log.order = nil
	raw := signed(t, 1, nil)
	if r := h.check(raw, abci.CheckTxType_New); r.Code != 0 || r.GasWanted != 0 {
		t.Fatalf("check: %+v", r)
	}
	before := h.runtime.Root()
	r := h.execute(raw, []byte("garbage"))
	if !bytes.Equal(h.runtime.Root(), before) {
		t.Error("executing has changed the state")
	}
	if err := h.commit(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.AppHash, h.runtime.Root()) || bytes.Equal(r.AppHash, before) {
		t.Errorf("app hash %x, state %x, before %x", r.AppHash, h.runtime.Root(), before)
	}
	if got, want := strings.Join(h.log.order, ", "), "append 2 on state 1, raise 2 on state 2"; got != want {
		t.Errorf("order: %s, want %s", got, want)
	}
	x, err := tx.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	record, err := h.log.Tx(x.ID())
	if err != nil || record == nil {
		t.Fatalf("the log has %+v, %v", record, err)
	}
	got := r.TxResults[0]
	if got.Code != uint32(receipt.UnknownContract) || !bytes.Equal(got.Data, record.Receipt.Data()) ||
		uint64(got.GasUsed) != record.Receipt.GasUsed || got.GasWanted != 10_000_000 || got.Log == "" {
		t.Errorf("result %+v of receipt %+v", got, record.Receipt)
	}
	if r.TxResults[1].Code != uint32(receipt.Malformed) {
		t.Errorf("garbage: %+v", r.TxResults[1])
	}
	if r := h.check(raw, abci.CheckTxType_New); r.Code != uint32(receipt.Replayed) || !bytes.Equal(r.Data, got32(x.ID())) {
		t.Errorf("the same again: %+v", r)
	}
}

func got32(id tx.ID) []byte { return id[:] }

// A crash at any of Commit's seams is repaired by executing the block again.
func TestCrash(t *testing.T) {
	whole := newHarness(t)
	raw := signed(t, 1, nil)
	want := whole.block(raw).AppHash

	h := newHarness(t)
	h.log.fail = errors.New("power cut") // after the log was written, before the state was
	if got := h.execute(raw).AppHash; !bytes.Equal(got, want) {
		t.Fatalf("root %x, want %x", got, want)
	}
	err := h.commit()
	if err == nil || !strings.Contains(err.Error(), "power cut") {
		t.Fatalf("commit: %v", err)
	}
	select {
	case <-h.app.Failed():
	default:
		t.Error("the application does not say that it is broken")
	}
	// From now on it takes part in nothing, and does not panic either.
	if r := h.check(numbered(t, 1, 5), abci.CheckTxType_New); r.Code != uint32(receipt.Busy) {
		t.Errorf("a broken application takes transactions: %+v", r)
	}
	if _, err := h.app.FinalizeBlock(context.Background(), &abci.RequestFinalizeBlock{Height: 2}); err == nil {
		t.Error("a broken application executes blocks")
	}
	if p, err := h.app.PrepareProposal(context.Background(), &abci.RequestPrepareProposal{Txs: [][]byte{raw}, MaxTxBytes: 1 << 20, Time: h.now}); err != nil || len(p.Txs) != 0 {
		t.Errorf("a broken application proposes %d transactions, %v", len(p.Txs), err)
	}

	h.open()
	if h.height != 1 {
		t.Fatalf("after the crash the state is at %d, want 1", h.height)
	}
	if got := h.log.Height(); got != 1 {
		t.Errorf("after the crash the log shows %d, want 1", got)
	}
	if got := h.block(raw).AppHash; !bytes.Equal(got, want) || !bytes.Equal(h.runtime.Root(), want) {
		t.Errorf("root %x after the repetition, want %x", got, want)
	}
	page, err := h.log.Events(eventlog.Filter{}, receipt.Cursor{}, 10)
	if err != nil || len(page.Entries) != 1 {
		t.Errorf("the log has %d events, %v; want the one refusal", len(page.Entries), err)
	}

	// After Commit: nothing is to be repeated.
	h.open()
	if h.height != 2 || h.log.Height() != 2 {
		t.Errorf("state at %d, log at %d, want 2", h.height, h.log.Height())
	}
}

// A crash before the first block: genesis is executed again, to the same root.
func TestCrashInGenesis(t *testing.T) {
	h := newHarness(t)
	fresh := &harness{t: t, disk: state.NewMemory(), events: state.NewMemory(), now: h.now, genesis: h.genesis}
	fresh.open()
	first := fresh.init()
	fresh.open()
	if again := fresh.init(); !bytes.Equal(first, again) {
		t.Errorf("genesis root %x, then %x", first, again)
	}
	fresh.execute()
	fresh.open() // dies before the commit
	if fresh.height != 0 {
		t.Errorf("height %d before any commit", fresh.height)
	}
	fresh.init()
	fresh.block()
	if !bytes.Equal(fresh.runtime.Root(), h.runtime.Root()) {
		t.Errorf("block 1 has root %x, want %x", fresh.runtime.Root(), h.runtime.Root())
	}
}

func TestInitChainRefuses(t *testing.T) {
	h := newHarness(t)
	for why, change := range map[string]func(*genesis.Genesis, *abci.RequestInitChain){
		"genesis: ":     func(_ *genesis.Genesis, r *abci.RequestInitChain) { r.AppStateBytes = []byte("{") },
		`chain "other"`: func(_ *genesis.Genesis, r *abci.RequestInitChain) { r.ChainId = "other" },
		"at height 7":   func(_ *genesis.Genesis, r *abci.RequestInitChain) { r.InitialHeight = 7 },
		"this node has genesis": func(g *genesis.Genesis, r *abci.RequestInitChain) {
			g.Accounts = g.Accounts[:1]
			r.AppStateBytes, _ = g.Encode()
		},
	} {
		fresh := &harness{t: t, disk: state.NewMemory(), events: state.NewMemory(), now: h.now, genesis: h.genesis}
		fresh.open()
		g := *h.genesis
		doc, err := g.Encode()
		if err != nil {
			t.Fatal(err)
		}
		r := &abci.RequestInitChain{ChainId: g.Chain, InitialHeight: 1, Time: g.Time, AppStateBytes: doc}
		change(&g, r)
		if _, err := fresh.app.InitChain(context.Background(), r); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("want an error with %q, got %v", why, err)
		}
		if fresh.app.Err() == nil {
			t.Errorf("%s: the application goes on", why)
		}
	}
}

// Each refusal is a code with its reason; the ABCI error stays nil.
func TestCheck(t *testing.T) {
	h := newHarness(t)
	for _, c := range []struct {
		name string
		raw  []byte
		want receipt.Code
	}{
		{"nothing", nil, receipt.Malformed},
		{"garbage", []byte("garbage"), receipt.Malformed},
		{"too large", make([]byte, tx.MaxDeploySize+1), receipt.TooLarge},
		{"another chain", signed(t, 1, func(x *tx.Tx) { x.Chain = "other" }), receipt.WrongChain},
		{"unknown key", signed(t, 77, nil), receipt.UnknownKey},
		{"good", numbered(t, 1, 1), receipt.OK},
		{"its twin", numbered(t, 1, 1), receipt.Replayed},
		{"the next", numbered(t, 1, 2), receipt.OK},
		{"a jump", numbered(t, 1, 1<<20), receipt.SequenceJump},
	} {
		r := h.check(c.raw, abci.CheckTxType_New)
		if r.Code != uint32(c.want) || (r.Code != 0) != (r.Log != "") {
			t.Errorf("%s: %s %q, want %s", c.name, receipt.Code(r.Code).Name(), r.Log, c.want.Name())
		}
	}
	// After a block everything that waits is asked for again, in its order.
	h.block(numbered(t, 1, 1))
	if r := h.check(numbered(t, 1, 1), abci.CheckTxType_Recheck); r.Code != uint32(receipt.Replayed) {
		t.Errorf("what the block held still waits: %+v", r)
	}
	if r := h.check(numbered(t, 1, 2), abci.CheckTxType_Recheck); r.Code != 0 {
		t.Errorf("what still waits was dropped: %+v", r)
	}
	if r := h.check(numbered(t, 1, 2), abci.CheckTxType_New); r.Code != uint32(receipt.Replayed) {
		t.Errorf("a twin of what waits: %+v", r)
	}
}

// The last fifth of the mempool is the priority lane's, by number and by bytes.
func TestRoom(t *testing.T) {
	h := newHarness(t)
	priority := func(sequence uint64) []byte {
		return signed(t, 1, func(x *tx.Tx) { x.Contract, x.Sequence = "code", sequence })
	}
	size := int64(len(numbered(t, 1, 1)))
	for i, c := range []struct {
		txs      int
		bytes    int64
		ordinary receipt.Code
		priority receipt.Code
	}{
		{0, 0, receipt.OK, receipt.OK},
		{79, 0, receipt.OK, receipt.OK},
		{80, 0, receipt.Busy, receipt.OK},
		{99, 0, receipt.Busy, receipt.OK},
		{100, 0, receipt.Busy, receipt.Busy},
		{1, poolBytes/5*4 - size, receipt.OK, receipt.OK},
		{1, poolBytes/5*4 - size + 1, receipt.Busy, receipt.OK},
		{1, poolBytes, receipt.Busy, receipt.Busy},
	} {
		h.txs, h.bytes = c.txs, c.bytes
		n := uint64(i + 1)
		if r := h.check(numbered(t, 1, n), abci.CheckTxType_New); r.Code != uint32(c.ordinary) {
			t.Errorf("%d txs, %d bytes: ordinary is %s: %s", c.txs, c.bytes, receipt.Code(r.Code).Name(), r.Log)
		}
		if r := h.check(priority(n), abci.CheckTxType_New); r.Code != uint32(c.priority) {
			t.Errorf("%d txs, %d bytes: priority is %s: %s", c.txs, c.bytes, receipt.Code(r.Code).Name(), r.Log)
		}
	}
	// What was turned away for want of room is not held to be a replay later.
	h.txs, h.bytes = 0, 0
	if r := h.check(numbered(t, 1, 3), abci.CheckTxType_New); r.Code != 0 {
		t.Errorf("refused as busy, then as %s: %s", receipt.Code(r.Code).Name(), r.Log)
	}
}

// Quotas fill up again while the chain is quiet and makes no block.
func TestQuotaOnAQuietChain(t *testing.T) {
	h := newHarness(t)
	costly := func(sequence uint64) []byte {
		return signed(t, 2, func(x *tx.Tx) { x.Sequence, x.GasLimit = sequence, tx.MaxGas })
	}
	sequence := uint64(1)
	for ; h.check(costly(sequence), abci.CheckTxType_New).Code == 0; sequence++ {
		if sequence > 100 {
			t.Fatal("the quota has no end")
		}
	}
	if r := h.check(costly(sequence), abci.CheckTxType_New); r.Code != uint32(receipt.OverQuota) {
		t.Fatalf("refused as %s: %s", receipt.Code(r.Code).Name(), r.Log)
	}
	h.now = h.now.Add(time.Hour)
	if r := h.check(costly(sequence), abci.CheckTxType_New); r.Code != 0 {
		t.Errorf("an hour later: %s: %s", receipt.Code(r.Code).Name(), r.Log)
	}
}

func (h *harness) prepare(maxBytes int64, blockTime time.Time, txs ...[]byte) [][]byte {
	h.t.Helper()
	r, err := h.app.PrepareProposal(context.Background(), &abci.RequestPrepareProposal{
		MaxTxBytes: maxBytes, Txs: txs, Height: h.height + 1, Time: blockTime,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return r.Txs
}

func TestPrepare(t *testing.T) {
	h := newHarness(t)
	small := func(n uint64) []byte { return numbered(t, 1, n) }
	code := func(n uint64) []byte {
		return signed(t, 1, func(x *tx.Tx) { x.Contract, x.Sequence = "code", n })
	}
	hungry := func(n, gas uint64) []byte {
		return signed(t, 1, func(x *tx.Tx) { x.Sequence, x.GasLimit = n, gas })
	}
	size := int64(len(small(1))) + 3 // framing: a tag and a length of two bytes
	same := func(name string, got [][]byte, want ...[]byte) {
		t.Helper()
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%s: %d transactions in the proposal, want %d, or another order", name, len(got), len(want))
		}
	}
	const room = 1 << 20
	same("lanes", h.prepare(room, h.now, small(1), code(1), small(2), code(2)), code(1), code(2), small(1), small(2))
	same("bytes", h.prepare(2*size, h.now, small(1), small(2), small(3)), small(1), small(2))
	same("one byte short", h.prepare(2*size-1, h.now, small(1), small(2), small(3)), small(1))
	same("gas", h.prepare(room, h.now, hungry(1, 1e9), hungry(2, 9e8), hungry(3, 2e8), hungry(4, 1e8)), hungry(1, 1e9), hungry(2, 9e8), hungry(4, 1e8))
	module := func(size int) []byte {
		a := cbor.AppendBytes(cbor.AppendText(cbor.AppendMap(nil, 2), "code"), make([]byte, size))
		return cbor.AppendText(cbor.AppendText(a, "name"), "new")
	}
	foreign := func(n uint64) []byte {
		return signed(t, 2, func(x *tx.Tx) {
			x.Contract, x.Method, x.Sequence, x.Args, x.GasLimit = "code", "deploy", n, module(1), tx.MaxGas/4
		})
	}
	deploy := func(n uint64, edit ...func(*tx.Tx)) []byte {
		return signed(t, 1, func(x *tx.Tx) {
			x.Contract, x.Method, x.Sequence, x.Args, x.GasLimit = "code", "deploy", n, module(1), tx.MaxGas/4
			for _, e := range edit {
				e(x)
			}
		})
	}
	hungrier := deploy(1, func(x *tx.Tx) { x.GasLimit = tx.MaxGas; x.Args = module(2048) })
	same("one deployment", h.prepare(room, h.now, small(1), code(1), deploy(2), deploy(3)), deploy(2), code(1), small(1))
	same("of who may", h.prepare(room, h.now, foreign(1), foreign(2), deploy(2), deploy(3), small(1)), deploy(2), small(1))
	same("of who may not", h.prepare(room, h.now, foreign(1), foreign(2)), foreign(1))
	hopeless := deploy(1, func(x *tx.Tx) { x.GasLimit = 1e6 })
	same("of what may come to something", h.prepare(room, h.now, hopeless, deploy(2), small(1)), deploy(2), small(1))
	same("of what may not", h.prepare(room, h.now, hopeless, small(1)), small(1), hopeless)
	same("one that fits", h.prepare(2000, h.now, hungrier, foreign(1), deploy(2), small(1)), deploy(2), small(1))
	same("of who may not, as nothing else fits", h.prepare(2000, h.now, hungrier, foreign(1)), foreign(1))
	same("rubbish", h.prepare(room, h.now, []byte("rubbish"), small(1)), small(1))
	same("no room at all", h.prepare(0, h.now, small(1)))
	same("nothing waits", h.prepare(room, h.now.Add(-time.Hour)))
	same("after a quiet hour", h.prepare(room, h.now.Add(-time.Hour), small(1)))
	// The empty block goes by while the transaction waits; then it has its turn, whatever the time.
	h.txs = 1
	h.block()
	same("after the empty block", h.prepare(room, h.now.Add(-time.Hour), small(1)), small(1))
	h.block(small(1))
	same("the next silence", h.prepare(room, h.now.Add(-time.Minute), small(2)))
}

func (h *harness) process(txs ...[]byte) bool {
	h.t.Helper()
	r, err := h.app.ProcessProposal(context.Background(), &abci.RequestProcessProposal{Txs: txs, Height: h.height + 1, Time: h.now})
	if err != nil {
		h.t.Fatal(err)
	}
	return r.Status == abci.ResponseProcessProposal_ACCEPT
}

func TestProcess(t *testing.T) {
	h := newHarness(t)
	hungry := func(n, gas uint64) []byte {
		return signed(t, 1, func(x *tx.Tx) { x.Sequence, x.GasLimit = n, gas })
	}
	padded := func(n int) []byte {
		return signed(t, 1, func(x *tx.Tx) {
			x.Contract = "code"
			x.Args = append([]byte{0x5a, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, make([]byte, n)...)
		})
	}
	large := padded(4 << 20)
	deploy := func(n byte, sequence uint64) []byte {
		return signed(t, n, func(x *tx.Tx) { x.Contract, x.Method, x.Sequence = "code", "deploy", sequence })
	}
	for _, c := range []struct {
		name string
		txs  [][]byte
		want bool
	}{
		{"empty", nil, true},
		{"one", [][]byte{numbered(t, 1, 1)}, true},
		{"a stranger's: refused in its block, not for it", [][]byte{numbered(t, 77, 1)}, true},
		{"all the gas", [][]byte{hungry(1, 1e9), hungry(2, 1e9)}, true},
		{"too much gas", [][]byte{hungry(1, 1e9), hungry(2, 1e9), hungry(3, 1)}, false},
		{"garbage", [][]byte{numbered(t, 1, 1), []byte("garbage")}, false},
		{"another chain's", [][]byte{signed(t, 1, func(x *tx.Tx) { x.Chain = "other" })}, false},
		{"five large ones", [][]byte{large, large, large, large, large}, true},
		{"a deployment", [][]byte{deploy(1, 1), numbered(t, 1, 1), large}, true},
		{"two deployments", [][]byte{deploy(1, 1), numbered(t, 1, 1), deploy(2, 1)}, false},
		{"the same deployment twice", [][]byte{deploy(1, 1), deploy(1, 1)}, false},
		{"more than a block", [][]byte{large, large, large, large, large, large}, false},
	} {
		if got := h.process(c.txs...); got != c.want {
			t.Errorf("%s: accepted %v, want %v", c.name, got, c.want)
		}
	}
}

// Whatever waits, others accept what this node proposes, and proposing changes nothing.
func TestProposalsAreAccepted(t *testing.T) {
	h := newHarness(t)
	rapid.Check(t, func(r *rapid.T) {
		var waiting [][]byte
		for range rapid.IntRange(0, 12).Draw(r, "transactions") {
			waiting = append(waiting, signed(t, 1, func(x *tx.Tx) {
				x.Sequence = rapid.Uint64Range(1, 1000).Draw(r, "sequence")
				x.GasLimit = rapid.Uint64Range(1, tx.MaxGas).Draw(r, "gas")
				x.Contract = rapid.SampledFrom([]string{"code", "devices", "authority"}).Draw(r, "contract")
				x.Method = rapid.SampledFrom([]string{"deploy", "knock"}).Draw(r, "method")
				n := rapid.IntRange(0, 200).Draw(r, "bytes")
				x.Args = append([]byte{0x58, byte(n + 24)}, make([]byte, n+24)...)
			}))
		}
		room := rapid.Int64Range(0, 4000).Draw(r, "room")
		lag := time.Duration(rapid.Int64Range(-10, 10).Draw(r, "lag")) * time.Second
		root := h.runtime.Root()
		proposal := h.prepare(room, h.now.Add(-lag), waiting...)
		if !h.process(proposal...) {
			r.Fatalf("others refuse our proposal of %d transactions", len(proposal))
		}
		var size int64
		for _, raw := range proposal {
			size += int64(len(raw))
		}
		if size > room {
			r.Fatalf("%d bytes in room for %d", size, room)
		}
		if !bytes.Equal(root, h.runtime.Root()) {
			r.Fatal("proposing changed the state")
		}
	})
}
