package vm

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/abi"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// laid is a data segment and where it lies.
type laid struct {
	at   int32
	data []byte
}

func dataSection(segments []laid) []byte {
	b := binary.AppendUvarint(nil, uint64(len(segments)))
	for _, s := range segments {
		b = appendSigned(append(b, 0, opI32Const), int64(s.at))
		b = binary.AppendUvarint(append(b, opEnd), uint64(len(s.data)))
		b = append(b, s.data...)
	}
	return b
}

// lay copies the segments of a section into fresh memory, as instantiation does, and
// returns how many they are.
func lay(t require, section []byte, memory []byte) (segments int) {
	r := reader{b: section}
	n := int(r.u32())
	for range n {
		if f, op := r.byte(), r.byte(); f != 0 || op != opI32Const {
			t.Fatalf("flags %d, op %#x", f, op)
		}
		at := r.i32()
		r.byte()
		copy(memory[at:], r.bytes(r.u32()))
	}
	if r.bad || r.at != len(section) {
		t.Fatalf("malformed section % x", section)
	}
	return n
}

type require interface {
	Fatalf(format string, args ...any)
}

// Joined segments leave the same memory behind.
func TestJoinDataMeansTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var segments []laid
		at := int32(0)
		for range rapid.IntRange(0, 30).Draw(t, "segments") {
			at += rapid.Int32Range(-40, 900).Draw(t, "step")
			at = max(at, 0)
			data := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "data")
			segments = append(segments, laid{at, data})
			at += int32(len(data))
		}
		section := dataSection(segments)
		before, after := make([]byte, 64<<10), make([]byte, 64<<10)
		lay(t, section, before)
		joined := joinData(section)
		lay(t, joined, after)
		if !bytes.Equal(before, after) {
			t.Fatalf("memory differs after % x became % x", section, joined)
		}
		if len(joined) > 2*len(section)+16 {
			t.Fatalf("%d bytes became %d", len(section), len(joined))
		}
	})
}

func TestJoinData(t *testing.T) {
	a, b := []byte("aa"), []byte("bb")
	for _, test := range []struct {
		name     string
		segments []laid
		want     int
	}{
		{"none", nil, 0},
		{"one", []laid{{8, a}}, 1},
		{"neighbours", []laid{{8, a}, {10, b}}, 1},
		{"a small gap", []laid{{8, a}, {14, b}}, 1},
		{"a gap that takes more than the section has", []laid{{8, a}, {400, b}}, 2},
		{"two groups, the second below the first", []laid{{88, a}, {92, b}, {8, a}, {12, b}}, 2},
		{"overlap", []laid{{8, a}, {9, b}, {11, b}}, 3},
		{"a later one inside a gap", []laid{{8, a}, {16, b}, {12, b}}, 3},
	} {
		section := dataSection(test.segments)
		if got := lay(t, joinData(section), make([]byte, 1000)); got != test.want {
			t.Errorf("%s: %d segments, want %d", test.name, got, test.want)
		}
	}
	for _, malformed := range []string{"", "\x01", "\x01\x01\x00", "\x01\x00\x42\x00\x0b\x00", "\x01\x00\x41\x00\x0b\x05x", "\x00\x00", "\xff\xff\xff\xff\x0f\x00\x41\x00\x0b\x00"} {
		if got := joinData([]byte(malformed)); string(got) != malformed {
			t.Errorf("%q became %q", malformed, got)
		}
	}
}

// Code that names data segments by number keeps them.
func TestDataThatIsNamedIsNotJoined(t *testing.T) {
	m := wt.New()
	m.DataAt(8, "aa")
	m.DataAt(10, "bb")
	m.Export(abi.ExportCall)
	wasm := m.Bytes()
	joined, err := prepare(wasm)
	if err != nil || len(joined) >= len(wasm) {
		t.Errorf("%d bytes became %d, %v; want them joined", len(wasm), len(joined), err)
	}
	counted := append([]byte(header), sectionDataCount, 1, 2)
	counted = append(counted, wasm[len(header):]...)
	kept, err := prepare(counted)
	if err != nil || !bytes.Equal(kept, counted) {
		t.Errorf("% x became % x, %v", counted, kept, err)
	}
}

// What prepare lets pass is valid for wazero after it if and only if it was before.
func FuzzPrepare(f *testing.F) {
	everything := wt.New()
	everything.Import(abi.Module, "get")
	everything.ImportRaw("x", "y", 3, 0x7f, 0)
	everything.Table(0, 3)
	everything.Table(1, 3, 4)
	everything.Global(3)
	everything.DataAt(8, "aa")
	everything.DataAt(12, "bb")
	everything.Elements(0, everything.Func(nil, nil, 1))
	everything.Export(abi.ExportCall, wt.LoadI32(8), wt.Drop)
	f.Add(everything.Bytes())
	m := wt.New()
	m.Table(0, 3)
	m.Data("aa")
	m.Data(strings.Repeat("b", 20))
	m.Export(abi.ExportCall, wt.I32(0), wt.CallIndirect(0))
	m.Extra = []byte("\x00\x05\x04name")
	g := m.Func(nil, nil, 3)
	m.Start = &g
	f.Add(m.Bytes())
	f.Add([]byte(header))

	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().
		WithCoreFeatures(features).WithMemoryLimitPages(MaxMemory/pageSize).WithDebugInfoEnabled(false))
	f.Cleanup(func() { _ = r.Close(ctx) })
	valid := func(wasm []byte) bool {
		c, err := r.CompileModule(ctx, wasm)
		if err == nil {
			_ = c.Close(ctx)
		}
		return err == nil
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		out, err := prepare(wasm)
		if err != nil {
			return
		}
		if again, err := prepare(out); err != nil || !bytes.Equal(again, out) {
			t.Errorf("prepared twice: % x, %v; once: % x", again, err, out)
		}
		// What a custom section says is not looked at, though wazero would.
		custom := len(out) < len(wasm) && bytes.Contains(wasm[len(header):], []byte{sectionCustom})
		if before, after := valid(wasm), valid(out); before != after && !(custom && after) {
			t.Errorf("valid before %v, after %v:\n% x\n% x", before, after, wasm, out)
		}
	})
}
