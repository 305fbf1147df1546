package db_test

import (
	"errors"
	"os"
	"path/filepath"
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
