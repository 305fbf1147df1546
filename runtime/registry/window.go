package registry

import (
	"fmt"
	"math"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
)

const (
	// WindowSize is how many sequences, the highest used one included, can be
	// told apart as used or free. What lies behind counts as used.
	WindowSize = 256

	// MaxJump is how far above the highest used sequence the next may be: four
	// windows of lost messages. A device that errs, or a thief who holds its key
	// for a moment, cannot burn the numbers of years.
	MaxJump = 1024
)

// window is the used sequences of one key in one lane, in the manner of RFC 6479:
// a ring of bits that is cleared ahead of the highest sequence instead of being
// shifted. Nothing is used but 0, which is never a sequence.
type window struct {
	highest uint64
	used    [WindowSize / 8]byte // bit s%256 for sequence s in (highest-256, highest]
}

// reserve takes a sequence, or says why it cannot be had.
func (w *window) reserve(seq uint64) receipt.Code {
	switch {
	case seq > w.highest && seq-w.highest > MaxJump:
		return receipt.SequenceJump
	case seq > w.highest:
		for i := range min(seq-w.highest, WindowSize) {
			w.clear(seq - i)
		}
		w.highest = seq
	case seq == 0 || w.highest-seq >= WindowSize || w.has(seq):
		return receipt.Replayed
	}
	w.used[seq%WindowSize/8] |= 1 << (seq % 8)
	return receipt.OK
}

func (w *window) has(seq uint64) bool { return w.used[seq%WindowSize/8]&(1<<(seq%8)) != 0 }
func (w *window) clear(seq uint64)    { w.used[seq%WindowSize/8] &^= 1 << (seq % 8) }

func (w *window) encode() []byte {
	return cbor.AppendBytes(cbor.AppendUint(encoder(2), w.highest), w.used[:])
}

func (w *window) fields(d *decoder) {
	w.highest = d.uint()
	d.fixed(w.used[:])
}

func windowKey(kid address.Address, lane int) ([]byte, error) {
	if lane < 0 || lane > math.MaxUint8 {
		return nil, fmt.Errorf("registry: lane %d, must be 0 to 255", lane)
	}
	return append(kid[:], byte(lane)), nil
}

func (r *Records) window(key []byte) (w window, err error) {
	_, err = r.get(windowRows, key, "window", 2, w.fields)
	return w, err
}

// Reserve takes a sequence of a key in a lane: OK, and it is used from now on;
// Replayed if it was used, lies WindowSize or more below the highest used one,
// or is 0; SequenceJump if it is more than MaxJump above that. The first highest
// is 0, so that the first sequences are 1 to 1,024.
func (r *Records) Reserve(kid address.Address, lane int, seq uint64) (receipt.Code, error) {
	key, err := windowKey(kid, lane)
	if err != nil {
		return 0, err
	}
	w, err := r.window(key)
	if err != nil {
		return 0, err
	}
	if code := w.reserve(seq); code != receipt.OK {
		return code, nil
	}
	return receipt.OK, r.kv.Set(windowRows, key, w.encode())
}

// Next returns the lowest sequence above all that a key has used in a lane.
func (r *Records) Next(kid address.Address, lane int) (uint64, error) {
	key, err := windowKey(kid, lane)
	if err != nil {
		return 0, err
	}
	w, err := r.window(key)
	if err != nil {
		return 0, err
	}
	return min(w.highest, math.MaxUint64-1) + 1, nil
}

// dropWindows forgets the sequences of a key that signs no more.
func (r *Records) dropWindows(kid address.Address) error {
	var keys [][]byte
	last := append(kid[:], math.MaxUint8, 0) // behind every lane
	err := r.kv.Scan(windowRows, kid[:], last, false, func(key, row []byte) bool {
		if row != nil {
			keys = append(keys, append([]byte(nil), key...))
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := r.kv.Delete(windowRows, key); err != nil {
			return err
		}
	}
	return nil
}
