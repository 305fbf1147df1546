package peers

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A population is a closed store of so many keys, made once and then only copied
// or read. Behind its last insertion come history blocks of historyBlock random
// rewrites, and as many heights are kept, so that the readers meet the tree of a
// chain at work and not that of a bulk load.
const (
	insertBlock  = 10_000
	history      = 10
	historyBlock = 2000
	seedOfRows   = 1
	seedOfTrials = 2
)

// populate returns the folder of the population, which it makes below dir unless
// it is there. A run that ended early leaves nothing that a later one would take
// for whole.
func populate(b testing.TB, p peer, dir string, keys int) string {
	b.Helper()
	at := filepath.Join(dir, fmt.Sprintf("%s-%d", p.name, keys))
	if _, err := os.Stat(at); err == nil {
		return at
	}
	part := at + ".part"
	check(b, os.RemoveAll(part))
	start := time.Now()
	s, err := p.open(part, options{keep: history})
	check(b, err)
	w := newWorkload(keys, seedOfRows)
	for i := 0; i < keys; i += insertBlock {
		check(b, s.Write(w.rows(i, min(i+insertBlock, keys))))
	}
	inserted := time.Since(start)
	for range history {
		check(b, s.Write(w.rewrites(min(historyBlock, keys))))
	}
	check(b, s.Close())
	check(b, os.Rename(part, at))
	b.Logf("%s: %d keys inserted in %v, %v with the rewrites", p.name, keys, inserted.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
	return at
}

// copied returns a copy of the folder on the same disk, for a benchmark that
// writes.
func copied(b *testing.B, dir string) string {
	to, err := os.MkdirTemp(filepath.Dir(dir), "copy-")
	check(b, err)
	b.Cleanup(func() { check(b, os.RemoveAll(to)) })
	check(b, os.CopyFS(to, os.DirFS(dir)))
	return to
}

// diskSize returns the bytes of all files below dir.
func diskSize(b *testing.B, dir string) (size int64) {
	check(b, filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	}))
	return size
}

func check(tb testing.TB, err error) {
	if err != nil {
		tb.Helper()
		tb.Fatal(err)
	}
}
