package sdk_test

import (
	"encoding/binary"
	"fmt"
	"math"

	oracle "github.com/fxamacker/cbor/v2"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
	"github.com/wardledger/ward/sdk/wire"
)

// The people of the examples.
var (
	alice = sdktest.Ed25519("alice")
	bob   = sdktest.Ed25519("bob")
)

// The examples are run by what is below. What the chain does is done by runtime/host, as on a node, on an empty state; only Wasm is
// missing. Their declarations stand inside, where a contract has them as package variables.

// current is the chain of the example that runs.
var current *example

// declares runs an example, and afterwards forgets what it declared.
func declares(run func()) {
	current = newExample()
	defer func() { current = nil }()
	sdk.Inside(current.ask, run)
}

// inCall runs the body of a method of the contract "door", which Alice calls on Monday 5 January 2026 at 08:00 UTC. Then it
// prints how that ended, if it did not end well, or else its events and log.
func inCall(body func(c *sdk.Ctx)) {
	if current == nil {
		declares(func() { inCall(body) })
		return
	}
	current.begin(false).run(func() { body(new(sdk.Ctx)) })
}

// send runs a method that an example declared, and prints what came of it.
func send(method string, args any) { current.begin(false).method(method, args) }

// query runs a view likewise.
func query(method string, args any) { current.begin(true).method(method, args) }

type example struct {
	store host.Store
	keys  map[address.Address]bool // known ones, and whether they are retired
	call  *host.Call
}

func newExample() *example {
	s, err := state.Open(state.NewMemory(), state.Options{})
	if err != nil {
		panic(err)
	}
	return &example{store: s.Overlay(), keys: map[address.Address]bool{}}
}

// begin starts a call.
func (e *example) begin(view bool) *example {
	e.call = &host.Call{
		Chain: "example", Block: host.Block{Height: 7, Time: int64(sdktest.Start)}, Contract: "door", Method: "example", Args: []byte{0xa0},
		Sender: address.Address(alice.Address()), Origin: address.Address(alice.Address()), View: view, Gas: gas.NewMeter(1 << 40), Store: e.store,
		Capabilities: []string{abi.CapabilityAccounts, abi.CapabilityAuthorities, abi.CapabilityParameters, abi.CapabilityCode},
		Accounts:     e, Authorities: e, Parameters: e, Permits: e, Run: e.other,
	}
	return e
}

func (e *example) method(name string, args any) {
	e.call.Method = name
	e.call.Args, _ = wire.Marshal(args)
	e.run(sdk.Dispatch)
	if result := e.call.Result(); result != nil {
		text, _ := oracle.Diagnose(result)
		fmt.Println("answer", text)
	}
}

func (e *example) run(body func()) {
	defer func() {
		switch end := recover().(type) {
		case nil:
			for _, event := range e.call.Events() {
				text, _ := oracle.Diagnose(event.Attributes)
				fmt.Println("event", event.Name, text)
			}
			for _, line := range e.call.Log() {
				fmt.Println("log", line)
			}
		case *host.Stop:
			if end.Code != receipt.Failed {
				fmt.Println(end.Code.Name()+":", end.Reason)
			} else {
				fmt.Printf("failed %d: %s\n", end.ContractCode, end.Reason)
			}
		default:
			panic(end)
		}
	}()
	body()
}

