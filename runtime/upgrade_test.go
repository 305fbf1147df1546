package runtime_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
	"github.com/wardledger/ward/runtime/vm/wasmtest"
)

// fields are the arguments of a method of code, in any order: pairs of a name and a value.
func fields(pairs ...any) []byte {
	type field struct {
		name  string
		value []byte
	}
	var list []field
	for i := 0; i < len(pairs); i += 2 {
		f := field{name: pairs[i].(string)}
		switch v := pairs[i+1].(type) {
		case string:
			f.value = cbor.AppendText(nil, v)
		case []byte:
			f.value = cbor.AppendBytes(nil, v)
		case int:
			f.value = cbor.AppendInt(nil, int64(v))
		case bool:
			f.value = cbor.AppendBool(nil, v)
		}
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b field) int { return cbor.CompareText(a.name, b.name) })
	b := cbor.AppendMap(nil, len(list))
	for _, f := range list {
		b = append(cbor.AppendText(b, f.name), f.value...)
	}
	return b
}

// code is a transaction to the contract code.
func (c *testChain) code(k *tx.SecretKey, method string, pairs ...any) []byte {
	c.t.Helper()
	return c.sign(k, runtime.CodeContract, method, fields(pairs...), plenty)
}

// with gives a module a spec with these methods, edited perhaps. The doc makes modules that do the same others.
func with(module []byte, doc string, edit func(*abi.Spec), methods ...string) []byte {
	s := abi.Spec{ABI: 2, Name: "thing", Doc: doc}
	for _, name := range methods {
		s.Methods = append(s.Methods, abi.Method{Name: name})
	}
	if edit != nil {
		edit(&s)
	}
	wasm, err := abi.AppendSpec(module, s.Encode())
	if err != nil {
		panic(err)
	}
	return wasm
}

// constant answers n to whatever is asked.
func constant(n byte, methods ...string) []byte {
	m := wasmtest.New()
	ret := m.Import(abi.Module, "ret")
	at, size := m.Data(string([]byte{n}))
	m.Export(abi.ExportCall, wasmtest.I32(at), wasmtest.I32(size), wasmtest.Call(ret))
	return with(m.Bytes(), "", nil, append(methods, "get")...)
}

// spinning never ends.
var spinning = func() []byte {
	m := wasmtest.New()
	m.Export(abi.ExportCall, wasmtest.Loop(wasmtest.Branch(0)))
	return m.Bytes()
}()

var (
	thing1 = with(good, "one", nil, "put")
	thing2 = with(good, "two", nil, "put", "upgrade") // what its hook is given is stored, and told
	thing3 = with(good, "three", nil, "put")
)

// things is a chain on which the operator has deployed thing1 as "thing".
func things(t *testing.T, o vm.Options) *testChain {
	c := newChain(t, o)
	c.block()
	expect(t, c.one(deployment(c, operator, "thing", thing1)), receipt.OK)
	return c
}

// is checks which code a contract has.
func (c *testChain) is(name string, version uint64, code []byte) {
	c.t.Helper()
	info, found, err := c.run.Contract(name)
	if err != nil || !found || info.Version != version || info.Code != sha256.Sum256(code) {
		c.t.Errorf("%s is version %d, code %x, %v, %v; want version %d, code %x", name, info.Version, info.Code, found, err, version, sha256.Sum256(code))
	}
}

// because wants a refusal of the runtime, for a reason with these words.
func (c *testChain) because(raw []byte, code receipt.Code, words ...string) {
	c.t.Helper()
	root := c.run.Root()
	r := c.one(raw)
	if r.Code != code {
		c.t.Errorf("%s: %q, want %s", r.Code.Name(), r.Reason, code.Name())
	}
	for _, w := range words {
		if !strings.Contains(r.Reason, w) {
			c.t.Errorf("reason %q without %q", r.Reason, w)
		}
	}
	if code.Executed() && bytes.Equal(c.run.Root(), root) {
		c.t.Error("the quota was not charged")
	}
}

// history returns versions and where they came from: "0>1 1>2 2>1".
func (c *testChain) history(name string) string {
	c.t.Helper()
	r, _, err := c.run.View(context.Background(), runtime.Query{Contract: runtime.CodeContract, Method: "history", Args: fields("name", name)})
	if err != nil {
		c.t.Fatal(err)
	}
	expect(c.t, r, receipt.OK)
	d := cbor.NewReader(r.Return)
	n, _ := d.Array()
	var list []string
	for range n {
		m, _ := d.Map()
		numbers := map[string]uint64{}
		for range m {
			key, _ := d.Text()
			if key == "version" || key == "from" {
				numbers[key], _ = d.Uint()
			} else if _, err := d.Raw(); err != nil {
				c.t.Fatal(err)
			}
		}
		list = append(list, fmt.Sprintf("%d>%d", numbers["from"], numbers["version"]))
	}
	return strings.Join(list, " ")
}

