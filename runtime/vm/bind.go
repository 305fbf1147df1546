package vm

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
)

// args are the arguments of one host function, as the table of runtime/abi describes
// them: slices of the contract's memory, each checked to lie inside, and numbers.
// They are good until the function returns.
type args struct {
	in  [4][]byte // what the contract gives, in the order of the parameters
	out []byte    // where the answer goes: as long as there is room
	num [2]uint64
}

// answer writes b to where the answer goes, if there is room for all of it, and
// returns how long it is.
func (a *args) answer(b []byte) uint64 {
	if len(b) <= len(a.out) {
		copy(a.out, b)
	}
	return uint64(uint32(len(b)))
}

// filled writes what always has the size of where it goes, unless there was an error.
func (a *args) filled(b []byte, err error) (uint64, error) {
	if err == nil {
		a.answer(b)
	}
	return 0, err
}

// kid returns an address that the contract gives.
func (a *args) kid() address.Address { return address.Address(a.in[0]) }

// absent is the answer "there is none".
const absent = uint64(uint32(1<<32 + abi.Absent))

// A function is what a host function does, once its arguments are at hand. An
// error ends the call.
type function func(c *host.Call, a *args) (uint64, error)

// functions binds the names in abi.Table to the methods of a host.Call.
var functions = map[string]function{
	"method": func(c *host.Call, a *args) (uint64, error) { return tell(c, a, []byte(c.Method)) },
	"args":   func(c *host.Call, a *args) (uint64, error) { return tell(c, a, c.Args) },
	"sender": func(c *host.Call, a *args) (uint64, error) { return tell(c, a, c.Sender[:]) },
	"origin": func(c *host.Call, a *args) (uint64, error) { return tell(c, a, c.Origin[:]) },
	"contract": func(c *host.Call, a *args) (uint64, error) {
		return tell(c, a, []byte(c.Contract))
	},
	"chain": func(c *host.Call, a *args) (uint64, error) { return tell(c, a, []byte(c.Chain)) },
	"block": func(c *host.Call, a *args) (uint64, error) { return tell(c, a, c.Block.Encode()) },

	"get": func(c *host.Call, a *args) (uint64, error) {
		value, err := c.Get(a.in[0], a.in[1])
		if err != nil || value == nil {
			return absent, err
		}
		return a.answer(value), nil
	},
	"set": func(c *host.Call, a *args) (uint64, error) {
		return 0, c.Set(a.in[0], a.in[1], a.in[2])
	},
	"delete": func(c *host.Call, a *args) (uint64, error) {
		return truth(c.Delete(a.in[0], a.in[1]))
	},
	"scan": func(c *host.Call, a *args) (uint64, error) {
		page, need, err := c.Scan(host.Range{
			Collection: a.in[0],
			Start:      a.in[1],
			End:        a.in[2],
			Reverse:    a.num[0]&abi.ScanReverse != 0,
			Limit:      uint32(a.num[1]),
		}, len(a.out))
		if err != nil || need > 0 {
			return uint64(need), err
		}
		return a.answer(page), nil
	},

	"emit": func(c *host.Call, a *args) (uint64, error) { return 0, c.Emit(a.in[0], a.in[1]) },
	"ret":  func(c *host.Call, a *args) (uint64, error) { return 0, c.Return(a.in[0]) },
	"fail": func(c *host.Call, a *args) (uint64, error) { return 0, c.Fail(uint32(a.num[0]), a.in[0]) },
	"log":  func(c *host.Call, a *args) (uint64, error) { return 0, c.WriteLog(a.in[0]) },

	"cose_verify": func(c *host.Call, a *args) (uint64, error) {
		payload, err := c.VerifyCOSE(a.in[0], a.in[1], a.in[2])
		if err != nil || payload == nil {
			return absent, err
		}
		return a.answer(payload), nil
	},
	"key_address": func(c *host.Call, a *args) (uint64, error) {
		kid, ok, err := c.KeyAddress(a.in[0])
		if err != nil || !ok {
			return absent, err
		}
		a.answer(kid[:])
		return 0, nil
	},
	"sha256": func(c *host.Call, a *args) (uint64, error) {
		sum, err := c.SHA256(a.in[0])
		return a.filled(sum[:], err)
	},
	"sha512": func(c *host.Call, a *args) (uint64, error) {
		sum, err := c.SHA512(a.in[0])
		return a.filled(sum[:], err)
	},
	"blake2b": func(c *host.Call, a *args) (uint64, error) {
		sum, err := c.BLAKE2b(a.in[0])
		return a.filled(sum[:], err)
	},
	"hmac_sha256": func(c *host.Call, a *args) (uint64, error) {
		sum, err := c.HMAC(a.in[0], a.in[1])
		return a.filled(sum[:], err)
	},
	"hkdf_sha256": func(c *host.Call, a *args) (uint64, error) {
		return uint64(len(a.out)), c.HKDF(a.in[0], a.in[1], a.in[2], a.out)
	},
	"randomness": func(c *host.Call, a *args) (uint64, error) {
		sum, err := c.Randomness()
		return a.filled(sum[:], err)
	},
	"ed25519_verify": func(c *host.Call, a *args) (uint64, error) {
		return truth(c.VerifyEd25519(a.in[0], a.in[1], a.in[2]))
	},
	"ed25519_verify_batch": func(c *host.Call, a *args) (uint64, error) {
		return truth(c.VerifyEd25519Batch(a.in[0]))
	},
	"p256_verify": func(c *host.Call, a *args) (uint64, error) {
		return truth(c.VerifyP256(a.in[0], a.in[1], a.in[2]))
	},
	"p256_verify_digest": func(c *host.Call, a *args) (uint64, error) {
		return truth(c.VerifyP256Digest(a.in[0], a.in[1], a.in[2]))
	},
	"x509_verify": func(c *host.Call, a *args) (uint64, error) {
		leaf, no, err := c.VerifyX509(a.in[0], a.in[1], int64(a.num[0]))
		if err != nil || leaf == nil {
			return uint64(uint32(-int32(no))), err
		}
		return a.answer(leaf), nil
	},
	"exists": func(c *host.Call, a *args) (uint64, error) {
		return truth(c.Exists(a.in[0], a.in[1]))
	},
	"caller_kind": func(c *host.Call, _ *args) (uint64, error) { return uint64(c.CallerKind()), nil },
	"gas_left":    func(c *host.Call, _ *args) (uint64, error) { return c.Gas.Left(), nil },

	"account_open": func(c *host.Call, a *args) (uint64, error) {
		return status(c.OpenAccount(a.in[0]))
	},
	"account_shut": func(c *host.Call, a *args) (uint64, error) {
		return status(c.ShutAccount(a.kid()))
	},
	"account_reopen": func(c *host.Call, a *args) (uint64, error) {
		return status(c.ReopenAccount(a.kid()))
	},
	"account_retire": func(c *host.Call, a *args) (uint64, error) {
		return status(c.RetireAccount(a.kid()))
	},

	"call": func(c *host.Call, a *args) (uint64, error) {
		code, err := c.CallContract(a.in[0], a.in[1], a.in[2], math.MaxUint64)
		return uint64(code), err
	},
	"call_with_gas": func(c *host.Call, a *args) (uint64, error) {
		code, err := c.CallContract(a.in[0], a.in[1], a.in[2], a.num[0])
		return uint64(code), err
	},
	"reply": func(c *host.Call, a *args) (uint64, error) { return tell(c, a, c.Reply()) },
	"authorities_set": func(c *host.Call, a *args) (uint64, error) {
		return status(c.SetAuthorities(a.in[0]))
	},
	"parameters_get": func(c *host.Call, a *args) (uint64, error) {
		p, err := c.ReadParameters()
		if err != nil {
			return 0, err
		}
		return a.answer(p), nil
	},
	"parameters_set": func(c *host.Call, a *args) (uint64, error) {
		return status(c.ChangeParameters(a.in[0]))
	},
	"code_permit": func(c *host.Call, a *args) (uint64, error) {
		return status(c.PermitCode(a.in[0]))
	},
	"code_withdraw": func(c *host.Call, a *args) (uint64, error) {
		return status(c.WithdrawCode(a.in[0]))
	},
}

