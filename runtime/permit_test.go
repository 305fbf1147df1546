package runtime_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
	"github.com/wardledger/ward/runtime/vm/wasmtest"
)

// asker is a contract that hands its arguments, without the first bytes of them, to a function of the host, and
// returns the status with its sign turned.
func asker(function string, skip int32) []byte {
	m := wasmtest.New()
	args, ret, ask := m.Import(abi.Module, "args"), m.Import(abi.Module, "ret"), m.Import(abi.Module, function)
	const room, answer = 32768, 32768
	sub, store8 := wasmtest.Raw(0x6b), wasmtest.Raw(0x3a, 0, 0)
	m.Export(abi.ExportCall,
		wasmtest.I32(0), wasmtest.I32(room), wasmtest.Call(args), wasmtest.Set(0),
		wasmtest.I32(answer), wasmtest.I32(0), wasmtest.I32(skip), wasmtest.Get(0), wasmtest.I32(skip), sub, wasmtest.Call(ask), sub, store8,
		wasmtest.I32(answer), wasmtest.I32(1), wasmtest.Call(ret))
	return m.Bytes()
}

// teller returns the chain's parameters.
var teller = func() []byte {
	m := wasmtest.New()
	get, ret := m.Import(abi.Module, "parameters_get"), m.Import(abi.Module, "ret")
	m.Export(abi.ExportCall, wasmtest.I32(0), wasmtest.I32(4096), wasmtest.Call(get), wasmtest.Set(0), wasmtest.I32(0), wasmtest.Get(0), wasmtest.Call(ret))
	return m.Bytes()
}()

// diarist has an init, which stores its sender and its origin, one behind the other, and returns them on any call.
var diarist = func() []byte {
	m := wasmtest.New()
	sender, origin, set, get, ret := m.Import(abi.Module, "sender"), m.Import(abi.Module, "origin"), m.Import(abi.Module, "set"), m.Import(abi.Module, "get"), m.Import(abi.Module, "ret")
	exists := m.Import(abi.Module, "exists")
	col, n := m.Data("rows")
	row := wasmtest.Seq(wasmtest.I32(col), wasmtest.I32(n), wasmtest.I32(col), wasmtest.I32(n))
	head, _ := m.Data("\x58\x28")
	m.Export(abi.ExportCall,
		row, wasmtest.Call(exists), wasmtest.Raw(0x45), wasmtest.If(
			wasmtest.I32(0), wasmtest.Call(sender), wasmtest.I32(20), wasmtest.Call(origin),
			row, wasmtest.I32(0), wasmtest.I32(40), wasmtest.Call(set)),
		row, wasmtest.I32(head+2), wasmtest.I32(40), wasmtest.Call(get), wasmtest.Raw(0x1a),
		wasmtest.I32(head), wasmtest.I32(42), wasmtest.Call(ret))
	spec := abi.Spec{ABI: 2, Name: "diarist", Methods: []abi.Method{{Name: "init", Args: argsOfInit}, {Name: "read"}}}
	wasm, err := abi.AppendSpec(m.Bytes(), spec.Encode())
	if err != nil {
		panic(err)
	}
	return wasm
}()

var argsOfInit = &abi.Type{Kind: abi.KindStruct, Name: "Init", Fields: []abi.Field{{Name: "n", Type: &abi.Type{Kind: abi.KindUint}}}}

// governed is a chain with contracts that have the capabilities parameters and code, and one that has none.
func governed(t *testing.T, edit func(*runtime.Genesis)) *testChain {
	c := chainOf(t, vm.Options{}, func(g *runtime.Genesis) {
		add := func(name string, code []byte, capabilities ...string) {
			g.Contracts = append(g.Contracts, runtime.GenesisContract{Name: name, Code: code, Capabilities: capabilities})
		}
		add("set", asker("parameters_set", 0), "parameters")
		add("get", teller)
		add("permit", asker("code_permit", 0), "accounts", "code")
		add("withdraw", asker("code_withdraw", 1), "code")
		if edit != nil {
			edit(g)
		}
	})
	c.block()
	return c
}

// ask calls an asker, and wants it to answer a status.
func (c *testChain) ask(contract string, args []byte, want abi.Status) {
	c.t.Helper()
	r := c.one(c.sign(alice, contract, "x", args))
	expect(c.t, r, receipt.OK)
	if got := abi.Status(-int32(r.Return[0])); len(r.Return) != 1 || got != want {
		c.t.Errorf("%s answers %q, want %q; log %q", contract, got, want, r.Log)
	}
}