// The new code has the old name and rows, and its hook runs in the same transaction with the number of the version before. Back again the same.
func TestUpgrade(t *testing.T) {
	c := things(t, vm.Options{})
	expect(t, c.one(c.sign(alice, "thing", "put", arguments(5))), receipt.OK)

	r := c.one(c.code(operator, "upgrade", "code", thing2, "name", "thing"))
	expect(t, r, receipt.OK)
	c.is("thing", 2, thing2)
	if row := c.row("thing"); !bytes.Equal(row, fields("from", 1)) {
		t.Errorf("the hook was given %x", row)
	}
	hash1, hash2 := sha256.Sum256(thing1), sha256.Sum256(thing2)
	upgraded := fields("name", "thing", "version", 2, "hash", hash2[:], "from", 1, "before", hash1[:], "by", account(operator))
	if e := r.Events; len(e) != 2 || e[0].Name != "upgraded" || !bytes.Equal(e[0].Attributes, upgraded) || e[1].Contract != "thing" || e[1].Name != "stored" {
		t.Errorf("events %v", e)
	}
	if want := fields("hash", hash2[:], "version", 2); !bytes.Equal(r.Return, want) {
		t.Errorf("returned %x, want %x", r.Return, want)
	}

	// No hook, no call.
	expect(t, c.one(c.sign(alice, "thing", "put", arguments(6))), receipt.OK)
	expect(t, c.one(c.code(operator, "upgrade", "code", thing3, "name", "thing")), receipt.OK)
	c.is("thing", 3, thing3)
	if row := c.row("thing"); !bytes.Equal(row, arguments(6)) {
		t.Errorf("the row is %x", row)
	}
	c.open() // as after a restart

	// Back to a version, whose hook hears of a number that is higher than its own.
	r = c.one(c.code(operator, "rollback", "name", "thing", "to", 2))
	expect(t, r, receipt.OK)
	c.is("thing", 2, thing2)
	if row := c.row("thing"); !bytes.Equal(row, fields("from", 3)) || r.Events[0].Name != "rolled_back" {
		t.Errorf("the hook was given %x, events %v", row, r.Events)
	}
	expect(t, c.one(c.code(operator, "rollback", "name", "thing", "to", 1)), receipt.OK)
	c.is("thing", 1, thing1)
	// The next is a new number, also if the code was there before.
	expect(t, c.one(c.code(operator, "upgrade", "code", thing3, "name", "thing")), receipt.OK)
	c.is("thing", 4, thing3)
	if got, want := c.history("thing"), "0>1 1>2 2>3 3>2 2>1 1>4"; got != want {
		t.Errorf("history %s, want %s", got, want)
	}

	c.because(c.code(operator, "upgrade", "code", thing3, "name", "thing"), receipt.BadArguments, "this code already, as version 4")
	c.because(c.code(operator, "rollback", "name", "thing", "to", 4), receipt.BadArguments, "version 4 already")
	c.because(c.code(operator, "rollback", "name", "thing", "to", 5), receipt.BadArguments, "version 5 is not in the history", "ends with version 4")
	c.because(c.code(operator, "upgrade", "code", thing3, "name", "nobody"), receipt.UnknownContract, `"nobody"`)
	c.because(c.code(operator, "upgrade", "code", thing3, "name", "Thing"), receipt.BadArguments, `"Thing" is not a contract's name`)
	c.because(c.code(operator, "upgrade", "code", []byte("\x00asm junk"), "name", "thing"), receipt.BadCode)
	for _, name := range []string{runtime.CodeContract, runtime.ChainContract} {
		c.because(c.code(operator, "upgrade", "code", thing3, "name", name), receipt.NotPermitted, "part of the program")
	}
	c.because(c.code(operator, "upgrade", "name", "thing"), receipt.BadArguments, `"code" is missing`)
	c.because(c.code(operator, "upgrade", "name", "thing", "code", 1), receipt.BadArguments, `field "code" has the wrong type`)
	c.because(c.code(operator, "rollback", "name", "thing", "to", 1, "code", thing1), receipt.BadArguments, `no field "code"; there are name and to`)
	c.because(c.code(operator, "set_admin", "name", "thing", "admin", []byte{1}), receipt.BadArguments, "1 bytes", "20")
	c.because(c.code(operator, "announce", "name", "thing", "hash", []byte{1}), receipt.BadArguments, "1 bytes", "32")
	c.is("thing", 4, thing3)
	if _, _, err := c.run.View(context.Background(), runtime.Query{Contract: runtime.CodeContract, Method: "upgrade", Args: fields("name", "thing", "code", thing1)}); err != nil {
		t.Error(err)
	}
	c.is("thing", 4, thing3)
}

// If the hook comes to no good end, nothing has happened.
func TestUpgradeFails(t *testing.T) {
	for what, test := range map[string]struct {
		code []byte
		want receipt.Code
		edit func(*tx.Tx)
	}{
		"refuses":      {with(bad, "", nil, "put", "upgrade"), receipt.Failed, plenty},
		"traps":        {with(trap, "", nil, "put", "upgrade"), receipt.Trapped, plenty},
		"never ends":   {with(spinning, "", nil, "put", "upgrade"), receipt.OutOfGas, func(t *tx.Tx) { t.GasLimit = 2 * gas.MaxInit }},
		"too dear":     {thing2, receipt.OutOfGas, func(t *tx.Tx) { t.GasLimit = 430_000 }},
		"is no module": {[]byte("\x00asm\x01\x00\x00\x00junk"), receipt.BadCode, plenty},
	} {
		t.Run(what, func(t *testing.T) {
			c := things(t, vm.Options{})
			expect(t, c.one(c.sign(alice, "thing", "put", arguments(5))), receipt.OK)
			r := c.one(c.sign(operator, runtime.CodeContract, "upgrade", fields("name", "thing", "code", test.code), test.edit))
			expect(t, r, test.want)
			if len(r.Events) != 1 || r.Events[0].Name != abi.RefusedEvent {
				t.Errorf("events %v", r.Events)
			}
			c.is("thing", 1, thing1)
			if row := c.row("thing"); !bytes.Equal(row, arguments(5)) {
				t.Errorf("the row is %x", row)
			}
			if h := c.history("thing"); h != "0>1" {
				t.Errorf("history %s", h)
			}
			expect(t, c.one(c.sign(alice, "thing", "put", arguments(7))), receipt.OK)
		})
	}
}

