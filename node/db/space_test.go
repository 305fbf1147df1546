package db_test

import (
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/wardledger/ward/node/db"
	"github.com/wardledger/ward/runtime/state"
)

// folderSize is what the files of a folder take, in bytes.
func folderSize(t testing.TB, dir string) (size int64) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return nil // a table that was merged into another meanwhile
		}
		size += info.Size()
		return nil
	}))
	return size
}

// A state that keeps few heights gives the space of the others back, to the file system and not only to itself.
func TestSpaceIsReturned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	d, err := db.Open(dir, db.Options{BufferMiB: 1})
	must(t, err)
	defer d.Close()
	s, err := state.Open(d, state.Options{Keep: stateKeep})
	must(t, err)
	// Two journals and the tables of level 0 until they are merged, of 1 MiB each; what is kept is half of one. LevelDB
	// merges four tables when it comes to it, beside us: on a busy machine there are up to twelve, and then it lets us wait. Every height
	// writes 110 kB, so that 600 would take 69 MB.
	const bound = (2 + 12 + 2) << 20
	most := int64(0)
	for s.Height() < 600 {
		must(t, stateBlock(t, s).Commit())
		_, err := s.Prune(2)
		must(t, err)
		if most = max(most, folderSize(t, dir)); most > bound {
			t.Fatalf("the folder takes %d bytes at height %d", most, s.Height())
		}
	}
	t.Logf("at most %d kB", most>>10)
}
