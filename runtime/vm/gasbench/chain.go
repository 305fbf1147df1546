package gasbench

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cert"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
	"github.com/wardledger/ward/runtime/wasm"
)

// The functions that need a chain around the contract: other contracts, keys and accounts, authorities. What package runtime does for them
// is done here by the same records (runtime/registry), on the same state.

// must is for what is made here and can't fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic("BUG: gasbench: " + err.Error())
	}
	return v
}

// device is one of many keys of Ed25519.
func device(kind string, n int) tx.PublicKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "%s %d", kind, n))
	return must(tx.NewEd25519(seed[:])).Public()
}

// Kinds of devices that the chain knows.
const (
	open     = "open"
	shut     = "shut"
	alone    = "alone"    // the only key of an account without an owner
	deepest  = "deepest"  // the only key of an account with as many owners above it as there may be, none of which has a key left
	unopened = "unopened" // that is still to come
	owning   = "owning"
)

const quota = 1_000_000

// settle opens keys and accounts, and makes the contracts that are called.
func settle(o *state.Overlay) error {
	r := registry.New(o)
	for name, wasm := range callees() {
		if err := r.PutInstance(registry.Instance{Name: name, Code: sha256.Sum256(wasm)}); err != nil {
			return err
		}
	}
	for n := range waiting {
		if _, err := r.PutPermit(&registry.Permit{Permit: *permit("waiting", n)}); err != nil {
			return err
		}
	}
	if err := r.SetParameters(deployers(abi.MaxDeployers)); err != nil {
		return err
	}
	add := func(kind string, n int, owner []byte, quota uint64) ([]byte, error) {
		key := device(kind, n)
		status, err := r.OpenKey(&abi.OpenAccount{Key: key.Bytes, Owner: owner, Scope: scope(1), Quota: quota}, 1)
		if err == nil && status != abi.StatusOK {
			err = fmt.Errorf("gasbench: %s %d: %s", kind, n, status)
		}
		return bytes.Clone(addressOf(key)), err
	}
	var above []byte
	for depth := range registry.MaxDepth {
		var err error
		if above, err = add(owning, depth, above, quota*hostCalls); err != nil {
			return err
		}
	}
	for n := range hostCalls {
		for _, kind := range []string{open, shut, alone, deepest} {
			var owner []byte
			if kind == deepest {
				owner = above
			}
			kid, err := add(kind, n, owner, quota)
			if err == nil && kind == shut {
				_, err = r.ShutKey(address.Address(kid))
			}
			if err != nil {
				return err
			}
		}
	}
	for depth := 1; depth < registry.MaxDepth; depth++ { // the first keeps its key: what comes back has to go somewhere
		if _, err := r.RetireKey(device(owning, depth).Address()); err != nil {
			return err
		}
	}
	return nil
}

func addressOf(key tx.PublicKey) []byte {
	kid := key.Address()
	return kid[:]
}

// scope names so many contracts, and as many methods of each as it may.
func scope(contracts int) (s []abi.Scope) {
	for c := range contracts {
		one := abi.Scope{Contract: fmt.Sprintf("contract-%02d", c)}
		if contracts > 1 {
			for m := range abi.MaxScopeMethods {
				one.Methods = append(one.Methods, fmt.Sprintf("method_%02d", m))
			}
		}
		s = append(s, one)
	}
	return s
}

// accounts, authorities and permits give a contract what package runtime gives.
type accounts struct{ *registry.Records }

var _ host.Accounts = accounts{}

func (a accounts) OpenKey(o *abi.OpenAccount) (abi.Status, error) { return a.Records.OpenKey(o, 2) }

type authorities struct{ *registry.Records }

var _ host.Authorities = authorities{}

func (a authorities) SetAuthorities(keys abi.AuthoritySet) (abi.Status, error) {
	for _, key := range keys {
		if public, err := tx.ParsePublicKey(key); err != nil || public.Weak() {
			return abi.StatusNotASet, nil
		}
	}
	return abi.StatusOK, a.SetWantedAuthorities(keys)
}

type permits struct{ *registry.Records }

var _ host.Permits = permits{}