// The hook is the runtime's to call: not a transaction's, a view's, another contract's.
func TestHookIsNotCallable(t *testing.T) {
	caller := func(contract, method string) []byte {
		m := wasmtest.New()
		call, ret := m.Import(abi.Module, "call"), m.Import(abi.Module, "ret")
		to, toLen := m.Data(contract)
		name, nameLen := m.Data(method)
		args, argsLen := m.Data(string(fields("from", 1)))
		const answer = 32768
		m.Export(abi.ExportCall, wasmtest.I32(answer),
			wasmtest.I32(to), wasmtest.I32(toLen), wasmtest.I32(name), wasmtest.I32(nameLen), wasmtest.I32(args), wasmtest.I32(argsLen), wasmtest.Call(call),
			wasmtest.Raw(0x3a, 0, 0), wasmtest.I32(answer-1), wasmtest.I32(2), wasmtest.Call(ret))
		m.DataAt(answer-1, "\x18") // a number of one byte behind this
		return m.Bytes()
	}
	c := chainOf(t, vm.Options{}, func(g *runtime.Genesis) {
		g.Contracts = append(g.Contracts,
			runtime.GenesisContract{Name: "thing", Code: thing2, Admin: operator.Public().Address()},
			runtime.GenesisContract{Name: "to-hook", Code: caller("thing", "upgrade")},
			runtime.GenesisContract{Name: "to-code", Code: caller("code", "upgrade")},
			runtime.GenesisContract{Name: "itself", Code: constant(1), Admin: operator.Public().Address()})
	})
	c.block()
	c.because(c.sign(alice, "thing", "upgrade", fields("from", 1)), receipt.UnknownMethod, "can't be called")
	for contract, want := range map[string]receipt.Code{"to-hook": receipt.UnknownMethod, "to-code": receipt.NotPermitted} {
		r := c.one(c.sign(alice, contract, "x", arguments(1)))
		expect(t, r, receipt.OK)
		if !bytes.Equal(r.Return, []byte{0x18, byte(want)}) {
			t.Errorf("%s answers %x, want %s", contract, r.Return, want.Name())
		}
	}
	r, _, err := c.run.View(context.Background(), runtime.Query{Contract: "thing", Method: "upgrade", Args: fields("from", 1)})
	if err != nil || r.Code != receipt.UnknownMethod {
		t.Errorf("a view: %s, %v", r.Code.Name(), err)
	}
	// A hook runs as a call of the contract: within it code is as far away as ever, and so is the contract itself.
	for _, name := range []string{"code", "itself"} {
		next := with(caller(name, "upgrade"), name, nil, "get", "upgrade")
		r := c.one(c.code(operator, "upgrade", "name", "itself", "code", next))
		expect(t, r, receipt.OK)
		got := c.one(c.sign(alice, "itself", "get", arguments(1)))
		if got.Code != receipt.OK || !bytes.Equal(got.Return, []byte{0x18, byte(receipt.NotPermitted)}) {
			t.Errorf("from within, %s answers %x %s", name, got.Return, got.Reason)
		}
	}
}

// A call has the code of its moment: in its block, in views and trials of old heights, in the trace of an old transaction.
func TestCodeOfItsHeight(t *testing.T) {
	c := newChain(t, vm.Options{Modules: 1})
	c.block()
	one, two := constant(1), constant(2, "more")
	expect(t, c.one(deployment(c, operator, "c", one)), receipt.OK)
	get := func() []byte { return c.sign(alice, "c", "get", arguments(0)) }
	before := c.run.Height()
	raws := [][]byte{get(), c.code(operator, "upgrade", "name", "c", "code", two), get()}
	r := c.block(raws...)
	upgrade := c.last.Header
	if !bytes.Equal(r[0].Return, []byte{1}) || r[1].Code != receipt.OK || !bytes.Equal(r[2].Return, []byte{2}) {
		t.Errorf("in the block: %x, %s, %x", r[0].Return, r[1].Reason, r[2].Return)
	}
	expect(t, c.one(c.code(operator, "rollback", "name", "c", "to", 1)), receipt.OK)
	after := c.run.Height()

	for height, want := range map[uint64]byte{before: 1, upgrade.Height: 2, after: 1} {
		q := runtime.Query{Height: height, Time: c.now, Contract: "c", Method: "get", Args: arguments(0)}
		if r, _, err := c.run.View(context.Background(), q); err != nil || !bytes.Equal(r.Return, []byte{want}) {
			t.Errorf("a view at height %d: %x %s, %v; want %d", height, r.Return, r.Reason, err, want)
		}
		if r, err := c.run.Simulate(context.Background(), runtime.Trial{Query: q}); err != nil || !bytes.Equal(r.Receipt.Return, []byte{want}) {
			t.Errorf("a trial at height %d: %x %s, %v; want %d", height, r.Receipt.Return, r.Receipt.Reason, err, want)
		}
		q.Method = "more" // what only the second has
		wantCode := receipt.UnknownMethod
		if want == 2 {
			wantCode = receipt.OK
		}
		if r, _, err := c.run.View(context.Background(), q); err != nil || r.Code != wantCode {
			t.Errorf("at height %d: %s, %v; want %s", height, r.Code.Name(), err, wantCode.Name())
		}
	}
	for height, want := range map[uint64]int{before - 1: 1, before: 1, upgrade.Height: 2, after: 1, after + 5: 1} { // the first is from before it was there
		if spec, err := c.run.SpecAt("c", height); err != nil || len(spec.Methods) != want {
			t.Errorf("the spec at height %d: %+v, %v; want %d methods", height, spec, err, want)
		}
	}
	if spec, err := c.run.SpecAt("nobody", 1); spec != nil || err != nil {
		t.Errorf("the spec of nobody: %+v, %v", spec, err)
	}
	if spec, err := c.run.SpecAt("code", 1); spec == nil || err != nil {
		t.Errorf("the spec of code: %+v, %v", spec, err)
	}
	if info, _, err := c.run.Contract("c"); err != nil || info.Since != after {
		t.Errorf("it has its code since %d, %v; want %d", info.Since, err, after)
	}
	for i, want := range [][]byte{{1}, nil, {2}} {
		traced, err := c.run.TraceTx(context.Background(), upgrade, raws[:i+1])
		if err != nil || traced.Receipt.Code != receipt.OK || want != nil && !bytes.Equal(traced.Receipt.Return, want) || traced.Receipt.GasUsed != r[i].GasUsed {
			t.Errorf("the trace of transaction %d: %+v, %v; want %x", i, traced.Receipt, err, want)
		}
	}
	for _, method := range []string{"deploy", "upgrade", "rollback"} {
		r, err := c.run.Simulate(context.Background(), runtime.Trial{Query: runtime.Query{Contract: "code", Method: method, Args: fields("name", "c")}})
		if err != nil || r.Receipt.Code != receipt.NotPermitted {
			t.Errorf("anybody has the node compile by a trial of %s: %+v, %v", method, r.Receipt, err)
		}
	}
}

