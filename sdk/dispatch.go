package sdk

import (
	"strconv"
	"unsafe"

	"github.com/wardledger/ward/runtime/abi"
)

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
			declared.complete = true
			m.run(m, new(Ctx))
			return
		}
	}
	stop(abi.FailUnknownMethod, "contract "+declared.name+" has no method "+strconv.Quote(clip(name, abi.MaxMethodName)))
}

// read decodes the call's arguments.
func (m *method) read(args unsafe.Pointer) {
	if err := m.args.DecodeAt(arguments(), args); err != nil {
		stop(abi.FailBadArguments, err.Error())
	}
}

// answer ends the call with a result, or with an error if there is one.
func (m *method) answer(result unsafe.Pointer, err error) {
	if err != nil {
		fail(err)
	}
	if !m.answers {
		return
	}
	b, err := m.result.AppendAt(room[:0], result)
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
