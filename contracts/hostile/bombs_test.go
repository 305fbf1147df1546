package hostile

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/vet"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// bombTime is how long a deployment may keep a node: the time that its gas stands for, several times over because tests
// run beside each other.
func bombTime(paid uint64) time.Duration { return 3*time.Second + 10*time.Duration(paid) }

// bombMemory is what one deployment may take, in bytes.
const bombMemory = 1 << 30

// A module that is much more work than it looks is refused, or paid for by its deployment. Never does it take long, or all memory.
func TestCompileBombs(t *testing.T) {
	repeat := func(n int, op wt.Op) wt.Op { return bytes.Repeat(op, n) }
	labels := func(n int) wt.Op { return table(make([]int, n)...) }
	nested := func(n int, open wt.Op, inside ...wt.Op) wt.Op {
		return wt.Seq(repeat(n, open), wt.Seq(inside...), repeat(n, wt.Raw(0x0b)))
	}
	with := func(locals int, body ...wt.Op) func(*wt.Module) {
		return func(m *wt.Module) { m.Func(nil, nil, locals, body...) }
	}
	leftEarly := func(n int, inside wt.Op) (op wt.Op) {
		for i := range n {
			op = append(op, wt.Seq(load(64), wt.BranchIf(i))...)
		}
		return nested(n, wt.Raw(0x02, 0x40), op, inside)
	}
	turn := func(n int) (op wt.Op) {
		for i := range n {
			op = append(op, wt.Get(i)...)
		}
		for i := range n {
			op = append(op, wt.Set(i)...)
		}
		return op
	}
	sets := func(n int) (op wt.Op) {
		for i := range n {
			op = append(op, wt.Seq(load(int32(4*i)), wt.Set(i))...)
		}
		return op
	}
	for _, test := range []struct {
		name  string
		build func(m *wt.Module)
	}{
		{"as many functions as there may be", func(m *wt.Module) {
			for range vet.MaxFunctions - 1 {
				m.Func(nil, nil, 0)
			}
		}},
		{"65,536 functions", func(m *wt.Module) {
			for range 65_535 {
				m.Func(nil, nil, 0)
			}
		}},
		{"20,000 functions of as many locals as there may be", func(m *wt.Module) {
			for range 20_000 {
				m.Func(nil, nil, vet.MaxLocals, wt.Call(0))
			}
		}},
		{"4,000 locals and 5,000 loops", with(4000, sets(4000), repeat(5000, wt.Loop(load(64), wt.BranchIf(0))))},
		{"1,000 locals and 2,000 loops", with(1000, sets(1000), repeat(2000, wt.Loop(load(64), wt.BranchIf(0))))},
		{"100 locals and 3,000 loops", with(100, sets(100), repeat(3000, wt.Loop(load(64), wt.BranchIf(0))))},
		{"1,000 locals in 30 loops in each other", with(1000, sets(1000), nested(30, wt.Raw(0x03, 0x40), load(64), wt.Drop))},
		{"300 loops in each other", with(0, nested(300, wt.Raw(0x03, 0x40), load(64), wt.Drop))},
		// Where each block ends, each local is the old or the new value.
		{"1,000 locals, set in 100 blocks that are left early", with(1000, leftEarly(100, sets(1000)))},
		{"1,000 locals, set in 1,000 blocks that are left early", with(1000, leftEarly(1000, sets(1000)))},
		{"1,000 locals, of which loops change the places", with(1000, sets(1000), wt.Loop(turn(1000), repeat(500, wt.Seq(load(64), wt.BranchIf(0)))))},
		{"4,000 conditions", with(100, sets(100), repeat(4000, wt.Seq(load(64), wt.If(load(0), wt.Set(99)))))},
		{"2,000 blocks in each other", with(0, nested(2000, wt.Raw(0x02, 0x40), load(0), wt.Drop))},
		{"2,000 conditions in each other", with(0, nested(2000, wt.Seq(load(0), wt.Raw(0x04, 0x40)), wt.Nop))},
		{"100,000 blocks in each other", with(0, nested(100_000, wt.Raw(0x02, 0x40), wt.Nop))},
		{"br_tables of 8,192 labels", with(0, repeat(30, wt.Block(load(0), labels(8192))))},
		{"br_tables of 4,000 labels, 60 in a function, in 10 functions", func(m *wt.Module) {
			for range 10 {
				m.Func(nil, nil, 0, repeat(60, wt.Block(load(0), labels(4000))))
			}
		}},
		{"a br_table to each of 2,000 blocks, twice", func(m *wt.Module) {
			to := make([]int, 4000)
			for i := range to {
				to[i] = i % 2000
			}
			m.Func(nil, nil, 1, nested(2000, wt.Raw(0x02, 0x40), load(0), table(to...)))
		}},
		{"a br_table of a quarter of a million labels", with(0, wt.Block(load(0), labels(250_000)))},
		{"two million additions in functions as long as there may be", func(m *wt.Module) {
			for range 25 {
				m.Func(nil, nil, 0, load(0), repeat(80_000, wt.Seq(wt.Get(0), wt.AddI32)), wt.Drop)
			}
		}},
		{"2,000 operands", with(0, repeat(2000, load(0)), repeat(2000, wt.Drop))},
		{"1,000 operands across 10,000 calls", with(0, repeat(1000, load(0)), repeat(10_000, wt.Call(0)), repeat(1000, wt.Drop))},
		{"calls with 128 parameters and 16 results", func(m *wt.Module) {
			p, r := bytes.Repeat([]byte{wt.TypeI64}, vet.MaxParams), bytes.Repeat([]byte{wt.TypeI64}, vet.MaxResults)
			m.Func(p, r, 0, wt.Unreachable)
			m.Func(nil, nil, 0, repeat(vet.MaxParams, wt.I64(1)),
				repeat(200, wt.Seq(wt.Call(0), repeat(vet.MaxParams-vet.MaxResults, wt.I64(1)))), repeat(vet.MaxParams, wt.Drop))
		}},
		{"loops with 16 parameters and results", func(m *wt.Module) {
			t := bytes.Repeat([]byte{wt.TypeI64}, vet.MaxResults)
			m.Func(t, t, 0, wt.Unreachable)
			m.Func(nil, nil, 0, repeat(vet.MaxResults, wt.I64(1)), repeat(3000, wt.Raw(0x03, 0x00, 0x41, 0, 0x28, 2, 0, 0x0d, 0, 0x0b)), repeat(vet.MaxResults, wt.Drop))
		}},
		{"10,000 fills", with(0, repeat(10_000, wt.Seq(wt.I32(0), wt.I32(0), wt.I32(0), wt.Fill)))},
		{"100,000 fills", with(0, repeat(100_000, wt.Seq(wt.I32(0), wt.I32(0), wt.I32(0), wt.Fill)))},
		{"200,000 square roots", with(0, wt.F32(2), repeat(200_000, wt.Raw(0x91)), wt.Drop)},
		{"200,000 calls through a table", func(m *wt.Module) {
			m.Table(0, 1)
			m.Func(nil, nil, 0, repeat(200_000, wt.Seq(load(0), wt.CallIndirect(0))))
		}},
		{"a table of 2^32-1 entries", func(m *wt.Module) { m.Table(0, 0xff, 0xff, 0xff, 0xff, 0x0f) }},
		{"a table of 10 million entries", func(m *wt.Module) { m.Table(0, 0x80, 0xad, 0xe2, 0x04) }},
		{"4 GiB of memory", func(m *wt.Module) { m.Pages = 65536 }},
		{"64 MiB of memory", func(m *wt.Module) { m.Pages = 1024 }},
		{"100,001 data segments", func(m *wt.Module) {
			for range 100_001 {
				m.DataAt(0, "")
			}
		}},
		{"2^32-1 locals", func(m *wt.Module) { m.Func(nil, nil, 1<<32-1) }},
		{"more functions than bytes", func(m *wt.Module) { m.Extra = wt.Raw(3, 5, 0xff, 0xff, 0xff, 0xff, 0x0f) }},
		{"a megabyte of sections of nothing", func(m *wt.Module) { m.Extra = bytes.Repeat([]byte{0, 1, 0}, 350_000) }},
		{"4 MiB of a custom section", func(m *wt.Module) {
			m.Extra = append(appendUvarint(wt.Raw(0), 4<<20-1000), make([]byte, 4<<20-1000)...)
		}},
		{"5 MiB", func(m *wt.Module) { m.Extra = make([]byte, 5<<20) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := wt.New()
			test.build(m)
			m.Export(abi.ExportCall)
			wasm := m.Bytes()
			answers := map[string]bool{}
			for _, e := range []vm.Options{{}, {Interpreter: true}} {
				engine, err := vm.New(e) // its own: what was compiled goes with it
				if err != nil {
					t.Fatal(err)
				}
				pay := gas.NewMeter(gas.MaxLimit)
				peaks(t, bombMemory, func() {
					start := time.Now()
					err = engine.Activate(pay, wasm)
					took := time.Since(start)
					answer := fmt.Sprintf("%d gas, %v", pay.Used(), err)
					answers[answer] = true
					t.Logf("%d bytes, %v: %.200s", len(wasm), took.Round(time.Millisecond), answer)
					if took > bombTime(pay.Used()) {
						t.Errorf("it took %v for %d gas", took, pay.Used())
					}
				})
				var no *vm.Refused
				var stop *host.Stop
				if err != nil && !errors.As(err, &no) && !errors.As(err, &stop) {
					t.Errorf("%v", err)
				}
				if err := engine.Close(); err != nil {
					t.Error(err)
				}
			}
			if len(answers) != 1 {
				t.Errorf("the engines differ: %.300v", answers)
			}
		})
	}
	for _, e := range engines {
		honest(t, e)
	}
}