// Whoever is the admin may, and nobody else; nobody's contract stays as it is.
func TestAdmin(t *testing.T) {
	c := things(t, vm.Options{})
	up := func(k *tx.SecretKey) []byte { return c.code(k, "upgrade", "name", "thing", "code", thing2) }
	c.mayDeploy(up(alice), false)
	c.mayDeploy(up(operator), true)
	c.mayDeploy(c.code(operator, "rollback", "name", "thing", "to", 2), false)
	c.because(up(alice), receipt.NotPermitted, "for its admin", operator.Public().Address().String(), alice.Public().Address().String())
	for _, method := range []string{"rollback", "announce", "withdraw", "set_delay", "set_admin"} {
		args := map[string][]any{"rollback": {"to", 1}, "set_delay": {"delay", 5}, "set_admin": {"admin", account(alice)}}[method]
		c.because(c.code(alice, method, append(args, "name", "thing")...), receipt.NotPermitted, "for its admin")
	}
	stray := make([]byte, 20)
	stray[0] = 1
	c.because(c.code(operator, "set_admin", "name", "thing", "admin", stray), receipt.BadArguments, "is no account")
	of := address.OfContract("good")
	c.because(c.code(operator, "set_admin", "name", "thing", "admin", of[:]), receipt.BadArguments, "is no account")

	r := c.one(c.code(operator, "set_admin", "name", "thing", "admin", account(alice)))
	expect(t, r, receipt.OK)
	if want := fields("name", "thing", "admin", account(alice), "before", account(operator)); r.Events[0].Name != "admin_set" || !bytes.Equal(r.Events[0].Attributes, want) {
		t.Errorf("events %v", r.Events)
	}
	c.because(up(operator), receipt.NotPermitted, "for its admin")
	expect(t, c.one(up(alice)), receipt.OK)
	c.mayDeploy(c.code(alice, "rollback", "name", "thing", "to", 1), true)
	expect(t, c.one(c.code(alice, "set_delay", "name", "thing", "delay", 60)), receipt.OK)
	expect(t, c.one(c.code(alice, "announce", "name", "thing", "to", 1)), receipt.OK)

	expect(t, c.one(c.code(alice, "set_admin", "name", "thing", "admin", make([]byte, 20))), receipt.OK)
	c.now += 100
	for _, raw := range [][]byte{
		up(alice), c.code(alice, "rollback", "name", "thing", "to", 1), c.code(alice, "set_admin", "name", "thing", "admin", account(alice)),
		c.code(alice, "set_delay", "name", "thing", "delay", 0), c.code(operator, "upgrade", "name", "thing", "code", thing3),
	} {
		c.because(raw, receipt.NotPermitted, "nobody's", "for ever")
	}
	if info, _, _ := c.run.Contract("thing"); info.Timelock != (registry.Timelock{}) {
		t.Errorf("nobody's contract has the timelock %+v", info.Timelock)
	}
	expect(t, c.one(c.sign(bob, "thing", "put", arguments(1))), receipt.OK)
}

// kinder keeps what its init and its hook are told of their sender, and answers it to any call.
func kinder(doc string) []byte {
	m := wasmtest.New()
	kind, set, get, ret, method := m.Import(abi.Module, "caller_kind"), m.Import(abi.Module, "set"), m.Import(abi.Module, "get"), m.Import(abi.Module, "ret"), m.Import(abi.Module, "method")
	col, n := m.Data("rows")
	row := wasmtest.Seq(wasmtest.I32(col), wasmtest.I32(n), wasmtest.I32(col), wasmtest.I32(n))
	const at = 1 << 10
	// Methods: "init" and "upgrade" store, "r" reads; the length of the name says which it is.
	m.Export(abi.ExportCall,
		wasmtest.I32(at), wasmtest.I32(32), wasmtest.Call(method), wasmtest.I32(1), wasmtest.Raw(0x47), wasmtest.If(
			wasmtest.I32(at), wasmtest.Call(kind), wasmtest.Raw(0x3a, 0, 0),
			row, wasmtest.I32(at), wasmtest.I32(1), wasmtest.Call(set)),
		row, wasmtest.I32(at), wasmtest.I32(1), wasmtest.Call(get), wasmtest.Raw(0x1a),
		wasmtest.I32(at), wasmtest.I32(1), wasmtest.Call(ret))
	spec := abi.Spec{ABI: 2, Name: "kinder", Doc: doc, Methods: []abi.Method{{Name: "init"}, {Name: "upgrade", Args: &abi.Type{Kind: abi.KindStruct,
		Fields: []abi.Field{{Name: "from", Type: &abi.Type{Kind: abi.KindUint}}}}}, {Name: "r"}}}
	wasm, err := abi.AppendSpec(m.Bytes(), spec.Encode())
	if err != nil {
		panic(err)
	}
	return wasm
}

