package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
	"github.com/wardledger/ward/runtime/vm/wasmtest"
)

func TestTransactionRunsOnce(t *testing.T) {
	c := newChain(t, vm.Options{})
	c.block()
	empty := c.run.Root()

	raw := c.sign(bob, "good", "put", arguments(1))
	first := c.one(raw)
	expect(t, first, receipt.OK)
	if !bytes.Equal(first.Return, arguments(1)) {
		t.Errorf("returned %x, want %x", first.Return, arguments(1))
	}
	want := receipt.Event{Contract: "good", Name: "stored", Attributes: arguments(1)}
	if len(first.Events) != 1 || !bytes.Equal(first.Events[0].Encode(), want.Encode()) {
		t.Errorf("events %v, want %v", first.Events, want)
	}
	if row := c.row("good"); !bytes.Equal(row, arguments(1)) {
		t.Errorf("the row is %x, want %x", row, arguments(1))
	}
	if bytes.Equal(c.run.Root(), empty) {
		t.Error("the root has not changed")
	}

	other := c.one(twin(t, raw))
	expect(t, other, receipt.Replayed)
	if other.TxID != first.TxID {
		t.Errorf("the twin with the other S has id %x, want %x", other.TxID, first.TxID)
	}
	expect(t, c.one(raw), receipt.Replayed)
	if two := c.block(c.sign(bob, "good", "put", arguments(2)), c.sign(bob, "good", "put", arguments(2))); two[0].Code != receipt.OK || two[1].Code != receipt.OK {
		t.Errorf("equal calls with sequences of their own: %s, %s", two[0].Code, two[1].Code)
	}
}

func TestBlockWithoutEffectKeepsRoot(t *testing.T) {
	c := newChain(t, vm.Options{})
	c.block()
	root := c.run.Root()
	c.block()
	c.block([]byte("garbage"), c.sign(stranger, "good", "put", arguments(1)))
	if !bytes.Equal(c.run.Root(), root) {
		t.Error("a block of nothing but inadmissible bytes changed the root: a quiet chain would never be quiet")
	}
}

// Each line is one reason for which a transaction changes nothing at all.
func TestNotAdmitted(t *testing.T) {
	c := newChain(t, vm.Options{})
	c.block(c.sign(alice, "good", "put", arguments(0), func(t *tx.Tx) { t.Sequence = 300 }))
	root := c.run.Root()
	put := func(k *tx.SecretKey, edit func(*tx.Tx)) []byte { return c.sign(k, "good", "put", arguments(1), edit) }
	broken := put(alice, func(t *tx.Tx) { t.Sequence = 301 })
	broken[len(broken)-1] ^= 1
	for _, test := range []struct {
		what   string
		raw    []byte
		code   receipt.Code
		reason string
	}{
		{"garbage", []byte("hello"), receipt.Malformed, ""},
		{"nothing", nil, receipt.Malformed, ""},
		{"too large", make([]byte, tx.MaxDeploySize+1), receipt.TooLarge, "4259841"},
		{"other chain", put(alice, func(t *tx.Tx) { t.Chain = "test-2" }), receipt.WrongChain, `"test-2"`},
		{"expired", put(alice, func(t *tx.Tx) { t.LastValid = 1 }), receipt.Expired, "last valid height is 1"},
		{"unknown key", put(stranger, func(*tx.Tx) {}), receipt.UnknownKey, stranger.Public().Address().String()},
		{"contract out of scope", c.sign(narrow, "bad", "put", arguments(1)), receipt.OutOfScope, "bad.put"},
		{"method out of scope", c.sign(narrow, "good", "take", arguments(1)), receipt.OutOfScope, "good.take"},
		{"gas limit too low", put(alice, func(t *tx.Tx) { t.GasLimit = 1000 }), receipt.GasLimit, "1000"},
		{"over quota", put(poor, func(t *tx.Tx) { t.GasLimit = 3*limit + 1 }), receipt.OverQuota, fmt.Sprint(3 * limit)},
		{"used sequence", put(alice, func(t *tx.Tx) { t.Sequence = 300 }), receipt.Replayed, "300"},
		{"sequence behind the window", put(alice, func(t *tx.Tx) { t.Sequence = 44 }), receipt.Replayed, "44"},
		{"sequence too far ahead", put(alice, func(t *tx.Tx) { t.Sequence = 300 + 1025 }), receipt.SequenceJump, "1325"},
		{"broken signature", broken, receipt.BadSignature, alice.Public().Address().String()},
	} {
		t.Run(test.what, func(t *testing.T) {
			got := c.one(test.raw)
			expect(t, got, test.code)
			if got.Reason == "" || !strings.Contains(got.Reason, test.reason) {
				t.Errorf("reason %q does not name %q", got.Reason, test.reason)
			}
			if len(got.Events) != 0 || got.GasUsed != 0 {
				t.Errorf("it has %d events and used %d gas", len(got.Events), got.GasUsed)
			}
			if !bytes.Equal(c.run.Root(), root) {
				t.Error("the root has changed")
			}
		})
	}
	// The refused sequences are free still.
	expect(t, c.one(put(alice, func(t *tx.Tx) { t.Sequence = 301 })), receipt.OK)
	expect(t, c.one(put(alice, func(t *tx.Tx) { t.Sequence = 46 })), receipt.OK) // 301-255
}

