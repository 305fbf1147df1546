package state_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/wardledger/ward/runtime/state"
)

// Readers at committed heights beside commits and pruning; worth most under
// -race. Every snapshot must show one height, whole.
func TestReadersBesideCommits(t *testing.T) {
	const heights, rows, readers = 300, 40, 4
	s := open(t, state.NewMemory(), state.Options{Keep: 5, CachePages: 60})
	c := []byte("c")
	block := func(height uint64) {
		o := s.Overlay()
		for i := range rows {
			// The key set changes too, so that the tree turns.
			must(t, o.Set(c, fmt.Appendf(nil, "%d", i+int(height)%7), fmt.Appendf(nil, "%d", height)))
		}
		for i := range 7 {
			if i < int(height)%7 {
				must(t, o.Delete(c, fmt.Appendf(nil, "%d", i)))
			} else {
				must(t, o.Delete(c, fmt.Appendf(nil, "%d", i+rows)))
				must(t, o.Set(c, fmt.Appendf(nil, "%d", i), fmt.Appendf(nil, "%d", height)))
			}
		}
		commit(t, s, o)
		if height%3 > 0 {
			_, err := s.Prune(2)
			must(t, err)
		}
	}
	block(1)
	done := make(chan struct{})
	var wait sync.WaitGroup
	for r := range readers {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(r)))
			for {
				select {
				case <-done:
					return
				default:
				}
				// Asked once: a commit between two askings could make it height 0, which is the latest.
				height := s.Height()
				height -= min(height-1, random.Uint64N(7))
				snap, err := s.At(height)
				var pruned *state.PrunedError
				if errors.As(err, &pruned) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				n, want := 0, fmt.Sprint(height)
				o := snap.Overlay()
				if err := o.Set(c, []byte("x"), []byte(want)); err != nil {
					t.Error(err)
				}
				err = o.Scan(c, nil, nil, random.IntN(2) == 0, func(key, value []byte) bool {
					if string(value) != want {
						t.Errorf("height %s has row %s of height %s", want, key, value)
					}
					n++
					return true
				})
				if err != nil || n < rows {
					t.Errorf("height %s has %d rows, error %v", want, n, err)
					return
				}
				if v, err := snap.Get(c, []byte("9")); err != nil || string(v) != want {
					t.Errorf("height %s: get %q, error %v", want, v, err)
					return
				}
				snap.Close()
				snap.Close() // more than once
			}
		})
	}
	for height := uint64(2); height <= heights; height++ {
		block(height)
	}
	close(done)
	wait.Wait()
	prune(t, s)
	if got := s.Height() - s.Earliest() + 1; got != 5 {
		t.Errorf("%d heights are kept, want 5", got)
	}
	sound(t, s)
}
