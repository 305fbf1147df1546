package host

import (
	"bytes"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
)

// Bounds of what a trace keeps, calls within calls included. Gas is counted to the last unit all the same, and what was
// left out is counted.
const (
	// MaxTraceSteps is the most steps: more than a person reads.
	MaxTraceSteps = 4096
	// MaxTraceBytes is the most bytes of keys, values, arguments, results, attributes and log lines together.
	MaxTraceBytes = 1 << 20
	// MaxTraceValue is the most bytes of one of them: most are kept whole.
	MaxTraceValue = 4 << 10
	// MaxTraceFrames is the most functions of [Trace.Stack]: fewer than the engine tells of, so that none of its own are among them.
	MaxTraceFrames = 24
	// MaxTraceStacks is the most calls of which there is a [Trace.Stack]. A contract can have thousands trap, and names are looked for in a
	// whole module each time: 12 ms for 4 MiB.
	MaxTraceStacks = 64
)

// A Trace is the story of one call: what it was asked, what it did in which order, what it used its gas for and how it
// ended. Whoever wants one puts a new one into [Call.Trace]; it costs no gas and changes nothing.
type Trace struct {
	Contract, Method string
	Args             Bytes
	Sender           address.Address
	View             bool

	// Code, ContractCode and Reason are how it ended. Unless Code is OK, what the call and all within it wrote and
	// emitted was undone.
	Code         receipt.Code
	ContractCode uint32
	Reason       string
	Result       Bytes
	// Stack names the functions that were running when the contract trapped or had no more gas, the innermost first and
	// MaxTraceFrames at most, if its module has their names and fewer than MaxTraceStacks calls ended so before.
	Stack []string
	// Spec is that of the code that ran, where the chain may not have it afterwards: of init and of an upgrade's hook, which leave no contract, or
	// the code before, if they fail. Otherwise nil.
	Spec *abi.Spec

	Gas       TraceGas
	Functions []FunctionUse // in the order of their first use
	Steps     []Step
	Omitted   int // steps that were not kept

	outer *Trace
	left  *traceRoom

	running *FunctionUse // the host function that runs, a part of functions
	since   uint64       // what was used when it began
	within  uint64       // gas of the calls that it made
	spare   FunctionUse  // of the machine: [Machine]
}

// TraceGas says what the gas of a call went into. Used is the sum of the others.
type TraceGas struct {
	Used         uint64
	Instance     uint64 // to take an instance of the contract, and to leave none behind after a trap
	Instructions uint64 // the contract's own; of a deployment, what the code costs
	Functions    uint64 // host functions, without the calls that were made by them
	Calls        uint64 // calls of other contracts, whole
}

// FunctionUse is how often a host function was called, and the gas of it.
type FunctionUse struct {
	Name  string
	Calls uint64
	Gas   uint64
}

// A Step is something that a call did. Op is the name of the host function, or "row" for each row that a scan found; which
// other fields are set depends on it.
type Step struct {
	Op         string
	Collection string // get, exists, set, delete, scan, row
	Key        Bytes  // the same; of a scan where it starts; of account functions the key's address
	End        Bytes  // of a scan
	Reverse    bool   // of a scan
	Found      bool   // get, exists, delete: there was a row
	Value      Bytes  // get, set, row
	Event      string // emit: the event's name
	Attributes Bytes  // emit
	Line       string // log
	Call       *Trace // call
}

// Bytes are bytes of a contract, of which a trace keeps the first.
type Bytes struct {
	Kept []byte
	Size int // of all
}

// Whole reports whether all of it was kept.
func (b Bytes) Whole() bool { return len(b.Kept) == b.Size }

// Cut is the size of what was not kept whole, else 0.
func (b Bytes) Cut() int {
	if b.Whole() {
		return 0
	}
	return b.Size
}

// traceRoom is what a tree of traces may still keep.
type traceRoom struct{ steps, bytes, stacks int }

// Begin says which call it is, before it is made. A nil t is none.
func (t *Trace) Begin(contract, method string, args []byte, sender address.Address) {
	if t == nil {
		return
	}
	if t.left == nil {
		t.left = &traceRoom{MaxTraceSteps, MaxTraceBytes, MaxTraceStacks}
	}
	t.Contract, t.Method, t.Sender = contract, method, sender
	t.Args = t.keep(args)
}