// Init and the hook know what the admin is in whose name they run: an account, a contract, or nobody.
func TestHookKnowsItsSender(t *testing.T) {
	one, two := kinder("one"), kinder("two")
	quorum := address.OfContract("permit")
	c := governed(t, func(g *runtime.Genesis) {
		g.Contracts = append(g.Contracts,
			runtime.GenesisContract{Name: "bobs", Code: one, Admin: bob.Public().Address()},
			runtime.GenesisContract{Name: "theirs", Code: one, Admin: quorum},
			runtime.GenesisContract{Name: "own", Code: one, Admin: address.OfContract("own")},
			runtime.GenesisContract{Name: "nobodys", Code: one})
	})
	told := func(name string, want byte) {
		t.Helper()
		r := c.one(c.sign(alice, name, "r", arguments(1)))
		if expect(t, r, receipt.OK); !bytes.Equal(r.Return, []byte{want}) {
			t.Errorf("%s was told %x, want %d", name, r.Return, want)
		}
	}
	told("bobs", abi.CallerAccount)
	told("theirs", abi.CallerContract)
	told("own", abi.CallerContract)
	told("nobodys", abi.CallerNobody)

	expect(t, c.one(c.code(bob, "upgrade", "name", "bobs", "code", two)), receipt.OK)
	told("bobs", abi.CallerAccount)
	c.ask("permit", permit("theirs", two, func(p *abi.Permit) { p.Admin = quorum[:] }), abi.StatusOK)
	expect(t, c.one(c.code(alice, "upgrade", "name", "theirs", "code", two)), receipt.OK)
	told("theirs", abi.CallerContract)

	later := address.OfContract("later-own")
	for name, admin := range map[string]struct {
		address []byte
		kind    byte
	}{
		"later": {account(bob), abi.CallerAccount}, "later-theirs": {quorum[:], abi.CallerContract}, "later-own": {later[:], abi.CallerContract},
		"later-nobodys": {make([]byte, abi.AddressSize), abi.CallerNobody},
	} {
		c.ask("permit", permit(name, one, func(p *abi.Permit) { p.Admin = admin.address }), abi.StatusOK)
		expect(t, c.one(deployment(c, alice, name, one)), receipt.OK)
		told(name, admin.kind)
	}
}

