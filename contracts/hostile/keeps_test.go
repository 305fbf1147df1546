package hostile

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"time"
)

// keeps runs f and checks that this process does not hold more bytes afterwards than before, but for most.
func keeps(t *testing.T, most int, f func()) {
	t.Helper()
	before := resident(t)
	f()
	if kept := resident(t) - before; kept > most {
		t.Errorf("%d MiB of memory are kept, limit %d", kept>>20, most>>20)
	}
}

// peaks runs f and checks that this process never holds more bytes meanwhile than before, but for most.
func peaks(t *testing.T, most int, f func()) {
	t.Helper()
	before := resident(t)
	// Linux forgets the highest mark.
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Logf("what it takes in between can't be told here: %v", err)
		f()
		return
	}
	f()
	if took := status(t, "VmHWM:") - before; took > most {
		t.Errorf("it took %d MiB of memory, limit %d", took>>20, most>>20)
	} else {
		t.Logf("%d MiB", took>>20)
	}
}

// resident returns the bytes of memory that this process holds, or 0 where that can't be told.
func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	return status(t, "VmRSS:")
}

// works returns how long this process computes while f runs, on all its threads: what else the machine does meanwhile doesn't count, as
// it would by the clock. Where that can't be told it is by the clock.
func works(t *testing.T, f func()) time.Duration {
	t.Helper()
	before, began := computed(t), time.Now()
	f()
	if after := computed(t); after > 0 {
		return after - before
	}
	return time.Since(began)
}

// computed returns for how long this process has computed so far, or 0 where that can't be told.
func computed(t *testing.T) time.Duration {
	t.Helper()
	const tick = 10 * time.Millisecond // Linux tells it in hundredths of a second, see proc_pid_stat(5)
	b, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Logf("how long it computes can't be told here: %v", err)
		return 0
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:]) // from field 3 on; the name before may hold anything
	var sum time.Duration
	for _, n := range []int{14, 15} { // utime, stime
		ticks, err := strconv.Atoi(string(fields[n-3]))
		if err != nil {
			t.Fatalf("field %d in /proc/self/stat: %v", n, err)
		}
		sum += time.Duration(ticks) * tick
	}
	return sum
}

func status(t *testing.T, field string) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Logf("how much memory is held can't be told here: %v", err)
		return 0
	}
	_, after, _ := bytes.Cut(b, []byte(field))
	line, _, _ := bytes.Cut(after, []byte(" kB"))
	kb, err := strconv.Atoi(string(bytes.TrimSpace(line)))
	if err != nil {
		t.Fatalf("%s in /proc/self/status: %v", field, err)
	}
	return kb << 10
}

func appendUvarint(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }

func uvarint(b []byte) (n, used int) {
	v, used := binary.Uvarint(b)
	return int(v), used
}