func (p permits) Permit(by string, permit *abi.Permit) (abi.Status, error) {
	if _, taken, err := p.Instance(permit.Name); err != nil || taken {
		return abi.StatusNameTaken, err
	}
	room, err := p.PutPermit(&registry.Permit{Permit: *permit, By: address.OfContract(by)})
	if err == nil && !room {
		return abi.StatusTooMany, nil
	}
	return abi.StatusOK, err
}

func (p permits) Withdraw(name string) (abi.Status, error) {
	found, err := p.DropPermit(name)
	if err == nil && !found {
		return abi.StatusNoPermit, nil
	}
	return abi.StatusOK, err
}

// Half of the permits that may wait do, so that the other half can be given.
const waiting = abi.MaxPermits / 2

func permit(name string, n int) *abi.Permit {
	return &abi.Permit{Hash: make([]byte, abi.HashSize), Init: make([]byte, abi.HashSize), Name: fmt.Sprintf("%s-%02d", name, n),
		Admin: make([]byte, abi.AddressSize), Capabilities: abi.Capabilities()}
}

// deployers are parameters that name so many accounts, in ascending order.
func deployers(n int) abi.Parameters {
	p := abi.Parameters{Deploy: abi.DeployList}
	for i := range n {
		p.Deployers = append(p.Deployers, addressOf(device(open, i)))
	}
	slices.SortFunc(p.Deployers, bytes.Compare)
	return p
}

// callees are the contracts that are called, by name.
func callees() map[string][]byte {
	nothing := wt.New()
	nothing.Export(abi.ExportCall)
	answering := newHosted(abi.Module, "ret")
	answering.Export(abi.ExportCall, answering.call("ret", answering.bytes(cborBytes(4000))))
	failing := newHosted(abi.Module, "fail")
	failing.Export(abi.ExportCall, failing.call("fail", wt.I32(7), failing.bytes("no")))
	return map[string][]byte{"nothing": nothing.Bytes(), "answering": answering.Bytes(), "failing": failing.Bytes()}
}

// runner runs a call of one of the callees.
func runner(e *vm.Engine, overlay *state.Overlay) host.Runner {
	records, known := registry.New(overlay), map[[32]byte][]byte{}
	for _, wasm := range callees() {
		known[sha256.Sum256(wasm)] = wasm
	}
	return func(inner *host.Call) (*host.Stop, error) {
		instance, found, err := records.Instance(inner.Contract)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, fmt.Errorf("gasbench: there is no contract %q", inner.Contract)
		}
		mark := overlay.Checkpoint()
		r, err := e.Call(context.Background(), vm.Code{Hash: instance.Code, Load: func() ([]byte, error) { return known[instance.Code], nil }}, inner)
		if err != nil || r.Code == receipt.OK {
			return nil, err
		}
		overlay.Revert(mark)
		return &host.Stop{Code: r.Code, ContractCode: r.ContractCode, Reason: r.Reason}, nil
	}
}

// each pushes the address of what stands at the loop's count in a list of things of one size.
func (h hosted) each(list [][]byte) wt.Op {
	at, _ := h.Data(string(bytes.Join(list, nil)))
	size := int32(len(list[0]))
	return wt.Seq(wt.I32(at-size), wt.Get(count), wt.I32(size), wt.Raw(byte(wasm.OpI32Mul)), wt.AddI32)
}

