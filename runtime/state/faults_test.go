package state_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/state/statetest"
)

// story is a fixed run of blocks; what it does to the disk is always the same,
// so that "the n-th access fails" means something.
type story struct {
	disk   *statetest.Faults
	s      *state.State
	faults int // met on the way
	t      testing.TB
}

var (
	storyOptions = state.Options{Keep: 3, CachePages: 1} // 1, so that almost every step reads the disk
	storyRows    = []byte("rows")
)

const storyHeights = 14

// meet takes an answer of the broken state: nil, or the fault that was ordered.
func (y *story) meet(err error) (ok bool) {
	y.t.Helper()
	if err == nil {
		return true
	}
	if !errors.Is(err, statetest.ErrFault) {
		y.t.Fatalf("a failing disk was answered with %v", err)
	}
	y.faults++
	return false
}

func storyBlock(o *state.Overlay, height uint64) error {
	for i := range uint64(6) {
		key := fmt.Appendf(nil, "%02d", (height*5+i*7)%23)
		if err := o.Set(storyRows, key, fmt.Appendf(nil, "%d.%d", height, i)); err != nil {
			return err
		}
	}
	return o.Delete(storyRows, fmt.Appendf(nil, "%02d", height%23))
}

// run lives through the story. Whoever fails is restarted, and repeats its block.
func (y *story) run() {
	y.t.Helper()
	for {
		var err error
		if y.s == nil {
			if y.s, err = state.Open(y.disk, storyOptions); !y.meet(err) {
				continue
			}
		}
		if y.s.Height() == storyHeights {
			for more := true; more; { // what a crash kept from being pruned
				if more, err = y.s.Prune(1); !y.meet(err) {
					more = true
				}
			}
			return
		}
		o := y.s.Overlay()
		if err := storyBlock(o, y.s.Height()+1); err != nil {
			y.t.Fatal(err)
		}
		stage, err := o.Stage(y.s.Height() + 1)
		if y.meet(err) && y.meet(stage.Commit()) {
			_, err := y.s.Prune(1)
			if y.meet(err) {
				continue
			}
		}
		y.s = nil // the process dies
	}
}

// history reads every retained height, whole.
func history(t testing.TB, s *state.State) (out []string) {
	t.Helper()
	for h := s.Earliest(); h <= s.Height(); h++ {
		snap, err := s.At(h)
		must(t, err)
		out = append(out, fmt.Sprintf("%d %x", h, snap.Root()))
		must(t, snap.Scan(storyRows, nil, nil, false, func(key, value []byte) bool {
			out = append(out, fmt.Sprintf("%s=%s", key, value))
			return true
		}))
		snap.Close()
	}
	return out
}

// sound has everything in the storage looked at: nothing is damaged, and nothing left behind.
func sound(t testing.TB, s *state.State) {
	t.Helper()
	report, err := s.Verify(t.Context(), nil)
	must(t, err)
	if report.Found > 0 {
		t.Fatalf("of %d rows %d are not sound: %v", report.Stored, report.Found, report.Findings)
	}
}

func newStory(t testing.TB) (*story, *state.Memory) {
	memory := state.NewMemory()
	return &story{disk: &statetest.Faults{DB: memory}, t: t}, memory
}

func TestEveryWriteFailsOnce(t *testing.T) {
	reference, _ := newStory(t)
	reference.run()
	want := history(t, reference.s)
	if reference.s.Earliest() != storyHeights-storyOptions.Keep+1 {
		t.Fatalf("the story keeps from height %d on", reference.s.Earliest())
	}
	for _, lost := range []bool{true, false} {
		for n := 1; ; n++ {
			y, _ := newStory(t)
			y.disk.FailWrite(n, lost)
			y.run()
			if y.disk.Pending() {
				if want := 2*storyHeights - int(storyOptions.Keep); n != want+1 {
					t.Fatalf("%d heights and %d prunings took %d writes, want one each", storyHeights, storyHeights-storyOptions.Keep, n-1)
				}
				break
			}
			if got := history(t, y.s); !slices.Equal(got, want) || y.faults != 1 {
				t.Fatalf("write %d failed, lost %v: %d faults, history\n%q\nwant\n%q", n, lost, y.faults, got, want)
			}
			sound(t, y.s)
		}
	}
}

func TestEveryReadFailsOnce(t *testing.T) {
	reference, _ := newStory(t)
	reference.run()
	want := history(t, reference.s)
	n := 1
	for ; ; n++ {
		y, _ := newStory(t)
		y.disk.FailRead(n)
		y.run()
		if y.disk.Pending() {
			break
		}
		if got := history(t, y.s); !slices.Equal(got, want) {
			t.Fatalf("read %d failed: history\n%q\nwant\n%q", n, got, want)
		}
		sound(t, y.s)
	}
	if n < 140 {
		t.Errorf("only %d reads in the story: the cache hides the disk from this test", n)
	}
}

