package db_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/node/db"
	"github.com/wardledger/ward/runtime/state"
)

// layRows is how many rows of its own each batch of lay has: five blocks of
// LevelDB's journal.
const layRows = 300

// lay writes batch i.
func lay(t testing.TB, d *db.DB, i int) {
	var b db.Batch
	for j := range layRows {
		b.Set(fmt.Appendf(nil, "%04d/%04d", i, j), bytes.Repeat([]byte{byte(i)}, 500))
	}
	b.Set([]byte("last"), []byte(strconv.Itoa(i)))
	must(t, d.Write(&b, true))
}

// laid returns the number of the last batch, after looking that all rows of the
// batches up to it are there, and none of another.
func laid(t testing.TB, d *db.DB) (last int) {
	t.Helper()
	value, err := d.Get([]byte("last"))
	must(t, err)
	if value != nil {
		last, err = strconv.Atoi(string(value))
		must(t, err)
	}
	rows := 0
	must(t, d.Scan([]byte("0"), []byte("9"), false, func(key, _ []byte) bool {
		rows++
		if i, _ := strconv.Atoi(string(key[:4])); i > last {
			t.Errorf("row %s is there, and the last batch is %d", key, last)
			return false
		}
		return true
	}))
	if rows != last*layRows {
		t.Errorf("%d rows of %d batches", rows, last)
	}
	return last
}

// copyDir copies the files of a folder that is not open.
func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	must(t, os.CopyFS(filepath.Join(to, "db"), os.DirFS(from)))
	return filepath.Join(to, "db")
}

// journal returns the one journal file of a folder.
func journal(t testing.TB, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.log"))
	must(t, err)
	if len(files) != 1 {
		t.Fatalf("journals %q, want one", files)
	}
	return files[0]
}

// built returns a closed folder with five batches in its journal, and the size of
// the journal behind each.
func built(t testing.TB) (dir string, sizes []int64) {
	dir = filepath.Join(t.TempDir(), "db")
	d := open(t, dir)
	for i := 1; i <= 5; i++ {
		lay(t, d, i)
		info, err := os.Stat(journal(t, dir))
		must(t, err)
		sizes = append(sizes, info.Size())
	}
	must(t, d.Close())
	return dir, sizes
}

// A journal that ends anywhere, as after a crash, gives the batches before.
func TestTornJournal(t *testing.T) {
	dir, sizes := built(t)
	random := rand.New(rand.NewPCG(1, 2))
	var cuts []int64
	for i, size := range sizes {
		from := int64(0)
		if i > 0 {
			from = sizes[i-1]
		}
		cuts = append(cuts, from, from+6, from+7, from+random.Int64N(size-from), size-1)
	}
	for i, cut := range cuts {
		want := 0
		for _, size := range sizes {
			if size <= cut {
				want++
			}
		}
		torn := copyDir(t, dir)
		must(t, os.Truncate(journal(t, torn), cut))
		// A file system may leave zeros behind the cut.
		zeros := []int64{0, 100, 40_000}[i%3]
		must(t, os.Truncate(journal(t, torn), cut+zeros))
		d, err := db.Open(torn, db.Options{})
		if err != nil {
			t.Fatalf("cut at %d, %d zeros: %v", cut, zeros, err)
		}
		if got := laid(t, d); got != want {
			t.Errorf("cut at %d, %d zeros: %d batches, want %d", cut, zeros, got, want)
		}
		lay(t, d, want+1)
		must(t, d.Close())
		d = open(t, torn)
		if got := laid(t, d); got != want+1 {
			t.Errorf("cut at %d, continued: %d batches, want %d", cut, got, want+1)
		}
		must(t, d.Close())
	}
}