// others are the functions that need a chain.
func others() (all []work) {
	some := func(times int, name string, h hosted, body wt.Op) {
		function(h.Module, times, body)
		all = append(all, work{name: name, functions: h.names, times: uint64(times), store: true, wasm: h.Bytes(), pages: h.Pages})
	}
	add := func(name string, h hosted, body wt.Op) { some(hostCalls, name, h, body) }
	sum := gather('i')
	done := wt.If(wt.Unreachable) // unless the answer is 0: done
	out := wt.Seq(wt.I32(outAt), wt.I32(outSize))

	for _, size := range []int{0, 4000, 60_000} {
		args, name := "\xa0", ""
		if size > 0 {
			args, name = cborBytes(size), fmt.Sprintf(", with %d B", size)
		}
		h := newHosted(abi.Module, "call")
		add("call, of a contract of a page"+name, h, wt.Seq(h.call("call", h.bytes("nothing"), h.bytes("m"), h.bytes(args)), done))
	}
	h := newHosted(abi.Module, "call_with_gas")
	add("call_with_gas, of a contract of a page", h, wt.Seq(h.call("call_with_gas", h.bytes("nothing"), h.bytes("m"), h.bytes("\xa0"), wt.I64(1_000_000)), done))
	h = newHosted(abi.Module, "call_with_gas")
	add("call_with_gas, too little of it", h, wt.Seq(h.call("call_with_gas", h.bytes("nothing"), h.bytes("m"), h.bytes("\xa0"), wt.I64(1000)), sum))
	h = newHosted(abi.Module, "call")
	add("call, that fails", h, wt.Seq(h.call("call", h.bytes("failing"), h.bytes("m"), h.bytes("\xa0")), sum))
	h = newHosted(abi.Module, "reply")
	add("reply, of none", h, wt.Seq(h.call("reply", out), sum))
	h = newHosted(abi.Module, "call", "reply")
	add("call, and reply of 4000 B", h, wt.Seq(h.call("call", h.bytes("answering"), h.bytes("m"), h.bytes("\xa0")), done, h.call("reply", out), sum))

	kids := func(kind string) (list [][]byte) {
		for n := range hostCalls {
			list = append(list, addressOf(device(kind, n)))
		}
		return list
	}
	opened := func(like abi.OpenAccount, key func(n int) []byte) (list [][]byte) {
		for n := range hostCalls {
			like.Key = key(n)
			list = append(list, like.Encode())
		}
		return list
	}
	p256 := func(n int) []byte {
		seed := sha256.Sum256(fmt.Appendf(nil, "P-256 %d", n))
		return must(tx.NewP256(seed[:])).Public().Bytes
	}
	for _, account := range []struct {
		name string
		list [][]byte
	}{
		{"Ed25519", opened(abi.OpenAccount{Scope: scope(1)}, func(n int) []byte { return device(unopened, n).Bytes })},
		{"P-256, of an owner", opened(abi.OpenAccount{Scope: scope(1), Owner: addressOf(device(owning, 0))}, p256)},
		{"P-256, for 12 contracts of 64 methods", opened(abi.OpenAccount{Scope: scope(12)}, p256)},
	} {
		h := newHosted(abi.Module, "account_open")
		h.Pages = 64
		add(fmt.Sprintf("account_open, %s, %d B", account.name, len(account.list[0])), h,
			wt.Seq(h.call("account_open", h.each(account.list), wt.I32(int32(len(account.list[0])))), done))
	}
	for _, change := range []struct{ name, function, kind string }{
		{"account_shut", "account_shut", open},
		{"account_reopen", "account_reopen", shut},
		{"account_retire", "account_retire", alone},
		{"account_retire, under 8 owners", "account_retire", deepest},
	} {
		h := newHosted(abi.Module, change.function)
		add(change.name, h, wt.Seq(h.call(change.function, h.each(kids(change.kind))), done))
	}
	for _, n := range []int{1, abi.MaxAuthorities} {
		var set abi.AuthoritySet
		for i := range n {
			set = append(set, device("authority", i).Bytes)
		}
		slices.SortFunc(set, bytes.Compare)
		h := newHosted(abi.Module, "authorities_set")
		add(fmt.Sprintf("authorities_set, of %d", n), h, wt.Seq(h.call("authorities_set", h.bytes(string(set.Encode()))), done))
	}
	for _, n := range []int{0, abi.MaxDeployers} {
		h := newHosted(abi.Module, "parameters_set")
		add(fmt.Sprintf("parameters_set, of %d deployers", n), h, wt.Seq(h.call("parameters_set", h.bytes(string(deployers(n).Encode()))), done))
	}
	var given, taken [][]byte
	for n := range waiting {
		given = append(given, permit("given", n).Encode())
		taken = append(taken, []byte(permit("waiting", n).Name))
	}
	h = newHosted(abi.Module, "code_permit")
	some(waiting, fmt.Sprintf("code_permit, %d B", len(given[0])), h, wt.Seq(h.call("code_permit", h.each(given), wt.I32(int32(len(given[0])))), done))
	h = newHosted(abi.Module, "code_withdraw")
	some(waiting, "code_withdraw", h, wt.Seq(h.call("code_withdraw", h.each(taken), wt.I32(int32(len(taken[0])))), done))

	for _, c := range []struct {
		name                   string
		intermediates, anchors int
		size                   int // of each certificate
	}{
		{"x509_verify, a leaf under its anchor", 0, 1, 0},
		{"x509_verify, a leaf of 2,000 B", 0, 1, 2000},
		{"x509_verify, 4 certificates", 3, 1, 0},
		{"x509_verify, 4 certificates and 16 anchors of 2,000 B", 3, 16, 2000},
	} {
		chain, anchors := issued(c.intermediates, c.anchors, c.size)
		if _, err := cert.Verify(chain, anchors, blockTime); err != nil {
			panic("BUG: gasbench: " + c.name + ": " + err.Error())
		}
		h := newHosted(abi.Module, "x509_verify")
		add(c.name, h, wt.Seq(h.call("x509_verify", h.bytes(string(chain)), h.bytes(string(anchors)), wt.I64(blockTime), out), sum))
	}

	// They end the call and leave no instance behind: the next one makes it.
	h = newHosted(abi.Module, "fail")
	h.Export(abi.ExportCall, h.call("fail", wt.I32(7), h.bytes("no")))
	all = append(all, work{name: "fail, and a new instance", functions: h.names, times: 1, wasm: h.Bytes(), ends: receipt.Failed})
	h = newHosted(abi.WASIModule, "proc_exit")
	h.Export(abi.ExportCall, h.call("proc_exit", wt.I32(1)))
	return append(all, work{name: "proc_exit, and a new instance", functions: h.names, times: 1, wasm: h.Bytes(), ends: receipt.Trapped})
}

