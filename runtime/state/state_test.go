package state_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/state/statetest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, db state.DB, o state.Options) *state.State {
	t.Helper()
	s, err := state.Open(db, o)
	must(t, err)
	return s
}

// commit stages and commits the overlay as the next height.
func commit(t testing.TB, s *state.State, o *state.Overlay) []byte {
	t.Helper()
	st, err := o.Stage(s.Height() + 1)
	must(t, err)
	must(t, st.Commit())
	return st.Root()
}

func TestLifeOfABlock(t *testing.T) {
	db := state.NewMemory()
	s := open(t, db, state.Options{})
	o := s.Overlay()
	doors, keys := []byte("doors"), []byte("keys")
	must(t, o.Set(doors, []byte("front"), []byte("locked")))
	must(t, o.Set(keys, []byte("anna"), []byte("front")))
	genesis, err := o.Stage(1)
	must(t, err)
	if s.Height() != 0 || s.Root() != nil || db.Len() != 0 {
		t.Fatalf("a stage left a trace: height %d, root %x, %d rows", s.Height(), s.Root(), db.Len())
	}
	must(t, o.Set(doors, []byte("back"), nil))
	first, err := o.Stage(1)
	must(t, err)
	if bytes.Equal(genesis.Root(), first.Root()) {
		t.Fatal("another row, the same root")
	}
	must(t, first.Commit())
	must(t, first.Commit()) // repeatable
	if s.Height() != 1 || !bytes.Equal(s.Root(), first.Root()) {
		t.Fatalf("height %d, root %x after the commit of %x", s.Height(), s.Root(), first.Root())
	}
	root := commit(t, s, s.Overlay())
	if !bytes.Equal(root, first.Root()) {
		t.Fatalf("an empty block moved the root from %x to %x", first.Root(), root)
	}

	s = open(t, db, state.Options{})
	if s.Height() != 2 || !bytes.Equal(s.Root(), root) {
		t.Fatalf("reopened at height %d, root %x", s.Height(), s.Root())
	}
	snap, err := s.At(0)
	must(t, err)
	defer snap.Close()
	var got []string
	must(t, snap.Scan(doors, nil, nil, false, func(k, v []byte) bool {
		got = append(got, string(k)+"="+string(v))
		return true
	}))
	if len(got) != 2 || got[0] != "back=" || got[1] != "front=locked" {
		t.Fatalf("doors: %q", got)
	}
}

func TestBounds(t *testing.T) {
	s := open(t, state.NewMemory(), state.Options{})
	o := s.Overlay()
	long := func(n int) []byte { return bytes.Repeat([]byte{'x'}, n) }
	for _, test := range []struct {
		name                   string
		collection, key, value int
		ok                     bool
	}{
		{"the largest row", state.MaxCollection, state.MaxKey, state.MaxValue, true},
		{"the smallest row", 1, 0, 0, true},
		{"no collection", 0, 1, 1, false},
		{"a long collection", state.MaxCollection + 1, 1, 1, false},
		{"a long key", 1, state.MaxKey + 1, 1, false},
		{"a long value", 1, 1, state.MaxValue + 1, false},
	} {
		err := o.Set(long(test.collection), long(test.key), long(test.value))
		if test.ok && err != nil || !test.ok && !errors.Is(err, state.ErrBounds) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	root := commit(t, s, o)
	s2 := open(t, state.NewMemory(), state.Options{})
	o = s2.Overlay()
	must(t, o.Set(long(1), nil, nil))
	must(t, o.Set(long(state.MaxCollection), long(state.MaxKey), long(state.MaxValue)))
	if again := commit(t, s2, o); !bytes.Equal(root, again) {
		t.Errorf("refused rows moved the root from %x to %x", again, root)
	}
}

func TestSetKeepsCopies(t *testing.T) {
	s := open(t, state.NewMemory(), state.Options{})
	o := s.Overlay()
	c, k, v := []byte("c"), []byte("k"), []byte("v")
	must(t, o.Set(c, k, v))
	c[0], k[0], v[0] = 'x', 'x', 'x'
	if got, err := o.Get([]byte("c"), []byte("k")); err != nil || string(got) != "v" {
		t.Errorf("%q, %v", got, err)
	}
}

// Inner calls nest; a failed one leaves nothing, whatever it did.
func TestRevertNests(t *testing.T) {
	s := open(t, state.NewMemory(), state.Options{})
	o := s.Overlay()
	c := []byte("c")
	set := func(k, v string) { must(t, o.Set(c, []byte(k), []byte(v))) }
	want := func(what string, rows ...string) {
		t.Helper()
		var got []string
		must(t, o.Scan(c, nil, nil, false, func(k, v []byte) bool {
			if v == nil {
				v = []byte("-")
			}
			got = append(got, string(k)+string(v))
			return true
		}))
		if !slices.Equal(got, rows) {
			t.Errorf("%s: %q, want %q", what, got, rows)
		}
	}
	set("a", "1")
	set("b", "1")
	commit(t, s, o)
	o = s.Overlay()
	outer := o.Checkpoint()
	set("a", "2")
	inner := o.Checkpoint()
	set("a", "3")
	set("c", "3")
	must(t, o.Delete(c, []byte("b")))
	must(t, o.Delete(c, []byte("c")))
	want("before", "a3", "b-", "c-")
	o.Revert(inner)
	want("inner reverted", "a2", "b1")
	set("b", "4")
	o.Revert(inner)
	want("inner reverted again", "a2", "b1")
	o.Revert(outer)
	want("outer reverted", "a1", "b1")
	before := s.Root()
	if root, err := o.Root(); err != nil || !bytes.Equal(root, before) {
		t.Errorf("everything reverted, root %x was %x, %v", root, before, err)
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "BUG: state: revert to mark") {
			t.Errorf("a mark of a reverted moment: %v", r)
		}
	}()
	o.Revert(inner)
}

