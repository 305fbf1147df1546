package hostile

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// Whatever a contract passes to whichever function, both engines end the call alike, and neither
// the engine nor the node takes harm.
func FuzzArguments(f *testing.F) {
	f.Add(uint8(7), []byte("\x00\x00\x00\x00\x03\x00\x00\x00\x10\x00\x00\x00\x02\x00\x00\x00\x40\x00\x00\x00\x40\x00\x00\x00"), "rows\xa0\xf5refused")
	f.Add(uint8(10), []byte("\x00\x00\x00\x00\x03\x00\x00\x00"), "abc")
	f.Add(uint8(15), []byte("\xff\xff\xff\xff"), "")
	f.Fuzz(func(t *testing.T, function uint8, numbers []byte, memory string) {
		table := abi.Table()
		fn := table[int(function)%len(table)]
		m := wt.New()
		i := m.Import(abi.Module, fn.Name)
		m.DataAt(0, memory[:min(len(memory), 65536)])
		var body wt.Op
		for _, p := range fn.Params {
			var n [4]byte
			numbers = numbers[copy(n[:], numbers):]
			body = append(body, push(p, binary.LittleEndian.Uint32(n[:]))...)
		}
		body = append(body, wt.Call(i)...)
		if len(fn.Results) > 0 {
			body = append(body, wt.Drop...)
		}
		m.Export(abi.ExportCall, body)
		var results []vm.Result
		for _, e := range engines {
			r, err := e.get().Call(context.Background(), code(m.Bytes()), newCall(t, way{capabilities: abi.Capabilities()}))
			if err != nil {
				t.Fatalf("%s in %s: %v", fn.Name, e.name, err)
			}
			results = append(results, r)
		}
		if results[0] != results[1] {
			t.Errorf("%s: %+v on the compiler, %+v on the interpreter", fn.Name, results[0], results[1])
		}
	})
}