func (c *testChain) parameters(want abi.Parameters) {
	c.t.Helper()
	r := c.one(c.sign(alice, "get", "x", arguments(1)))
	expect(c.t, r, receipt.OK)
	if !bytes.Equal(r.Return, want.Encode()) {
		c.t.Errorf("the parameters are %x, want %x", r.Return, want.Encode())
	}
}

func account(k *tx.SecretKey) []byte { a := k.Public().Address(); return a[:] }

func list(keys ...*tx.SecretKey) abi.Parameters {
	p := abi.Parameters{Deploy: abi.DeployList}
	for _, k := range keys {
		p.Deployers = append(p.Deployers, account(k))
	}
	slices.SortFunc(p.Deployers, bytes.Compare)
	return p
}

// Who may deploy is a parameter of the chain: from genesis, and from the moment in which a contract with the capability changes
// it. The chain tells of it at the end of the block.
func TestParameters(t *testing.T) {
	c := governed(t, nil)
	c.parameters(abi.Parameters{Deploy: abi.DeployOperator})

	set := func(p abi.Parameters) []byte { return c.sign(alice, "set", "x", p.Encode()) }
	c.mayDeploy(deployment(c, alice, "one", reader), false)
	// In force for what comes behind it in the same block.
	r := c.block(set(list(alice)), deployment(c, alice, "one", reader))
	expect(t, r[0], receipt.OK)
	expect(t, r[1], receipt.OK)
	if e := c.last.Events; len(e) != 1 || e[0].Contract != runtime.ChainContract || e[0].Name != "parameters" || !bytes.Equal(e[0].Attributes, list(alice).Encode()) {
		t.Errorf("the chain tells %v", e)
	}
	c.parameters(list(alice))
	if len(c.last.Events) != 0 {
		t.Errorf("the chain tells %v of nothing new", c.last.Events)
	}
	c.open() // as after a restart
	c.parameters(list(alice))

	// The operator is nobody special now.
	c.mayDeploy(deployment(c, operator, "two", reader), false)
	refused := c.one(deployment(c, operator, "two", reader))
	expect(t, refused, receipt.NotPermitted)
	hash := sha256.Sum256(reader)
	for _, words := range []string{"only one of the chain's 1 deployers may deploy", fmt.Sprintf("%x", hash), `"two"`, "the capability code"} {
		if !strings.Contains(refused.Reason, words) {
			t.Errorf("reason %q without %q", refused.Reason, words)
		}
	}
	// There and back in one block is nothing to tell.
	c.block(set(list()), set(list(alice)))
	if len(c.last.Events) != 0 {
		t.Errorf("the chain tells %v of nothing new", c.last.Events)
	}
	c.ask("set", list().Encode(), abi.StatusOK)
	expect(t, c.one(deployment(c, alice, "two", reader)), receipt.NotPermitted)
	c.ask("set", abi.Parameters{Deploy: abi.DeployOpen}.Encode(), abi.StatusOK)
	c.mayDeploy(deployment(c, bob, "two", reader), true)
	expect(t, c.one(deployment(c, bob, "two", reader)), receipt.OK)
	c.ask("set", abi.Parameters{}.Encode(), abi.StatusOK)
	expect(t, c.one(deployment(c, operator, "three", reader)), receipt.OK)

	// Nonsense is an answer, what is no document at all a trap; neither changes anything.
	twice, long := list(alice), list()
	twice.Deployers = append(twice.Deployers, twice.Deployers[0])
	for i := range abi.MaxDeployers + 1 {
		long.Deployers = append(long.Deployers, append(make([]byte, 19), byte(i)))
	}
	for what, p := range map[string]abi.Parameters{
		"none of the three": {Deploy: "nobody"}, "twice": twice, "too many": long, "short": {Deploy: abi.DeployList, Deployers: [][]byte{{1}}},
	} {
		t.Run(what, func(t *testing.T) { c.ask("set", p.Encode(), abi.StatusNotParameters) })
	}
	for _, junk := range [][]byte{arguments(1), cbor.AppendMap(nil, 0), cbor.AppendUint(nil, 1)} {
		expect(t, c.one(c.sign(alice, "set", "x", junk)), receipt.Trapped)
	}
	c.parameters(abi.Parameters{})

	// From genesis.
	c = governed(t, func(g *runtime.Genesis) { g.Parameters = list(bob) })
	if len(c.last.Events) != 4+3 { // seven contracts were deployed, and nothing changed
		t.Errorf("the first block tells %v", c.last.Events)
	}
	c.parameters(list(bob))
	expect(t, c.one(deployment(c, operator, "one", reader)), receipt.NotPermitted)
	expect(t, c.one(deployment(c, bob, "one", reader)), receipt.OK)
}

