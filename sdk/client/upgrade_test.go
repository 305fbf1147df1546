package client

import (
	"net/http"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
)

// A client that knows an old spec asks for the new one when a question doesn't fit.
func TestQueryAfterUpgrade(t *testing.T) {
	f := newFake(t, nil)
	spec := &abi.Spec{ABI: 1, Name: "lamp", Methods: []abi.Method{{Name: "lit", View: true}}}
	asked := 0
	f.mux.HandleFunc("GET /v1/contracts/lamp", func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/cbor")
		_, _ = w.Write(spec.Encode())
	})
	f.mux.HandleFunc("POST /v1/contracts/lamp/query/lit", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, `{"height":1,"time":1760000100,"clock":"node","result":true,"result_cbor":"0xf5","gas_used":1}`)
	})
	c := f.client(t)
	if err := c.Query(t.Context(), "lamp", "lit", struct{}{}, nil); err != nil || asked != 1 {
		t.Fatalf("%v, asked %d times", err, asked)
	}
	of := struct{ Room string }{"hall"}
	if err := c.Query(t.Context(), "lamp", "lit", of, nil); err == nil || asked != 2 {
		t.Errorf("there are no arguments yet: %v, asked %d times", err, asked)
	}
	spec.Methods[0].Args = &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{{Name: "room", Type: &abi.Type{Kind: abi.KindText}}}}
	for range 2 {
		var lit bool
		if err := c.Query(t.Context(), "lamp", "lit", of, &lit); err != nil || !lit || asked != 3 {
			t.Errorf("after the upgrade: %v, %v, asked %d times", lit, err, asked)
		}
	}
}

func TestDelayAt(t *testing.T) {
	shorter := int64(0)
	lock := Timelock{Delay: 60, Shorter: &shorter, From: 100}
	for now, want := range map[int64]int64{0: 60, 99: 60, 100: 0} {
		if got := lock.DelayAt(now); got != want {
			t.Errorf("at %d the delay is %d, want %d", now, got, want)
		}
	}
	if got := (Timelock{Delay: 60}).DelayAt(1 << 40); got != 60 {
		t.Errorf("a delay that stays is %d", got)
	}
}
