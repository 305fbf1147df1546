package sdk

import (
	"reflect"
	"runtime"
	"strconv"
	"unsafe"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/sdk/wire"
)

// None is the argument of a method that takes nothing and the result of one that
// answers nothing.
type None = struct{}

// declared is what the contract's package said of itself while it started. Nothing
// is added later.
var declared struct {
	name, doc   string
	methods     []method
	events      []*event
	errors      []*ErrorCode
	collections []string
	complete    bool // calls run
}

type method struct {
	name, doc    string
	view         bool
	args, result *wire.Plan
	answers      bool // result is something
	run          func(m *method, c *Ctx)
}

// Describe names the contract: a lower-case letter, then lower-case letters, digits
// and "-". Call it once.
func Describe(name, doc string) {
	if declared.name != "" {
		panic("sdk: the contract is described twice, as " + declared.name + " and as " + name)
	}
	if !abi.ValidContract(name) {
		panic("sdk: " + strconv.Quote(name) + " is not a contract's name: it is a lower-case letter, then lower-case letters, digits and -")
	}
	documented("the contract "+name, doc)
	declared.name, declared.doc = name, doc
}

// Method declares a method that transactions call. A, a struct, is what it takes
// and R what it answers, each [None] for nothing. fn may read and write rows and emit
// events. If it returns an error all of that is undone, and the transaction failed with
// the error's code and reason.
func Method[A, R any](name string, fn func(*Ctx, A) (R, error), doc string) {
	declare(name, doc, false, fn)
}

// View declares a method that only reads. It is called without a transaction, by
// anybody, at any committed height, and answers at once; a write ends it as not_permitted.
// What [Ctx.Sender] says in a view is not checked by anyone.
func View[A, R any](name string, fn func(*Ctx, A) (R, error), doc string) {
	declare(name, doc, true, fn)
}

// Init declares what runs once, when an instance of the contract is created, before
// anything else. If it returns an error there is no instance.
func Init[A any](fn func(*Ctx, A) error, doc string) {
	declare(abi.MethodInit, doc, false, func(c *Ctx, a A) (None, error) { return None{}, fn(c, a) })
}

func declare[A, R any](name, doc string, view bool, fn func(*Ctx, A) (R, error)) {
	if fn == nil {
		panic("sdk: " + name + " is declared with nil for its function")
	}
	// What needs no types is done elsewhere: this is compiled for each method.
	addMethod(name, doc, view, reflect.TypeFor[A](), reflect.TypeFor[R](), func(m *method, c *Ctx) {
		var args A
		m.read(unsafe.Pointer(&args))
		result, err := fn(c, args)
		m.answer(unsafe.Pointer(&result), err)
	})
}

func addMethod(name, doc string, view bool, args, result reflect.Type, run func(*method, *Ctx)) {
	kind := "method"
	if view {
		kind = "view"
	}
	what := "the " + kind + " " + name
	open(what)
	if !abi.ValidMethod(name) {
		panic("sdk: " + strconv.Quote(name) + " is not a " + kind + "'s name: it is a lower-case letter, then letters, digits and _")
	}
	for _, other := range declared.methods {
		if other.name == name {
			panic("sdk: " + what + " is declared twice: give one another name")
		}
	}
	documented(what, doc)
	m := method{
		name: name, doc: doc, view: view, run: run,
		args: wire.NewPlanFor("what "+what+" takes", args), result: wire.NewPlanFor("what "+what+" answers", result),
	}
	if _, ok := m.args.IsStruct(); !ok {
		panic("sdk: " + what + " takes " + m.args.Type().String() + ": it must be a struct, whose fields have names")
	}
	if m.name == abi.MethodUpgrade && !isUpgrade(m) {
		panic("sdk: only the chain calls a method upgrade: declare it with sdk.Upgrade, or name it otherwise")
	}
	m.answers = !nothing(m.result)
	declared.methods = append(declared.methods, m)
}

// open panics once calls run: what is declared only then is in no spec, and its plans are made anew in each call.
func open(what string) {
	if declared.complete {
		panic("sdk: " + what + " is declared during a call: declare it as a package variable or in func init")
	}
}

// documented panics if what is declared has no doc.
func documented(what, doc string) {
	if doc == "" {
		panic("sdk: " + what + " has no doc: say in a sentence what it does, which --help, the API and the dashboard show")
	}
}

// something is the type of a plan, or nil for one that stands for nothing.
func something(p *wire.Plan) *abi.Type {
	if nothing(p) {
		return nil
	}
	return p.Type()
}

func nothing(p *wire.Plan) bool {
	n, ok := p.IsStruct()
	return ok && n == 0
}