// issued makes a chain of certificates and anchors, all of which have the name of the last issuer and other keys: each of them has to be tried, and
// the last one fits. With a size, each has extensions that nobody knows until it is about that long, in bytes.
func issued(intermediates, anchors, size int) (chain, trusted []byte) {
	serial := int64(0)
	key := func() *ecdsa.PrivateKey {
		seed := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("certificate"), uint64(serial)))
		return must(ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:]))
	}
	template := func(name string, ca bool) *x509.Certificate {
		serial++
		t := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
			NotBefore: time.Unix(blockTime-1000, 0), NotAfter: time.Unix(blockTime+1000, 0),
			BasicConstraintsValid: true, IsCA: ca, KeyUsage: x509.KeyUsageDigitalSignature,
			SubjectKeyId: []byte(name + " key"), // of all anchors the same
		}
		if ca {
			t.KeyUsage = x509.KeyUsageCertSign
		}
		for i := range 19 { // of 24 that there may be
			if size > 0 {
				t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, i}, Value: make([]byte, (size-800)/19)})
			}
		}
		return t
	}
	var root *x509.Certificate
	var rootKey *ecdsa.PrivateKey
	for range anchors {
		root = template("root", true)
		rootKey = key()
		trusted = append(trusted, must(x509.CreateCertificate(nil, root, root, &rootKey.PublicKey, rootKey))...)
	}
	issuer, issuerKey := root, rootKey
	for n := range intermediates + 1 {
		t := template(fmt.Sprintf("certificate %d", n), n < intermediates)
		k := key()
		chain = slices.Concat(must(x509.CreateCertificate(nil, t, issuer, &k.PublicKey, issuerKey)), chain)
		issuer, issuerKey = t, k
	}
	return chain, trusted
}

// Unmeasured returns the functions that a contract can import and that no contract here calls, so that nobody knows what they take. Of those of
// WASI that only answer an errno, one stands for all.
func Unmeasured() (names []string) {
	measured := map[string]bool{}
	for _, w := range slices.Concat(functions(), others()) {
		for _, f := range w.functions {
			measured[f] = true
		}
	}
	for _, f := range abi.Table() {
		if !measured[f.Name] {
			names = append(names, f.Name)
		}
	}
	for _, f := range abi.WASI() {
		if !measured[f.Name] && f.Errno == abi.Answered {
			names = append(names, f.Name)
		}
	}
	return names
}
