package db_test

import (
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
