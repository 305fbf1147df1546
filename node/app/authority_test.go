package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/types"
	"pgregory.net/rapid"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm/wasmtest"
)

// setter is a contract that says who the authorities shall be, and traps if it is not heard.
func setter(keys ...[]byte) []byte {
	m := wasmtest.New()
	set := m.Import(abi.Module, "authorities_set")
	at, n := m.Data(string(abi.AuthoritySet(keys).Encode()))
	m.Export(abi.ExportCall, wasmtest.I32(at), wasmtest.I32(n), wasmtest.Call(set), wasmtest.If(wasmtest.Unreachable))
	return m.Bytes()
}

// voter is the key of an authority of these tests, and its letter.
func voter(t testing.TB, n byte) []byte { return key(t, n).Public().Bytes }

// voters are the keys in ascending order.
func voters(t testing.TB, n ...byte) (keys [][]byte) {
	for _, n := range n {
		keys = append(keys, voter(t, n))
	}
	slices.SortFunc(keys, bytes.Compare)
	return keys
}

// governed is a chain of the authorities 91 and 92 with contracts that want others, by name,
// and the engine's own idea of the set.
type governed struct {
	*harness
	sequence uint64
	set      *types.ValidatorSet // as the engine keeps it
}

// sets are the contracts that want a set, by name. Those that begin with "bad-" must not be heard.
func sets(t testing.TB) map[string][]byte {
	descending := voters(t, 91, 93)
	slices.Reverse(descending)
	var crowd []byte
	for n := range byte(101) {
		crowd = append(crowd, n+100)
	}
	return map[string][]byte{
		"same":  setter(voters(t, 91, 92)...),
		"more":  setter(voters(t, 91, 92, 93)...),
		"less":  setter(voters(t, 91)...),
		"other": setter(voters(t, 91, 93, 94)...),
		"all":   setter(voters(t, 95, 96)...), // nobody of before stays

		"bad-none":       setter(),
		"bad-twice":      setter(voters(t, 93, 93)...),
		"bad-descending": setter(descending...),
		"bad-short":      setter(voter(t, 93)[:31]),
		"bad-weak":       setter(make([]byte, 32)),
		"bad-point":      setter(bytes.Repeat([]byte{2}, 32)),
		"bad-p256":       setter(append([]byte{2}, voter(t, 93)...)),
		"bad-crowd":      setter(voters(t, crowd...)...),
	}
}

func newGoverned(t *testing.T) *governed {
	t.Helper()
	g := &governed{harness: newHarnessWith(t, func(doc *genesis.Genesis) {
		doc.Authorities = []genesis.Authority{{Key: voter(t, 92)}, {Key: voter(t, 91)}}
		for _, name := range slices.Sorted(maps.Keys(sets(t))) {
			doc.Contracts = append(doc.Contracts, genesis.Contract{
				Name: name, Code: sets(t)[name], Admin: doc.Operator, Capabilities: []string{abi.CapabilityAuthorities},
			})
		}
		doc.Contracts = append(doc.Contracts, genesis.Contract{Name: "bad-outsider", Code: setter(voters(t, 93)...), Admin: doc.Operator})
	})}
	var all []*types.Validator
	for _, a := range g.genesis.Authorities {
		all = append(all, types.NewValidator(ed25519.PubKey(a.Key), genesis.Power))
	}
	g.set = types.NewValidatorSet(all)
	return g
}

// wants is a transaction to the contract that wants a set.
func (g *governed) wants(contract string) []byte {
	g.sequence++
	return signed(g.t, 1, func(x *tx.Tx) { x.Contract, x.Sequence = contract, g.sequence })
}

