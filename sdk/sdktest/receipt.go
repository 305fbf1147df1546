package sdktest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk/wire"
)

// A Receipt is how a transaction or view ended. Its methods end the test with
// the reason and a trace of the call if it isn't as they say, and return it otherwise.
type Receipt struct {
	receipt.Receipt
	// Events are those of the receipt, with their spec.
	Events []Event

	t    testing.TB
	spec *abi.Spec
	// failing is the spec whose errors count: spec, or that of code whose hook has failed.
	failing *abi.Spec
	// tell says what the call did, step by step; "" if that can't be known any more.
	tell func() string
}

// OK says that the call succeeded.
func (r *Receipt) OK() *Receipt {
	r.t.Helper()
	if r.Code != receipt.OK {
		r.t.Fatalf("must succeed:\n%s", r.whole())
	}
	return r
}

// Failed says that the contract refused with an error of its own, called name in
// its spec.
func (r *Receipt) Failed(name string) *Receipt {
	r.t.Helper()
	if got := r.ErrorName(); r.Code != receipt.Failed || got != name {
		r.t.Fatalf("must fail with %s:\n%s", name, r.whole())
	}
	return r
}

// Refused says that the runtime stopped or refused the call with a code.
func (r *Receipt) Refused(code receipt.Code) *Receipt {
	r.t.Helper()
	if r.Code != code {
		r.t.Fatalf("must be refused as %s:\n%s", code.Name(), r.whole())
	}
	return r
}

// Because says that the reason contains a text.
func (r *Receipt) Because(text string) *Receipt {
	r.t.Helper()
	if !strings.Contains(r.Reason, text) {
		r.t.Fatalf("the reason must contain %q:\n%s", text, r.whole())
	}
	return r
}

// Result decodes the result into what v, a pointer, points to.
func (r *Receipt) Result(v any) *Receipt {
	r.t.Helper()
	if err := wire.Unmarshal(r.Return, v); err != nil {
		r.t.Fatalf("result as %T: %v:\n%s", v, err, r.whole())
	}
	return r
}

// Emitted says which events there were, by name, in order and no others.
func (r *Receipt) Emitted(names ...string) *Receipt {
	r.t.Helper()
	var got []string
	for _, e := range r.Events {
		got = append(got, e.Name)
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		r.t.Fatalf("must emit %v:\n%s", names, r.whole())
	}
	return r
}

// Event returns the only event with a name.
func (r *Receipt) Event(name string) Event {
	r.t.Helper()
	var found []Event
	for _, e := range r.Events {
		if e.Name == name {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		r.t.Fatalf("must emit one %s, not %d:\n%s", name, len(found), r.whole())
	}
	return found[0]
}

// ErrorName returns the name of the contract's error, or "".
func (r *Receipt) ErrorName() string {
	if r.Code != receipt.Failed {
		return ""
	}
	if r.failing != nil {
		if e, ok := r.failing.Error(r.ContractCode); ok {
			return e.Name
		}
	}
	return fmt.Sprintf("code %d", r.ContractCode)
}

// JSON returns the result as the HTTP API gives it.
func (r *Receipt) JSON() string {
	r.t.Helper()
	if r.spec != nil {
		if m, ok := r.spec.Method(r.Method); ok {
			if doc, err := specjson.ToJSON(m.Result, r.Return); err == nil {
				return string(doc)
			}
		}
	}
	return string(specjson.Untyped(r.Return))
}

// String returns the receipt as a test prints it: the call, then what came of it,
// then each event, a line each. Gas is left out, because it changes with the
// compiler.
//
//	access.use: ok {"allowed":true}
//	  access.used {"object":"door-1"}
//
//	access.grant: failed not_owner: door-1 belongs to ward1...
//	  access.refused {"code":35, ...}
func (r *Receipt) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.%s: %s", r.Contract, r.Method, r.Code.Name())
	switch {
	case r.Code == receipt.OK && len(r.Return) > 0:
		b.WriteString(" " + r.JSON())
	case r.Code == receipt.Failed:
		fmt.Fprintf(&b, " %s: %s", r.ErrorName(), r.Reason)
	case r.Code != receipt.OK:
		b.WriteString(": " + r.Reason)
	}
	for _, e := range r.Events {
		b.WriteString("\n  " + e.String())
	}
	return b.String()
}

// withLog is String with what the contract logged.
func (r *Receipt) withLog() string {
	s := r.String()
	for _, line := range r.Log {
		s += "\n  log: " + line
	}
	return s
}

// whole is withLog and what the call did: what "ward call --simulate" prints.
func (r *Receipt) whole() string {
	s := r.withLog()
	if told := r.tell(); told != "" {
		s += "\n" + strings.TrimRight(told, "\n")
	}
	return s
}

// An Event is something that a contract said happened.
type Event struct {
	receipt.Event
	t    testing.TB
	spec *abi.Spec
}

// is reports whether a name, "event" or "contract.event", is that of the event.
func (e Event) is(name string) bool {
	return name == e.Name || len(name) == len(e.Contract)+1+len(e.Name) && strings.HasPrefix(name, e.Contract) && strings.HasSuffix(name, "."+e.Name)
}

// Decode decodes the attributes into what v, a pointer to the event's struct, points
// to.
func (e Event) Decode(v any) Event {
	e.t.Helper()
	if err := wire.Unmarshal(e.Attributes, v); err != nil {
		e.t.Fatalf("event as %T: %v: %s", v, err, e)
	}
	return e
}

// JSON returns the attributes as the event stream gives them.
func (e Event) JSON() string { return string(specjson.EventJSON(e.spec, e.Name, e.Attributes)) }

// String returns contract, name and attributes.
func (e Event) String() string { return e.Contract + "." + e.Name + " " + e.JSON() }
