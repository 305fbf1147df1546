package host

import (
	"bytes"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
)

// Bounds of what one transaction may emit.
const (
	// MaxEvents is the most events of a transaction. Each has a row in the log,
	// a place in every index and a frame for each subscriber.
	MaxEvents = 256
	// MaxEventBytes is the most bytes that the encoded events of a transaction take
	// together, so that a block of them stays a few megabytes.
	MaxEventBytes = 256 << 10
)

// Emit adds an event of the contract. Attributes are a canonical CBOR map with
// text keys.
func (c *Call) Emit(name, attributes []byte) error {
	if err := c.mayChange("emit"); err != nil {
		return err
	}
	if err := bound("emit", "name", len(name), abi.MaxEventName); err != nil {
		return err
	}
	if err := bound("emit", "attributes", len(attributes), abi.MaxAttributes); err != nil {
		return err
	}
	if err := c.Charge(gas.Emit + gas.EmitByte*uint64(len(name)+len(attributes))); err != nil {
		return err
	}
	if !abi.ValidEvent(string(name)) {
		// %+q here and elsewhere: what %q calls printable changes with Unicode, and so with Go's releases.
		return Stopf(receipt.Trapped, "emit: %+q is not an event's name", name)
	}
	if string(name) == abi.RefusedEvent {
		return Stopf(receipt.NotPermitted, "emit: only the runtime emits %s", abi.RefusedEvent)
	}
	if err := attributeMap(attributes); err != nil {
		c.Note("emit: attributes: " + err.Error())
		return Stopf(receipt.Trapped, "emit: the attributes of %+q are not a canonical CBOR map with text keys", name)
	}
	events, bytesTaken := c.emitted()
	if events == MaxEvents {
		return Stopf(receipt.Trapped, "emit: more than %d events in a transaction", MaxEvents)
	}
	// Copies: both lie in the contract's memory.
	e := receipt.Event{Contract: c.Contract, Name: string(name), Attributes: bytes.Clone(attributes)}
	size := len(e.Encode())
	if size > MaxEventBytes-bytesTaken {
		return Stopf(receipt.Trapped, "emit: the events of a transaction take more than %d bytes", MaxEventBytes)
	}
	c.eventSize += size
	c.events = append(c.events, e)
	if t := c.Trace; t != nil {
		t.step(Step{Op: "emit", Event: e.Name, Attributes: t.keep(e.Attributes)})
	}
	return nil
}

// emitted is how many events the transaction has so far, and their bytes: those of this
// call and of all in which it was made.
func (c *Call) emitted() (events, size int) {
	for ; c != nil; c = c.outer {
		events += len(c.events)
		size += c.eventSize
	}
	return events, size
}

// attributeMap checks that b is one canonical CBOR map with text keys.
func attributeMap(b []byte) error {
	if err := cbor.Valid(b); err != nil {
		return err
	}
	r := cbor.NewReader(b)
	n, err := r.Map()
	for range n {
		if _, err := r.Text(); err != nil {
			return err
		}
		if err := r.Skip(); err != nil {
			return err
		}
	}
	return err
}

// Return sets the result of the call, one canonical CBOR item. A later one
// replaces it.
func (c *Call) Return(result []byte) error {
	if len(result) > abi.MaxReturn {
		return Stopf(receipt.BadResult, "ret: the result is %d bytes, limit %d", len(result), abi.MaxReturn)
	}
	if err := c.Charge(gas.ReturnByte * uint64(len(result))); err != nil {
		return err
	}
	if err := cbor.Valid(result); err != nil {
		c.Note("ret: " + err.Error())
		return Stopf(receipt.BadResult, "ret: the result is not one canonical CBOR item")
	}
	c.result = bytes.Clone(result)
	return nil
}

// Fail ends the call as the contract wishes: it always returns an error. Code is
// the contract's own, not 0, or one of abi with which a contract says that it has no such
// method or can't use the arguments. What is not UTF-8 in reason becomes
// U+FFFD, and what goes beyond abi.MaxReason bytes is cut off between two characters.
func (c *Call) Fail(code uint32, reason []byte) error {
	if err := c.Charge(gas.HostByte * uint64(min(len(reason), abi.MaxReason))); err != nil {
		return err
	}
	stop := &Stop{Code: receipt.Failed, ContractCode: code, Reason: text(reason, abi.MaxReason)}
	switch {
	case code == abi.FailUnknownMethod:
		stop.Code, stop.ContractCode = receipt.UnknownMethod, 0
	case code == abi.FailBadArguments:
		stop.Code, stop.ContractCode = receipt.BadArguments, 0
	case code >= abi.FirstReservedFail:
		return Stopf(receipt.Trapped, "fail: code %d is reserved", code)
	case code == 0:
		return Stopf(receipt.Trapped, "fail: code 0 is not a failure")
	}
	return stop
}

// WriteLog adds a line to the debug log. A line longer than abi.MaxLog bytes is cut,
// and if there are too many, the oldest are dropped.
func (c *Call) WriteLog(line []byte) error {
	if err := c.Charge(gas.LogByte * uint64(min(len(line), abi.MaxLog))); err != nil {
		return err
	}
	c.Note(text(line, abi.MaxLog))
	return nil
}

// Note adds a line of the machine's own to the debug log: what nobody pays for, or
// what was paid for already.
func (c *Call) Note(line string) {
	c.log.add(line)
	if c.Trace != nil {
		c.Trace.line(line)
	}
}