func tell(c *host.Call, a *args, b []byte) (uint64, error) {
	if err := c.Tell(len(b)); err != nil {
		return 0, err
	}
	return a.answer(b), nil
}

// truth is 1 for true.
func truth(is bool, err error) (uint64, error) {
	if is {
		return 1, err
	}
	return 0, err
}

func status(s abi.Status, err error) (uint64, error) { return uint64(uint32(s)), err }

// describable are the functions that answer while a contract describes itself.
var describable = map[string]bool{"ret": true, "log": true, "fail": true}

// A slot says how an argument is read from the parameters, starting at the one with
// the number at.
type slot struct {
	kind slotKind
	at   int
	name string
	size uint32 // of what has a fixed size
	wide bool   // a number of 64 bits
}

type slotKind int

const (
	input       slotKind = iota // pointer, length
	fixedInput                  // pointer to size bytes
	output                      // pointer, capacity
	fixedOutput                 // pointer to room for size bytes
	number
)

// slots reads from the names of a function's parameters what they mean:
// "out" before "cap" is room for an answer, a name before itself with "len" appended
// (or "ptr" before "len") is a slice, a name that ends in a number points to
// so many bytes, any other is a number.
func slots(params []abi.Param) []slot {
	var list []slot
	for at := 0; at < len(params); at++ {
		name := params[at].Name
		next := ""
		if at+1 < len(params) {
			next = params[at+1].Name
		}
		word := strings.TrimRight(name, "0123456789")
		var size uint32
		for _, digit := range name[len(word):] {
			size = size*10 + uint32(digit-'0')
		}
		switch {
		case name == "out" && next == "cap":
			list = append(list, slot{kind: output, at: at, name: name})
			at++
		case next == name+"len" || name == "ptr" && next == "len":
			list = append(list, slot{kind: input, at: at, name: name})
			at++
		case word == "out":
			list = append(list, slot{kind: fixedOutput, at: at, name: word, size: size})
		case size > 0:
			list = append(list, slot{kind: fixedInput, at: at, name: word, size: size})
		default:
			list = append(list, slot{kind: number, at: at, name: name, wide: params[at].Type == abi.I64})
		}
	}
	return list
}