func TestNoWritesDuringAScan(t *testing.T) {
	s := open(t, state.NewMemory(), state.Options{})
	o := s.Overlay()
	c := []byte("c")
	must(t, o.Set(c, []byte("a"), nil))
	must(t, o.Set(c, []byte("b"), nil))
	visits := 0
	must(t, o.Scan(c, nil, nil, false, func(k, _ []byte) bool {
		visits++
		if err := o.Set(c, k, []byte("x")); !errors.Is(err, state.ErrScanning) {
			t.Errorf("set: %v", err)
		}
		if err := o.Delete(c, k); !errors.Is(err, state.ErrScanning) {
			t.Errorf("delete: %v", err)
		}
		if v, err := o.Get(c, k); err != nil || v == nil {
			t.Errorf("get: %q, %v", v, err)
		}
		must(t, o.Scan(c, k, nil, true, func(_, _ []byte) bool { return true }))
		return true
	}))
	if visits != 2 {
		t.Errorf("%d visits", visits)
	}
	must(t, o.Set(c, []byte("c"), nil)) // over
}

// Whoever works on a height that is no longer the latest is told.
func TestStale(t *testing.T) {
	s := open(t, state.NewMemory(), state.Options{})
	old := s.Overlay()
	a, b := s.Overlay(), s.Overlay()
	must(t, a.Set([]byte("c"), []byte("a"), nil))
	must(t, b.Set([]byte("c"), []byte("b"), nil))
	stageA, err := a.Stage(1)
	must(t, err)
	stageB, err := b.Stage(1)
	must(t, err)
	must(t, stageA.Commit())
	if err := stageB.Commit(); !errors.Is(err, state.ErrStale) {
		t.Errorf("commit over another's height: %v", err)
	}
	if _, err := old.Stage(1); !errors.Is(err, state.ErrStale) {
		t.Errorf("stage over another's height: %v", err)
	}
	if !bytes.Equal(s.Root(), stageA.Root()) {
		t.Error("the latest height is not the one that was committed")
	}
	if _, err := s.Overlay().Stage(3); err == nil {
		t.Error("a height was left out")
	}
	if _, err := s.Overlay().Stage(1); err == nil {
		t.Error("a height was staged twice")
	}
	snap, err := s.At(0)
	must(t, err)
	defer snap.Close()
	if _, err := snap.Overlay().Stage(2); err == nil {
		t.Error("an overlay over a snapshot was staged")
	}
}

// strictViews is a storage whose views fail once they are released, as LevelDB's do.
type strictViews struct {
	state.DB
	before func() // each read
}

type strictView struct {
	state.View
	db       *strictViews
	released bool
}

var errReleased = errors.New("view is released")

func (d *strictViews) View() state.View { return &strictView{View: d.DB.View(), db: d} }

func (v *strictView) Get(key []byte) ([]byte, error) {
	if v.db.before != nil {
		v.db.before()
	}
	if v.released {
		return nil, errReleased
	}
	return v.View.Get(key)
}

func (v *strictView) Scan(start, end []byte, reverse bool, visit func(key, value []byte) bool) error {
	if v.db.before != nil {
		v.db.before()
	}
	if v.released {
		return errReleased
	}
	return v.View.Scan(start, end, reverse, visit)
}

