package client

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
)

// TestAcceptance pins the layout that contracts/authority decodes; testnet's tests accept with
// it on a real chain.
func TestAcceptance(t *testing.T) {
	node, operator := mustKey(t, tx.EdDSA), mustKey(t, tx.ES256).Public().Address()
	a, err := NewAcceptance("test", 7, operator, time.Unix(1760000000, 0), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := a.Sign(node)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := tx.OpenMessage(AcceptAAD, proof, node.Public())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"chain":"test","expires":1760000060,"contract":"authority","operator":"0x` + hex.EncodeToString(operator[:]) + `","proposal":7}`
	if got := string(specjson.Untyped(payload)); got != want {
		t.Errorf("acceptance\n got %s\nwant %s", got, want)
	}
	if _, err := tx.Decode(proof); err == nil {
		t.Error("an acceptance decodes as a transaction")
	}
	for _, d := range []time.Duration{0, MaxAcceptance + time.Second} {
		if _, err := NewAcceptance("test", 7, operator, time.Now(), d); err == nil {
			t.Errorf("an acceptance for %v", d)
		}
	}
	for _, bad := range []Acceptance{{Proposal: 7}, {Operator: address.Address{1}}} {
		if _, err := bad.Sign(node); err == nil {
			t.Errorf("%+v was signed", bad)
		}
	}
}
