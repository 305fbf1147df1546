package peers

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"testing"
)

// TestStores holds each adapter against a map: a benchmark that compares things
// which do not work compares nothing.
func TestStores(t *testing.T) {
	for _, p := range peers {
		for name, o := range map[string]options{"default": {}, "keep=3": {keep: 3}, "sync": {sync: true}} {
			t.Run(p.name+"/"+name, func(t *testing.T) { testStore(t, p, o) })
		}
	}
}

func testStore(t *testing.T, p peer, o options) {
	const keys, block = 1000, 100
	dir := t.TempDir()
	s, err := p.open(dir, o)
	check(t, err)
	defer func() { check(t, s.Close()) }()

	w := newWorkload(keys, 1)
	want := map[string][]byte{}
	write := func(rows []row) {
		t.Helper()
		for _, r := range rows {
			if len(r.key) != keyLen || len(r.value) != valueLen {
				t.Fatalf("row of %d and %d bytes", len(r.key), len(r.value))
			}
			want[string(r.key)] = r.value
		}
		check(t, s.Write(rows))
	}
	for i := 0; i < keys; i += block {
		write(w.rows(i, i+block))
		agree(t, s, want)
	}
	if len(want) != keys {
		t.Fatalf("%d keys are %d different ones", keys, len(want))
	}
	for range 8 {
		write(w.rewrites(block))
	}
	agree(t, s, want)

	check(t, s.Close())
	s, err = p.open(dir, o)
	check(t, err)
	agree(t, s, want)
	write(w.rewrites(block))
	agree(t, s, want)

	if value, err := s.Get(keyAt(keys)); value != nil || err != nil {
		t.Errorf("a key that is not there: %x, %v", value, err)
	}
}

// agree compares every row, scans from some of them on, and proofs.
func agree(t *testing.T, s store, want map[string][]byte) {
	t.Helper()
	order := slices.Sorted(maps.Keys(want))
	for _, key := range order {
		if value, err := s.Get([]byte(key)); err != nil || !bytes.Equal(value, want[key]) {
			t.Fatalf("get %x: %x, %v, want %x", key, value, err, want[key])
		}
	}
	for i := 0; i < len(order); i += 37 {
		next := i
		err := s.Scan([]byte(order[i]), 50, func(key, value []byte) {
			// A store may leave the prefix out, which all rows share.
			if next == len(order) || !bytes.HasSuffix([]byte(order[next]), key) || len(key) < keyLen-prefixLen || !bytes.Equal(value, want[order[next]]) {
				t.Fatalf("scan from row %d: row %d is %x", i, next, key)
			}
			next++
		})
		check(t, err)
		if wanted := min(50, len(order)-i); next-i != wanted {
			t.Fatalf("scan from row %d: %d rows, want %d", i, next-i, wanted)
		}
		proof, err := s.Prove([]byte(order[i]))
		if errors.Is(err, errNone) {
			continue
		}
		check(t, err)
		v, ok := s.(verifier)
		if !ok {
			continue
		}
		key, value := []byte(order[i]), want[order[i]]
		if err := v.Verify(key, value, proof); err != nil {
			t.Fatalf("the proof of %x: %v", key, err)
		}
		if v.Verify(key, append([]byte{^value[0]}, value[1:]...), proof) == nil {
			t.Fatalf("the proof of %x proves another value, too", key)
		}
	}
}