// update does with an answer what the engine does with it, and fails where the engine would panic.
func (g *governed) update(t interface{ Fatalf(string, ...any) }, r *abci.ResponseFinalizeBlock) {
	changes, err := types.PB2TM.ValidatorUpdates(r.ValidatorUpdates)
	if err != nil {
		t.Fatalf("the engine can't read the updates: %v", err)
	}
	if err := g.set.UpdateWithChangeSet(changes); err != nil {
		t.Fatalf("the engine refuses the updates %v: %v", r.ValidatorUpdates, err)
	}
	for _, v := range g.set.Validators {
		if v.VotingPower != genesis.Power {
			t.Fatalf("%x has the power %d, the others %d", v.PubKey.Bytes(), v.VotingPower, genesis.Power)
		}
	}
}

// is wants the engine's set to be these.
func (g *governed) is(t interface{ Fatalf(string, ...any) }, want [][]byte) {
	var got [][]byte
	for _, v := range g.set.Validators {
		got = append(got, v.PubKey.Bytes())
	}
	slices.SortFunc(got, bytes.Compare)
	if !slices.EqualFunc(got, want, bytes.Equal) {
		t.Fatalf("the engine has %x, want %x", got, want)
	}
}

// told is what an answer tells the engine: +n joins, -n leaves.
func told(t testing.TB, r *abci.ResponseFinalizeBlock) string {
	t.Helper()
	var out []string
	for _, u := range r.ValidatorUpdates {
		sign := "+"
		if u.Power == 0 {
			sign = "-"
		}
		name := "?"
		for n := byte(91); n < 99; n++ {
			if bytes.Equal(u.PubKey.GetEd25519(), voter(t, n)) {
				name = fmt.Sprint(n)
			}
		}
		out = append(out, sign+name)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// What contracts want reaches the engine as the difference to what it has, once, in the
// block in which it changed; what it would panic on never does.
func TestAuthorityUpdates(t *testing.T) {
	g := newGoverned(t)
	for _, step := range []struct {
		wants []string
		told  string
		is    []byte
	}{
		{nil, "", []byte{91, 92}},
		{[]string{"same"}, "", []byte{91, 92}},
		{[]string{"more"}, "+93", []byte{91, 92, 93}},
		{nil, "", []byte{91, 92, 93}},
		{[]string{"more"}, "", []byte{91, 92, 93}},
		{[]string{"less", "more"}, "", []byte{91, 92, 93}},
		{[]string{"all", "less", "other"}, "+94 -92", []byte{91, 93, 94}},
		{[]string{"all"}, "+95 +96 -91 -93 -94", []byte{95, 96}},
		{[]string{"same", "all"}, "", []byte{95, 96}},
		{[]string{"less"}, "+91 -95 -96", []byte{91}},
		{[]string{"more", "less", "more"}, "+92 +93", []byte{91, 92, 93}},
	} {
		var txs [][]byte
		for _, name := range step.wants {
			txs = append(txs, g.wants(name))
		}
		r := g.block(txs...)
		if got := told(t, r); got != step.told {
			t.Errorf("%v tells %q, want %q", step.wants, got, step.told)
		}
		g.update(t, r)
		g.is(t, voters(t, step.is...))
		tells := len(g.chainEvents())
		if want := min(len(r.ValidatorUpdates), 1); tells != want {
			t.Errorf("%v: %d events tell of it, want %d", step.wants, tells, want)
		}
	}
	before := g.set.Copy()
	bad := []string{"bad-outsider"}
	for name := range sets(t) {
		if strings.HasPrefix(name, "bad-") {
			bad = append(bad, name)
		}
	}
	for _, name := range bad {
		r := g.block(g.wants(name))
		if code := receipt.Code(r.TxResults[0].Code); code == receipt.OK || len(r.ValidatorUpdates) > 0 {
			t.Errorf("%s: %s %q tells the engine %v", name, code.Name(), r.TxResults[0].Log, told(t, r))
		}
	}
	g.is(t, voters(t, 91, 92, 93))
	if !bytes.Equal(before.Hash(), g.set.Hash()) {
		t.Error("bad sets have changed the engine's")
	}
}

// chainEvents are the last block's events of no transaction.
func (g *governed) chainEvents() (found []string) {
	g.t.Helper()
	page, err := g.log.Events(eventlog.Filter{Contract: runtime.ChainContract}, receipt.Cursor{Height: uint64(g.height) - 1, Tx: 1 << 31}, 100)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, e := range page.Entries {
		found = append(found, string(specjson.Untyped(e.Event.Attributes)))
	}
	return found
}

// The event tells from which height on the set decides, and who changed.
func TestAuthorityEvent(t *testing.T) {
	g := newGoverned(t)
	g.block(g.wants("other"))
	events := g.chainEvents()
	if len(events) != 1 {
		t.Fatalf("%d events, want 1: %v", len(events), events)
	}
	var e struct {
		Count   int      `json:"count"`
		InForce int64    `json:"in_force"`
		Added   []string `json:"added"`
		Removed []string `json:"removed"`
	}
	if err := json.Unmarshal([]byte(events[0]), &e); err != nil {
		t.Fatal(err)
	}
	if e.InForce != g.height+2 || e.Count != 3 || len(e.Added) != 2 || len(e.Removed) != 1 || e.Removed[0] != fmt.Sprintf("0x%x", voter(t, 92)) {
		t.Errorf("%+v at height %d", e, g.height)
	}
}

// A block that is executed again after a crash tells the engine the same, and what was
// committed is not told again.
func TestAuthorityUpdatesAfterCrash(t *testing.T) {
	g := newGoverned(t)
	raw := g.wants("other")
	first := g.execute(raw)
	if told(t, first) != "+93 +94 -92" {
		t.Fatalf("told %q", told(t, first))
	}
	g.open() // dies before the commit
	again := g.execute(raw)
	if told(t, again) != told(t, first) || !bytes.Equal(again.AppHash, first.AppHash) {
		t.Errorf("told %q with root %x, then %q with root %x", told(t, first), first.AppHash, told(t, again), again.AppHash)
	}
	if err := g.commit(); err != nil {
		t.Fatal(err)
	}
	g.open() // dies after it
	if r := g.block(g.wants("other")); told(t, r) != "" {
		t.Errorf("after the restart told %q again", told(t, r))
	}
	if r := g.block(g.wants("less")); told(t, r) != "-93 -94" {
		t.Errorf("after the restart told %q", told(t, r))
	}

	// In the first block too, where genesis is executed with it.
	fresh := &harness{t: t, disk: state.NewMemory(), events: state.NewMemory(), now: g.now, genesis: g.genesis}
	for range 2 {
		fresh.open()
		fresh.init()
		raw := signed(t, 1, func(x *tx.Tx) { x.Contract = "all" })
		if r := fresh.execute(raw); told(t, r) != "+95 +96 -91 -92" {
			t.Errorf("block 1 tells %q", told(t, r))
		}
	}
}

// Whatever contracts want, in whatever order, with crashes between: the engine never gets what
// it would panic on, and has in the end what was wanted last.
func TestAuthorityUpdatesNeverPanic(t *testing.T) {
	good := map[string][]byte{"same": {91, 92}, "more": {91, 92, 93}, "less": {91}, "other": {91, 93, 94}, "all": {95, 96}}
	names := slices.Sorted(maps.Keys(sets(t)))
	g, want := newGoverned(t), good["same"]
	rapid.Check(t, func(r *rapid.T) {
		for range rapid.IntRange(1, 12).Draw(r, "blocks") {
			var txs [][]byte
			for range rapid.IntRange(0, 4).Draw(r, "transactions") {
				name := rapid.SampledFrom(names).Draw(r, "contract")
				txs = append(txs, g.wants(name))
				if set := good[name]; set != nil {
					want = set
				}
			}
			if rapid.IntRange(0, 19).Draw(r, "crash") == 1 {
				g.execute(txs...)
				g.open()
			}
			g.update(r, g.block(txs...))
			g.is(r, voters(t, want...))
		}
	})
}
