package sdk

import (
	"strconv"

	"github.com/wardledger/ward/runtime/abi"
)

// wardCall is what the runtime calls for each transaction and view. An export of a
// package that is not main is kept by -buildmode=c-shared as long as the package is
// linked, which importing it does.
//
//go:wasmexport ward_call
func wardCall() { dispatch() }

// wardSpec is what the builder calls to ask a fresh module for its spec.
//
//go:wasmexport ward_spec
func wardSpec() { ret(spec()) }

func ret(result []byte) { hostRet(pointer(result)) }

// arguments returns the call's arguments. Null says "nothing", as an empty map does.
func arguments() []byte {
	b := mustRead(hostArgs)
	if len(b) == 1 && b[0] == 0xf6 {
		b[0] = 0xa0
	}
	return b
}

// dispatch runs the method that was called.
func dispatch() {
	name := string(mustRead(hostMethod))
	for i := range declared.methods {
		if m := &declared.methods[i]; m.name == name {
			m.call()
			return
		}
	}
	stop(abi.FailUnknownMethod, "contract "+declared.name+" has no method "+strconv.Quote(clip(name, abi.MaxMethodName)))
}

func (m *method) call() {
	args, result := m.args.New(), m.result.New()
	if err := m.args.Decode(arguments(), args); err != nil {
		stop(abi.FailBadArguments, err.Error())
	}
	if err := m.run(new(Ctx), args, result); err != nil {
		fail(err)
	}
	if !m.answers {
		return
	}
	b, err := m.result.Append(nil, result)
	if err != nil {
		panic("sdk: the result of " + m.name + " can't be written: " + err.Error())
	}
	ret(b)
}

// fail ends the call with an error's code and reason.
func fail(err error) {
	code := unnamed
	// errors.As would do, and bring 30 kB of reflection along.
	for e := err; e != nil; {
		if c, ok := e.(*ErrorCode); ok {
			code = c
			break
		}
		w, ok := e.(interface{ Unwrap() error })
		if !ok {
			break
		}
		e = w.Unwrap()
	}
	stop(code.code, err.Error())
}