// A state over a journal that ends anywhere, or in what was in the file system's block before, comes back whole at the last height
// that is in it, and goes on to the roots of a state that never crashed.
func TestTornState(t *testing.T) {
	const blocks = 8
	options := state.Options{Keep: stateKeep}
	twin, err := state.Open(state.NewMemory(), options)
	must(t, err)
	roots := [][]byte{nil}
	for range blocks + 2 {
		must(t, stateBlock(t, twin).Commit())
		roots = append(roots, twin.Root())
	}
	dir := filepath.Join(t.TempDir(), "db")
	d := open(t, dir)
	s, err := state.Open(d, options)
	must(t, err)
	size := func() int64 {
		info, err := os.Stat(journal(t, dir))
		must(t, err)
		return info.Size()
	}
	var ends, all []int64 // of the journal: behind each height, behind each batch
	for range blocks {
		must(t, stateBlock(t, s).Commit())
		ends = append(ends, size())
		all = append(all, size())
		_, err := s.Prune(1 + int(s.Height()%3))
		must(t, err)
		all = append(all, size())
	}
	must(t, d.Close())
	// Around each end of a batch and of LevelDB's blocks of 32 kB, with their heads of 7 bytes, and anywhere.
	var cuts []int64
	for _, end := range all {
		cuts = append(cuts, end-1, end, end+1, end+6, end+7, end+8)
	}
	for end := int64(32 << 10); end < all[len(all)-1]; end += 32 << 10 {
		cuts = append(cuts, end-8, end-7, end-1, end, end+1, end+7)
	}
	random := rand.New(rand.NewPCG(8, 9))
	for range 20 {
		cuts = append(cuts, random.Int64N(all[len(all)-1]))
	}
	for i, cut := range cuts {
		if cut = min(cut, all[len(all)-1]); testing.Short() && i%10 > 0 {
			continue
		}
		want := uint64(0)
		for _, end := range ends {
			if end <= cut {
				want++
			}
		}
		torn := copyDir(t, dir)
		file := journal(t, torn)
		must(t, os.Truncate(file, cut))
		switch i % 3 {
		case 1:
			must(t, os.Truncate(file, cut+int64(random.IntN(40_000)))) // zeros
		case 2:
			f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
			must(t, err)
			for range random.IntN(5000) {
				_, err := f.Write([]byte{byte(random.Uint32())})
				must(t, err)
			}
			must(t, f.Close())
		}
		d, err := db.Open(torn, db.Options{})
		if err != nil {
			t.Fatalf("cut %d at %d: %v", i, cut, err)
		}
		s, err := state.Open(d, options)
		if err != nil {
			t.Fatalf("cut %d at %d: %v", i, cut, err)
		}
		if s.Height() != want || !bytes.Equal(s.Root(), roots[want]) {
			t.Fatalf("cut %d at %d: height %d root %x, want %d %x", i, cut, s.Height(), s.Root(), want, roots[want])
		}
		sound := func() {
			t.Helper()
			report, err := s.Verify(t.Context(), nil)
			must(t, err)
			if report.Found > 0 {
				t.Fatalf("cut %d at %d: %v", i, cut, report.Findings)
			}
		}
		sound()
		for range 2 {
			must(t, stateBlock(t, s).Commit())
			_, err := s.Prune(10)
			must(t, err)
			if !bytes.Equal(s.Root(), roots[s.Height()]) {
				t.Fatalf("cut %d at %d, continued: height %d root %x, want %x", i, cut, s.Height(), s.Root(), roots[s.Height()])
			}
		}
		sound()
		must(t, d.Close())
	}
}

// Damage in front of a whole record is refused, never skipped. In the last two
// records it may look like what a crash leaves; then they are dropped together.
func TestDamagedJournal(t *testing.T) {
	dir, sizes := built(t)
	random := rand.New(rand.NewPCG(3, 4))
	refused := 0
	for n := range 40 {
		damaged := copyDir(t, dir)
		file := journal(t, damaged)
		content, err := os.ReadFile(file)
		must(t, err)
		at := random.Int64N(int64(len(content)))
		content[at] ^= 1 << (n % 8)
		must(t, os.WriteFile(file, content, 0o600))
		d, err := db.Open(damaged, db.Options{})
		if err == nil {
			if got := laid(t, d); at < sizes[2] || got < 3 {
				t.Errorf("a flipped bit at %d of %d was taken, with %d batches", at, len(content), got)
			}
			must(t, d.Close())
			continue
		}
		refused++
		if !errors.Is(err, db.ErrCorrupt) {
			t.Errorf("a flipped bit at %d: %v", at, err)
		}
		// And nothing was repaired behind the operator's back.
		after, err := os.ReadFile(file)
		must(t, err)
		if !bytes.Equal(after, content) {
			t.Errorf("a refused open changed the journal")
		}
	}
	if refused < 20 {
		t.Errorf("%d of 40 damaged journals were refused", refused)
	}
}

// A flipped bit in a table is an error when it is read.
func TestDamagedTable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	d, err := db.Open(dir, db.Options{BufferMiB: 1})
	must(t, err)
	for i := 1; i <= 20; i++ {
		lay(t, d, i)
	}
	must(t, d.Close())
	tables, err := filepath.Glob(filepath.Join(dir, "*.ldb"))
	must(t, err)
	if len(tables) == 0 {
		t.Fatal("no tables")
	}
	for _, table := range tables {
		content, err := os.ReadFile(table)
		must(t, err)
		damaged := bytes.Clone(content)
		damaged[len(content)/3] ^= 4
		must(t, os.WriteFile(table, damaged, 0o600))
		d, err := db.Open(dir, db.Options{})
		if err == nil {
			err = d.Scan(nil, nil, false, func(_, _ []byte) bool { return true })
			d.Close()
		}
		if !errors.Is(err, db.ErrCorrupt) {
			t.Errorf("a flipped bit in %s: %v", filepath.Base(table), err)
		}
		must(t, os.WriteFile(table, content, 0o600))
	}
}

const (
	childDir  = "WARD_DB_TEST_CHILD"
	stateKeep = 4
)

