package statetest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/state"
)

// A Store is a storage under test.
type Store struct {
	// DB is the storage, empty.
	DB state.DB

	// Reopen closes DB and returns another over the same rows; nil for a storage
	// that forgets.
	Reopen func() state.DB
}

// Run tests the storages that make returns against every sentence of
// [state.DB]. What make makes is the test's to clean up.
func Run(t *testing.T, make func(t testing.TB) Store) {
	t.Run("rows", func(t *testing.T) { testRows(t, make(t)) })
	t.Run("batch order", func(t *testing.T) { testOrder(t, make(t)) })
	t.Run("ownership", func(t *testing.T) { testOwnership(t, make(t)) })
	t.Run("large values", func(t *testing.T) { testLarge(t, make(t)) })
	t.Run("a scan sees one moment", func(t *testing.T) { testMoment(t, make(t)) })
	t.Run("a view sees one moment", func(t *testing.T) { testView(t, make(t)) })
	t.Run("batches are atomic for readers", func(t *testing.T) { testAtomic(t, make(t)) })
	t.Run("ranges without rows", func(t *testing.T) { testEmptyRanges(t, make(t)) })
	t.Run("oracle", func(t *testing.T) { testOracle(t, make(t)) })
	t.Run("state", func(t *testing.T) { testState(t, make(t)) })
	t.Run("everything at once", func(t *testing.T) { testHammer(t, make(t)) })
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, db state.DB, sync bool, change func(b *state.Batch)) {
	t.Helper()
	var b state.Batch
	change(&b)
	check(t, db.Write(&b, sync))
}

func wantGet(t testing.TB, db state.DB, key string, want []byte) {
	t.Helper()
	got, err := db.Get([]byte(key))
	check(t, err)
	if !bytes.Equal(got, want) || (got == nil) != (want == nil) {
		t.Fatalf("get %q: %#v, want %#v", key, got, want)
	}
}

func testRows(t *testing.T, s Store) {
	wantGet(t, s.DB, "a", nil)
	write(t, s.DB, true, func(b *state.Batch) {
		b.Set([]byte("a"), []byte("1"))
		b.Set([]byte("empty"), nil)
		b.Delete([]byte("never there"))
	})
	wantGet(t, s.DB, "a", []byte("1"))
	wantGet(t, s.DB, "empty", []byte{})
	wantGet(t, s.DB, "", nil)
	write(t, s.DB, false, func(b *state.Batch) { b.Set([]byte("a"), []byte("2")) })
	wantGet(t, s.DB, "a", []byte("2"))
	write(t, s.DB, false, func(b *state.Batch) { b.Delete([]byte("a")) })
	wantGet(t, s.DB, "a", nil)
	check(t, s.DB.Write(new(state.Batch), true))
	if s.Reopen != nil {
		s.DB = s.Reopen()
		wantGet(t, s.DB, "a", nil)
		wantGet(t, s.DB, "empty", []byte{})
	}
}

func testOrder(t *testing.T, s Store) {
	write(t, s.DB, false, func(b *state.Batch) {
		b.Set([]byte("x"), []byte("1"))
		b.Delete([]byte("x"))
		b.Set([]byte("y"), []byte("1"))
		b.Set([]byte("y"), []byte("2"))
		b.Delete([]byte("z"))
		b.Set([]byte("z"), []byte("3"))
	})
	wantGet(t, s.DB, "x", nil)
	wantGet(t, s.DB, "y", []byte("2"))
	wantGet(t, s.DB, "z", []byte("3"))
}

// A batch's slices are the caller's again after Write; a result of Get stays as
// it was whatever is written later.
func testOwnership(t *testing.T, s Store) {
	key, value := []byte("key"), []byte("value")
	write(t, s.DB, false, func(b *state.Batch) { b.Set(key, value) })
	key[0], value[0] = 'X', 'X'
	wantGet(t, s.DB, "key", []byte("value"))
	held, err := s.DB.Get([]byte("key"))
	check(t, err)
	for i := range 100 {
		write(t, s.DB, false, func(b *state.Batch) { b.Set([]byte("key"), fmt.Appendf(nil, "other %d", i)) })
	}
	if string(held) != "value" {
		t.Fatalf("a result of Get turned into %q", held)
	}
}

func testLarge(t *testing.T, s Store) {
	value := bytes.Repeat([]byte("0123456789abcdef"), (state.MaxValue+1<<10)/16)
	write(t, s.DB, true, func(b *state.Batch) {
		for i := range 3 {
			b.Set(fmt.Appendf(nil, "large%d", i), value)
		}
	})
	wantGet(t, s.DB, "large2", value)
	if s.Reopen != nil {
		s.DB = s.Reopen()
		wantGet(t, s.DB, "large0", value)
	}
}

