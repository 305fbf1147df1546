package hostile

import (
	"strconv"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// A pointer forged in any parameter of any function traps before anything happens.
func TestForgedPointers(t *testing.T) {
	const memory = 65536
	all := abi.Capabilities()
	forgedSlices := []struct {
		name     string
		ptr, len uint32
	}{
		{"negative", 1<<32 - 1, 1},
		{"negative, empty", 1<<32 - 1, 0},
		{"at the end", memory, 1},
		{"past the end, empty", memory + 1, 0},
		{"over the end", memory - 1, 2},
		{"ends where numbers do", 1 << 31, 1 << 31},
		{"pointer and length overflow to little", 1<<32 - 16, 32},
		{"all there is", 0, 1<<32 - 1},
		{"one more than there is", 0, memory + 1},
		{"twice the most", 1<<32 - 1, 1<<32 - 1},
	}
	tried := 0
	for _, f := range abi.Table() {
		for at := range f.Params {
			size, pair := pointsTo(f.Params, at)
			if size < 0 {
				continue
			}
			forge := func(ptr, length uint32) []byte {
				m := wt.New()
				i := m.Import(abi.Module, f.Name)
				var body wt.Op
				for p := range f.Params {
					switch {
					case p == at:
						body = append(body, wt.U32(ptr)...)
					case pair && p == at+1:
						body = append(body, wt.U32(length)...)
					default:
						body = append(body, push(f.Params[p], 1)...) // one byte at 1: a pointer that is good
					}
				}
				body = append(body, wt.Call(i)...)
				if len(f.Results) > 0 {
					body = append(body, wt.Drop...)
				}
				m.Export(abi.ExportCall, body)
				return m.Bytes()
			}
			what := f.Name + "." + f.Params[at].Name
			if pair {
				for _, forged := range forgedSlices {
					t.Run(what+"/"+forged.name, func(t *testing.T) {
						ends(t, forge(forged.ptr, forged.len), way{capabilities: all}, receipt.Trapped, "outside of memory")
					})
					tried++
				}
				continue
			}
			for _, ptr := range []uint32{1<<32 - 1, memory, memory - uint32(size) + 1, 1 << 31} {
				t.Run(what, func(t *testing.T) {
					ends(t, forge(ptr, 0), way{capabilities: all}, receipt.Trapped, "outside of memory")
				})
				tried++
			}
		}
	}
	if tried < 200 {
		t.Errorf("only %d pointers were forged", tried)
	}
}

// A length that lies in memory but is more than the function takes ends the call before anything of that size is done, in any
// parameter of any function; so says the table, and here is what else may come of it.
func TestForgedLengths(t *testing.T) {
	const pages = 32 // 2 MiB
	all := abi.Capabilities()
	type end struct {
		code  receipt.Code
		words string
	}
	// Those that are cut, or of which as much is used as there is.
	other := map[string]end{
		"ret.ptr":         {receipt.BadResult, "the result is 2097152 bytes, limit 65536"},
		"fail.ptr":        {receipt.Failed, ""},                      // cut to what a receipt holds
		"log.ptr":         {receipt.OK, ""},                          // cut to a line
		"cose_verify.key": {receipt.OK, ""},                          // no key is so long, so it is none
		"key_address.key": {receipt.OK, ""},                          // the same
		"hkdf_sha256.out": {receipt.Trapped, "cap is 2097152 bytes"}, // it is filled
	}
	for _, f := range abi.Table() {
		for at := range f.Params {
			size, pair := pointsTo(f.Params, at)
			if size < 0 || !pair {
				continue
			}
			what := f.Name + "." + f.Params[at].Name
			want, known := other[what]
			delete(other, what)
			if !known && f.Params[at].Name == "out" {
				want = end{receipt.OK, ""} // room that is not needed
			} else if !known {
				want = end{receipt.Trapped, "is 2097152 bytes, limit "}
			}
			t.Run(what, func(t *testing.T) {
				m := wt.New()
				m.Pages = pages
				i := m.Import(abi.Module, f.Name)
				var body wt.Op
				for p := range f.Params {
					switch {
					case p == at:
						body = append(body, wt.I32(0)...)
					case p == at+1:
						body = append(body, wt.I32(pages<<16)...)
					default:
						body = append(body, good(m, f, p)...)
					}
				}
				m.Export(abi.ExportCall, body, wt.Call(i), drop(f))
				ends(t, m.Bytes(), way{capabilities: all}, want.code, want.words)
			})
		}
	}
	for what := range other {
		t.Errorf("%s is in no table", what)
	}
}

// A number that no honest contract would pass: each of each function, with what comes of it.
func TestForgedNumbers(t *testing.T) {
	type end struct {
		value uint64
		code  receipt.Code
		words string
	}
	forged := map[string][]end{
		"fail.code": {
			{0, receipt.Trapped, "code 0 is not a failure"},
			{uint64(abi.FirstReservedFail), receipt.Trapped, "code 4294901760 is reserved"},
			{uint64(abi.FailBadArguments) - 1, receipt.Trapped, "code 4294967293 is reserved"},
			{uint64(abi.FailBadArguments), receipt.BadArguments, ""},
			{uint64(abi.FailUnknownMethod), receipt.UnknownMethod, ""},
			{1 << 31, receipt.Failed, ""},
		},
		"scan.flags": {{1<<32 - 1, receipt.OK, ""}, {1<<32 - 2, receipt.OK, ""}, {1 << 31, receipt.OK, ""}}, // only bit 0 is looked at
		"scan.limit": {{0, receipt.OK, ""}, {1<<32 - 1, receipt.OK, ""}, {1 << 31, receipt.OK, ""}},
		"x509_verify.time": {
			{0, receipt.OK, ""}, {1<<64 - 1, receipt.OK, ""}, {1 << 63, receipt.OK, ""}, {1<<63 - 1, receipt.OK, ""}, {253402300799 + 1, receipt.OK, ""},
		},
		"call_with_gas.gas": {{0, receipt.OK, ""}, {1, receipt.OK, ""}, {1<<64 - 1, receipt.OK, ""}, {1 << 63, receipt.OK, ""}, {1<<63 - 1, receipt.OK, ""}},
	}
	for _, f := range abi.Table() {
		for at := 0; at < len(f.Params); at++ {
			what := f.Name + "." + f.Params[at].Name
			if size, pair := pointsTo(f.Params, at); size >= 0 {
				if pair {
					at++ // its length is no number of its own
				}
				continue
			}
			list := forged[what]
			if len(list) < 2 {
				t.Errorf("no numbers are forged for %s, nor is it a pointer by its name: add them", what)
			}
			delete(forged, what)
			for _, end := range list {
				t.Run(what+"/"+strconv.FormatUint(end.value, 10), func(t *testing.T) {
					m := wt.New()
					i := m.Import(abi.Module, f.Name)
					var body wt.Op
					for p := range f.Params {
						switch {
						case p == at && f.Params[p].Type == abi.I64:
							body = append(body, wt.I64(int64(end.value))...)
						case p == at:
							body = append(body, wt.U32(uint32(end.value))...)
						default:
							body = append(body, good(m, f, p)...)
						}
					}
					m.Export(abi.ExportCall, body, wt.Call(i), drop(f))
					ends(t, m.Bytes(), way{}, end.code, end.words)
				})
			}
		}
	}
	for what := range forged {
		t.Errorf("%s is in no table", what)
	}
}

// good pushes an argument with which there is nothing wrong but what it says: short data, room for a little, a number.
func good(m *wt.Module, f abi.Function, at int) wt.Op {
	name := f.Params[at].Name
	if at > 0 {
		before := f.Params[at-1].Name
		if _, pair := pointsTo(f.Params, at-1); pair && (name == "cap" || name == before+"len" || name == "len") {
			if before == "out" {
				return wt.I32(16)
			}
			return wt.I32(1)
		}
	}
	switch name {
	case "args", "attrs":
		at, _ := m.Data("\xa0")
		return wt.I32(at)
	case "code", "gas", "time", "limit", "flags":
		return push(f.Params[at], 1)
	case "ptr", "contract", "method", "col", "name", "key", "aad":
		at, _ := m.Data("a")
		return wt.I32(at)
	}
	return push(f.Params[at], 64) // in room for answers, which is zeros
}

func drop(f abi.Function) wt.Op {
	if len(f.Results) > 0 {
		return wt.Drop
	}
	return nil
}

// So does one passed to WASI, where it is looked at.
func TestForgedPointersToWASI(t *testing.T) {
	for _, test := range []struct {
		function string
		args     []wt.Op
		code     receipt.Code
		words    string
	}{
		{"args_get", []wt.Op{wt.I32(-1), wt.I32(-1)}, receipt.OK, ""}, // nothing is written there
		{"environ_get", []wt.Op{wt.I32(-1), wt.I32(-1)}, receipt.OK, ""},
		{"args_sizes_get", []wt.Op{wt.I32(65533), wt.I32(0)}, receipt.Trapped, "count is 4 bytes at 65533"},
		{"environ_sizes_get", []wt.Op{wt.I32(0), wt.I32(-1)}, receipt.Trapped, "size is 4 bytes at 4294967295"},
		{"clock_res_get", []wt.Op{wt.I32(0), wt.I32(65529)}, receipt.Trapped, "resolution is 8 bytes at 65529"},
		{"clock_time_get", []wt.Op{wt.I32(0), wt.I64(-1), wt.I32(-8)}, receipt.Trapped, "time is 8 bytes at 4294967288"},
		{"random_get", []wt.Op{wt.I32(-1), wt.I32(-1)}, receipt.Trapped, "buffer is 4294967295 bytes"},
		{"poll_oneoff", []wt.Op{wt.I32(0), wt.I32(0), wt.I32(-1), wt.I32(0)}, receipt.Trapped, "subscriptions is 4294967295 bytes"},
		{"poll_oneoff", []wt.Op{wt.I32(0), wt.I32(-32), wt.I32(1), wt.I32(0)}, receipt.Trapped, "events is 32 bytes at 4294967264"},
		{"poll_oneoff", []wt.Op{wt.I32(0), wt.I32(0), wt.I32(1), wt.I32(65536)}, receipt.Trapped, "count is 4 bytes at 65536"},
		{"fd_write", []wt.Op{wt.I32(1), wt.I32(65529), wt.I32(1), wt.I32(0)}, receipt.Trapped, "vectors is 8 bytes at 65529"},
		{"fd_write", []wt.Op{wt.I32(1), wt.I32(0), wt.I32(1), wt.I32(-1)}, receipt.Trapped, "count is 4 bytes at 4294967295"},
		{"fd_read", []wt.Op{wt.I32(0), wt.I32(-1), wt.I32(-1), wt.I32(-1)}, receipt.Trapped, "count is 4 bytes"},
		{"fd_fdstat_get", []wt.Op{wt.I32(1), wt.I32(65513)}, receipt.Trapped, "stat is 24 bytes at 65513"},
		{"fd_fdstat_set_flags", []wt.Op{wt.I32(1), wt.I32(-1)}, receipt.OK, ""},
	} {
		t.Run(test.function, func(t *testing.T) {
			m := wt.New()
			f := m.Import(abi.WASIModule, test.function)
			m.Export(abi.ExportCall, wt.Seq(test.args...), wt.Call(f), wt.Drop)
			ends(t, m.Bytes(), way{}, test.code, test.words)
		})
	}
}

// pointsTo returns the size of what a parameter points to, and whether the parameter after
// it says so; -1 if it is no pointer.
func pointsTo(params []abi.Param, at int) (size int, pair bool) {
	name := params[at].Name
	if at+1 < len(params) {
		switch next := params[at+1].Name; {
		case next == name+"len", name == "ptr" && next == "len", name == "out" && next == "cap":
			return 0, true
		}
	}
	// A number at the end of a name is the size.
	if size, err := strconv.Atoi(name[len(strings.TrimRight(name, "0123456789")):]); err == nil {
		return size, false
	}
	return -1, false
}