// A transaction that was admitted and failed keeps its slot and its charge, and says so.
func TestFailed(t *testing.T) {
	for _, test := range []struct {
		contract, method string
		code             receipt.Code
		contractCode     uint32
		reason           string
	}{
		{"bad", "put", receipt.Failed, 7, "not on my watch"},
		{"trap", "put", receipt.Trapped, 0, ""},
		{"nobody", "put", receipt.UnknownContract, 0, `"nobody"`},
		{"good", "init", receipt.UnknownMethod, 0, `"init"`},
		{runtime.CodeContract, "undo", receipt.UnknownMethod, 0, `"undo"`},
		{runtime.CodeContract, "deploy", receipt.BadArguments, 0, `no field "n"`},
	} {
		t.Run(test.contract+"."+test.method, func(t *testing.T) {
			c := newChain(t, vm.Options{})
			c.block()
			raw := c.sign(poor, test.contract, test.method, arguments(1))
			got := c.one(raw)
			expect(t, got, test.code)
			if got.ContractCode != test.contractCode || !strings.Contains(got.Reason, test.reason) {
				t.Errorf("%d %q, want %d %q", got.ContractCode, got.Reason, test.contractCode, test.reason)
			}
			if len(got.Events) != 1 || got.Events[0].Name != abi.RefusedEvent || got.Events[0].Contract != test.contract {
				t.Errorf("events %v, want one that says refused", got.Events)
			} else if _, err := receipt.DecodeEvent(got.Events[0].Encode()); err != nil {
				t.Errorf("the refused event is not canonical: %v", err)
			}
			if row := c.row(test.contract); row != nil {
				t.Errorf("its write of %x was not reverted", row)
			}
			if got.Return != nil {
				t.Errorf("it returned %x", got.Return)
			}
			expect(t, c.one(raw), receipt.Replayed)
			info, _, err := c.run.Key(poor.Public().Address(), c.now)
			if err != nil {
				t.Fatal(err)
			}
			if used := info.Account.QuotaPerHour - info.Room; used == 0 {
				t.Error("the failure cost nothing")
			}
			if used := info.Account.QuotaPerHour - info.Room; used > limit/2 {
				t.Errorf("the failure cost %d, more than half the limit", used)
			}
		})
	}
}