// stateBlock is the same in every process: what it writes depends on the height
// and on what the state holds.
func stateBlock(t testing.TB, s *state.State) *state.Stage {
	height, c := s.Height()+1, []byte("c")
	random := rand.New(rand.NewPCG(height, 7))
	o := s.Overlay()
	old, err := o.Get(c, []byte("sum"))
	must(t, err)
	sum := height
	if old != nil {
		sum += 3 * binary.BigEndian.Uint64(old)
	}
	must(t, o.Set(c, []byte("sum"), binary.BigEndian.AppendUint64(nil, sum)))
	for range 100 {
		key := binary.BigEndian.AppendUint32(nil, random.Uint32N(2000))
		if random.IntN(4) == 0 {
			must(t, o.Delete(c, key))
		} else {
			must(t, o.Set(c, key, binary.BigEndian.AppendUint64(make([]byte, random.IntN(300)), random.Uint64())))
		}
	}
	stage, err := o.Stage(height)
	must(t, err)
	return stage
}

// TestMain turns this binary into the process that gets killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		commitForEver(dir)
	}
	os.Exit(m.Run())
}

// commitForEver commits blocks and says each height and root once it is durable.
func commitForEver(dir string) {
	t := &child{}
	d, err := db.Open(dir, db.Options{BufferMiB: 1}) // small, so that tables are written and merged too
	must(t, err)
	s, err := state.Open(d, state.Options{Keep: stateKeep})
	must(t, err)
	fmt.Printf("open %d %x\n", s.Height(), s.Root())
	for {
		must(t, stateBlock(t, s).Commit())
		fmt.Printf("done %d %x\n", s.Height(), s.Root())
		_, err := s.Prune(1 + int(s.Height()%3)) // not always all
		must(t, err)
	}
}

// child is a testing.TB outside of tests.
type child struct{ testing.TB }

func (*child) Helper() {}
func (*child) Fatal(args ...any) {
	fmt.Fprintln(os.Stderr, args...)
	os.Exit(1)
}

// A process that is killed at any moment comes back at a height that it has
// announced, or at the one behind, with the root that it has everywhere. WARD_KILLS=1000 kills it as often.
func TestKilled(t *testing.T) {
	kills := 20
	if testing.Short() {
		kills = 3
	}
	if n, err := strconv.Atoi(os.Getenv("WARD_KILLS")); err == nil {
		kills = n
	}
	// What a process that is never killed would say.
	twin, err := state.Open(state.NewMemory(), state.Options{Keep: 2})
	must(t, err)
	roots := map[uint64]string{0: ""}
	root := func(height uint64) string {
		for twin.Height() < height {
			must(t, stateBlock(t, twin).Commit())
			roots[twin.Height()] = fmt.Sprintf("%x", twin.Root())
		}
		return roots[height]
	}
	self, err := os.Executable()
	must(t, err)
	dir := filepath.Join(t.TempDir(), "db")
	random := rand.New(rand.NewPCG(5, 6))
	announced := uint64(0)
	for kill := range kills {
		process := exec.Command(self)
		process.Env = append(os.Environ(), childDir+"="+dir)
		out, err := process.StdoutPipe()
		must(t, err)
		var complaints bytes.Buffer
		process.Stderr = &complaints
		must(t, process.Start())
		lines := bufio.NewScanner(out)
		first, more := true, 1+random.IntN(8)
		for lines.Scan() {
			var word, hash string
			var height uint64
			if n, _ := fmt.Sscanf(lines.Text(), "%s %d %s", &word, &height, &hash); n < 2 {
				t.Fatalf("the process says %q", lines.Text())
			}
			if hash != root(height) {
				t.Fatalf("kill %d: %s height %d with root %s, want %s", kill, word, height, hash, root(height))
			}
			if first && (word != "open" || height != announced && height != announced+1) {
				t.Fatalf("kill %d: came back with %q, had announced height %d", kill, lines.Text(), announced)
			}
			first, announced = false, height
			if more--; more == 0 {
				// Somewhere inside the next commit, which takes about that long.
				time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond)
				must(t, process.Process.Kill())
			}
		}
		io.Copy(io.Discard, out)
		if err := process.Wait(); err == nil || complaints.Len() > 0 {
			t.Fatalf("kill %d: the process ended by itself: %v, %s", kill, err, strings.TrimSpace(complaints.String()))
		}
	}
	d := open(t, dir)
	s, err := state.Open(d, state.Options{Keep: stateKeep})
	must(t, err)
	for height := s.Earliest(); height <= s.Height(); height++ {
		snap, err := s.At(height)
		must(t, err)
		if got := fmt.Sprintf("%x", snap.Root()); got != root(height) {
			t.Errorf("height %d has root %s, want %s", height, got, root(height))
		}
		must(t, snap.Scan([]byte("c"), nil, nil, false, func(_, _ []byte) bool { return true }))
		snap.Close()
	}
	report, err := s.Verify(t.Context(), nil)
	must(t, err)
	if report.Found > 0 {
		t.Errorf("of %d rows %d are not sound: %v", report.Stored, report.Found, report.Findings)
	}
	t.Logf("%d kills over %d heights", kills, s.Height())
}
