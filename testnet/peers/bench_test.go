package peers

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	keysFlag   = flag.String("keys", "10000", "how many keys the stores hold; several with commas")
	blocksFlag = flag.String("blocks", "100,2000,10000", "how many writes a block has; several with commas")
	dirFlag    = flag.String("dir", "", "folder that keeps the populated stores for the next run (default: a temporary one)")
	syncFlag   = flag.Bool("sync", false, "every store fsyncs each batch, also those that by default do not")
)

// coldReads is how many reads a cold store answers before it is opened anew: few
// enough that their paths share little beside the upper levels.
const coldReads = 50

// BenchmarkState is what README.md describes.
func BenchmarkState(b *testing.B) {
	keys, blocks := numbers(b, *keysFlag), numbers(b, *blocksFlag)
	dir := *dirFlag
	if dir == "" {
		dir = b.TempDir()
	}
	check(b, os.MkdirAll(dir, 0o755))

	writes := func(name string, bench func(b *testing.B, p peer, dir string, keys, block int)) {
		b.Run(name, func(b *testing.B) {
			for _, n := range keys {
				for _, block := range blocks {
					if block > n {
						continue // rewrites of a block are of different rows
					}
					for _, p := range peers {
						b.Run(fmt.Sprintf("keys=%d/block=%d/%s", n, block, p.name), func(b *testing.B) {
							bench(b, p, populate(b, p, dir, n), n, block)
						})
					}
				}
			}
		})
	}
	// Readers meet the blocks of the population, whatever -blocks says.
	reads := func(name string, bench func(b *testing.B, p peer, dir string, keys int)) {
		b.Run(name, func(b *testing.B) {
			for _, n := range keys {
				for _, p := range peers {
					b.Run(fmt.Sprintf("keys=%d/block=%d/%s", n, historyBlock, p.name), func(b *testing.B) {
						bench(b, p, populate(b, p, dir, n), n)
					})
				}
			}
		})
	}
	writes("write", func(b *testing.B, p peer, dir string, keys, block int) {
		benchmarkWrite(b, p, dir, keys, block, options{}, false)
	})
	writes("write-cold", func(b *testing.B, p peer, dir string, keys, block int) {
		benchmarkWrite(b, p, dir, keys, block, options{}, true)
	})
	writes("prune", func(b *testing.B, p peer, dir string, keys, block int) {
		if !p.versions {
			b.Skip("keeps no old heights on disk")
		}
		benchmarkWrite(b, p, dir, keys, block, options{keep: history}, false)
	})
	for _, r := range []struct {
		name string
		read func(s store, key []byte) (size int, err error)
	}{
		{"get", get}, {"scan", scan}, {"prove", prove},
	} {
		for _, cold := range []bool{false, true} {
			name := r.name
			if cold {
				name += "-cold"
			}
			reads(name, func(b *testing.B, p peer, dir string, keys int) {
				if r.name == "prove" && !p.proofs {
					b.Skip("has no proofs")
				}
				benchmarkRead(b, p, dir, keys, r.read, r.name == "prove", cold)
			})
		}
	}
	reads("open", benchmarkOpen)
}

// benchmarkWrite commits blocks of random rewrites. What is counted is Write
// alone: not the making of the block, nor opening.
func benchmarkWrite(b *testing.B, p peer, from string, keys, block int, o options, cold bool) {
	o.sync = *syncFlag
	dir := copied(b, from)
	before := diskSize(b, dir)
	debug.FreeOSMemory()
	s, err := p.open(dir, o)
	check(b, err)
	closed := false
	defer func() {
		if !closed {
			check(b, s.Close())
		}
	}()
	w := newWorkload(keys, seedOfTrials)
	if !cold {
		// Until caches and buffers are full: merkledb's holds inner nodes back for
		// tens of thousands of writes, and before that gets them for nothing.
		for done := 0; done < max(2*block, min(keys/5, 100_000)); done += block {
			check(b, s.Write(w.rewrites(block)))
		}
	}
	var took time.Duration
	var mallocs uint64
	written, cpu := diskWritten(), cpuTime()
	for b.Loop() {
		rows := w.rewrites(block)
		if cold {
			check(b, s.Close())
			s, err = p.open(dir, o)
			check(b, err)
		}
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		start := time.Now()
		err := s.Write(rows)
		took += time.Since(start)
		runtime.ReadMemStats(&m1)
		mallocs += m1.Mallocs - m0.Mallocs
		check(b, err)
	}
	written, cpu = diskWritten()-written, cpuTime()-cpu
	writes := float64(b.N * block)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took.Nanoseconds())/writes, "ns/write")
	b.ReportMetric(float64(mallocs)/writes, "allocs/write")
	if cold {
		return // the files of so many openings say nothing
	}
	b.ReportMetric(float64(written)/writes, "written-B/write")
	b.ReportMetric(float64(cpu.Nanoseconds())/writes, "cpu-ns/write")
	reportRSS(b)
	closed = true
	check(b, s.Close())
	b.ReportMetric(float64(diskSize(b, dir)-before)/writes, "disk-B/write")
}