func testMoment(t *testing.T, s Store) {
	write(t, s.DB, false, func(b *state.Batch) {
		for i := range 100 {
			b.Set(fmt.Appendf(nil, "%03d", i), []byte("old"))
		}
	})
	n := 0
	check(t, s.DB.Scan(nil, nil, false, func(key, value []byte) bool {
		n++
		if string(value) != "old" {
			t.Errorf("row %s was written during the scan and shows %q", key, value)
		}
		next := fmt.Appendf(nil, "%03d", n)
		write(t, s.DB, false, func(b *state.Batch) {
			b.Set(next, []byte("new"))
			b.Delete([]byte("099"))
			b.Set(append(next, 'x'), []byte("new"))
		})
		return true
	}))
	if n != 100 {
		t.Errorf("the scan saw %d rows, want 100", n)
	}
}

// A view answers from its moment, get and scan alike, until it is released; several live side by side.
func testView(t *testing.T, s Store) {
	const views = 5
	var all []state.View
	for i := range views {
		write(t, s.DB, false, func(b *state.Batch) {
			b.Set([]byte("row"), fmt.Append(nil, i))
			b.Set(fmt.Append(nil, "only ", i), nil)
			b.Delete(fmt.Append(nil, "only ", i-1))
		})
		all = append(all, s.DB.View())
	}
	write(t, s.DB, false, func(b *state.Batch) { b.Delete([]byte("row")) })
	for i, v := range all {
		got, err := v.Get([]byte("row"))
		check(t, err)
		if string(got) != fmt.Sprint(i) {
			t.Errorf("view %d: get %q", i, got)
		}
		var rows []string
		check(t, v.Scan(nil, nil, i%2 == 0, func(key, value []byte) bool {
			rows = append(rows, string(key)+"="+string(value))
			return true
		}))
		slices.Sort(rows)
		if want := []string{fmt.Sprintf("only %d=", i), fmt.Sprintf("row=%d", i)}; !slices.Equal(rows, want) {
			t.Errorf("view %d: scan %q, want %q", i, rows, want)
		}
		if got, err := v.Get([]byte("never")); err != nil || got != nil {
			t.Errorf("view %d: an absent row is %q, %v", i, got, err)
		}
		v.Release()
	}
	wantGet(t, s.DB, "row", nil)
}

func testAtomic(t *testing.T, s Store) {
	const rows, rounds = 20, 200
	fill := func(round int) {
		write(t, s.DB, false, func(b *state.Batch) {
			for i := range rows {
				b.Set(fmt.Appendf(nil, "row%02d", i), fmt.Appendf(nil, "%d", round))
			}
		})
	}
	fill(0)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				seen := map[string]int{}
				err := s.DB.Scan(nil, nil, false, func(_, value []byte) bool { seen[string(value)]++; return true })
				if err != nil || len(seen) != 1 {
					t.Errorf("a scan during writes saw %v, error %v", seen, err)
					return
				}
				if _, err := s.DB.Get([]byte("row07")); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for round := range rounds {
		fill(round)
	}
	close(done)
	readers.Wait()
}

// A range may end where or before it starts; it has no rows, however the storage
// has laid them out by then.
func testEmptyRanges(t *testing.T, s Store) {
	for round := range 30 {
		write(t, s.DB, true, func(b *state.Batch) {
			for i := range 10 {
				b.Set(fmt.Appendf(nil, "%d", i), fmt.Appendf(nil, "%d", round))
			}
		})
		if s.Reopen != nil {
			s.DB = s.Reopen()
		}
		for _, r := range [][2]string{{"5", "5"}, {"7", "2"}, {"99", "0"}, {"x", "a"}, {"", "0"}, {"", ""}} {
			for _, reverse := range []bool{false, true} {
				check(t, s.DB.Scan([]byte(r[0]), []byte(r[1]), reverse, func(key, _ []byte) bool {
					t.Errorf("[%q, %q) has the row %q", r[0], r[1], key)
					return true
				}))
			}
		}
	}
}