func (v *strictView) Release() { v.released = true }

// A commit in the middle of a read of an overlay is told by [state.ErrStale] too, not by what the storage says of it.
func TestStaleInTheMiddle(t *testing.T) {
	for _, what := range []string{"get", "scan"} {
		disk := &strictViews{DB: state.NewMemory()}
		s := open(t, disk, state.Options{})
		o := s.Overlay()
		must(t, o.Set([]byte("c"), []byte("k"), []byte("v")))
		commit(t, s, o)
		o = s.Overlay()
		stage, err := s.Overlay().Stage(2)
		must(t, err)
		disk.before = func() {
			disk.before = nil
			must(t, stage.Commit())
		}
		if what == "get" {
			_, err = o.Get([]byte("c"), []byte("k"))
		} else {
			err = o.Scan([]byte("c"), nil, nil, false, func(_, _ []byte) bool { return true })
		}
		if !errors.Is(err, state.ErrStale) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A chain may start above 1, and its earliest height is then its first.
func TestFirstHeight(t *testing.T) {
	db := state.NewMemory()
	s := open(t, db, state.Options{})
	for _, bad := range []uint64{0, 1 << 63} {
		if _, err := s.Overlay().Stage(bad); err == nil {
			t.Errorf("height %d was staged", bad)
		}
	}
	o := s.Overlay()
	must(t, o.Set([]byte("c"), []byte("k"), []byte("v")))
	stage, err := o.Stage(1000)
	must(t, err)
	must(t, stage.Commit())
	commit(t, s, s.Overlay())
	s = open(t, db, state.Options{})
	if s.Height() != 1001 || s.Earliest() != 1000 {
		t.Errorf("heights %d to %d", s.Earliest(), s.Height())
	}
	var pruned *state.PrunedError
	if _, err := s.At(999); !errors.As(err, &pruned) || err.Error() != "height 999 is not available, earliest is 1000, latest is 1001" {
		t.Errorf("%v", err)
	}
}

// The root is that of the content, the order and detours of writing left aside.
func TestRootOfContent(t *testing.T) {
	build := func(write func(o *state.Overlay)) []byte {
		s := open(t, state.NewMemory(), state.Options{})
		o := s.Overlay()
		for i := range 50 {
			must(t, o.Set([]byte("c"), []byte{byte(i)}, []byte("old")))
		}
		commit(t, s, o)
		o = s.Overlay()
		write(o)
		return commit(t, s, o)
	}
	set := func(o *state.Overlay, i int, v string) { must(t, o.Set([]byte("c"), []byte{byte(i)}, []byte(v))) }
	up := build(func(o *state.Overlay) {
		for i := range 60 {
			set(o, i, "new")
		}
	})
	down := build(func(o *state.Overlay) {
		for i := 59; i >= 0; i-- {
			must(t, o.Delete([]byte("c"), []byte{byte(i)}))
			set(o, i, "between")
			m := o.Checkpoint()
			set(o, 200, "never")
			o.Revert(m)
			set(o, i, "new")
		}
	})
	if !bytes.Equal(up, down) {
		t.Errorf("roots %x and %x", up, down)
	}
	same := build(func(o *state.Overlay) {
		for i := range 50 {
			set(o, i, "old")
		}
		must(t, o.Delete([]byte("c"), []byte("not there")))
	})
	none := build(func(*state.Overlay) {})
	if !bytes.Equal(same, none) {
		t.Errorf("writing what is there moved the root from %x to %x", none, same)
	}
}

// The root of a known content must not change with a release: that would be
// another chain.
func TestGoldenRoot(t *testing.T) {
	s := open(t, state.NewMemory(), state.Options{})
	var got []string
	for height := range 3 {
		o := s.Overlay()
		for i := range 10 {
			must(t, o.Set([]byte("c"), fmt.Appendf(nil, "key%d", i+5*height), fmt.Appendf(nil, "value%d", height)))
		}
		got = append(got, fmt.Sprintf("%x", commit(t, s, o)))
	}
	want := []string{
		"466a9398a02202a8649db53fa4ca49aafde0b54f0db8903cb9a5022d6c705f5e",
		"069060a818d2145141c6d35c86d4ccf3b4cb78be1e4687e0e4c33905a9f2849f",
		"7283c782fb5c4f5b5688843d9d6cf0974ee8187973acb298082a58375aa3b3e1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("roots %q, want %q", got, want)
	}
}

func TestOpenRefuses(t *testing.T) {
	foreign := state.NewMemory()
	var b state.Batch
	b.Set([]byte("someone"), []byte("else's"))
	must(t, foreign.Write(&b, true))
	if _, err := state.Open(foreign, state.Options{}); !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("a storage of another's: %v", err)
	}
	for _, o := range []state.Options{{Keep: 1}, {CachePages: -1}} {
		if _, err := state.Open(state.NewMemory(), o); err == nil {
			t.Errorf("options %+v were taken", o)
		}
	}
}

// A height whose pruning failed is not offered any more, whether its rows are gone or not, and goes with the next pruning.
func TestFailedPruning(t *testing.T) {
	for _, lost := range []bool{true, false} {
		y, _ := newStory(t)
		y.run()
		earliest := y.s.Earliest()
		commit(t, y.s, y.s.Overlay())
		y.disk.FailWrite(1, lost)
		if more, err := y.s.Prune(1); !errors.Is(err, statetest.ErrFault) || !more {
			t.Fatalf("%v, %v", more, err)
		}
		if y.s.Earliest() != earliest+1 {
			t.Errorf("earliest is %d, was %d", y.s.Earliest(), earliest)
		}
		prune(t, y.s)
		if y.s.Earliest() != earliest+1 {
			t.Errorf("earliest is %d, want %d", y.s.Earliest(), earliest+1)
		}
		sound(t, y.s)
	}
}

// A block that is committed between a failed pruning and the next one does not bring back a height whose rows may be gone.
func TestCommitAfterAFailedPruning(t *testing.T) {
	for _, lost := range []bool{true, false} {
		y, memory := newStory(t)
		y.run()
		commit(t, y.s, y.s.Overlay())
		y.disk.FailWrite(1, lost)
		if _, err := y.s.Prune(1); !errors.Is(err, statetest.ErrFault) {
			t.Fatal(err)
		}
		o := y.s.Overlay()
		must(t, storyBlock(o, y.s.Height()+1))
		commit(t, y.s, o)
		again := open(t, memory, storyOptions) // the process died
		snap, err := again.At(again.Earliest())
		if err != nil {
			t.Fatalf("lost %v: earliest is %d: %v", lost, again.Earliest(), err)
		}
		snap.Close()
		sound(t, again)
		prune(t, again)
		sound(t, again)
		if got, want := history(t, again), again.Height()-again.Earliest()+1; want != storyOptions.Keep {
			t.Errorf("%d heights are kept: %q", want, got)
		}
	}
}

// A height that is on disk although its commit was denied stays whole: no pruning takes its record back, and no other block
// is written over it.
func TestAfterADeniedCommit(t *testing.T) {
	y, memory := newStory(t)
	y.run()
	commit(t, y.s, y.s.Overlay()) // there is a height to prune
	o := y.s.Overlay()
	must(t, storyBlock(o, y.s.Height()+1))
	stage, err := o.Stage(y.s.Height() + 1)
	must(t, err)
	y.disk.FailWrite(1, false)
	if err := stage.Commit(); !errors.Is(err, statetest.ErrFault) {
		t.Fatal(err)
	}
	if more, err := y.s.Prune(1); err == nil || !more {
		t.Errorf("pruned before the commit was repeated: %v", more)
	}
	other, err := y.s.Overlay().Stage(stage.Height())
	must(t, err)
	if err := other.Commit(); err == nil {
		t.Error("another block was committed over what may be on disk")
	}
	again := open(t, memory, storyOptions) // the process died
	if again.Height() != stage.Height() || !bytes.Equal(again.Root(), stage.Root()) {
		t.Fatalf("height %d root %x, want %d %x", again.Height(), again.Root(), stage.Height(), stage.Root())
	}
	sound(t, again)
	must(t, stage.Commit()) // or it lives on
	prune(t, y.s)
	sound(t, y.s)
}

// prune takes everything that may go.
func prune(t testing.TB, s *state.State) {
	t.Helper()
	more, err := s.Prune(1 << 20)
	must(t, err)
	if more {
		t.Fatal("there is more to prune")
	}
}

// Every life that a row can have in six heights, read at every height that is kept, in every direction, with pruning that
// keeps up and with pruning that lags behind. The chain starts above 1.
func TestEveryLife(t *testing.T) {
	const first, heights, keep = 1000, 6, 2
	c := []byte("c")
	for life := range 1 << (2 * heights) {
		for _, lag := range []int{0, 2} {
			s := open(t, state.NewMemory(), state.Options{Keep: keep})
			var values []string // of the row by height, "" is none
			now := ""
			for i := range heights {
				o := s.Overlay()
				if i == 0 {
					must(t, o.Set(c, []byte("a"), []byte("before")))
					must(t, o.Set(c, []byte("z"), []byte("behind")))
				}
				switch life >> (2 * i) & 3 {
				case 1:
					now = "1"
				case 2:
					now = "2"
				case 3:
					now = ""
				}
				if now == "" {
					must(t, o.Delete(c, []byte("m")))
				} else {
					must(t, o.Set(c, []byte("m"), []byte(now)))
				}
				stage, err := o.Stage(first + uint64(i))
				must(t, err)
				must(t, stage.Commit())
				values = append(values, now)
				if i > lag {
					_, err = s.Prune(1)
					must(t, err)
				}
				if want := first + uint64(max(0, i+1-keep-max(0, lag-keep+1))); s.Earliest() != want {
					t.Fatalf("height %d, lag %d: earliest is %d, want %d", i, lag, s.Earliest(), want)
				}
				for height := s.Earliest(); height <= s.Height(); height++ {
					snap, err := s.At(height)
					must(t, err)
					value := values[height-first]
					if got, err := snap.Get(c, []byte("m")); err != nil || string(got) != value || (got == nil) != (value == "") {
						t.Fatalf("life %b, lag %d, height %d at %d: %q, want %q, %v", life, lag, height, s.Height(), got, value, err)
					}
					want := []string{"a=before", "m=" + value, "z=behind"}
					if value == "" {
						want = slices.Delete(want, 1, 2)
					}
					for _, reverse := range []bool{false, true} {
						for limit := 1; limit <= len(want); limit++ {
							var got []string
							must(t, snap.Scan(c, nil, nil, reverse, func(k, v []byte) bool {
								got = append(got, string(k)+"="+string(v))
								return len(got) < limit
							}))
							expect := slices.Clone(want)
							if reverse {
								slices.Reverse(expect)
							}
							if !slices.Equal(got, expect[:limit]) {
								t.Fatalf("life %b, lag %d, height %d at %d, reverse %v: %q, want %q", life, lag, height, s.Height(), reverse, got, expect[:limit])
							}
						}
					}
					snap.Close()
				}
			}
			if life%37 == 0 || lag == 0 && life%11 == 0 {
				sound(t, s)
				prune(t, s)
				sound(t, s)
			}
		}
	}
}

// Nodes that keep more or fewer heights, have pruned or not yet, cache much or nothing and have few or many processors
// agree in everything that a block sees: gets, what a scan visits (deleted rows included, because they cost gas) and roots.
func TestNodesAgree(t *testing.T) {
	type node struct {
		*state.State
		every      uint64 // height at which it prunes
		processors int
	}
	nodes := []node{
		{open(t, state.NewMemory(), state.Options{Keep: 2, CachePages: 1}), 1, 1},
		{open(t, state.NewMemory(), state.Options{Keep: 2}), 7, 8},
		{open(t, state.NewMemory(), state.Options{Keep: 1 << 30, CachePages: 30}), 1 << 30, 3},
	}
	processors := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(processors)
	for height := uint64(1); height <= 60; height++ {
		var want []string
		for i, n := range nodes {
			runtime.GOMAXPROCS(n.processors)
			random := rand.New(rand.NewPCG(height, 3))
			o := n.Overlay()
			var saw []string
			for range []int{5, 50, 2000}[height%3] {
				c, key := []byte{'a' + byte(random.IntN(3))}, fmt.Append(nil, random.IntN(600))
				if random.IntN(20) == 0 {
					value, err := o.Get(c, key)
					must(t, err)
					left := 10
					must(t, o.Scan(c, key, nil, random.IntN(2) == 0, func(k, v []byte) bool {
						saw = append(saw, fmt.Sprintf("%s=%s %v", k, v, v == nil))
						left--
						return left > 0
					}))
					saw = append(saw, fmt.Sprintf("%s %v", value, value == nil))
				}
				if random.IntN(2) == 0 {
					must(t, o.Delete(c, key))
				} else {
					must(t, o.Set(c, key, fmt.Append(nil, random.IntN(3))))
				}
			}
			saw = append(saw, fmt.Sprintf("%x", commit(t, n.State, o)))
			if height%n.every == 0 {
				prune(t, n.State)
			}
			if i == 0 {
				want = saw
			} else if !slices.Equal(saw, want) {
				t.Fatalf("height %d: node %d saw %q, node 0 %q", height, i, saw, want)
			}
		}
	}
	for _, n := range nodes {
		sound(t, n.State)
	}
}