func get(s store, key []byte) (int, error) {
	value, err := s.Get(key)
	if err == nil && len(value) != valueLen {
		err = fmt.Errorf("value of %x is %d bytes", key, len(value))
	}
	return len(value), err
}

func prove(s store, key []byte) (int, error) {
	proof, err := s.Prove(key)
	return len(proof), err
}

// scan reads the 100 rows from a key on, or as many as there are.
func scan(s store, key []byte) (n int, err error) {
	err = s.Scan(key, 100, func(_, _ []byte) { n++ })
	return n, err
}

// benchmarkRead reads at random keys. Warm is a store that has answered so many
// reads already that its caches hold what they can; cold one that was opened for
// the next coldReads. The operating system's cache is warm in both.
func benchmarkRead(b *testing.B, p peer, dir string, keys int, read func(store, []byte) (int, error), sizes, cold bool) {
	debug.FreeOSMemory()
	s, err := p.open(dir, options{})
	check(b, err)
	defer func() { check(b, s.Close()) }()
	w := newWorkload(keys, seedOfTrials)
	if _, err := read(s, w.key()); err == errNone {
		b.Skip("not there yet")
	}
	warm := 2000
	if !cold {
		warm = min(2*keys, 200_000)
	}
	var all []int
	for start := time.Now(); len(all) < warm && time.Since(start) < 20*time.Second; {
		size, err := read(s, w.key())
		check(b, err)
		all = append(all, size)
	}
	b.ReportAllocs()
	left := 0
	for b.Loop() {
		if cold && left == 0 {
			b.StopTimer()
			check(b, s.Close())
			s, err = p.open(dir, options{})
			check(b, err)
			left = coldReads
			b.StartTimer()
		}
		left--
		if _, err := read(s, w.key()); err != nil {
			b.Fatal(err)
		}
	}
	if sizes {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2]), "proof-B")
	}
	if !cold {
		reportRSS(b)
	}
}

// benchmarkOpen opens a store that was closed in peace, and reads a row.
func benchmarkOpen(b *testing.B, p peer, dir string, keys int) {
	w := newWorkload(keys, seedOfTrials)
	size := diskSize(b, dir)
	for b.Loop() {
		s, err := p.open(dir, options{})
		check(b, err)
		_, err = get(s, w.key())
		check(b, err)
		b.StopTimer()
		check(b, s.Close())
		b.StartTimer()
	}
	b.ReportMetric(float64(size)/float64(keys), "disk-B/key")
}

// BenchmarkHash is the floor of every tree: the hashes of one path of 20 levels.
func BenchmarkHash(b *testing.B) {
	b.Run("levels=20/floor", func(b *testing.B) {
		var node [2 * sha256.Size]byte
		for b.Loop() {
			for range 20 {
				sum := sha256.Sum256(node[:])
				copy(node[:], sum[:])
			}
		}
	})
}

// reportRSS reports the memory of the process after everything that is garbage
// was given back: what the store holds, and the test itself.
func reportRSS(b *testing.B) {
	debug.FreeOSMemory()
	if n, ok := proc("status", "VmRSS:"); ok {
		b.ReportMetric(float64(n)/1024, "RSS-MiB")
	}
}

// diskWritten returns the bytes that the process has sent to disk so far, or 0
// where the system does not say.
func diskWritten() int {
	n, _ := proc("io", "write_bytes:")
	return n
}

// cpuTime returns the processor time of all threads of the process so far, in
// steps of 10 ms, or 0 where the system does not say. Unlike a clock it hardly
// hears of other processes.
func cpuTime() time.Duration {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	// The name of the program, in brackets, may hold anything.
	f := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(string(f[11]))
	system, _ := strconv.Atoi(string(f[12]))
	return time.Duration(user+system) * 10 * time.Millisecond
}

// proc returns a number of Linux' /proc/self.
func proc(file, field string) (int, bool) {
	text, err := os.ReadFile(filepath.Join("/proc/self", file))
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(text) {
		if f := strings.Fields(string(line)); len(f) > 1 && f[0] == field {
			n, err := strconv.Atoi(f[1])
			return n, err == nil
		}
	}
	return 0, false
}

func numbers(b *testing.B, list string) (all []int) {
	for part := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 {
			b.Fatalf("%q in %q is not a number of at least 1", part, list)
		}
		all = append(all, n)
	}
	return all
}
