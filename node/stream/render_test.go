package stream

import (
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
)

func TestRendered(t *testing.T) {
	var r rendered
	old, upgraded := new(abi.Spec), &abi.Spec{Name: "upgraded"}
	at := func(h int) receipt.Cursor { return receipt.Cursor{Height: uint64(h)} }
	r.put(at(1), rendering{old, []byte("one")})
	if got := r.get(at(1), old); string(got) != "one" {
		t.Errorf("kept is %q", got)
	}
	if r.get(at(1), upgraded) != nil || r.get(at(2), nil) != nil {
		t.Error("something is kept that nobody rendered")
	}
	r.put(at(1), rendering{upgraded, []byte("uno")})
	if got := r.get(at(1), upgraded); string(got) != "uno" || r.bytes != 3 || len(r.order) != 1 {
		t.Errorf("rendered again: %q, %d bytes, %d in order", got, r.bytes, len(r.order))
	}
	for h := 2; h < 20; h++ {
		r.put(at(h), rendering{old, make([]byte, renderedBytes/4)})
	}
	if len(r.events) != 4 || len(r.order) != 4 || r.bytes != renderedBytes || r.get(at(19), old) == nil {
		t.Errorf("%d kept, %d in order, %d bytes", len(r.events), len(r.order), r.bytes)
	}
}
