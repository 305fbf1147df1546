package abi_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
)

func TestOpenAccount(t *testing.T) {
	key, addr := make([]byte, 33), make([]byte, 20)
	for _, o := range []abi.OpenAccount{
		{Key: key, Account: addr, Owner: addr, Expires: 1893456000, Quota: 1_000_000, Scope: []abi.Scope{
			{Contract: "access", Methods: []string{"use", "check"}}, {Contract: "devices"}}},
		{Key: key},
	} {
		b := o.Encode()
		if err := cbor.Valid(b); err != nil {
			t.Fatal(err)
		}
		got, err := abi.DecodeOpenAccount(b)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(*got, o) {
			t.Errorf("got %+v, want %+v", *got, o)
		}
	}
	unsorted := abi.OpenAccount{Key: key, Scope: []abi.Scope{{Contract: "devices"}, {Contract: "access"}, {Contract: "zz"}}}
	if err := cbor.Valid(unsorted.Encode()); err != nil {
		t.Errorf("a scope in another order: %v", err)
	}
	for name, o := range map[string]abi.OpenAccount{
		"no key":         {},
		"long key":       {Key: make([]byte, 34)},
		"short account":  {Key: key, Account: make([]byte, 19)},
		"long owner":     {Key: key, Owner: make([]byte, 21)},
		"in the past":    {Key: key, Expires: -1},
		"no contract":    {Key: key, Scope: []abi.Scope{{Contract: ""}}},
		"no method":      {Key: key, Scope: []abi.Scope{{Contract: "a", Methods: []string{"B"}}}},
		"contract twice": {Key: key, Scope: []abi.Scope{{Contract: "a"}, {Contract: "a"}}},
		"many contracts": {Key: key, Scope: make([]abi.Scope, 33)},
		"many methods":   {Key: key, Scope: []abi.Scope{{Contract: "a", Methods: make([]string, 65)}}},
	} {
		if _, err := abi.DecodeOpenAccount(o.Encode()); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func FuzzDecodeOpenAccount(f *testing.F) {
	o := abi.OpenAccount{Key: make([]byte, 32), Account: make([]byte, 20), Expires: 1,
		Scope: []abi.Scope{{Contract: "a", Methods: []string{"b"}}}}
	f.Add(o.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := abi.DecodeOpenAccount(b)
		if err == nil && !bytes.Equal(o.Encode(), b) {
			t.Fatalf("decoded %x encodes differently: %x", b, o.Encode())
		}
	})
}
