package db_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/runtime/state"
)

// Looking at everything, exporting and importing with many rows: time, and the most memory that the process took.
// WARD_ROWS=1000000 go test ./node/db -run TestManyRows -v
func TestManyRows(t *testing.T) {
	n := 20_000
	if testing.Short() {
		n = 2000
	}
	if v, err := strconv.Atoi(os.Getenv("WARD_ROWS")); err == nil {
		n = v
	}
	step := func(what string, do func()) {
		debug.FreeOSMemory()
		os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak starts anew, where there is such a thing
		start := time.Now()
		do()
		peak := "unknown"
		status, _ := os.ReadFile("/proc/self/status")
		for line := range strings.Lines(string(status)) {
			if size, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				peak = strings.TrimSpace(size)
			}
		}
		t.Logf("%-7s %8.3f s, at most %s resident", what, time.Since(start).Seconds(), peak)
	}
	options := state.Options{Keep: stateKeep}
	dir, other := filepath.Join(t.TempDir(), "db"), filepath.Join(t.TempDir(), "db")
	d := open(t, dir)
	s, err := state.Open(d, options)
	must(t, err)
	row := func(i, height int) (c, key, value []byte) {
		hash := sha256.Sum256(fmt.Append(nil, i))
		return fmt.Append(nil, "collection ", i%3), append(hash[:], "/row"...), bytes.Repeat([]byte{byte(height)}, 100)
	}
	const block = 10_000
	step("fill", func() {
		for i := 0; i < n; {
			o := s.Overlay()
			for ; i < n && (i+1)%block > 0; i++ {
				c, key, value := row(i, 0)
				must(t, o.Set(c, key, value))
			}
			i++
			for j := range 500 { // what there is already
				c, key, value := row(j*i/500, i)
				must(t, o.Set(c, key, value))
			}
			stage, err := o.Stage(s.Height() + 1)
			must(t, err)
			must(t, stage.Commit())
			_, err = s.Prune(10)
			must(t, err)
		}
	})
	must(t, d.Close())
	d = open(t, dir)
	s, err = state.Open(d, options) // with nothing in memory
	must(t, err)
	verify := func() {
		report, err := s.Verify(t.Context(), nil)
		must(t, err)
		if report.Found > 0 {
			t.Fatal(report.Findings)
		}
	}
	step("verify", verify)
	snap, err := s.At(0)
	must(t, err)
	defer snap.Close()
	chunks := t.TempDir()
	count := 0
	step("export", func() {
		must(t, snap.Export(t.Context(), func(chunk []byte) error {
			count++
			return os.WriteFile(filepath.Join(chunks, strconv.Itoa(count-1)), chunk, 0o600)
		}))
	})
	d = open(t, other)
	step("import", func() {
		in, err := state.OpenImport(d, snap.Height(), snap.Root())
		must(t, err)
		for i := range count {
			chunk, err := os.ReadFile(filepath.Join(chunks, strconv.Itoa(i)))
			must(t, err)
			done, err := in.Add(chunk)
			must(t, err)
			if done != (i == count-1) {
				t.Fatalf("chunk %d of %d: done %v", i, count, done)
			}
		}
	})
	s, err = state.Open(d, options)
	must(t, err)
	if !bytes.Equal(s.Root(), snap.Root()) {
		t.Fatalf("root %x, want %x", s.Root(), snap.Root())
	}
	step("verify", verify)
	t.Logf("%d rows, %d chunks; %d kB on disk, imported %d kB", snap.Rows(), count, folderSize(t, dir)>>10, folderSize(t, other)>>10)
}
