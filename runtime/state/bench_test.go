package state_test

import (
	"encoding/binary"
	"testing"

	"github.com/wardledger/ward/runtime/state"
)

// benchmarkRows is a state of that many rows of the size of a grant.
func benchmarkRows(b *testing.B, rows int) *state.State {
	s := open(b, state.NewMemory(), state.Options{})
	o := s.Overlay()
	for i := range rows {
		must(b, o.Set(benchCollection, benchKey(i), make([]byte, 100)))
	}
	commit(b, s, o)
	return s
}

var benchCollection = []byte("access\x00grants")

func benchKey(i int) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 24), uint64(i)*0x9e3779b97f4a7c15)
}

func BenchmarkOverlay(b *testing.B) {
	const rows = 100_000
	s := benchmarkRows(b, rows)
	value := make([]byte, 100)
	b.Run("set", func(b *testing.B) {
		o := s.Overlay()
		mark := o.Checkpoint()
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if i%2000 == 0 { // a block's worth
				o.Revert(mark)
			}
			if err := o.Set(benchCollection, benchKey(i%rows), value); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("get/written", func(b *testing.B) {
		o := s.Overlay()
		for i := range 2000 {
			must(b, o.Set(benchCollection, benchKey(i), value))
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := o.Get(benchCollection, benchKey(i%2000)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("get/committed", func(b *testing.B) {
		o := s.Overlay()
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := o.Get(benchCollection, benchKey(i%rows)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("scan/100", func(b *testing.B) {
		o := s.Overlay()
		for i := range 2000 {
			must(b, o.Set(benchCollection, benchKey(i), value))
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			n := 0
			err := o.Scan(benchCollection, benchKey(i%rows), nil, false, func(_, _ []byte) bool { n++; return n < 100 })
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
