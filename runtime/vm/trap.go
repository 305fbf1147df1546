package vm

import "errors"

// traps maps wazero's words for a trap to ours, which are in consensus (see
// runtime/host) and must not change when wazero rewords its own. TestTraps causes
// each of them on both engines.
var traps = map[string]string{
	"unreachable":                   "trap: unreachable code was reached",
	"integer divide by zero":        "trap: division by zero",
	"integer overflow":              "trap: integer overflow",
	"invalid conversion to integer": "trap: not a number has no integer",
	"out of bounds memory access":   "trap: access outside of memory",
	"invalid table access":          "trap: access outside of a table, or to an empty entry",
	"indirect call type mismatch":   "trap: indirect call of a function of another type",
}

// trapReason returns the reason if err is a trap of Wasm. wazero's type for
// it is internal, so its text is all there is to go by: the innermost error's, since
// the outer ones hold a stack trace.
func trapReason(err error) (string, bool) {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			break
		}
		err = inner
	}
	reason, ok := traps[err.Error()]
	return reason, ok
}

// stackExhausted is the reason of a contract that has used up the stack that it may take (runtime/meter). No engine's own
// limit comes before.
const stackExhausted = "trap: the call stack is exhausted"
