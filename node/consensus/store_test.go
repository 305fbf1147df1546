package consensus

import (
	"testing"

	dbm "github.com/cometbft/cometbft-db"
)

// A closed store is empty to whoever still reads it, and refuses everything else.
func TestClosedStore(t *testing.T) {
	db, err := dbm.NewDB("x", dbm.GoLevelDBBackend, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &store{DB: db}
	key := []byte("key")
	if err := s.Set(key, []byte("value")); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Get(key); err != nil || string(v) != "value" {
		t.Fatalf("open: %q, %v", v, err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := s.Get(key); v != nil || err != nil {
		t.Errorf("closed: %q, %v", v, err)
	}
	if ok, err := s.Has(key); ok || err != nil {
		t.Errorf("closed: has %v, %v", ok, err)
	}
	if _, err := s.Iterator(nil, nil); err == nil {
		t.Error("closed: an iterator")
	}
	if _, err := s.ReverseIterator(nil, nil); err == nil {
		t.Error("closed: a reverse iterator")
	}
	if err := s.SetSync(key, nil); err == nil {
		t.Error("closed: a write")
	}
}