// A contract with powers also needs a permit of its new code: with its own admin and its own powers, once. Back too.
func TestUpgradeOfPowers(t *testing.T) {
	quorum := address.OfContract("permit")
	c := governed(t, func(g *runtime.Genesis) {
		g.Contracts = append(g.Contracts,
			runtime.GenesisContract{Name: "keys", Code: thing1, Admin: bob.Public().Address(), Capabilities: []string{"accounts"}},
			runtime.GenesisContract{Name: "theirs", Code: thing1, Admin: quorum},
			runtime.GenesisContract{Name: "self", Code: asker("code_permit", 0), Admin: address.OfContract("self"), Capabilities: []string{"code", "accounts"}},
			runtime.GenesisContract{Name: "frozen", Code: thing1, Capabilities: []string{"accounts"}},
			runtime.GenesisContract{Name: "plain", Code: thing1, Admin: bob.Public().Address()},
			runtime.GenesisContract{Name: "throne", Code: thing1, Admin: bob.Public().Address(), Capabilities: []string{"authorities"}})
	})
	up := func(k *tx.SecretKey, name string, code []byte) []byte {
		return c.code(k, "upgrade", "name", name, "code", code)
	}
	powers := func(p *abi.Permit) { p.Capabilities = []string{"accounts"} }
	c.because(up(bob, "keys", thing2), receipt.NotPermitted, "must be permitted", "accounts", fmt.Sprintf("%x", sha256.Sum256(thing2)))

	// A permit says of a contract what is so, or it is none for it.
	for what, edit := range map[string]func(*abi.Permit){
		"more powers":      func(p *abi.Permit) { p.Capabilities = []string{"accounts", "code"} },
		"fewer powers":     func(p *abi.Permit) {},
		"another admin":    func(p *abi.Permit) { powers(p); p.Admin = account(alice) },
		"arguments of int": func(p *abi.Permit) { powers(p); p.Init = make([]byte, 32) },
	} {
		t.Run(what, func(t *testing.T) { c.ask("permit", permit("keys", thing2, edit), abi.StatusNameTaken) })
	}
	c.ask("permit", permit("plain", thing2), abi.StatusNameTaken) // bob needs none
	c.ask("permit", permit("frozen", thing2, powers, func(p *abi.Permit) { p.Admin = make([]byte, 20) }), abi.StatusNameTaken)
	c.ask("permit", permit("throne", thing2, func(p *abi.Permit) { p.Capabilities = []string{"authorities"} }), abi.StatusNotYours)

	c.ask("permit", permit("keys", thing2, powers), abi.StatusOK)
	c.mayDeploy(up(bob, "keys", thing3), false)
	c.because(up(bob, "keys", thing3), receipt.NotPermitted, "must be permitted")
	c.because(up(alice, "keys", thing2), receipt.NotPermitted, "for its admin") // the permit lets nobody but the admin
	c.mayDeploy(up(bob, "keys", thing2), true)
	expect(t, c.one(up(bob, "keys", thing2)), receipt.OK)
	c.is("keys", 2, thing2)
	if info, _, _ := c.run.Contract("keys"); !slices.Equal(info.Capabilities, []string{"accounts"}) {
		t.Errorf("it has %q", info.Capabilities)
	}
	c.because(c.code(bob, "rollback", "name", "keys", "to", 1), receipt.NotPermitted, "must be permitted")
	c.ask("permit", permit("keys", thing1, powers), abi.StatusOK)
	expect(t, c.one(c.code(bob, "rollback", "name", "keys", "to", 1)), receipt.OK)
	c.ask("withdraw", cbor.AppendText(nil, "keys"), abi.StatusNoPermit) // used up

	// A failing hook uses nothing up. A permit with another admin than now is none.
	failing := with(bad, "", nil, "put", "upgrade")
	c.ask("permit", permit("keys", failing, powers), abi.StatusOK)
	expect(t, c.one(up(bob, "keys", failing)), receipt.Failed)
	expect(t, c.one(c.code(bob, "set_admin", "name", "keys", "admin", account(alice))), receipt.OK)
	c.because(up(alice, "keys", failing), receipt.NotPermitted, "must be permitted")
	c.ask("withdraw", cbor.AppendText(nil, "keys"), abi.StatusOK)

	// An admin that is a contract says yes by its permit, whoever sends it; the hook's sender is that admin.
	c.because(up(operator, "theirs", thing2), receipt.NotPermitted, "for its admin")
	theirs := func(p *abi.Permit) { p.Admin = quorum[:] }
	c.ask("permit", permit("theirs", thing2, theirs), abi.StatusOK)
	c.because(up(alice, "theirs", thing3), receipt.NotPermitted, "its admin is a contract")
	for _, method := range []string{"set_admin", "set_delay", "announce", "withdraw"} {
		args := map[string][]any{"set_delay": {"delay", 5}, "set_admin": {"admin", account(alice)}}[method]
		c.because(c.code(alice, method, append(args, "name", "theirs")...), receipt.NotPermitted, "is a contract")
	}
	c.mayDeploy(up(alice, "theirs", thing2), true)
	expect(t, c.one(up(alice, "theirs", thing2)), receipt.OK)
	c.is("theirs", 2, thing2)
	c.because(c.code(alice, "rollback", "name", "theirs", "to", 1), receipt.NotPermitted, "for its admin")

	// So does one that is its own, as the contract authority is. What another permits for it is not its word.
	self := address.OfContract("self")
	selves := func(p *abi.Permit) { p.Admin, p.Capabilities = self[:], []string{"accounts", "code"} }
	c.ask("permit", permit("self", thing2, selves), abi.StatusOK)
	c.because(up(alice, "self", thing2), receipt.NotPermitted, "for its admin")
	c.ask("self", permit("self", thing2, selves), abi.StatusOK)
	expect(t, c.one(up(alice, "self", thing2)), receipt.OK)
	c.is("self", 2, thing2)
}

