package vm

import (
	"strconv"
	"strings"

	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/wasm"
)

// A stackFrame is a function that was running when a call trapped.
type stackFrame struct {
	host  string // the name of a host function, such as ward.get, or ""
	index uint32 // of a function of the module, as it was before it was rewritten
}

// stackTrace is before the stack in the text of wazero's errors. Behind it is a line for each function, the innermost
// first and 30 at most: a host function by its name, a function of a contract by its index, because the section with
// names is not in what is compiled: ".$7(i32,i32) i32". TestStackOfATrap knows when that changes.
const stackTrace = "\nwasm stack trace:\n\t"

// frames reads from the error of a call which functions were running. functions is how many the module has; those
// behind them are the rewriter's, which changes no index. It is for traces alone: what other releases of wazero say
// may be something else, or nothing that can be read.
func frames(err error, functions int) (list []stackFrame) {
	_, stack, _ := strings.Cut(err.Error(), stackTrace)
	for line := range strings.SplitSeq(stack, "\n\t") {
		name, _, ok := strings.Cut(line, "(")
		if !ok || len(list) == host.MaxTraceFrames {
			break
		}
		number, ours := strings.CutPrefix(name, ".$")
		if !ours {
			list = append(list, stackFrame{host: name})
			continue
		}
		index, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			break
		}
		if index < uint64(functions) {
			list = append(list, stackFrame{index: uint32(index)})
		}
	}
	return list
}

// named returns what the code calls the functions, or Options.Names if it has no names, or nothing if neither names any of them. The error
// means that this node can't read its state.
func (e *Engine) named(list []stackFrame, code Code) ([]string, error) {
	module, err := code.Load()
	if err != nil {
		return nil, err
	}
	var indexes []uint32
	for _, f := range list {
		if f.host == "" {
			indexes = append(indexes, f.index)
		}
	}
	names := wasm.FunctionNames(module, indexes...)
	if len(names) == 0 && e.names != nil {
		names = wasm.FunctionNames(e.names(code.Hash), indexes...)
	}
	if len(names) == 0 {
		return nil, nil
	}
	var stack []string
	for _, f := range list {
		name := f.host
		if name == "" {
			if name = names[f.index]; name == "" {
				name = "function " + strconv.Itoa(int(f.index))
			}
		}
		stack = append(stack, name)
	}
	return stack, nil
}
