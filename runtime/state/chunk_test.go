package state_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/state/statetest"
)

func export(t testing.TB, s *state.State, height uint64) (chunks [][]byte) {
	t.Helper()
	snap, err := s.At(height)
	must(t, err)
	defer snap.Close()
	must(t, snap.Export(t.Context(), func(b []byte) error { chunks = append(chunks, b); return nil }))
	return chunks
}

// exported is a state of several collections, large rows and a past, with the chunks of its last height but one.
func exported(t testing.TB, rows int) (s *state.State, height uint64, chunks [][]byte) {
	s = open(t, state.NewMemory(), state.Options{})
	for h := range 3 {
		o := s.Overlay()
		for i := range rows {
			c := fmt.Appendf(nil, "collection %d", i%5)
			must(t, o.Set(c, fmt.Appendf(nil, "key %d", i), bytes.Repeat([]byte{byte(i), byte(h)}, i%300)))
		}
		must(t, o.Set([]byte("large"), []byte{byte(h)}, make([]byte, 3<<20)))
		must(t, o.Delete([]byte("collection 1"), fmt.Appendf(nil, "key %d", 1+5*h)))
		commit(t, s, o)
	}
	return s, 2, export(t, s, 2)
}

func TestExportImport(t *testing.T) {
	s, height, chunks := exported(t, 30_000)
	if len(chunks) < 4 {
		t.Fatalf("%d chunks", len(chunks))
	}
	if again := export(t, s, height); !slices.EqualFunc(chunks, again, bytes.Equal) {
		t.Error("two exports of one height differ")
	}
	snap, err := s.At(height)
	must(t, err)
	defer snap.Close()
	db := state.NewMemory()
	for i, c := range chunks {
		in, err := state.OpenImport(db, height, snap.Root()) // as after a crash, before each
		must(t, err)
		if in.Next() != uint64(i) {
			t.Fatalf("next is %d, want %d", in.Next(), i)
		}
		if _, err := state.Open(db, state.Options{}); i > 0 && err == nil {
			t.Error("a state was opened whose import is not finished")
		}
		if i > 0 {
			if _, err := in.Add(chunks[i-1]); !errors.Is(err, state.ErrChunk) {
				t.Errorf("the chunk before: %v", err)
			}
		}
		if i+1 < len(chunks) {
			if _, err := in.Add(chunks[i+1]); !errors.Is(err, state.ErrChunk) {
				t.Errorf("the chunk behind: %v", err)
			}
		}
		done, err := in.Add(c)
		if err != nil || done != (i == len(chunks)-1) {
			t.Fatalf("chunk %d of %d: done %v, %v", i, len(chunks), done, err)
		}
	}
	if _, err := state.OpenImport(db, height, snap.Root()); err == nil {
		t.Error("an import into a state")
	}
	other := open(t, db, state.Options{})
	if other.Height() != height || !bytes.Equal(other.Root(), snap.Root()) || other.Earliest() != height {
		t.Fatalf("height %d root %x", other.Height(), other.Root())
	}
	sound(t, other)
	if again := export(t, other, 0); !slices.EqualFunc(chunks, again, bytes.Equal) {
		t.Error("what was imported is exported otherwise")
	}
	a, err := snap.Prove([]byte("collection 2"), []byte("key 7"))
	must(t, err)
	now, err := other.At(0)
	must(t, err)
	defer now.Close()
	b, err := now.Prove([]byte("collection 2"), []byte("key 7"))
	must(t, err)
	if x, y := a.String(), b.String(); x != y {
		t.Errorf("proofs differ: %s, %s", x, y)
	}
	// And both go on to the same root.
	var roots [][]byte
	twin := open(t, state.NewMemory(), state.Options{})
	_ = twin
	o := other.Overlay()
	must(t, o.Set([]byte("collection 2"), []byte("key 7"), []byte("new")))
	roots = append(roots, commit(t, other, o))
	if bytes.Equal(roots[0], snap.Root()) {
		t.Error("a change and the same root")
	}
	sound(t, other)
}