// Inner begins the trace of a call within t's. It returns nil if t is nil.
func (t *Trace) Inner(contract, method string, args []byte, sender address.Address) *Trace {
	if t == nil {
		return nil
	}
	inner := &Trace{outer: t, left: t.left}
	inner.Begin(contract, method, args, sender)
	t.step(Step{Op: "call", Call: inner})
	return inner
}

// Finish ends the trace: stop is how the call failed, nil if it succeeded, used all gas that it took. A nil t is none.
func (t *Trace) Finish(stop *Stop, result []byte, used uint64) {
	if t == nil {
		return
	}
	if stop != nil {
		t.Code, t.ContractCode, t.Reason = stop.Code, stop.ContractCode, stop.Reason
	} else {
		t.Result = t.keep(result)
	}
	g := &t.Gas
	g.Used = used
	for i := range t.Functions {
		g.Functions += t.Functions[i].Gas
	}
	g.Instructions = used - g.Instance - g.Functions - g.Calls
	if t.outer != nil {
		t.outer.Gas.Calls += used
		t.outer.within += used
	}
}

// Nowhere reports whether there is no room for anything that Where could say.
func (t *Trace) Nowhere() bool { return t.left.steps == 0 || t.left.bytes == 0 || t.left.stacks == 0 }

// Where says which functions were running as the call ended, before Finish. What there is no room for is left out.
func (t *Trace) Where(stack []string) {
	t.left.stacks--
	for _, name := range stack[:min(len(stack), MaxTraceFrames)] {
		if t.left.steps == 0 || len(name) > t.left.bytes {
			return
		}
		t.left.bytes -= len(name)
		t.Stack = append(t.Stack, name)
	}
}

// Machine is what [Call.Enter] is told when no host function but the machine itself takes gas for an instance.
const Machine = ""

// Enter says that a host function begins, when all gas up to it has been taken. Leave says that it has ended, one way or
// another. Both are for the trace, if there is one.
func (c *Call) Enter(function string) {
	if c.Trace != nil {
		c.Trace.enter(function, c.Gas.Used())
	}
}

// Leave is the end of what Enter began. Without, it does nothing.
func (c *Call) Leave() {
	if c.Trace != nil {
		c.Trace.leave(c.Gas.Used())
	}
}

func (t *Trace) enter(function string, used uint64) {
	t.since, t.within = used, 0
	if function == Machine {
		t.running = &t.spare
		return
	}
	for i := range t.Functions {
		if t.running = &t.Functions[i]; t.running.Name == function {
			t.running.Calls++
			return
		}
	}
	t.Functions = append(t.Functions, FunctionUse{Name: function, Calls: 1})
	t.running = &t.Functions[len(t.Functions)-1]
}

func (t *Trace) leave(used uint64) {
	if t.running == nil {
		return
	}
	spent := used - t.since - t.within
	t.running.Gas += spent
	if t.running == &t.spare {
		t.Gas.Instance += spent
	}
	t.running = nil
}

// step adds a step, if there is room.
func (t *Trace) step(s Step) {
	if t.left.steps == 0 {
		t.Omitted++
		return
	}
	t.left.steps--
	t.Steps = append(t.Steps, s)
}

// row adds a step that has to do with a row.
func (t *Trace) row(op string, collection, key, value []byte, found bool) {
	t.step(Step{Op: op, Collection: string(collection), Key: t.keep(key), Value: t.keep(value), Found: found})
}

// keep copies what there is room for.
func (t *Trace) keep(b []byte) Bytes {
	n := min(len(b), MaxTraceValue, t.left.bytes)
	if t.left.steps == 0 {
		n = 0 // it would be kept in vain
	}
	t.left.bytes -= n
	return Bytes{bytes.Clone(b[:n]), len(b)}
}

// line adds a line of the log.
func (t *Trace) line(s string) { t.step(Step{Op: "log", Line: string(t.keep([]byte(s)).Kept)}) }
