package db_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/wardledger/ward/node/db"
	"github.com/wardledger/ward/runtime/state"
)

// BenchmarkCommit commits blocks of 2,000 random rewrites over 100,000 rows of
// 32 + 100 bytes (or WARD_BENCH_KEYS of them), pruning with it: the state, and beside it the floor, which is one synced LevelDB
// batch of the same rows. One metric, ns/write.
func BenchmarkCommit(b *testing.B) {
	rows, block := 100_000, 2000
	if n, err := strconv.Atoi(os.Getenv("WARD_BENCH_KEYS")); err == nil {
		rows = n
	}
	key := func(i int) []byte {
		return binary.BigEndian.AppendUint64(make([]byte, 24), uint64(i)*0x9e3779b97f4a7c15)
	}
	value := make([]byte, 100)
	c := []byte("access\x00grants")

	b.Run(fmt.Sprintf("keys=%d/block=%d/state", rows, block), func(b *testing.B) {
		d := open(b, b.TempDir())
		s, err := state.Open(d, state.Options{Keep: 10})
		must(b, err)
		for from := 0; from < rows; from += 10_000 {
			o := s.Overlay()
			for i := from; i < min(rows, from+10_000); i++ {
				must(b, o.Set(c, key(i), value))
			}
			stage, err := o.Stage(s.Height() + 1)
			must(b, err)
			must(b, stage.Commit())
		}
		random := rand.New(rand.NewPCG(1, 1))
		b.ReportAllocs()
		for b.Loop() {
			o := s.Overlay()
			for range block {
				value := binary.BigEndian.AppendUint64(make([]byte, 92), random.Uint64())
				must(b, o.Set(c, key(random.IntN(rows)), value))
			}
			stage, err := o.Stage(s.Height() + 1)
			must(b, err)
			must(b, stage.Commit())
			_, err = s.Prune(2)
			must(b, err)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*block), "ns/write")
	})
	b.Run(fmt.Sprintf("keys=%d/block=%d/floor", rows, block), func(b *testing.B) {
		d := open(b, b.TempDir())
		for from := 0; from < rows; from += 10_000 {
			var batch db.Batch
			for i := from; i < min(rows, from+10_000); i++ {
				batch.Set(key(i), value)
			}
			must(b, d.Write(&batch, true))
		}
		random := rand.New(rand.NewPCG(1, 1))
		b.ReportAllocs()
		for b.Loop() {
			var batch db.Batch
			for range block {
				batch.Set(key(random.IntN(rows)), binary.BigEndian.AppendUint64(make([]byte, 92), random.Uint64()))
			}
			must(b, d.Write(&batch, true))
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*block), "ns/write")
	})
}