// A scan under a failing read is whole or an error, never short.
func TestScanIsNeverShort(t *testing.T) {
	y, _ := newStory(t)
	y.run()
	full := func(s interface {
		Scan(c, start, end []byte, reverse bool, visit func(k, v []byte) bool) error
	}, reverse bool) (out []string, err error) {
		err = s.Scan(storyRows, []byte("03"), []byte("20"), reverse, func(k, v []byte) bool {
			out = append(out, string(k)+string(v))
			return true
		})
		return out, err
	}
	for _, reverse := range []bool{false, true} {
		snap, err := y.s.At(0)
		must(t, err)
		overlay := y.s.Overlay()
		want, err := full(snap, reverse)
		must(t, err)
		for n := 1; ; n++ {
			y.disk.FailRead(n)
			a, errA := full(snap, reverse)
			if errA == nil && !slices.Equal(a, want) {
				t.Fatalf("read %d failed, the scan of a snapshot gave %q, want %q", n, a, want)
			}
			done := y.disk.Pending()
			y.disk.FailRead(n)
			b, errB := full(overlay, reverse)
			if errB == nil && !slices.Equal(b, want) {
				t.Fatalf("read %d failed, the scan of an overlay gave %q, want %q", n, b, want)
			}
			y.disk.FailRead(0)
			if done {
				break
			}
			if errA == nil || errB == nil {
				t.Fatalf("read %d failed and the scan said %v, %v", n, errA, errB)
			}
		}
		snap.Close()
	}
}

// Rows with a flipped bit, with another's content, or gone: the state says so, or
// does not need the row; it never answers differently and never panics.
func TestDamageIsFound(t *testing.T) {
	y, memory := newStory(t)
	y.run()
	want := history(t, y.s)
	type stored struct{ key, value []byte }
	var disk []stored
	must(t, memory.Scan(nil, nil, false, func(key, value []byte) bool {
		disk = append(disk, stored{bytes.Clone(key), bytes.Clone(value)})
		return true
	}))
	put := func(key, value []byte) {
		var b state.Batch
		b.Set(key, value)
		must(t, memory.Write(&b, false))
	}
	spared := 0 // rows that reading everything does not need: the tree below its root, the lists of what is stale
	for _, row := range disk {
		harmless := false
		judge := func(damage string) {
			t.Helper()
			if s, err := state.Open(memory, storyOptions); err == nil {
				if report, err := s.Verify(t.Context(), nil); err != nil || report.Found == 0 {
					t.Fatalf("row %x %s: looking at everything found nothing, %v", row.key, damage, err)
				}
			}
			got, err := reread(memory)
			switch {
			case err == nil && slices.Equal(got, want):
				harmless = true
			case err == nil && damage == "lost" && (row.key[0] == 'r' || row.key[0] == 'd'):
				// A row of which nobody has asked for more than a get or a scan is as if it had never been; the
				// checksum that would tell is lost with it. Who looks at everything misses it.
			case err == nil:
				t.Fatalf("row %x %s was read as\n%q, was\n%q", row.key, damage, got, want)
			case !errors.Is(err, state.ErrCorrupt):
				t.Fatalf("row %x %s: the error is %v", row.key, damage, err)
			}
		}
		for bit := 0; bit < 8*len(row.value); bit += 5 {
			bad := bytes.Clone(row.value)
			bad[bit/8] ^= 1 << (bit % 8)
			put(row.key, bad)
			judge(fmt.Sprintf("with bit %d flipped", bit))
		}
		if other := disk[len(disk)/2]; !bytes.Equal(other.key, row.key) {
			put(row.key, other.value)
			judge("with the content of another")
		}
		put(row.key, row.value[:2])
		judge("cut short")
		var b state.Batch
		b.Delete(row.key)
		must(t, memory.Write(&b, false))
		judge("lost")
		put(row.key, row.value)
		if harmless {
			spared++
		}
	}
	if spared > len(disk)/2 {
		t.Errorf("%d of %d rows can be damaged without notice", spared, len(disk))
	}
	if got, err := reread(memory); err != nil || !slices.Equal(got, want) {
		t.Fatalf("put back, the rows read as %q, %v", got, err)
	}
}