// permit permits code under a name, as edit says.
func permit(name string, code []byte, edit ...func(*abi.Permit)) []byte {
	hash := sha256.Sum256(code)
	p := abi.Permit{Hash: hash[:], Name: name, Admin: account(bob)}
	for _, e := range edit {
		e(&p)
	}
	return p.Encode()
}

// A permit lets anybody deploy this code under this name, once, with the admin and the capabilities that it says, and nobody anything else.
func TestPermit(t *testing.T) {
	c := governed(t, nil)
	c.mayDeploy(deployment(c, alice, "new", reader), false)
	c.ask("permit", permit("new", reader, func(p *abi.Permit) { p.Capabilities = []string{"accounts"} }), abi.StatusOK)

	// Other code, another name, arguments for its init: not by the operator either.
	c.mayDeploy(deployment(c, operator, "new", good), false)
	kept := c.one(deployment(c, operator, "new", good))
	expect(t, kept, receipt.NotPermitted)
	for _, words := range []string{`the name "new" is kept for code `, fmt.Sprintf("%x", sha256.Sum256(reader)), fmt.Sprintf("%x", sha256.Sum256(good))} {
		if !strings.Contains(kept.Reason, words) {
			t.Errorf("reason %q without %q", kept.Reason, words)
		}
	}
	expect(t, c.one(deployment(c, alice, "other", reader)), receipt.NotPermitted)
	expect(t, c.one(c.sign(alice, runtime.CodeContract, "deploy", deployArgs("new", reader, arguments(1)), plenty)), receipt.NotPermitted)

	// One that fails uses nothing up.
	c.mayDeploy(deployment(c, alice, "new", reader), true)
	expect(t, c.one(deployment(c, alice, "new", reader, func(t *tx.Tx) { t.GasLimit = 230_000 })), receipt.OutOfGas)
	r := c.one(deployment(c, alice, "new", reader))
	expect(t, r, receipt.OK)
	info, found, err := c.run.Contract("new")
	if err != nil || !found || info.Admin != bob.Public().Address() || !slices.Equal(info.Capabilities, []string{"accounts"}) {
		t.Errorf("the new contract is %+v, %v, %v", info, found, err)
	}
	// Once: the name is taken, and the code is not permitted elsewhere.
	expect(t, c.one(deployment(c, alice, "new", reader)), receipt.NotPermitted)
	expect(t, c.one(deployment(c, operator, "new", reader)), receipt.Exists)
	for _, taken := range []string{"new", runtime.CodeContract, runtime.ChainContract} {
		c.ask("permit", permit(taken, reader), abi.StatusNameTaken)
	}

	// Taken back, replaced.
	c.ask("permit", permit("next", reader), abi.StatusOK)
	next := cbor.AppendText(nil, "next")
	c.ask("withdraw", next, abi.StatusOK)
	c.ask("withdraw", next, abi.StatusNoPermit)
	expect(t, c.one(deployment(c, alice, "next", reader)), receipt.NotPermitted)
	c.ask("permit", permit("next", reader), abi.StatusOK)
	c.ask("permit", permit("next", good), abi.StatusOK)
	expect(t, c.one(deployment(c, alice, "next", reader)), receipt.NotPermitted)
	c.open() // as after a restart
	expect(t, c.one(deployment(c, alice, "next", good)), receipt.OK)
	if info, _, _ := c.run.Contract("next"); len(info.Capabilities) != 0 {
		t.Errorf("it has %q", info.Capabilities)
	}
	// Nobody without an account.
	c.ask("permit", permit("last", reader), abi.StatusOK)
	c.mayDeploy(deployment(c, stranger, "last", reader), false)
	expect(t, c.one(deployment(c, stranger, "last", reader)), receipt.UnknownKey)
}

