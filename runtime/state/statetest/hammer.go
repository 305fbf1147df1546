package statetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	ics23 "github.com/cosmos/ics23/go"

	"github.com/wardledger/ward/runtime/state"
)

// testHammer has everything at once that may be at once: blocks, pruning, readers of all heights, proofs, exports and Verify.
// Whatever is shown is of one height. It is worth most under -race.
func testHammer(t *testing.T, s Store) {
	const heights, rows, keep = 120, 60, 6
	st, err := state.Open(s.DB, state.Options{Keep: keep, CachePages: 8})
	check(t, err)
	c, other := []byte("c"), []byte("other")
	key := func(i int) []byte { return fmt.Append(nil, i) }
	value := func(height uint64, i int) string { return fmt.Sprintf("%d.%d", height, i) }
	// there says which of 2*rows keys a height has: they come, go and come back.
	there := func(height uint64, i int) bool { return (uint64(i)+height)%3 > 0 && (height%40 > 0 || i == 1) }
	block := func(height uint64) *state.Stage {
		o := st.Overlay()
		for i := range 2 * rows {
			if there(height, i) {
				check(t, o.Set(c, key(i), []byte(value(height, i))))
			} else {
				check(t, o.Delete(c, key(i)))
			}
		}
		check(t, o.Set(other, key(int(height)), nil))
		stage, err := o.Stage(height)
		check(t, err)
		return stage
	}
	check(t, block(1).Commit())

	var failed atomic.Bool
	var wait sync.WaitGroup
	done := make(chan struct{})
	wrong := func(format string, args ...any) {
		if !failed.Swap(true) {
			t.Errorf(format, args...)
		}
	}
	// again runs until the blocks are through.
	again := func(n int, run func(random *rand.Rand) error) {
		for i := range n {
			wait.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), 1))
				for !failed.Load() {
					select {
					case <-done:
						return
					default:
					}
					if err := run(random); err != nil {
						wrong("%v", err)
					}
				}
			})
		}
	}
	// whole reads a height and says what is not of it.
	whole := func(height uint64, random *rand.Rand, s interface {
		Get(c, key []byte) ([]byte, error)
		Scan(c, start, end []byte, reverse bool, visit func(key, value []byte) bool) error
	}) error {
		want, seen := 0, map[string]bool{}
		for i := range 2 * rows {
			if there(height, i) {
				want++
			}
		}
		limit := 1 + random.IntN(4*rows)
		err := s.Scan(c, nil, nil, random.IntN(2) == 0, func(k, v []byte) bool {
			var i int
			fmt.Sscan(string(k), &i)
			if string(v) != value(height, i) || !there(height, i) || seen[string(k)] {
				wrong("height %d has row %s of %s", height, k, v)
			}
			seen[string(k)] = true
			return len(seen) < limit
		})
		if err != nil {
			return err
		}
		if len(seen) != min(limit, want) {
			return fmt.Errorf("a scan of height %d showed %d rows of %d, limit %d", height, len(seen), want, limit)
		}
		i := random.IntN(2 * rows)
		v, err := s.Get(c, key(i))
		if err != nil {
			return err
		}
		if (v != nil) != there(height, i) || v != nil && string(v) != value(height, i) {
			return fmt.Errorf("height %d, row %d: %q", height, i, v)
		}
		return nil
	}
	at := func(random *rand.Rand) (*state.Snapshot, error) {
		height := st.Height()
		height -= min(height-1, random.Uint64N(keep+2))
		snap, err := st.At(height)
		if pruned := new(state.PrunedError); errors.As(err, &pruned) {
			return nil, nil
		}
		if err == nil && snap.Height() != height {
			err = fmt.Errorf("asked for height %d, got %d", height, snap.Height())
		}
		return snap, err
	}
	again(2, func(random *rand.Rand) error {
		snap, err := at(random)
		if snap == nil {
			return err
		}
		for range 1 + random.IntN(20) { // while it leaves the window perhaps
			if err := whole(snap.Height(), random, snap); err != nil {
				return err
			}
			if err := whole(snap.Height(), random, snap.Overlay()); err != nil {
				return err
			}
		}
		var closing sync.WaitGroup
		for range 3 { // more than once, also at once
			closing.Go(snap.Close)
		}
		closing.Wait()
		return nil
	})
	// Of a height that is no longer the latest an overlay says so, or it still reads that height.
	again(1, func(random *rand.Rand) error {
		o := st.Overlay()
		for range 50 {
			if err := whole(o.Height(), random, o); err != nil && !errors.Is(err, state.ErrStale) {
				return err
			}
			runtime.Gosched()
		}
		return nil
	})
	again(1, func(random *rand.Rand) error {
		snap, err := at(random)
		if snap == nil {
			return err
		}
		defer snap.Close()
		height, root, i := snap.Height(), snap.Root(), random.IntN(2*rows)
		p, err := snap.Prove(c, key(i))
		if err != nil {
			return err
		}
		hash := sha256.Sum256([]byte(value(height, i)))
		if there(height, i) != ics23.VerifyMembership(state.ProofSpec(), root, p, state.Path(c, key(i)), hash[:]) ||
			there(height, i) == ics23.VerifyNonMembership(state.ProofSpec(), root, p, state.Path(c, key(i))) {
			return fmt.Errorf("height %d, row %d: no proof", height, i)
		}
		if p, err = snap.ProveCollection(other); err != nil {
			return err
		}
		if got, err := state.VerifyCollection(root, other, p); err != nil || uint64(len(got)) != height {
			return fmt.Errorf("height %d: a collection of %d is proven with %d, %w", height, height, len(got), err)
		}
		return nil
	})
	again(1, func(random *rand.Rand) error {
		report, err := st.Verify(context.Background(), nil)
		if err == nil && report.Found > 0 {
			err = fmt.Errorf("heights %d to %d: %v", report.Earliest, report.Latest, report.Findings)
		}
		return err
	})
	again(1, func(random *rand.Rand) error {
		snap, err := at(random)
		if snap == nil {
			return err
		}
		defer snap.Close()
		in, err := state.OpenImport(state.NewMemory(), snap.Height(), snap.Root())
		if err != nil {
			return err
		}
		return snap.Export(context.Background(), func(chunk []byte) error {
			_, err := in.Add(chunk)
			return err
		})
	})
	again(1, func(random *rand.Rand) error {
		_, err := st.Prune(1 + random.IntN(3))
		runtime.Gosched()
		return err
	})
	for height := uint64(2); height <= heights && !failed.Load(); height++ {
		stage, spare := block(height), block(height)
		check(t, stage.Commit())
		if err := spare.Commit(); err != nil {
			wrong("the same height again: %v", err)
		}
	}
	close(done)
	wait.Wait()
	for more := true; more; {
		more, err = st.Prune(1)
		check(t, err)
	}
	report, err := st.Verify(t.Context(), nil)
	check(t, err)
	if got := report.Latest - report.Earliest + 1; got != keep || report.Found > 0 {
		t.Fatalf("%d heights are kept, want %d; %v", got, keep, report.Findings)
	}
}