// A chunk from a liar is refused whatever is wrong with it, and the import goes on.
func TestForgedChunks(t *testing.T) {
	s, height, chunks := exported(t, 9_000)
	snap, err := s.At(height)
	must(t, err)
	defer snap.Close()
	db := state.NewMemory()
	in, err := state.OpenImport(db, height, snap.Root())
	must(t, err)
	for i, c := range chunks {
		for at := 0; at < len(c); at += 1 + len(c)/97 {
			bad := bytes.Clone(c)
			bad[at] ^= 1 << (at % 8)
			if _, err := in.Add(bad); !errors.Is(err, state.ErrChunk) {
				t.Fatalf("chunk %d with another byte %d: %v", i, at, err)
			}
		}
		for _, n := range []int{0, 1, 2, 40, len(c) - 1} {
			if _, err := in.Add(c[:n]); !errors.Is(err, state.ErrChunk) {
				t.Fatalf("%d bytes of chunk %d: %v", n, i, err)
			}
		}
		if _, err := in.Add(append(bytes.Clone(c), 0)); !errors.Is(err, state.ErrChunk) {
			t.Fatal("a byte more")
		}
		if _, err := in.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	sound(t, open(t, db, state.Options{}))
	if _, err := state.OpenImport(state.NewMemory(), height, snap.Root()[:31]); err == nil {
		t.Error("a short root")
	}
}

// The flag that says whether more chunks follow is proven too: a liar who sets it on the last one would have the import
// wait for ever.
func TestForgedEnd(t *testing.T) {
	s, height, chunks := exported(t, 9_000)
	snap, err := s.At(height)
	must(t, err)
	defer snap.Close()
	in, err := state.OpenImport(state.NewMemory(), height, snap.Root())
	must(t, err)
	for i, c := range chunks {
		bad := bytes.Clone(c)
		bad[1] ^= 1
		if _, err := in.Add(bad); !errors.Is(err, state.ErrChunk) {
			t.Fatalf("chunk %d of %d with the other flag: %v", i, len(chunks), err)
		}
		if _, err := in.Add(c); err != nil {
			t.Fatal(err)
		}
	}
}

// An import that could not write does not know what is on disk, and takes nothing more.
func TestImportAfterAFailedWrite(t *testing.T) {
	s, height, chunks := exported(t, 30_000)
	snap, err := s.At(height)
	must(t, err)
	defer snap.Close()
	disk := &statetest.Faults{DB: state.NewMemory()}
	in, err := state.OpenImport(disk, height, snap.Root())
	must(t, err)
	_, err = in.Add(chunks[0])
	must(t, err)
	disk.FailWrite(1, false)
	for range 2 {
		if _, err := in.Add(chunks[1]); !errors.Is(err, statetest.ErrFault) {
			t.Fatalf("%v", err)
		}
	}
	in, err = state.OpenImport(disk, height, snap.Root())
	must(t, err)
	for done := false; !done; {
		done, err = in.Add(chunks[in.Next()])
		must(t, err)
	}
	sound(t, open(t, disk, state.Options{}))
}

// Each write of an import fails once, with and without a trace; it goes on from what the disk says.
func TestImportOnABrokenDisk(t *testing.T) {
	s, height, chunks := exported(t, 9_000)
	snap, err := s.At(height)
	must(t, err)
	defer snap.Close()
	for n := range chunks {
		for _, lost := range []bool{true, false} {
			disk := &statetest.Faults{DB: state.NewMemory()}
			disk.FailWrite(n+1, lost)
			for done := false; !done; {
				in, err := state.OpenImport(disk, height, snap.Root())
				if err != nil && !lost && n == len(chunks)-1 {
					break // it was finished before it was denied
				}
				must(t, err)
				for !done && err == nil {
					done, err = in.Add(chunks[in.Next()])
				}
				if err != nil && !errors.Is(err, statetest.ErrFault) {
					t.Fatal(err)
				}
			}
			other := open(t, disk, state.Options{})
			if !bytes.Equal(other.Root(), snap.Root()) {
				t.Fatalf("root %x", other.Root())
			}
			sound(t, other)
		}
	}
}

// Nobody waits for it any more: an export ends before it has read everything.
func TestExportEnds(t *testing.T) {
	s, height, _ := exported(t, 9_000)
	snap, err := s.At(height)
	must(t, err)
	defer snap.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = snap.Export(ctx, func([]byte) error { t.Error("a chunk"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := s.Verify(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("verify: %v", err)
	}
}

// Nothing travels too.
func TestExportNothing(t *testing.T) {
	s := open(t, state.NewMemory(), state.Options{})
	root := commit(t, s, s.Overlay())
	chunks := export(t, s, 1)
	db := state.NewMemory()
	in, err := state.OpenImport(db, 1, root)
	must(t, err)
	if done, err := in.Add(chunks[0]); !done || err != nil || len(chunks) != 1 {
		t.Fatalf("%d chunks, done %v, %v", len(chunks), done, err)
	}
	if s := open(t, db, state.Options{}); s.Height() != 1 || !bytes.Equal(s.Root(), root) {
		t.Errorf("height %d, root %x", s.Height(), s.Root())
	}
}

func FuzzChunk(f *testing.F) {
	s := open(f, state.NewMemory(), state.Options{})
	o := s.Overlay()
	for i := range 50 {
		must(f, o.Set([]byte{'a' + byte(i%3)}, fmt.Append(nil, i), fmt.Append(nil, "value", i)))
	}
	root := commit(f, s, o)
	snap, err := s.At(0)
	must(f, err)
	must(f, snap.Export(context.Background(), func(b []byte) error { f.Add(b); return nil }))
	f.Fuzz(func(t *testing.T, b []byte) {
		db := state.NewMemory()
		in, err := state.OpenImport(db, 1, root)
		must(t, err)
		done, err := in.Add(b)
		if err != nil {
			if !errors.Is(err, state.ErrChunk) || db.Len() > 0 {
				t.Fatalf("%v, %d rows", err, db.Len())
			}
			return
		}
		if done {
			if s := open(t, db, state.Options{}); !bytes.Equal(s.Root(), root) {
				t.Fatalf("root %x", s.Root())
			}
		}
	})
}