// A contract with a delay announces what will happen, and it happens after the delay, not too long after, and not otherwise.
func TestTimelock(t *testing.T) {
	const day = 24 * 3600
	c := newChain(t, vm.Options{})
	c.block()
	expect(t, c.one(c.code(operator, "deploy", "code", thing1, "name", "thing", "delay", 2*day)), receipt.OK)
	up := func(code []byte, more ...any) []byte {
		return c.code(operator, "upgrade", append(more, "name", "thing", "code", code)...)
	}
	hash := func(code []byte) []byte { h := sha256.Sum256(code); return h[:] }
	announce := func(pairs ...any) receipt.Receipt {
		t.Helper()
		r := c.one(c.code(operator, "announce", append(pairs, "name", "thing")...))
		expect(t, r, receipt.OK)
		return r
	}
	c.because(up(thing2), receipt.NotPermitted, "announced 172800 seconds before", "is not announced")
	for _, pairs := range [][]any{{}, {"hash", hash(thing2), "to", 1}} {
		c.because(c.code(operator, "announce", append(pairs, "name", "thing")...), receipt.BadArguments, "either hash")
	}
	r := announce("hash", hash(thing2))
	earliest := c.now + 2*day
	if want := fields("name", "thing", "version", 2, "hash", hash(thing2), "rollback", false, "allow_breaking", false, "earliest", int(earliest)); r.Events[0].Name != "announced" || !bytes.Equal(r.Events[0].Attributes, want) {
		t.Errorf("events %v", r.Events)
	}
	c.because(up(thing2), receipt.NotPermitted, fmt.Sprint(earliest), fmt.Sprint(c.now+1))
	c.now = earliest - 2 // the next block is one second later
	c.because(up(thing2), receipt.NotPermitted, fmt.Sprint(earliest))
	c.because(up(thing3), receipt.NotPermitted, "is not announced") // another code
	expect(t, c.one(up(thing2)), receipt.OK)
	c.is("thing", 2, thing2)
	c.because(up(thing3), receipt.NotPermitted, "is not announced") // once

	// Taken back; replaced, which begins anew; too late.
	announce("hash", hash(thing3))
	expect(t, c.one(c.code(operator, "withdraw", "name", "thing")), receipt.OK)
	c.now += 3 * day
	c.because(up(thing3), receipt.NotPermitted, "is not announced")
	c.because(c.code(operator, "withdraw", "name", "thing"), receipt.BadArguments, "nothing is announced")
	announce("hash", hash(thing1))
	announce("hash", hash(thing3))
	c.now += 2*day + runtime.AnnouncedFor + 1
	c.because(up(thing3), receipt.NotPermitted, "announce it again")
	announce("hash", hash(thing3))
	c.now += 2*day - 1 + runtime.AnnouncedFor
	expect(t, c.one(up(thing3)), receipt.OK)

	// Back only as announced, to a version; an upgrade to that code is something else.
	c.because(c.code(operator, "rollback", "name", "thing", "to", 1), receipt.NotPermitted, "is not announced")
	c.because(c.code(operator, "announce", "name", "thing", "to", 7), receipt.BadArguments, "version 7 is not in the history")
	announce("to", 1)
	c.now += 2 * day
	c.because(up(thing1), receipt.NotPermitted, "is not announced")
	c.because(c.code(operator, "rollback", "name", "thing", "to", 2), receipt.NotPermitted, "is not announced")
	expect(t, c.one(c.code(operator, "rollback", "name", "thing", "to", 1)), receipt.OK)

	// What may break must have been announced as such.
	gone := with(good, "gone", nil, "take")
	announce("hash", hash(gone))
	c.now += 2 * day
	c.because(up(gone), receipt.Breaking, "method put is gone")
	c.because(up(gone, "allow_breaking", true), receipt.NotPermitted, "is not announced as one that may break")
	announce("hash", hash(gone), "allow_breaking", true)
	c.now += 2 * day
	expect(t, c.one(up(gone, "allow_breaking", true)), receipt.OK)

	// Longer at once, shorter when the delay before has passed, and longer again puts an end to that.
	set := func(delay int) (from int64) {
		t.Helper()
		r := c.one(c.code(operator, "set_delay", "name", "thing", "delay", delay))
		expect(t, r, receipt.OK)
		d := cbor.NewReader(r.Return)
		_, _ = d.Map()
		_, _ = d.Text()
		from, _ = d.Int()
		return from
	}
	delay := func(want int64) {
		t.Helper()
		info, _, err := c.run.Contract("thing")
		if got := info.Timelock.At(c.now).Delay; err != nil || got != want {
			t.Errorf("the delay is %d, %v; want %d", got, err, want)
		}
	}
	if from := set(4 * day); from != c.now {
		t.Errorf("longer from %d, want %d", from, c.now)
	}
	delay(4 * day)
	announce("hash", hash(thing1))
	if from := set(0); from != c.now+4*day {
		t.Errorf("shorter from %d, want %d", from, c.now+4*day)
	}
	delay(4 * day)
	c.now += 4*day - 2
	c.because(up(thing2), receipt.NotPermitted, "announced 345600 seconds before")
	c.now++
	expect(t, c.one(up(thing2, "allow_breaking", true)), receipt.OK) // there is no delay any more
	c.because(c.code(operator, "announce", "name", "thing", "hash", hash(thing1)), receipt.BadArguments, "has no delay")
	set(day)
	set(60)
	set(day)
	c.now += 2 * day
	delay(day)
	for _, wrong := range []int{-1, runtime.MaxDelay + 1} {
		c.because(c.code(operator, "set_delay", "name", "thing", "delay", wrong), receipt.BadArguments, fmt.Sprint(wrong), fmt.Sprint(runtime.MaxDelay))
		c.because(c.code(operator, "deploy", "name", "other", "code", thing1, "delay", wrong), receipt.BadArguments, fmt.Sprint(wrong))
	}
}

// What was permitted has no delay: whoever deploys it decides nothing, and an admin that is a contract sends no transaction that could set one.
func TestNoTimelockOfPermit(t *testing.T) {
	c := governed(t, func(g *runtime.Genesis) { g.Parameters = abi.Parameters{Deploy: abi.DeployOpen} })
	c.ask("permit", permit("late", thing1, func(p *abi.Permit) { a := address.OfContract("permit"); p.Admin = a[:] }), abi.StatusOK)
	c.because(c.code(alice, "deploy", "code", thing1, "name", "late", "delay", 60), receipt.NotPermitted, "without a delay")
	expect(t, c.one(c.code(alice, "deploy", "code", thing1, "name", "late")), receipt.OK)
}

