package runtime_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
)

// mayDeploy checks what is told of a deployment before its block.
func (c *testChain) mayDeploy(raw []byte, want bool) {
	c.t.Helper()
	signed, err := tx.Decode(raw)
	if err != nil {
		c.t.Fatal(err)
	}
	if may, err := c.run.MayActivate(signed); err != nil || may != want {
		c.t.Errorf("it may deploy: %v, %v; want %v", may, err, want)
	}
}

// deployment is a transaction that deploys code.
func deployment(c *testChain, k *tx.SecretKey, name string, code []byte, edit ...func(*tx.Tx)) []byte {
	a := cbor.AppendMap(nil, 2)
	a = cbor.AppendBytes(cbor.AppendText(a, "code"), code)
	a = cbor.AppendText(cbor.AppendText(a, "name"), name)
	enough := func(t *tx.Tx) { t.GasLimit = tx.MaxGas }
	return c.sign(k, runtime.CodeContract, "deploy", a, append([]func(*tx.Tx){enough}, edit...)...)
}

// A block deploys once. The second deployment changes nothing, and can come again.
func TestOneActivation(t *testing.T) {
	c := newChain(t, vm.Options{})
	c.block() // genesis deployed three contracts
	codes := func(raws ...[]byte) (list []string) {
		for _, r := range c.block(raws...) {
			list = append(list, r.Code.Name())
		}
		return list
	}
	expectAll := func(what, want string, raws ...[]byte) {
		t.Helper()
		if got := strings.Join(codes(raws...), " "); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	one, two, three := deployment(c, operator, "one", reader), deployment(c, operator, "two", reader), deployment(c, operator, "three", reader)
	expectAll("three in a block", "ok one_activation one_activation", one, two, three)

	root := c.run.Root()
	stage := c.execute(two)
	if stage.Receipts[0].Code != receipt.OK || bytes.Equal(stage.Root, root) {
		t.Errorf("alone: %+v", stage.Receipts[0])
	}
	c.now-- // the same block, with one transaction more
	both := c.execute(two, three)
	if r := both.Receipts[1]; !bytes.Equal(both.Root, stage.Root) || r.GasUsed != 0 || len(r.Events) != 0 || !strings.Contains(r.Reason, "block 3") {
		t.Errorf("the second of two left a trace: %+v", r)
	}
	expectAll("in the next block", "ok", two)
	expectAll("one that fails counts", "not_permitted one_activation", deployment(c, alice, "four", reader), three)
	expectAll("one that isn't admitted doesn't", "unknown_key ok", deployment(c, stranger, "four", reader), three)
	expectAll("nor does another method", "unknown_method ok unknown_method",
		c.sign(operator, runtime.CodeContract, "nothing", arguments(1)), deployment(c, operator, "five", reader),
		c.sign(operator, runtime.CodeContract, "nothing", arguments(1)))

	// Both may wait for their blocks.
	pool := c.run.NewPool()
	defer pool.Close()
	if err := pool.Reset(c.last.Header); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"six", "seven"} {
		if r, err := pool.Check(deployment(c, operator, name, reader), false); err != nil || r.Code != receipt.OK {
			t.Errorf("%s waits: %+v, %v", name, r, err)
		}
	}
}

// What a deployment costs can be told before it is sent.
func TestDeployGas(t *testing.T) {
	c := newChain(t, vm.Options{})
	c.block()
	price, err := runtime.DeployGas(reader) // which has a page of memory, no _initialize and no init
	if err != nil {
		t.Fatal(err)
	}
	raw := deployment(c, operator, "one", reader)
	r := c.one(raw)
	if want := gas.MinLimit(len(raw)) + price + gas.EnterPrice(1); r.Code != receipt.OK || r.GasUsed != want {
		t.Errorf("%s, %d gas, want %d", r.Code.Name(), r.GasUsed, want)
	}
	if _, err := runtime.DeployGas([]byte("junk")); err == nil {
		t.Error("junk has a price")
	}
}

// Prepare does what the block would ask of the engine, within the transaction's gas, and changes nothing.
func TestPrepare(t *testing.T) {
	c := newChain(t, vm.Options{})
	c.block()
	bytesOnly := gas.MinLimit(len(deployment(c, operator, "one", reader))) + gas.DeployByte*uint64(len(reader)) + 1
	for _, test := range []struct {
		what string
		raw  []byte
		err  string
	}{
		{"a deployment", deployment(c, operator, "one", reader), ""},
		{"the same again", deployment(c, operator, "two", reader), ""},
		{"what is no deployment", c.sign(operator, "good", "put", arguments(1)), ""},
		{"junk", deployment(c, operator, "junk", []byte("\x00asm junk")), "refused"},
		{"no code", c.sign(operator, runtime.CodeContract, "deploy", arguments(1)), `no field "n"`},
		{"no gas for the bytes", deployment(c, operator, "one", reader, func(t *tx.Tx) { t.GasLimit = 1000 }), "does not pay"},
		{"no gas for the engine", deployment(c, operator, "one", reader, func(t *tx.Tx) { t.GasLimit = bytesOnly }), "used up"},
	} {
		root := c.run.Root()
		x, err := tx.Decode(test.raw)
		if err != nil {
			t.Fatal(err)
		}
		err = c.run.Prepare(x, len(test.raw))
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v, want %q", test.what, err, test.err)
		}
		if !bytes.Equal(c.run.Root(), root) {
			t.Errorf("%s: the root has changed", test.what)
		}
	}
	for k, want := range map[*tx.SecretKey]bool{operator: true, alice: false, stranger: false} {
		c.mayDeploy(deployment(c, k, "one", reader), want)
	}
	c.mayDeploy(c.sign(operator, runtime.CodeContract, "deploy", arguments(1)), false)
	c.mayDeploy(c.sign(operator, "good", "put", arguments(1)), false)
	// With that little gas it comes to nothing, for next to nothing: it must not go before others.
	c.mayDeploy(deployment(c, operator, "one", reader, func(t *tx.Tx) { t.GasLimit = gas.MaxInit }), false)
}

// A name that no contract has, too long to be a row's key even, is for the block to refuse: nothing is looked up, and nothing breaks.
func TestActivationOfNoName(t *testing.T) {
	c := newChain(t, vm.Options{})
	c.block()
	for _, name := range []string{"", "No name", strings.Repeat("a", state.MaxKey+1), strings.Repeat("a", 60_000)} {
		for _, raw := range [][]byte{
			deployment(c, operator, name, reader), c.code(operator, "upgrade", "name", name, "code", reader), c.code(operator, "rollback", "name", name, "to", 1),
		} {
			c.mayDeploy(raw, false)
			signed, err := tx.Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.run.Prepare(signed, len(raw)); err == nil || errors.Is(err, state.ErrBounds) {
				t.Errorf("%s under a name of %d bytes is made ready: %v", signed.Method, len(name), err)
			}
			c.because(raw, receipt.BadArguments)
		}
	}
}