// What can't be permitted is an answer.
func TestPermitRefused(t *testing.T) {
	c := governed(t, nil)
	for what, edit := range map[string]func(*abi.Permit){
		"short hash":     func(p *abi.Permit) { p.Hash = p.Hash[1:] },
		"short init":     func(p *abi.Permit) { p.Init = p.Hash[1:] },
		"no name":        func(p *abi.Permit) { p.Name = "" },
		"not a name":     func(p *abi.Permit) { p.Name = "New" },
		"short admin":    func(p *abi.Permit) { p.Admin = p.Admin[1:] },
		"not in order":   func(p *abi.Permit) { p.Capabilities = []string{"code", "accounts"} },
		"twice":          func(p *abi.Permit) { p.Capabilities = []string{"code", "code"} },
		"not a power":    func(p *abi.Permit) { p.Capabilities = []string{"Code"} },
		"too many power": func(p *abi.Permit) { p.Capabilities = manyPowers },
	} {
		t.Run(what, func(t *testing.T) { c.ask("permit", permit("new", reader, edit), abi.StatusNotAPermit) })
	}
	// A contract hands out what it has, and nothing else.
	c.ask("permit", permit("new", reader, func(p *abi.Permit) { p.Capabilities = []string{"accounts", "authorities"} }), abi.StatusNotYours)
	c.mayDeploy(deployment(c, alice, "new", reader), false)
	for _, junk := range [][]byte{arguments(1), cbor.AppendMap(nil, 0), cbor.AppendUint(nil, 1)} {
		expect(t, c.one(c.sign(alice, "permit", "x", junk)), receipt.Trapped)
	}

	// There is an end to them, and each that is deployed or taken back makes room.
	for i := range abi.MaxPermits {
		c.ask("permit", permit(fmt.Sprintf("new-%d", i), reader), abi.StatusOK)
	}
	c.ask("permit", permit("one-more", reader), abi.StatusTooMany)
	c.ask("permit", permit("new-7", good), abi.StatusOK) // in place of another
	expect(t, c.one(deployment(c, alice, "new-7", good)), receipt.OK)
	c.ask("permit", permit("one-more", reader), abi.StatusOK)
	c.ask("permit", permit("two-more", reader), abi.StatusTooMany)
	c.ask("withdraw", cbor.AppendText(nil, "new-8"), abi.StatusOK)
	c.ask("permit", permit("two-more", reader), abi.StatusOK)
}

var manyPowers = func() (list []string) {
	for i := range abi.MaxCapabilities + 1 {
		list = append(list, fmt.Sprintf("power_%02d", i))
	}
	return list
}()

func plenty(t *tx.Tx) { t.GasLimit = tx.MaxGas }

// deployArgs are those of a deployment with arguments for init.
func deployArgs(name string, code, init []byte) []byte {
	a := cbor.AppendMap(nil, 3)
	a = cbor.AppendBytes(cbor.AppendText(a, "code"), code)
	a = cbor.AppendBytes(cbor.AppendText(a, "init"), init)
	return cbor.AppendText(cbor.AppendText(a, "name"), name)
}

// Whoever deploys what was permitted decides nothing: the arguments of init are the permitted ones, and its sender is the
// admin. The origin is who signed.
func TestPermitInit(t *testing.T) {
	c := governed(t, nil)
	hash := sha256.Sum256(arguments(7))
	c.ask("permit", permit("diary", diarist, func(p *abi.Permit) { p.Init = hash[:] }), abi.StatusOK)
	deploy := func(args []byte) receipt.Receipt {
		return c.one(c.sign(alice, runtime.CodeContract, "deploy", args, plenty))
	}
	expect(t, deploy(deployArgs("diary", diarist, arguments(8))), receipt.NotPermitted)
	expect(t, c.one(deployment(c, alice, "diary", diarist)), receipt.NotPermitted)
	expect(t, deploy(deployArgs("diary", diarist, arguments(7))), receipt.OK)
	r := c.one(c.sign(poor, "diary", "read", arguments(1)))
	expect(t, r, receipt.OK)
	if want := append(account(bob), account(alice)...); len(r.Return) != 42 || !bytes.Equal(r.Return[2:], want) {
		t.Errorf("its init had sender and origin %x, want %x", r.Return, want)
	}
	// Nobody's contract.
	c.ask("permit", permit("nobodys", good, func(p *abi.Permit) { p.Admin = make([]byte, abi.AddressSize) }), abi.StatusOK)
	expect(t, c.one(deployment(c, alice, "nobodys", good)), receipt.OK)
	if info, _, _ := c.run.Contract("nobodys"); info.Admin != (address.Address{}) {
		t.Errorf("its admin is %s", info.Admin)
	}
}