// The refusal lists what breaks, as much as fits, and the decision is the runtime's.
func TestBreaking(t *testing.T) {
	wide := func(s *abi.Spec) {
		for i := range 200 {
			s.Methods = append(s.Methods, abi.Method{Name: fmt.Sprintf("method_with_a_long_name_%03d", i), View: true})
		}
		s.Errors = append(s.Errors, abi.ErrorSpec{Code: 2, Name: "full"})
	}
	c := newChain(t, vm.Options{})
	c.block()
	expect(t, c.one(deployment(c, operator, "thing", with(good, "wide", wide, "put"))), receipt.OK)
	raw := c.code(operator, "upgrade", "name", "thing", "code", thing1)
	r := c.one(raw)
	expect(t, r, receipt.Breaking)
	for _, words := range []string{`"thing" breaks its callers: view method_with_a_long_name_000 is gone; view method_with_a_long_name_001 is gone;`, "; and 179 more"} {
		if !strings.Contains(r.Reason, words) {
			t.Errorf("reason of %d bytes %q without %q", len(r.Reason), r.Reason, words)
		}
	}
	if want := gas.MinLimit(len(raw)) + gas.Administer + gas.DeployByte*uint64(len(thing1)); r.GasUsed != want {
		t.Errorf("it cost %d gas, before anything is compiled it is %d", r.GasUsed, want)
	}
	c.because(c.code(operator, "upgrade", "name", "thing", "code", good), receipt.Breaking, "the new code has no spec")
	expect(t, c.one(c.code(operator, "upgrade", "name", "thing", "code", thing1, "allow_breaking", true)), receipt.OK)
	// Nobody relies on more than there was; back is back.
	expect(t, c.one(c.code(operator, "upgrade", "name", "thing", "code", with(good, "wide", wide, "put"))), receipt.OK)
	expect(t, c.one(c.code(operator, "rollback", "name", "thing", "to", 2)), receipt.OK)
	// A contract that never said anything of itself breaks nothing.
	expect(t, c.one(deployment(c, operator, "silent", good)), receipt.OK)
	expect(t, c.one(c.code(operator, "upgrade", "name", "silent", "code", reader)), receipt.OK)
}

// The history is as long as it may be, and what is forgotten can't be gone back to.
func TestHistoryIsBounded(t *testing.T) {
	c := things(t, vm.Options{})
	for i := range registry.MaxHistory {
		expect(t, c.one(c.code(operator, "upgrade", "name", "thing", "code", with(good, fmt.Sprint("again ", i), nil, "put"))), receipt.OK)
	}
	h := strings.Fields(c.history("thing"))
	if len(h) != registry.MaxHistory || h[0] != "1>2" {
		t.Errorf("%d activations, from %s", len(h), h[0])
	}
	c.because(c.code(operator, "rollback", "name", "thing", "to", 1), receipt.BadArguments, "version 1 is not in the history", "32 changes")
	expect(t, c.one(c.code(operator, "rollback", "name", "thing", "to", 2)), receipt.OK)
	r, _, err := c.run.View(context.Background(), runtime.Query{Contract: runtime.CodeContract, Method: "history", Args: fields("name", "nobody")})
	if err != nil || r.Code != receipt.UnknownContract {
		t.Errorf("of no contract: %+v, %v", r, err)
	}
}

// An upgrade and a rollback count as the activation of a block, and can be made ready ahead.
func TestUpgradeActivates(t *testing.T) {
	c := things(t, vm.Options{})
	up := c.code(operator, "upgrade", "name", "thing", "code", thing2)
	r := c.block(up, deployment(c, operator, "other", reader))
	expect(t, r[0], receipt.OK)
	expect(t, r[1], receipt.OneActivation)
	back := c.code(operator, "rollback", "name", "thing", "to", 1)
	for _, raw := range [][]byte{up, back} {
		signed, err := tx.Decode(raw)
		if err != nil || !runtime.Activates(signed) {
			t.Fatal("it does not activate", err)
		}
		if err := c.run.Prepare(signed, len(raw)); err != nil {
			t.Error(err)
		}
	}
	r = c.block(deployment(c, operator, "other", reader), back)
	expect(t, r[0], receipt.OK)
	expect(t, r[1], receipt.OneActivation)
	expect(t, c.one(back), receipt.OK)
	for method, want := range map[string]bool{"set_delay": false, "announce": false, "history": false, "deploy": true} {
		signed, err := tx.Decode(c.code(operator, method, "name", "thing"))
		if err != nil || runtime.Activates(signed) != want {
			t.Errorf("%s activates: %v, %v", method, !want, err)
		}
	}
}

// The same blocks give the same roots and gas: on another engine, and on a node that starts anew before each block and finds nothing ready.
func TestUpgradesAgree(t *testing.T) {
	run := func(o vm.Options, restart bool) (list []string) {
		c := things(t, o)
		for i, raw := range [][]byte{
			c.sign(alice, "thing", "put", arguments(5)),
			c.code(operator, "upgrade", "name", "thing", "code", thing2),
			c.code(operator, "upgrade", "name", "thing", "code", with(trap, "", nil, "put", "upgrade")),
			c.code(operator, "upgrade", "name", "thing", "code", with(bad, "", nil, "take")),
			c.sign(alice, "thing", "put", arguments(6)),
			c.code(operator, "rollback", "name", "thing", "to", 1),
			c.code(operator, "set_delay", "name", "thing", "delay", 2),
			c.code(operator, "announce", "name", "thing", "to", 2),
			c.code(operator, "rollback", "name", "thing", "to", 2),
			c.code(operator, "rollback", "name", "thing", "to", 2),
			c.code(operator, "set_admin", "name", "thing", "admin", make([]byte, 20)),
		} {
			if restart {
				c.open()
			}
			c.execute(raw) // a block that was never committed, as before a crash
			c.now--
			r := c.one(raw)
			list = append(list, fmt.Sprintf("%d %s %d %x", i, r.Code.Name(), r.GasUsed, c.run.Root()))
		}
		return list
	}
	want := run(vm.Options{}, false)
	var codes []string
	for _, line := range want {
		codes = append(codes, strings.Fields(line)[1])
	}
	if got := strings.Join(codes, " "); got != "ok ok trapped breaking ok ok ok ok not_permitted ok ok" {
		t.Errorf("the blocks end as %s", got)
	}
	for what, got := range map[string][]string{
		"again": run(vm.Options{}, false), "restarted": run(vm.Options{}, true), "interpreter": run(vm.Options{Interpreter: true}, true),
	} {
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