func view(t testing.TB, c *testChain, contract string) receipt.Receipt {
	t.Helper()
	got, _, err := c.run.View(context.Background(), runtime.Query{Contract: contract, Method: "get", Args: arguments(0), Time: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func deploy(c *testChain, k *tx.SecretKey, name string, code []byte) receipt.Receipt {
	return c.one(deployment(c, k, name, code))
}

func TestDeploy(t *testing.T) {
	c := newChain(t, vm.Options{})
	c.block()
	expect(t, deploy(c, alice, "mine", reader), receipt.NotPermitted)
	ok := deploy(c, operator, "mine", reader)
	expect(t, ok, receipt.OK)
	if len(ok.Events) != 1 || ok.Events[0].Name != "deployed" {
		t.Errorf("events %v, want deployed", ok.Events)
	}
	expect(t, deploy(c, operator, "mine", reader), receipt.Exists)
	expect(t, deploy(c, operator, runtime.CodeContract, reader), receipt.Exists)
	expect(t, deploy(c, operator, "Mine", reader), receipt.BadArguments)
	expect(t, deploy(c, operator, "junk", []byte("\x00asm junk")), receipt.BadCode)
	expect(t, c.one(c.sign(operator, runtime.CodeContract, "deploy", arguments(1))), receipt.BadArguments)
	// Reasons are in consensus, so no release of Go may find another way to print them.
	for _, got := range []receipt.Receipt{
		deploy(c, operator, "schloß", reader),
		c.one(c.sign(operator, runtime.CodeContract, "deploy", cbor.AppendUint(cbor.AppendText(cbor.AppendMap(nil, 1), "schloß"), 1))),
	} {
		expect(t, got, receipt.BadArguments)
		if !strings.Contains(got.Reason, `"schlo\u00df"`) {
			t.Errorf("reason %q shows more than ASCII", got.Reason)
		}
	}
	list, err := c.run.Contracts("", 100)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range list {
		names = append(names, i.Name)
	}
	if want := []string{"bad", "good", "mine", "trap"}; !slices.Equal(names, want) {
		t.Errorf("contracts %v, want %v", names, want)
	}
}

func TestQuotaComesBack(t *testing.T) {
	c := newChain(t, vm.Options{})
	c.block()
	put := func() receipt.Receipt { return c.one(c.sign(poor, "good", "put", arguments(1))) }
	n := 0
	for got := put(); got.Code == receipt.OK; got = put() {
		if n++; n > 10 {
			t.Fatal("a quota of three limits an hour lets ten transactions through")
		}
	}
	expect(t, put(), receipt.OverQuota)
	c.now += 3600
	expect(t, put(), receipt.OK)
}

// Quota that a transaction gives back goes with what the transaction is charged: an owner
// who enrols devices that retire themselves gets no more than its quota.
func TestRetiringLaundersNoQuota(t *testing.T) {
	enrol, quit := wasmtest.New(), wasmtest.New()
	args, opened := enrol.Import(abi.Module, "args"), enrol.Import(abi.Module, "account_open")
	enrol.Export(abi.ExportCall,
		wasmtest.I32(0), wasmtest.I32(0), wasmtest.I32(256), wasmtest.Call(args), wasmtest.Call(opened), wasmtest.If(wasmtest.Unreachable))
	sender, retired := quit.Import(abi.Module, "sender"), quit.Import(abi.Module, "account_retire")
	quit.Export(abi.ExportCall,
		wasmtest.I32(0), wasmtest.Call(sender), wasmtest.I32(0), wasmtest.Call(retired), wasmtest.If(wasmtest.Unreachable))
	c := chainOf(t, vm.Options{}, func(g *runtime.Genesis) {
		for i := range g.Accounts {
			if bytes.Equal(g.Accounts[i].Key, poor.Public().Bytes) {
				g.Accounts[i].Quota = 35_000_000 // of which it must keep 25
			}
		}
		for name, m := range map[string]*wasmtest.Module{"enrol": enrol, "quit": quit} {
			g.Contracts = append(g.Contracts, runtime.GenesisContract{Name: name, Code: m.Bytes(), Capabilities: []string{abi.CapabilityAccounts}})
		}
	})

	owner := poor.Public().Address()
	quits := func(name string) receipt.Receipt {
		device := ed25519(name)
		o := abi.OpenAccount{Key: device.Public().Bytes, Owner: owner[:], Quota: limit, Scope: []abi.Scope{{Contract: "quit"}}}
		expect(t, c.one(c.sign(operator, "enrol", "m", o.Encode())), receipt.OK)
		return c.one(c.sign(device, "quit", "m", arguments(1)))
	}
	for _, name := range []string{"one", "two", "three"} { // the owner has three limits an hour, and half of one
		expect(t, quits(name), receipt.OK)
	}
	expect(t, quits("four"), receipt.OverQuota)
	expect(t, c.one(c.sign(poor, "good", "put", arguments(1))), receipt.OverQuota)

	// Nobody gives away so much that nothing is left to act with.
	o := abi.OpenAccount{Key: ed25519("five").Public().Bytes, Owner: owner[:], Quota: 1, Scope: []abi.Scope{{Contract: "quit"}}}
	expect(t, c.one(c.sign(operator, "enrol", "m", o.Encode())), receipt.Trapped)
}

func TestViewChangesNothing(t *testing.T) {
	c := newChain(t, vm.Options{})
	c.block()
	if got := view(t, c, "good"); got.Code != receipt.NotPermitted {
		t.Errorf("a view that writes: %s %q, want not_permitted", got.Code.Name(), got.Reason)
	}
	if got := view(t, c, "nobody"); got.Code != receipt.UnknownContract {
		t.Errorf("%s, want unknown_contract", got.Code.Name())
	}
	if _, _, err := c.run.View(context.Background(), runtime.Query{Height: 99, Contract: "good", Method: "get", Args: arguments(0)}); err == nil {
		t.Error("height 99 of a chain of height 1 was answered")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := c.run.View(ctx, runtime.Query{Contract: "good", Method: "get", Args: arguments(0)}); !errors.Is(err, context.Canceled) {
		t.Errorf("a view whose context has ended: %v", err)
	}
}

func TestPool(t *testing.T) {
	c := newChain(t, vm.Options{})
	pool := c.run.NewPool()
	defer pool.Close()
	check := func(raw []byte, recheck bool) receipt.Receipt {
		t.Helper()
		r, err := pool.Check(raw, recheck)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	raw := c.sign(bob, "good", "put", arguments(1))
	expect(t, check(raw, false), receipt.Busy) // no block yet
	c.block()
	if err := pool.Reset(c.last.Header); err != nil {
		t.Fatal(err)
	}
	ok := check(raw, false)
	expect(t, ok, receipt.OK)
	if ok.GasLimit != limit || ok.Contract != "good" || ok.Sender != bob.Public().Address() {
		t.Errorf("the receipt says %+v", ok)
	}
	expect(t, check(raw, false), receipt.Replayed)
	expect(t, check(twin(t, raw), false), receipt.Replayed)
	later := c.sign(bob, "good", "put", arguments(2))
	expect(t, check(later, false), receipt.OK)

	// What waits is also charged: poor has room for three limits, charged at half.
	for i := range 6 {
		got := check(c.sign(poor, "good", "put", arguments(1)), false)
		if want := i < 5; (got.Code == receipt.OK) != want {
			t.Errorf("waiting transaction %d of the poor: %s", i+1, got.Code.Name())
		}
	}

	c.block(raw)
	if err := pool.Reset(c.last.Header); err != nil {
		t.Fatal(err)
	}
	expect(t, check(raw, true), receipt.Replayed)
	expect(t, check(later, true), receipt.OK)
}

// The same blocks give the same roots, receipts and gas: on both engines, and with a restart
// after every block.
func TestAgreement(t *testing.T) {
	a, b := newChain(t, vm.Options{}), newChain(t, vm.Options{Interpreter: true})
	for height := range 12 {
		var raws [][]byte
		for i, contract := range []string{"good", "bad", "trap", "nobody", "good"} {
			raws = append(raws, a.sign([]*tx.SecretKey{alice, bob}[i%2], contract, "put", arguments(uint64(height))))
		}
		raws = append(raws, raws[0], []byte("garbage"))
		one := a.block(raws...)
		other := b.block(raws...)
		for i := range one {
			if one[i].GasUsed != other[i].GasUsed || one[i].Code != other[i].Code || !bytes.Equal(one[i].Data(), other[i].Data()) {
				t.Fatalf("height %d, transaction %d:\n%+v\n%+v", height+1, i, one[i], other[i])
			}
		}
		if !bytes.Equal(a.run.Root(), b.run.Root()) {
			t.Fatalf("height %d: roots %x and %x", height+1, a.run.Root(), b.run.Root())
		}
		b.open()
	}
}

// A node that dies between execution and commit, at genesis or later, comes to the same root.
func TestExecutedAgain(t *testing.T) {
	c := newChain(t, vm.Options{})
	lost := c.execute()
	again := c.execute()
	if !bytes.Equal(lost.Root, again.Root) {
		t.Fatalf("block 1 twice: roots %x and %x", lost.Root, again.Root)
	}
	c.open()
	if _, err := c.run.Begin(runtime.Header{Height: 1, Time: start}); err == nil {
		t.Fatal("block 1 began without genesis")
	}
	if _, err := c.run.InitChain(genesis(), runtime.Header{Height: 1, Time: start}); err != nil {
		t.Fatal(err)
	}
	c.now = start
	if first := c.execute(); !bytes.Equal(first.Root, lost.Root) {
		t.Fatalf("block 1 after a restart: roots %x and %x", first.Root, lost.Root)
	}
	c.block()
	raw := c.sign(alice, "good", "put", arguments(1))
	dead := c.execute(raw)
	c.open()
	c.now--
	if err := c.execute(raw).Commit(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.run.Root(), dead.Root) {
		t.Fatalf("block 2 again: roots %x and %x", c.run.Root(), dead.Root)
	}
}

func TestGenesisRefused(t *testing.T) {
	for _, test := range []struct {
		what string
		edit func(*runtime.Genesis)
	}{
		{"chain id", func(g *runtime.Genesis) { g.Chain = "no spaces" }},
		{"twice the same key", func(g *runtime.Genesis) { g.Accounts = append(g.Accounts, g.Accounts[0]) }},
		{"not a key", func(g *runtime.Genesis) { g.Accounts[0].Key = []byte{1} }},
		{"not Wasm", func(g *runtime.Genesis) { g.Contracts[0].Code = []byte{1} }},
		{"twice the same name", func(g *runtime.Genesis) { g.Contracts[1].Name = "good" }},
	} {
		t.Run(test.what, func(t *testing.T) {
			c := newChain(t, vm.Options{})
			g := genesis()
			test.edit(&g)
			if _, err := c.run.InitChain(g, runtime.Header{Height: 1}); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// BenchmarkApply is a block of 200 transactions through the whole machine, beside admission
// with a contract that isn't there. The same block is executed again and again, so signatures are verified in
// the first pass only, as in a block whose transactions were checked on arrival.
func BenchmarkApply(b *testing.B) {
	for _, test := range []struct {
		name string
		key  *tx.SecretKey
		to   string
	}{
		{"ed25519/run", alice, "good"}, {"p256/run", bob, "good"}, {"p256/unknown-contract", bob, "nobody"},
	} {
		b.Run(test.name, func(b *testing.B) {
			c := newChain(b, vm.Options{})
			c.block()
			var raws [][]byte
			for range 200 { // fewer than the quota and the window care about
				raws = append(raws, c.sign(test.key, test.to, "put", arguments(1), func(t *tx.Tx) { t.GasLimit = 5_000_000 }))
			}
			b.ReportAllocs()
			var spent time.Duration
			for b.Loop() {
				began := time.Now()
				if got := c.execute(raws...).Receipts[199]; got.Code != receipt.OK && test.to == "good" {
					b.Fatal(got.Reason)
				}
				spent += time.Since(began)
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/200, "ns/tx")
		})
	}
}
