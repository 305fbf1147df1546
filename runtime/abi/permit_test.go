package abi_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
)

func addresses(last ...byte) (list [][]byte) {
	for _, b := range last {
		list = append(list, append(make([]byte, abi.AddressSize-1), b))
	}
	return list
}

func TestParameters(t *testing.T) {
	for want, p := range map[string]abi.Parameters{
		"a1666465706c6f79686f70657261746f72":                                                         {},
		"a1666465706c6f79646f70656e":                                                                 {Deploy: abi.DeployOpen},
		"a2666465706c6f79646c697374696465706c6f7965727380":                                           {Deploy: abi.DeployList},
		"a2666465706c6f79646c697374696465706c6f7965727381540000000000000000000000000000000000000001": {Deploy: abi.DeployList, Deployers: addresses(1)},
	} {
		b := p.Encode()
		if got := fmt.Sprintf("%x", b); got != want || cbor.Valid(b) != nil || p.Check() != nil {
			t.Errorf("%+v is %s, want %s; %v", p, got, want, p.Check())
		}
		got, err := abi.DecodeParameters(b)
		if p.Deploy == "" {
			p.Deploy = abi.DeployOperator
		}
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("got %+v, %v, want %+v", got, err, p)
		}
	}
	for name, p := range map[string]abi.Parameters{
		"another word": {Deploy: "all"}, "a list for the operator": {Deployers: addresses(1)}, "a list for everybody": {Deploy: abi.DeployOpen, Deployers: [][]byte{}},
		"too many": {Deploy: abi.DeployList, Deployers: make([][]byte, abi.MaxDeployers+1)}, "short": {Deploy: abi.DeployList, Deployers: [][]byte{{1}}},
		"twice": {Deploy: abi.DeployList, Deployers: addresses(1, 1)}, "descending": {Deploy: abi.DeployList, Deployers: addresses(2, 1)},
	} {
		if p.Check() == nil {
			t.Errorf("%s: there can be such parameters", name)
		}
	}
	for name, b := range map[string]string{
		"nothing": "", "empty": "\xa0", "a list without its list": "\xa1\x66deploy\x64list", "only a list": "\xa1\x69deployers\x80", "no word": "\xa1\x66deploy\x60",
		"a list for everybody": "\xa2\x66deploy\x64open\x69deployers\x80", "another parameter": "\xa2\x63fee\x01\x66deploy\x64open",
		"more behind": "\xa1\x66deploy\x64open\x00", "twice": "\xa2\x66deploy\x64open\x66deploy\x64open",
	} {
		if p, err := abi.DecodeParameters([]byte(b)); err == nil {
			t.Errorf("%s is read as %+v", name, p)
		}
	}
}

func somePermit() *abi.Permit {
	return &abi.Permit{
		Hash: bytes.Repeat([]byte{1}, 32), Init: bytes.Repeat([]byte{2}, 32), Name: "lamps", Admin: bytes.Repeat([]byte{3}, 20),
		Capabilities: []string{"accounts", "code"},
	}
}

func TestPermit(t *testing.T) {
	p := somePermit()
	for range 2 {
		b := p.Encode()
		got, err := abi.DecodePermit(b)
		if err != nil || !reflect.DeepEqual(got, p) || cbor.Valid(b) != nil || p.Check() != nil {
			t.Errorf("got %+v, %v, want %+v", got, err, p)
		}
		p.Init, p.Capabilities = nil, nil
	}
	for name, edit := range map[string]func(*abi.Permit){
		"no hash": func(p *abi.Permit) { p.Hash = nil }, "a long init": func(p *abi.Permit) { p.Init = make([]byte, 33) },
		"no name": func(p *abi.Permit) { p.Name = "" }, "no contract's name": func(p *abi.Permit) { p.Name = "a_b" },
		"no admin": func(p *abi.Permit) { p.Admin = nil }, "capabilities that descend": func(p *abi.Permit) { p.Capabilities = []string{"b", "a"} },
		"a capability twice": func(p *abi.Permit) { p.Capabilities = []string{"a", "a"} }, "no capability's name": func(p *abi.Permit) { p.Capabilities = []string{""} },
		"too many capabilities": func(p *abi.Permit) { p.Capabilities = make([]string, abi.MaxCapabilities+1) },
	} {
		p := somePermit()
		if edit(p); p.Check() == nil {
			t.Errorf("%s can be permitted", name)
		}
	}
	whole := somePermit().Encode()
	for n := range whole {
		if p, err := abi.DecodePermit(whole[:n]); err == nil {
			t.Errorf("%d bytes of it are read as %+v", n, p)
		}
	}
	for name, b := range map[string]string{"empty": "\xa0", "more behind": string(whole) + "\x00", "another key": "\xa1\x63fee\x01"} {
		if p, err := abi.DecodePermit([]byte(b)); err == nil {
			t.Errorf("%s is read as %+v", name, p)
		}
	}
}

// Every function that is guarded is so by a capability of the list, and every status has words of its own.
func TestLists(t *testing.T) {
	guarded := map[string]bool{}
	for _, f := range abi.Table() {
		if f.Capability != "" {
			guarded[f.Capability] = true
		}
	}
	var want []string
	for _, c := range abi.Capabilities() {
		if guarded[c] {
			want = append(want, c)
		}
		delete(guarded, c)
	}
	if !reflect.DeepEqual(want, abi.Capabilities()) || len(guarded) > 0 {
		t.Errorf("capabilities %q, of which functions need %q, and others: %v", abi.Capabilities(), want, guarded)
	}
	words := map[string]bool{abi.Status(1).String(): true, abi.Status(-len(abi.Statuses())).String(): true}
	if len(words) != 1 {
		t.Errorf("words for what is no status: %v", words)
	}
	for _, s := range abi.Statuses() {
		if words[s.String()] {
			t.Errorf("status %d has no words of its own: %s", s, s)
		}
		words[s.String()] = true
	}
	if last := abi.Statuses()[len(abi.Statuses())-1]; last != abi.StatusNotYours {
		t.Errorf("the last status is %d", last)
	}
}

func FuzzDecodePermit(f *testing.F) {
	f.Add(somePermit().Encode())
	f.Add(abi.Parameters{Deploy: abi.DeployList, Deployers: addresses(1, 2)}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := abi.DecodePermit(b); err == nil && !bytes.Equal(p.Encode(), b) {
			t.Fatalf("decoded permit %x encodes differently: %x", b, p.Encode())
		}
		if p, err := abi.DecodeParameters(b); err == nil && !bytes.Equal(p.Encode(), b) {
			t.Fatalf("decoded parameters %x encode differently: %x", b, p.Encode())
		}
	})
}
