package vm_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// FuzzHost calls functions of the host in any order with any arguments: no panic, and the same end, gas, result, events and rows
// on both engines, on a pooled instance and on a new one.
func FuzzHost(f *testing.F) {
	type function struct {
		module, name string
		params       []string
		results      []string
	}
	var all []function
	for _, t := range abi.Table() {
		fn := function{abi.Module, t.Name, nil, t.Results}
		for _, p := range t.Params {
			fn.params = append(fn.params, p.Type)
		}
		all = append(all, fn)
	}
	for _, t := range abi.WASI() {
		all = append(all, function{abi.WASIModule, t.Name, t.Params, t.Results})
	}
	// What lies in memory: names, keys, CBOR, a key, something signed.
	data := "rows\x00key\xa1\x61n\x07\x83\x01\x02\x03happened" + string(make([]byte, 40)) + "\xd2\x84\x43\xa1\x01\x26"
	interesting := []int32{0, 1, 4, 5, 8, 9, 13, 20, 33, 64, 100, 4096, 4100, 65535, 65536, -1, -8, 1 << 30, -1 << 31, 8192, 8193, 131072}
	for i := range all {
		f.Add([]byte{byte(i), 11, 2, 12, 3, 11, 9, 0, 0})
	}
	f.Add([]byte{7, 11, 2, 12, 3, 11, 9, 8, 11, 2, 12, 3, 11, 4, 10, 11, 2, 0, 0, 0, 0, 0, 3, 16, 11}) // set, get, scan
	f.Fuzz(func(t *testing.T, b []byte) {
		m := wt.New()
		m.Pages = 2
		m.DataAt(4096, data)
		for _, fn := range all {
			m.Import(fn.module, fn.name)
		}
		next := func() byte {
			if len(b) == 0 {
				return 0
			}
			c := b[0]
			b = b[1:]
			return c
		}
		var body wt.Op
		for calls := 0; len(b) > 0 && calls < 40; calls++ {
			i := int(next()) % len(all)
			for _, p := range all[i].params {
				v := int32(0)
				if c := next(); int(c) < 4*len(interesting) {
					v = interesting[int(c)%len(interesting)]
				} else {
					v = int32(binary.LittleEndian.Uint32([]byte{next(), next(), next(), next()}))
				}
				if p == abi.I64 {
					body = append(body, wt.I64(int64(v))...)
				} else {
					body = append(body, wt.I32(v)...)
				}
			}
			body = append(body, wt.Call(i)...)
			for range all[i].results {
				body = append(body, wt.Drop...)
			}
		}
		m.Export(abi.ExportCall, body)
		wasm := m.Bytes()
		answer := func(e *vm.Engine) string {
			c := newCall(t, "m")
			c.Gas = gas.NewMeter(5_000_000)
			c.Capabilities = abi.Capabilities()
			c.Accounts, c.Authorities, c.Parameters, c.Permits = nobody{}, nobody{}, nobody{}, nobody{}
			c.Run = func(*host.Call) (*host.Stop, error) { return host.Stopf(receipt.UnknownContract, "nobody"), nil }
			r, err := e.Call(context.Background(), code(wasm), c)
			if err != nil {
				var no *vm.Refused
				if errors.As(err, &no) {
					t.Fatalf("refused: %v", err)
				}
				t.Fatal(err)
			}
			s := fmt.Sprintf("%+v gas %d result %x log %q", r, c.Gas.Used(), c.Result(), c.Log())
			for _, event := range c.Events() {
				s += fmt.Sprintf(" event %x", event.Encode())
			}
			err = c.Store.Scan([]byte("locks\x00rows"), nil, nil, false, func(key, value []byte) bool {
				s += fmt.Sprintf(" row %x=%x", key, value)
				return true
			})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		want := answer(engines.compiler())
		for round, e := range []*vm.Engine{engines.compiler(), engines.interpreter(), engines.interpreter()} {
			if got := answer(e); got != want {
				t.Fatalf("round %d:\n%s, at first\n%s", round, got, want)
			}
		}
	})
}

// nobody manages accounts, authorities, parameters and permits, and knows none.
type nobody struct{}

func (nobody) Parameters() (abi.Parameters, error)            { return abi.Parameters{}, nil }
func (nobody) SetParameters(abi.Parameters) error             { return nil }
func (nobody) Permit(string, *abi.Permit) (abi.Status, error) { return abi.StatusTooMany, nil }
func (nobody) Withdraw(string) (abi.Status, error)            { return abi.StatusNoPermit, nil }

func (nobody) SetAuthorities(abi.AuthoritySet) (abi.Status, error) { return abi.StatusNotASet, nil }
func (nobody) OpenKey(*abi.OpenAccount) (abi.Status, error)        { return abi.StatusUnknown, nil }
func (nobody) ShutKey(address.Address) (abi.Status, error)         { return abi.StatusUnknown, nil }
func (nobody) ReopenKey(address.Address) (abi.Status, error)       { return abi.StatusUnknown, nil }
func (nobody) RetireKey(address.Address) (abi.Status, error)       { return abi.StatusUnknown, nil }
