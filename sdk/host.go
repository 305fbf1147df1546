package sdk

import (
	"encoding/binary"
	"unsafe"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/sdk/wire"
)

// scratch is where the host writes what has no known size. A contract runs one call
// at a time in one goroutine, and whoever reads it copies out what stays.
var scratch = make([]byte, 4<<10)

// room and keyRoom are where values and keys are written before the host takes them. Whoever writes there
// hands it over at once.
var (
	room    = make([]byte, 0, 4<<10)
	keyRoom = make([]byte, 0, abi.MaxKey)
)

func pointer(b []byte) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b))
}

// read calls a function that writes into what it is given, again with more room if
// the answer is larger. ok is false if the answer is abi.Absent. What it returns is good until
// the next read.
func read(call func(out unsafe.Pointer, size uint32) int32) (answer []byte, ok bool) {
	for {
		n := call(pointer(scratch))
		if n < 0 {
			return nil, false
		}
		if int(n) <= len(scratch) {
			return scratch[:n], true
		}
		scratch = make([]byte, n)
	}
}

// mustRead is read of what is always there.
func mustRead(call func(out unsafe.Pointer, size uint32) int32) []byte {
	answer, ok := read(call)
	if !ok {
		panic("BUG: sdk: the runtime has no answer where there always is one")
	}
	return answer
}

func exists(collection string, key []byte) bool {
	p, n := pointer(key)
	return hostExists(collection, p, n) == 1
}

func set(collection string, key, value []byte) {
	kp, kn := pointer(key)
	vp, vn := pointer(value)
	hostSet(collection, kp, kn, vp, vn)
}

func remove(collection string, key []byte) bool {
	p, n := pointer(key)
	return hostDelete(collection, p, n) == 1
}

func emit(name string, attributes []byte) {
	p, n := pointer(attributes)
	hostEmit(name, p, n)
}

// stop ends the call as failed. It does not return.
func stop(code uint32, reason string) {
	hostFail(code, clip(reason, abi.MaxReason))
	panic("BUG: sdk: the runtime went on after fail")
}

// A walk visits the rows of a collection with start <= key < end.
type walk struct {
	collection string
	start, end []byte
	reverse    bool
	batch      uint32 // how many rows to ask for at a time
	rows       []byte // rows that came and were not yet visited
	last       []byte // the key of the last row that next returned
	done       bool
}

// next returns the next row. What it returns is good until the next but one call of it.
func (w *walk) next() (key, value []byte, ok bool) {
	if len(w.rows) == 0 && !w.fill() {
		return nil, nil, false
	}
	k, v := binary.LittleEndian.Uint32(w.rows), binary.LittleEndian.Uint32(w.rows[4:])
	key = w.rows[abi.ScanRowHead:][:k:k]
	value = w.rows[abi.ScanRowHead+k:][:v] // with what lies behind, see wire.Slack
	w.rows = w.rows[abi.ScanRowHead+k+v:]
	w.last = key
	if w.reverse {
		w.end = key
	} else if len(w.rows) == 0 {
		w.start = append(append([]byte(nil), key...), 0)
	}
	return key, value, true
}

func (w *walk) fill() bool {
	if w.done || len(w.end) > 0 && string(w.start) >= string(w.end) {
		return false
	}
	var flags uint32
	if w.reverse {
		flags = abi.ScanReverse
	}
	sp, sn := pointer(w.start)
	ep, en := pointer(w.end)
	rows := mustRead(func(out unsafe.Pointer, size uint32) int32 {
		return hostScan(w.collection, sp, sn, ep, en, flags, w.batch, out, size)
	})
	// A copy: between two rows the contract reads others into scratch.
	w.rows = append(make([]byte, 0, len(rows)+wire.Slack), rows...)
	w.done = len(rows) == 0
	return !w.done
}
