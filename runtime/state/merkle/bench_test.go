package merkle

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// loaded keeps pages as they are, as a cache does that is large enough.
type loaded map[Key]*Page

func (l loaded) Load(k Key) (*Page, error) { return l[k], nil }

func (l loaded) keep(u *Update) Node {
	for _, w := range u.New {
		l[w.Key] = w.Page
	}
	for _, k := range u.Stale {
		delete(l, k)
	}
	return u.Root
}

// BenchmarkApply rewrites blocks of random leaves; "hashes" is the floor, the hashing of as many leaves and of as many inner
// nodes as lie above them.
func BenchmarkApply(b *testing.B) {
	const leaves, block = 500_000, 2000
	path := func(i int) Path { return PathOf([]byte("c"), binary.BigEndian.AppendUint64(nil, uint64(i))) }
	changes := func(n int, which func(i int) int) (list []Change) {
		seen := map[Path]bool{}
		for i := range n {
			c := Change{Path: path(which(i)), Value: Hash{byte(i), byte(i >> 8), byte(rand.Uint32())}}
			if !seen[c.Path] {
				seen[c.Path] = true
				list = append(list, c)
			}
		}
		slices.SortFunc(list, func(a, b Change) int { return compare(&a.Path, &b.Path) })
		return list
	}
	pages := loaded{}
	u, err := Apply(pages, Node{}, 1, changes(leaves, func(i int) int { return i }))
	if err != nil {
		b.Fatal(err)
	}
	root := pages.keep(u)
	version, written, writes := uint64(1), 0, 0
	b.Run("keys=500000/block=2000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			list := changes(block, func(int) int { return rand.IntN(leaves) })
			b.StartTimer()
			version++
			u, err := Apply(pages, root, version, list)
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			written += len(u.New)
			writes += len(list)
			root = pages.keep(u)
			b.StartTimer()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*block), "ns/write")
		b.ReportMetric(float64(written)/float64(writes), "pages/write")
	})
	b.Run("hashes", func(b *testing.B) {
		var h Hash
		for b.Loop() {
			for i := range 2000 {
				p := Path{byte(i)}
				h = leafHash(&p, &h)
				for range 19 / 2 { // half of the levels are shared in a block of this size
					h = innerHash(&h, &h)
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*block), "ns/write")
	})
}
