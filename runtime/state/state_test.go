package state_test

import (
	"bytes"
	"testing"

	"github.com/wardledger/ward/runtime/state"
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