// ask is what runtime/vm does for Wasm: it hands a function's arguments to the call.
func (e *example) ask(function string, in ...[]byte) (out []byte, status int64) {
	c := e.call
	number := func(i int) uint64 { return binary.LittleEndian.Uint64(in[i]) }
	bytes := func(b []byte, err error) ([]byte, error) {
		if b == nil {
			status = abi.Absent
		}
		return b, err
	}
	is := func(yes bool, err error) ([]byte, error) {
		if yes {
			status = 1
		}
		return nil, err
	}
	ended := func(s abi.Status, err error) ([]byte, error) {
		status = int64(s)
		return nil, err
	}
	known := map[string]func() ([]byte, error){
		"method":   func() ([]byte, error) { return []byte(c.Method), nil },
		"args":     func() ([]byte, error) { return c.Args, nil },
		"sender":   func() ([]byte, error) { return c.Sender[:], nil },
		"origin":   func() ([]byte, error) { return c.Origin[:], nil },
		"contract": func() ([]byte, error) { return []byte(c.Contract), nil },
		"chain":    func() ([]byte, error) { return []byte(c.Chain), nil },
		"block":    func() ([]byte, error) { return c.Block.Encode(), nil },
		"get":      func() ([]byte, error) { return bytes(c.Get(in[0], in[1])) },
		"set":      func() ([]byte, error) { return nil, c.Set(in[0], clone(in[1]), clone(in[2])) },
		"delete":   func() ([]byte, error) { return is(c.Delete(in[0], in[1])) },
		"exists":   func() ([]byte, error) { return is(c.Exists(in[0], in[1])) },
		"scan": func() ([]byte, error) {
			page, _, err := c.Scan(host.Range{Collection: in[0], Start: in[1], End: in[2], Reverse: number(3)&abi.ScanReverse != 0, Limit: uint32(number(4))}, 1<<20)
			return page, err
		},
		"emit":        func() ([]byte, error) { return nil, c.Emit(in[0], clone(in[1])) },
		"ret":         func() ([]byte, error) { return nil, c.Return(clone(in[0])) },
		"fail":        func() ([]byte, error) { return nil, c.Fail(uint32(number(0)), in[1]) },
		"log":         func() ([]byte, error) { return nil, c.WriteLog(in[0]) },
		"cose_verify": func() ([]byte, error) { return bytes(c.VerifyCOSE(in[0], in[1], in[2])) },
		"key_address": func() ([]byte, error) {
			a, ok, err := c.KeyAddress(in[0])
			if !ok {
				return bytes(nil, err)
			}
			return a[:], err
		},
		"sha256":      func() ([]byte, error) { sum, err := c.SHA256(in[0]); return sum[:], err },
		"sha512":      func() ([]byte, error) { sum, err := c.SHA512(in[0]); return sum[:], err },
		"blake2b":     func() ([]byte, error) { sum, err := c.BLAKE2b(in[0]); return sum[:], err },
		"hmac_sha256": func() ([]byte, error) { mac, err := c.HMAC(in[0], in[1]); return mac[:], err },
		"hkdf_sha256": func() ([]byte, error) {
			out := make([]byte, number(3))
			return out, c.HKDF(in[0], in[1], in[2], out)
		},
		"randomness":           func() ([]byte, error) { sum, err := c.Randomness(); return sum[:], err },
		"ed25519_verify":       func() ([]byte, error) { return is(c.VerifyEd25519(in[0], in[1], in[2])) },
		"ed25519_verify_batch": func() ([]byte, error) { return is(c.VerifyEd25519Batch(in[0])) },
		"p256_verify":          func() ([]byte, error) { return is(c.VerifyP256(in[0], in[1], in[2])) },
		"p256_verify_digest":   func() ([]byte, error) { return is(c.VerifyP256Digest(in[0], in[1], in[2])) },
		"x509_verify": func() ([]byte, error) {
			leaf, no, err := c.VerifyX509(in[0], in[1], int64(number(2)))
			if leaf == nil {
				status = -int64(no)
			}
			return leaf, err
		},
		"caller_kind":     func() ([]byte, error) { status = int64(c.CallerKind()); return nil, nil },
		"gas_left":        func() ([]byte, error) { status = int64(c.Gas.Left()); return nil, nil },
		"account_open":    func() ([]byte, error) { return ended(c.OpenAccount(in[0])) },
		"account_shut":    func() ([]byte, error) { return ended(c.ShutAccount(address.Address(in[0]))) },
		"account_reopen":  func() ([]byte, error) { return ended(c.ReopenAccount(address.Address(in[0]))) },
		"account_retire":  func() ([]byte, error) { return ended(c.RetireAccount(address.Address(in[0]))) },
		"authorities_set": func() ([]byte, error) { return ended(c.SetAuthorities(in[0])) },
		"parameters_get":  func() ([]byte, error) { return c.ReadParameters() },
		"parameters_set":  func() ([]byte, error) { return ended(c.ChangeParameters(in[0])) },
		"code_permit":     func() ([]byte, error) { return ended(c.PermitCode(in[0])) },
		"code_withdraw":   func() ([]byte, error) { return ended(c.WithdrawCode(in[0])) },
		"call": func() ([]byte, error) {
			code, err := c.CallContract(in[0], in[1], in[2], math.MaxUint64)
			status = int64(code)
			return nil, err
		},
		"call_with_gas": func() ([]byte, error) {
			code, err := c.CallContract(in[0], in[1], in[2], number(3))
			status = int64(code)
			return nil, err
		},
		"reply": func() ([]byte, error) { return c.Reply(), nil },
	}
	out, err := known[function]()
	if err != nil {
		panic(err)
	}
	return out, status
}

// clone is a copy: what a contract hands over is only lent.
func clone(b []byte) []byte { return append([]byte{}, b...) }

// other is the one contract beside the examples, "bell": its method ring answers how often it has rung, and fails at night.
func (e *example) other(inner *host.Call) (*host.Stop, error) {
	var args struct {
		Times uint64 `wire:",omitempty"`
		Night bool   `wire:",omitempty"`
	}
	switch {
	case inner.Contract != "bell":
		return host.Stopf(receipt.UnknownContract, "there is no contract %s", inner.Contract), nil
	case wire.Unmarshal(inner.Args, &args) != nil || args.Night:
		return &host.Stop{Code: receipt.Failed, ContractCode: 2, Reason: "The neighbours sleep."}, nil
	}
	result, _ := wire.Marshal(args.Times)
	return nil, inner.Return(result)
}

func (e *example) OpenKey(o *abi.OpenAccount) (abi.Status, error) {
	key := address.FromKey(o.Key)
	if _, known := e.keys[key]; known {
		return abi.StatusExists, nil
	}
	e.keys[key] = false
	return abi.StatusOK, nil
}

func (e *example) change(key address.Address, retired bool) (abi.Status, error) {
	was, known := e.keys[key]
	switch {
	case !known:
		return abi.StatusUnknown, nil
	case was:
		return abi.StatusRetired, nil
	}
	e.keys[key] = retired
	return abi.StatusOK, nil
}

func (e *example) ShutKey(key address.Address) (abi.Status, error)   { return e.change(key, false) }
func (e *example) ReopenKey(key address.Address) (abi.Status, error) { return e.change(key, false) }
func (e *example) RetireKey(key address.Address) (abi.Status, error) { return e.change(key, true) }

func (e *example) SetAuthorities(abi.AuthoritySet) (abi.Status, error) { return abi.StatusOK, nil }

func (e *example) Parameters() (abi.Parameters, error) {
	return abi.Parameters{Deploy: "operator"}, nil
}
func (e *example) SetParameters(abi.Parameters) error             { return nil }
func (e *example) Withdraw(name string) (abi.Status, error)       { return abi.StatusNoPermit, nil }
func (e *example) Permit(string, *abi.Permit) (abi.Status, error) { return abi.StatusOK, nil }