// Only the document of genesis holds compressed code. It is never unpacked to more than a module may have, whatever the frame claims
// or hides. (A transaction's code is the module itself: TestNode deploys what zstd would write.)
func TestUnpackBombs(t *testing.T) {
	var packed bytes.Buffer
	w, err := zstd.NewWriter(&packed, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 1024 { // a GiB, of which the frame's head says nothing
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// A head that says 2^40 bytes, in one segment; then a block of a byte repeated 128 KiB times, as often as it likes.
	claims := binary.LittleEndian.AppendUint64([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0}, 1<<40)
	window := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8} // a window of 2 TiB
	blocks := bytes.Repeat([]byte{0x02, 0x00, 0x10, 0x00}, 10_000)
	many := make([]byte, 0, 3*len(packed.Bytes()))
	for range 3 {
		many = append(many, packed.Bytes()...)
	}
	for _, test := range []struct {
		name   string
		code   []byte
		reason string
	}{
		{"a GiB of zeros", packed.Bytes(), "size exceeded"},
		{"3 frames of a GiB", many, "size exceeded"},
		{"claims a TiB", append(claims, blocks...), "size"},
		{"a window of 2 TiB", append(window, blocks...), "window size"},
		{"a window of 1 KiB", append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00}, blocks...), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			code := base64.StdEncoding.EncodeToString(test.code)
			doc := `{"contracts":[` + strings.TrimSuffix(strings.Repeat(`{"code":"`+code+`"},`, genesis.MaxContracts), ",") + `]}`
			peaks(t, 256<<20, func() {
				start := time.Now()
				_, err := genesis.Parse([]byte(doc))
				if err == nil || !strings.Contains(err.Error(), "contracts[0].code: ") || !strings.Contains(err.Error(), test.reason) {
					t.Errorf("%v; want that the code is refused: %s", err, test.reason)
				}
				if took := time.Since(start); took > patience {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
