package sdk

import (
	"reflect"
	"strconv"
	"unsafe"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/sdk/wire"
)

// A RemoteMethod is a method of another contract; see [Remote].
type RemoteMethod[A, R any] struct{ remote *remote }

type remote struct {
	method       string
	args, result *wire.Plan
}

// Remote names a method of another contract, as a package variable. A is what it takes and R
// what it answers, as this contract knows them: [None] for nothing. An answer that doesn't fit R
// is an error, so R has every field that the other contract may send. `ward contract client`
// writes all of it from the other contract's spec.
func Remote[A, R any](method string) RemoteMethod[A, R] {
	return RemoteMethod[A, R]{newRemote(method, reflect.TypeFor[A](), reflect.TypeFor[R]())}
}

func newRemote(method string, args, result reflect.Type) *remote {
	if !abi.ValidMethod(method) {
		panic("sdk: " + strconv.Quote(method) + " is not a method's name: it is a lower-case letter, then letters, digits and _")
	}
	open("the remote method " + method)
	return &remote{method, wire.NewPlanFor("what the remote method "+method+" takes", args), wire.NewPlanFor("what the remote method "+method+" answers", result)}
}

// Call calls the method of a contract and waits for its answer. The other contract sees this
// one as the sender. If it fails, what it wrote and emitted is undone, the error is a [*CallError],
// and this contract goes on. In a view, and of a view, nothing can be written.
//
// A contract that is running already in this transaction can't be called: finish what
// must be finished before, and expect nothing of the other's rows but what it answers.
func (m RemoteMethod[A, R]) Call(c *Ctx, contract string, args A) (answer R, err error) {
	return answer, m.remote.call(contract, unsafe.Pointer(&args), unsafe.Pointer(&answer), noLimit)
}

// CallWithGas is Call with a limit: if the call uses up so much gas, it fails as out of gas (code 37) and this contract goes on,
// whereas of Call both would end.
func (m RemoteMethod[A, R]) CallWithGas(c *Ctx, contract string, args A, gas int64) (answer R, err error) {
	return answer, m.remote.call(contract, unsafe.Pointer(&args), unsafe.Pointer(&answer), max(gas, 0))
}

// noLimit lets a call use all the gas that there is.
const noLimit = -1

func (m *remote) call(contract string, args, answer unsafe.Pointer, gas int64) error {
	b, err := m.args.AppendAt(room[:0], args)
	if err != nil {
		panic("sdk: the arguments of " + contract + "." + m.method + " can't be written: " + err.Error())
	}
	room = b
	p, n := pointer(b)
	var code uint32
	if gas == noLimit {
		code = uint32(hostCall(contract, m.method, p, n))
	} else {
		code = uint32(hostCallWithGas(contract, m.method, p, n, gas))
	}
	reply := mustRead(hostReply)
	if code != 0 {
		return callError(contract, m.method, code, reply)
	}
	if len(reply) == 0 {
		reply = []byte{0xa0}
	}
	if err := m.result.DecodeAt(reply, answer); err != nil {
		return &CallError{Contract: contract, Method: m.method, Code: codeBadResult, Reason: "the answer is not what was expected: " + err.Error()}
	}
	return nil
}

// Receipt codes that a caller may want to tell apart; runtime/receipt has the list.
const (
	codeUnknownContract = 32
	codeRefused         = 35 // the contract itself failed, with a code of its own
	codeBadResult       = 40
)

// A CallError is why a call of another contract failed.
type CallError struct {
	Contract, Method string
	Code             uint32 // the receipt code: 35 if the contract refused by itself
	ContractCode     uint32 // the contract's own code if it did
	Reason           string
}

func (e *CallError) Error() string { return e.Contract + "." + e.Method + ": " + e.Reason }

// Is reports whether target is the [RemoteCode] with which the other contract refused, for errors.Is.
func (e *CallError) Is(target error) bool {
	code, ok := target.(RemoteCode)
	return ok && e.Code == codeRefused && e.ContractCode == uint32(code)
}

// A RemoteCode is the number of one of the errors that another contract declares. `ward contract client` writes them down as constants:
//
//	if errors.Is(err, devices.ErrRetired) { ... }
//
// It goes by the number alone, so ask about the error that a call of that contract returned.
type RemoteCode uint32

// Error implements error.
func (c RemoteCode) Error() string {
	return "another contract's error " + strconv.FormatUint(uint64(c), 10)
}

// NoContract reports whether a call failed because there is no such contract.
func NoContract(err error) bool {
	e, ok := err.(*CallError)
	return ok && e.Code == codeUnknownContract
}

// callError reads the reply after a failure.
func callError(contract, method string, code uint32, reply []byte) *CallError {
	e := &CallError{Contract: contract, Method: method, Code: code}
	r := cbor.NewReader(reply)
	n, err := r.Array()
	if err == nil && n == 2 {
		var own uint64
		if own, err = r.Uint(); err == nil {
			e.ContractCode = uint32(own)
			e.Reason, err = r.Text()
		}
	}
	if err != nil || n != 2 {
		panic("BUG: sdk: the reply after a failed call can't be read")
	}
	return e
}
