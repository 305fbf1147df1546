package db_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wardledger/ward/node/db"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/state/statetest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, dir string) *db.DB {
	t.Helper()
	d, err := db.Open(dir, db.Options{})
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

func TestKeepsThePromisesOfAStore(t *testing.T) {
	statetest.Run(t, func(t testing.TB) statetest.Store {
		dir := t.TempDir()
		d := open(t, dir)
		return statetest.Store{DB: d, Reopen: func() state.DB {
			must(t, d.Close())
			d = open(t, dir)
			return d
		}}
	})
}

func TestOneOwner(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	if _, err := db.Open(dir, db.Options{}); !errors.Is(err, db.ErrInUse) {
		t.Errorf("a second owner: %v", err)
	}
	must(t, d.Close())
	must(t, d.Close()) // more than once
	open(t, dir)
}

func TestClosed(t *testing.T) {
	d := open(t, t.TempDir())
	must(t, d.Close())
	var b db.Batch
	b.Set([]byte("k"), nil)
	_, get := d.Get([]byte("k"))
	scan := d.Scan(nil, nil, false, func(_, _ []byte) bool { return true })
	_, stats := d.Stats()
	for what, err := range map[string]error{"get": get, "scan": scan, "write": d.Write(&b, true), "stats": stats} {
		if !errors.Is(err, db.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, o := range []db.Options{{CacheMiB: -1}, {BufferMiB: -1}, {CacheMiB: 1 << 30}, {BufferMiB: 1 << 30}} {
		if _, err := db.Open(t.TempDir(), o); err == nil {
			t.Errorf("options %+v were taken", o)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := db.Open(file, db.Options{}); err == nil {
		t.Error("a file was taken for a folder")
	}
}

// files is what a folder has, byte for byte.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	names, err := os.ReadDir(dir)
	must(t, err)
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join(dir, n.Name()))
		must(t, err)
		out[n.Name()] = string(b)
	}
	return out
}

// Who only reads sees what is in the journal too, and changes no file.
func TestReadOnly(t *testing.T) {
	dir, _ := built(t)
	before := files(t, dir)
	d, err := db.Open(dir, db.Options{ReadOnly: true})
	must(t, err)
	if got := laid(t, d); got != 5 {
		t.Errorf("%d batches, want 5", got)
	}
	var b db.Batch
	b.Set([]byte("k"), nil)
	if err := d.Write(&b, true); err == nil {
		t.Error("something was written")
	}
	must(t, d.Close())
	if after := files(t, dir); !maps.Equal(before, after) {
		t.Errorf("files %q, were %q", slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
	}
	if _, err := db.Open(filepath.Join(t.TempDir(), "none"), db.Options{ReadOnly: true}); err == nil {
		t.Error("a folder that is not there was opened to read")
	}
}

func TestStats(t *testing.T) {
	d, err := db.Open(t.TempDir(), db.Options{BufferMiB: 1})
	must(t, err)
	defer d.Close()
	for i := 1; i <= 20; i++ {
		lay(t, d, i)
	}
	s, err := d.Stats()
	must(t, err)
	if s.DiskBytes == 0 || s.Tables == 0 {
		t.Errorf("%+v after 3 MB", s)
	}
}