// testOracle compares random batches, reads and scans with a sorted map.
func testOracle(t *testing.T, s Store) {
	keys := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 'b', 0xff}), 1, 4)
	rapid.Check(t, func(rt *rapid.T) {
		var all state.Batch // one store for all runs: opening is the slow part
		err := s.DB.Scan(nil, nil, false, func(key, _ []byte) bool { all.Delete(bytes.Clone(key)); return true })
		if err == nil {
			err = s.DB.Write(&all, false)
		}
		if err != nil {
			rt.Fatal(err)
		}
		want := map[string]string{}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			var b state.Batch
			for range rapid.IntRange(0, 8).Draw(rt, "writes") {
				key := keys.Draw(rt, "key")
				if rapid.Bool().Draw(rt, "delete") {
					b.Delete(key)
					delete(want, string(key))
				} else {
					value := rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(rt, "value")
					b.Set(key, value)
					want[string(key)] = string(value)
				}
			}
			if err := s.DB.Write(&b, rapid.Bool().Draw(rt, "sync")); err != nil {
				rt.Fatal(err)
			}
			if s.Reopen != nil && rapid.IntRange(0, 40).Draw(rt, "reopen") == 0 {
				s.DB = s.Reopen()
			}
			var start, end []byte
			if rapid.Bool().Draw(rt, "bounded below") {
				start = keys.Draw(rt, "start")
			}
			if rapid.Bool().Draw(rt, "bounded above") {
				end = keys.Draw(rt, "end")
			}
			reverse := rapid.Bool().Draw(rt, "reverse")
			limit := rapid.IntRange(1, 20).Draw(rt, "limit")

			var expect, got []string
			for _, k := range slices.Sorted(maps.Keys(want)) {
				if k >= string(start) && (end == nil || k < string(end)) {
					expect = append(expect, k+"="+want[k])
				}
			}
			if reverse {
				slices.Reverse(expect)
			}
			expect = expect[:min(limit, len(expect))]
			err := s.DB.Scan(start, end, reverse, func(key, value []byte) bool {
				got = append(got, string(key)+"="+string(value))
				return len(got) < limit
			})
			if err != nil {
				rt.Fatal(err)
			}
			if !slices.Equal(got, expect) {
				rt.Fatalf("scan [%x, %x) reverse %v limit %d: %q, want %q", start, end, reverse, limit, got, expect)
			}
			key := keys.Draw(rt, "get")
			value, err := s.DB.Get(key)
			if err != nil {
				rt.Fatal(err)
			}
			if w, ok := want[string(key)]; ok != (value != nil) || string(value) != w {
				rt.Fatalf("get %x: %x, want %x, present %v", key, value, w, ok)
			}
		}
	})
}

// testState runs a State of 60 heights on the storage, across reopenings.
func testState(t *testing.T, s Store) {
	options := state.Options{Keep: 10}
	st, err := state.Open(s.DB, options)
	check(t, err)
	twin, err := state.Open(state.NewMemory(), options)
	check(t, err)
	for height := uint64(1); height <= 60; height++ {
		for _, each := range []*state.State{st, twin} {
			o := each.Overlay()
			for i := range uint64(20) {
				key := fmt.Appendf(nil, "%d", (height*7+i*3)%50)
				check(t, o.Set([]byte("c"), key, fmt.Appendf(nil, "%d", height)))
			}
			check(t, o.Delete([]byte("c"), fmt.Appendf(nil, "%d", height%50)))
			stage, err := o.Stage(height)
			check(t, err)
			check(t, stage.Commit())
			_, err = each.Prune(1)
			check(t, err)
		}
		if s.Reopen != nil && height%17 == 0 {
			s.DB = s.Reopen()
			st, err = state.Open(s.DB, options)
			check(t, err)
		}
		if st.Height() != height || !bytes.Equal(st.Root(), twin.Root()) {
			t.Fatalf("height %d root %x, in memory %d %x", st.Height(), st.Root(), twin.Height(), twin.Root())
		}
	}
	if st.Earliest() != 51 {
		t.Fatalf("earliest height is %d, want 51", st.Earliest())
	}
	for height := st.Earliest(); height <= st.Height(); height++ {
		a, err := st.At(height)
		check(t, err)
		b, err := twin.At(height)
		check(t, err)
		if x, y := dump(t, a), dump(t, b); !slices.Equal(x, y) || len(x) == 0 {
			t.Fatalf("height %d has %q, in memory %q", height, x, y)
		}
		a.Close()
		b.Close()
	}
	report, err := st.Verify(t.Context(), nil)
	check(t, err)
	if report.Found > 0 {
		t.Fatalf("not sound: %v", report.Findings)
	}
}

func dump(t testing.TB, s *state.Snapshot) (rows []string) {
	t.Helper()
	check(t, s.Scan([]byte("c"), nil, nil, false, func(key, value []byte) bool {
		rows = append(rows, string(key)+"="+string(value))
		return true
	}))
	return rows
}
