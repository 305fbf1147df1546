package peers

import (
	"encoding/binary"
	"math/rand/v2"
)

const (
	keyLen    = 40 // a collection and a hash
	prefixLen = 8  // the collection, which all rows share
	valueLen  = 100
)

type row struct{ key, value []byte }

// keyAt returns the key of a row: 32 bytes that look like a hash and that the
// number decides, behind the collection.
func keyAt(i int) []byte {
	key := make([]byte, 0, keyLen)
	key = append(key, "grants\x00\x00"...)
	for j := range uint64(4) {
		// The finalizer of SplitMix64: a bijection, therefore no two keys are equal.
		x := (uint64(i)*4 + j) * 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		key = binary.BigEndian.AppendUint64(key, x^x>>31)
	}
	return key
}

// workload hands out the same writes to whoever has the same seed.
type workload struct {
	random *rand.ChaCha8
	pick   *rand.Rand
	order  []uint32 // all numbers of rows; see rewrites
}

func newWorkload(keys int, seed byte) *workload {
	w := &workload{random: rand.NewChaCha8([32]byte{seed}), order: make([]uint32, keys)}
	w.pick = rand.New(w.random)
	for i := range w.order {
		w.order[i] = uint32(i)
	}
	return w
}

// row returns a row with a new value, of bytes that do not compress.
func (w *workload) row(i int) row {
	value := make([]byte, valueLen)
	w.random.Read(value)
	return row{keyAt(i), value}
}

// rows returns those with the numbers from <= i < to.
func (w *workload) rows(from, to int) []row {
	block := make([]row, 0, to-from)
	for i := from; i < to; i++ {
		block = append(block, w.row(i))
	}
	return block
}

// rewrites returns new values for n different rows picked at random.
func (w *workload) rewrites(n int) []row {
	block := make([]row, 0, n)
	for i := range n { // the first n steps of a shuffle
		j := i + w.pick.IntN(len(w.order)-i)
		w.order[i], w.order[j] = w.order[j], w.order[i]
		block = append(block, w.row(int(w.order[i])))
	}
	return block
}

// key returns one of the keys.
func (w *workload) key() []byte { return keyAt(w.pick.IntN(len(w.order))) }