// spec is what was declared, encoded. Whoever asked for it checks it (abi.DecodeSpec).
func spec() []byte {
	if declared.name == "" {
		panic("sdk: the contract does not say what it is: call sdk.Describe in func init")
	}
	s := &abi.Spec{ABI: abi.Version, Name: declared.name, Doc: declared.doc, Toolchain: runtime.Version()}
	for _, m := range declared.methods {
		s.Methods = append(s.Methods, abi.Method{Name: m.name, Doc: m.doc, View: m.view, Args: something(m.args), Result: something(m.result)})
	}
	for _, e := range declared.events {
		s.Events = append(s.Events, abi.EventSpec{Name: e.name, Doc: e.doc, Fields: e.plan.Type().Fields})
	}
	s.Errors = append(s.Errors, abi.ErrorSpec{Code: unnamed.code, Name: unnamed.name, Doc: unnamed.doc})
	for _, e := range declared.errors {
		s.Errors = append(s.Errors, abi.ErrorSpec{Code: e.code, Name: e.name, Doc: e.doc})
	}
	return s.Encode()
}

// An EventOf is one kind of event. T is a struct, whose fields are its attributes. There is nothing to mark for an index:
// the event log keeps every attribute, and a subscriber or query filters by any of them (node/api).
type EventOf[T any] struct{ event *event }

type event struct {
	name, doc string
	plan      *wire.Plan
}

// Event declares a kind of event, as a package variable.
func Event[T any](name, doc string) EventOf[T] {
	return EventOf[T]{addEvent(name, doc, reflect.TypeFor[T]())}
}

func addEvent(name, doc string, t reflect.Type) *event {
	open("the event " + name)
	if !abi.ValidEvent(name) {
		panic("sdk: " + strconv.Quote(name) + " is not an event's name: it is a lower-case letter, then letters, digits and _")
	}
	for _, other := range declared.events {
		if other.name == name {
			panic("sdk: the event " + name + " is declared twice: give one another name")
		}
	}
	documented("the event "+name, doc)
	e := &event{name, doc, wire.NewPlanFor("what the event "+name+" says", t)}
	if _, ok := e.plan.IsStruct(); !ok {
		panic("sdk: event " + name + " is " + e.plan.Type().String() + ": it must be a struct, whose fields are the attributes")
	}
	declared.events = append(declared.events, e)
	return e
}

// Emit adds an event to the transaction. It has happened once the block is
// committed, and never if the call fails.
func (e EventOf[T]) Emit(_ *Ctx, attributes T) { e.event.emit(unsafe.Pointer(&attributes)) }

func (e *event) emit(attributes unsafe.Pointer) {
	b, err := e.plan.AppendAt(room[:0], attributes)
	if err != nil {
		panic("sdk: the event " + e.name + " can't be written: " + err.Error())
	}
	room = b
	emit(e.name, b)
}

// An ErrorCode is one way in which the contract refuses. It is an error itself, with
// its doc for a reason.
type ErrorCode struct {
	code      uint32
	name, doc string
}

// unnamed is the code of an error that the contract declared no code for.
var unnamed = &ErrorCode{1, "failed", "The contract refused, for a reason that has no code of its own."}

// Error declares a code with which the contract fails, as a package variable. The
// number means the same for ever; 1 is taken for errors without a code.
func Error(code uint32, name, doc string) *ErrorCode {
	open("the error " + name)
	switch {
	case code == unnamed.code:
		panic("sdk: the error " + name + " has the code 1, which stands for errors without a code: count from 2")
	case code == 0:
		panic("sdk: the error " + name + " has the code 0, which says that nothing failed: count from 2")
	case code >= abi.FirstReservedFail:
		panic("sdk: the error " + name + " has the code " + strconv.FormatUint(uint64(code), 10) + ", which is reserved: count from 2")
	}
	for _, other := range declared.errors {
		if other.code == code {
			panic("sdk: the errors " + other.name + " and " + name + " both have the code " + strconv.FormatUint(uint64(code), 10) + ": give the newer one a number that was never used")
		}
		if other.name == name {
			panic("sdk: the error " + name + " is declared twice, with the codes " + strconv.FormatUint(uint64(other.code), 10) + " and " + strconv.FormatUint(uint64(code), 10))
		}
	}
	documented("the error "+name, doc)
	e := &ErrorCode{code, name, doc}
	declared.errors = append(declared.errors, e)
	return e
}

// Error is the doc.
func (e *ErrorCode) Error() string { return e.doc }

// Because is the error with a reason that a person can act on, formatted by [Text].
// The runtime cuts it after abi.MaxReason bytes.
func (e *ErrorCode) Because(format string, args ...any) error {
	return &failure{e, Text(format, args...)}
}

type failure struct {
	code   *ErrorCode
	reason string
}

func (f *failure) Error() string { return f.reason }
func (f *failure) Unwrap() error { return f.code }

// IsContractName reports whether s can name a contract.
func IsContractName(s string) bool { return abi.ValidContract(s) }

// IsMethodName reports whether s can name a method.
func IsMethodName(s string) bool { return abi.ValidMethod(s) }
