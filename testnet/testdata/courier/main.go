//go:build wasip1

// Courier passes on to another contract whatever bytes it is given, as no honest contract would,
// and misbehaves when it is told to.
package main

import (
	"strings"
	"unsafe"

	"github.com/wardledger/ward/sdk"
)

//go:wasmimport ward call
func hostCall(contract, method string, args unsafe.Pointer, size uint32) int32

//go:wasmimport ward reply
func hostReply(out unsafe.Pointer, size uint32) int32

type parcel struct {
	Contract string `doc:"to whom"`
	Method   string
	Args     []byte `doc:"passed on as they are"`
}

type receipt struct {
	Code  uint32 `doc:"the receipt code, 0 is done"`
	Reply []byte `doc:"what came back"`
}

type event struct {
	To string `doc:"to whom"`
}

var (
	delivered = sdk.Event[event]("delivered", "A parcel was delivered.")
	lost      = sdk.Event[sdk.None]("lost", "Said by what fails or crashes, so nobody hears it.")
	word      = sdk.NewItem[string]("word")
	failed    = sdk.Error(7, "not_delivered", "The other contract refused.")
)

func init() {
	sdk.Describe("courier", "Passes on whatever it is given.")
	sdk.Method("deliver", deliver, "Pass bytes on, and say what came back.")
	sdk.View("ask", func(c *sdk.Ctx, p parcel) (receipt, error) { return pass(p), nil }, "Pass bytes on in a view.")
	sdk.Method("twice", func(c *sdk.Ctx, p parcel) (receipt, error) {
		pass(p)
		return deliver(c, p)
	}, "Pass the same bytes on twice, and say what came back the second time.")
	sdk.Method("shout", func(c *sdk.Ctx, _ sdk.None) (sdk.None, error) {
		for range 200 {
			delivered.Emit(c, event{"everybody"})
		}
		return sdk.None{}, nil
	}, "Emit more than half of the events that a transaction may.")
	sdk.Method("insist", func(c *sdk.Ctx, p parcel) (receipt, error) {
		r, _ := deliver(c, p)
		if r.Code != 0 {
			return r, failed.Because("code %d", r.Code)
		}
		return r, nil
	}, "Pass bytes on, or fail.")
	sdk.Method("forge", func(c *sdk.Ctx, p parcel) (receipt, error) {
		return receipt{Code: uint32(hostCall(p.Contract, p.Method, unsafe.Pointer(^uintptr(15)), 64))}, nil
	}, "Say that the bytes lie where no memory is.")
	sdk.Method("stuff", func(c *sdk.Ctx, p parcel) (receipt, error) {
		p.Args = make([]byte, 64<<10+1)
		return deliver(c, p)
	}, "Pass on more bytes than a call takes.")
	sdk.Method("spin", func(c *sdk.Ctx, _ sdk.None) (sdk.None, error) {
		lost.Emit(c, sdk.None{})
		for {
			word.Set(c, "spinning")
		}
	}, "Go on until there is no gas.")
	sdk.Method("crash", func(c *sdk.Ctx, _ sdk.None) (sdk.None, error) {
		lost.Emit(c, sdk.None{})
		word.Set(c, "lost")
		panic("over the doorstep")
	}, "Write, emit and crash.")
	sdk.Method("blow", func(c *sdk.Ctx, _ sdk.None) (string, error) {
		lost.Emit(c, sdk.None{})
		return strings.Repeat("x", 70<<10), nil
	}, "Answer with more than an answer may be.")
	sdk.View("word", func(c *sdk.Ctx, _ sdk.None) (string, error) {
		w, _ := word.Get(c)
		return w, nil
	}, "What was written.")
}

func deliver(c *sdk.Ctx, p parcel) (receipt, error) {
	r := pass(p)
	if r.Code == 0 {
		delivered.Emit(c, event{p.Contract})
	}
	return r, nil
}

func pass(p parcel) receipt {
	var at unsafe.Pointer
	if len(p.Args) > 0 {
		at = unsafe.Pointer(&p.Args[0])
	}
	r := receipt{Code: uint32(hostCall(p.Contract, p.Method, at, uint32(len(p.Args))))}
	if n := hostReply(nil, 0); n > 0 {
		r.Reply = make([]byte, n)
		hostReply(unsafe.Pointer(&r.Reply[0]), uint32(n))
	}
	return r
}

func main() {}