// window returns size bytes of a contract's memory from ptr on. Every pointer that a
// contract hands over passes through here, before anything is read, written
// or allocated on its behalf.
func window(k *call, memory api.Memory, function, what string, ptr, size uint32) []byte {
	if memory != nil {
		if b, ok := memory.Read(ptr, size); ok {
			return b
		}
	}
	k.halt(host.Stopf(receipt.Trapped, "%s: %s is %d bytes at %d, outside of memory", function, what, size, ptr))
	return nil
}

// collect fills a with the arguments on the stack.
func (a *args) collect(k *call, memory api.Memory, function string, slots []slot, stack []uint64) {
	*a = args{}
	in, num := 0, 0
	for i := range slots {
		s := &slots[i]
		first := uint32(stack[s.at])
		switch s.kind {
		case input:
			a.in[in] = window(k, memory, function, s.name, first, uint32(stack[s.at+1]))
			in++
		case fixedInput:
			a.in[in] = window(k, memory, function, s.name, first, s.size)
			in++
		case output:
			a.out = window(k, memory, function, s.name, first, uint32(stack[s.at+1]))
		case fixedOutput:
			a.out = window(k, memory, function, s.name, first, s.size)
		case number:
			a.num[num] = stack[s.at]
			if !s.wide {
				a.num[num] = uint64(first)
			}
			num++
		}
	}
}

// bind instantiates the modules that contracts import.
func bind(r wazero.Runtime) error {
	ward := r.NewHostModuleBuilder(abi.Module)
	for _, f := range abi.Table() {
		do := functions[f.Name]
		if do == nil {
			panic("BUG: vm: no meaning for the host function " + f.Name)
		}
		export(ward, f.Name, typeOf(f), hostFunction(f, do))
	}
	wasi := r.NewHostModuleBuilder(abi.WASIModule)
	for _, f := range abi.WASI() {
		export(wasi, f.Name, typeOfWASI(f), wasiFunction(f))
	}
	for _, b := range []wazero.HostModuleBuilder{ward, wasi} {
		if _, err := b.Instantiate(context.Background()); err != nil {
			return fmt.Errorf("host module: %w", err)
		}
	}
	return nil
}

func export(b wazero.HostModuleBuilder, name string, t functionType, f api.GoModuleFunc) {
	b.NewFunctionBuilder().WithGoModuleFunction(f, t.params, t.results).Export(name)
}

// hostFunction returns what wazero calls when a contract calls f.
func hostFunction(f abi.Function, do function) api.GoModuleFunc {
	slots := slots(f.Params)
	return func(ctx context.Context, m api.Module, stack []uint64) {
		k := ctx.Value(callKey{}).(*call)
		k.enter(f.Name)
		if k.phase == starting || k.phase == describing && !describable[f.Name] {
			k.halt(host.Stopf(receipt.Trapped, "%s: only a call may use it, not %s", f.Name, k.phase))
		}
		k.args.collect(k, m.Memory(), f.Name, slots, stack)
		result, err := do(k.host, &k.args)
		if err != nil {
			k.halt(err)
		}
		if len(f.Results) > 0 {
			stack[0] = result
		}
		k.leave()
	}
}

// String returns what runs in the phase.
func (p phase) String() string {
	switch p {
	case starting:
		return abi.ExportInitialize
	case describing:
		return abi.ExportSpec
	}
	return abi.ExportCall
}

// functionType is the type of a host function.
type functionType struct{ params, results []api.ValueType }

func typeOf(f abi.Function) functionType {
	var t functionType
	for _, p := range f.Params {
		t.params = append(t.params, valueType(p.Type))
	}
	for _, r := range f.Results {
		t.results = append(t.results, valueType(r))
	}
	return t
}

func typeOfWASI(f abi.WASIFunction) functionType {
	var t functionType
	for _, p := range f.Params {
		t.params = append(t.params, valueType(p))
	}
	for _, r := range f.Results {
		t.results = append(t.results, valueType(r))
	}
	return t
}

func valueType(name string) api.ValueType {
	switch name {
	case abi.I32:
		return api.ValueTypeI32
	case abi.I64:
		return api.ValueTypeI64
	}
	panic("BUG: vm: the interface has a value of type " + name)
}