// A storage that lost a write, and shows what a row was before or a row that was deleted, has good checksums. Looking at
// everything finds it.
func TestLostWritesAreFound(t *testing.T) {
	memory := state.NewMemory()
	s := open(t, memory, storyOptions)
	captured := map[string][][]byte{} // everything that was ever stored under a key
	capture := func() {
		must(t, memory.Scan(nil, nil, false, func(key, value []byte) bool {
			for _, old := range captured[string(key)] {
				if bytes.Equal(old, value) {
					return true
				}
			}
			captured[string(key)] = append(captured[string(key)], bytes.Clone(value))
			return true
		}))
	}
	for height := uint64(1); height <= storyHeights; height++ {
		o := s.Overlay()
		must(t, storyBlock(o, height))
		// There and back again; alone in its collection, and gone.
		must(t, o.Set(storyRows, []byte("turn"), fmt.Append(nil, height%2)))
		if height%3 > 0 {
			must(t, o.Set([]byte("coming and going"), []byte("k"), fmt.Append(nil, height%3)))
		} else {
			must(t, o.Delete([]byte("coming and going"), []byte("k")))
		}
		commit(t, s, o)
		capture()
		if height%5 > 0 {
			_, err := s.Prune(1)
			must(t, err)
			capture()
		}
	}
	sound(t, s)
	tried := 0
	for key, values := range captured {
		now, err := memory.Get([]byte(key))
		must(t, err)
		put := func(value []byte) {
			var b state.Batch
			if value == nil {
				b.Delete([]byte(key))
			} else {
				b.Set([]byte(key), value)
			}
			must(t, memory.Write(&b, false))
		}
		for _, value := range values {
			if bytes.Equal(value, now) {
				continue
			}
			put(value)
			tried++
			if report, err := s.Verify(t.Context(), nil); err != nil || report.Found == 0 {
				t.Errorf("row %x shows %x, should show %x, and nothing is found, %v", key, value, now, err)
			}
			put(now)
		}
	}
	if tried < 100 {
		t.Errorf("%d lost writes", tried)
	}
	sound(t, s)
}

// A tree whose root page becomes one of several below a new root has nothing that is stale.
func TestSoundWithNothingStale(t *testing.T) {
	for rows := range 60 {
		s := open(t, state.NewMemory(), state.Options{})
		o := s.Overlay()
		for i := range rows {
			must(t, o.Set(storyRows, fmt.Append(nil, i), nil))
		}
		commit(t, s, o)
		o = s.Overlay()
		must(t, o.Set([]byte("another"), nil, nil))
		commit(t, s, o)
		sound(t, s)
	}
}

// A list of what is stale that is gone would leave its rows for ever, also where there was but one.
func TestLostListsAreFound(t *testing.T) {
	memory := state.NewMemory()
	s := open(t, memory, state.Options{})
	for height := range 4 {
		o := s.Overlay()
		if height%2 == 0 {
			must(t, o.Set(storyRows, []byte("k"), nil))
		} else {
			must(t, o.Delete(storyRows, []byte("k")))
		}
		commit(t, s, o)
	}
	sound(t, s)
	var lists [][]byte
	must(t, memory.Scan([]byte("s"), []byte("t"), false, func(key, _ []byte) bool {
		lists = append(lists, bytes.Clone(key))
		return true
	}))
	if len(lists) != 3 {
		t.Fatalf("%d lists", len(lists))
	}
	for _, key := range lists {
		value, err := memory.Get(key)
		must(t, err)
		var gone, back state.Batch
		gone.Delete(key)
		back.Set(key, value)
		must(t, memory.Write(&gone, false))
		if report, err := s.Verify(t.Context(), nil); err != nil || report.Found == 0 {
			t.Errorf("list %x is gone: %v, %v", key, report, err)
		}
		must(t, memory.Write(&back, false))
	}
}

// reread opens the state and reads all of it.
func reread(db state.DB) (out []string, err error) {
	s, err := state.Open(db, storyOptions)
	if err != nil {
		return nil, err
	}
	for h := s.Earliest(); h <= s.Height(); h++ {
		snap, err := s.At(h)
		if err != nil {
			return nil, err
		}
		defer snap.Close()
		out = append(out, fmt.Sprintf("%d %x", h, snap.Root()))
		err = snap.Scan(storyRows, nil, nil, false, func(key, value []byte) bool {
			out = append(out, fmt.Sprintf("%s=%s", key, value))
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// The disk does not grow with the heights.
func TestPruningLeavesNothingBehind(t *testing.T) {
	memory := state.NewMemory()
	s := open(t, memory, state.Options{Keep: 2})
	size := 0
	for height := uint64(1); height <= 400; height++ {
		o := s.Overlay()
		for i := range uint64(10) {
			must(t, o.Set(storyRows, fmt.Appendf(nil, "%d", i), fmt.Appendf(nil, "%d", height)))
		}
		commit(t, s, o)
		prune(t, s)
		if height == 10 {
			size = memory.Len()
		}
		if height%50 == 0 {
			s = open(t, memory, state.Options{Keep: 2})
		}
	}
	if memory.Len() != size {
		t.Fatalf("%d rows on disk at height 400, %d at height 10", memory.Len(), size)
	}
}
