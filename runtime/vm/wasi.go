package vm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
)

// wasi is what WASI preview 1 knows of a call.
type wasi struct {
	now    uint64 // nanoseconds since the epoch
	slept  uint64 // nanoseconds that the monotonic clock is ahead
	random stream
	stdio  [2]line // standard output and error
	fatal  string  // the last line in which a Go program said why it dies
}

const second = 1_000_000_000

// initTime is the time while a module starts. It is not 0, because the runtime of
// Go takes that for a clock that doesn't work.
const initTime = 1 * second

// blockTime is the time of a block in nanoseconds, from one second after the epoch on.
func blockTime(unix int64) uint64 {
	const last = 1<<63/second - 1 // so that a guest may read the nanoseconds as signed
	return uint64(min(max(unix, 1), last)) * second
}

// begin sets time and randomness for what runs next.
func (w *wasi) begin(now uint64, seed [sha256.Size]byte) {
	w.now, w.slept, w.random = now, 0, stream{seed: seed}
}

// Domains of the random streams, so that none equals another, or any other hash.
const randomDomain = "ward-random-v1"

// initSeed is the seed of the stream that a module sees while it starts.
func initSeed(code [sha256.Size]byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(randomDomain+" init "), code[:]...))
}

// callSeed is the seed of the stream that a contract sees in a call.
func callSeed(seed [sha256.Size]byte, contract string) [sha256.Size]byte {
	return sha256.Sum256(append(append([]byte(randomDomain+" call "), seed[:]...), contract...))
}

// stream is SHA-256(seed, 0), SHA-256(seed, 1), ...: public, the same on every
// node, and not tied to the algorithm of any library.
type stream struct {
	seed    [sha256.Size]byte
	counter uint64
	block   [sha256.Size]byte
	left    int // bytes of block not given out yet
}

func (s *stream) fill(b []byte) {
	for len(b) > 0 {
		if s.left == 0 {
			s.block = sha256.Sum256(binary.LittleEndian.AppendUint64(s.seed[:], s.counter))
			s.counter++
			s.left = len(s.block)
		}
		n := copy(b, s.block[len(s.block)-s.left:])
		s.left -= n
		b = b[n:]
	}
}

// line is the unfinished line of a file that is being written.
type line struct {
	b     []byte // at most abi.MaxLog of it
	begun bool   // something was written, if only what was cut
}

// write passes what is written to standard output or error to the log, line by line.
func (w *wasi) write(c *host.Call, fd int, b []byte) {
	l := &w.stdio[fd-1]
	for len(b) > 0 {
		part, rest, ended := bytes.Cut(b, []byte{'\n'})
		l.begun = true
		l.b = append(l.b, part[:min(len(part), abi.MaxLog-len(l.b))]...)
		if ended {
			w.end(c, l)
		}
		b = rest
	}
}

// end finishes a line.
func (w *wasi) end(c *host.Call, l *line) {
	s := string(l.b)
	// What Go's runtime writes before it gives up.
	if strings.HasPrefix(s, "panic: ") || strings.HasPrefix(s, "fatal error: ") {
		w.fatal = s
	}
	c.Note(s)
	l.b, l.begun = l.b[:0], false
}

// flush finishes the lines that were not ended.
func (w *wasi) flush(c *host.Call) {
	for i := range w.stdio {
		if w.stdio[i].begun {
			w.end(c, &w.stdio[i])
		}
	}
}

// Numbers of WASI preview 1.
const (
	errnoInval = 28

	clockMonotonic = 1

	iovecSize        = 8  // pointer, length
	subscriptionSize = 48 // user data, kind, then what it is about
	eventSize        = 32 // user data, errno, kind, then what happened
	fdstatSize       = 24

	eventClock      = 0 // kind of a subscription
	absoluteTime    = 1 // bit of a clock subscription's flags
	characterDevice = 2 // kind of a file

	rightRead  = 1 << 1
	rightWrite = 1 << 6
)

// maxVectors is the most slices of one read or write, as on Linux.
const maxVectors = 1024

// A frame is one call of a WASI function.
type frame struct {
	*call
	name   string
	memory api.Memory
	stack  []uint64
}

func (f *frame) u32(i int) uint32 { return uint32(f.stack[i]) }

// window returns memory that a parameter points to.
func (f *frame) window(what string, ptr uint32, size uint64) []byte {
	if size > 1<<32-1 {
		size = 1<<32 - 1 // no memory is so large
	}
	return window(f.call, f.memory, f.name, what, ptr, uint32(size))
}

// charge pays for work that is about to be done.
func (f *frame) charge(n uint64) {
	if err := f.host.Charge(n); err != nil {
		f.halt(err)
	}
}

// wasiFunctions are the functions that do more than answer an errno.
var wasiFunctions = map[string]func(f *frame) uint32{
	"args_get":          func(*frame) uint32 { return abi.ErrnoSuccess },
	"environ_get":       func(*frame) uint32 { return abi.ErrnoSuccess },
	"args_sizes_get":    sizesGet,
	"environ_sizes_get": sizesGet,

	"clock_res_get": func(f *frame) uint32 {
		binary.LittleEndian.PutUint64(f.window("resolution", f.u32(1), 8), second)
		return abi.ErrnoSuccess
	},
	"clock_time_get": func(f *frame) uint32 {
		now := f.wasi.now
		if f.u32(0) == clockMonotonic {
			now += f.wasi.slept
		}
		binary.LittleEndian.PutUint64(f.window("time", f.u32(2), 8), now)
		return abi.ErrnoSuccess
	},
	"random_get": func(f *frame) uint32 {
		b := f.window("buffer", f.u32(0), uint64(f.u32(1)))
		f.charge(gas.RandomByte * uint64(len(b)))
		f.wasi.random.fill(b)
		return abi.ErrnoSuccess
	},
	"poll_oneoff": poll,
	"proc_exit": func(f *frame) uint32 {
		f.wasi.flush(f.host)
		f.halt(f.trapped(fmt.Sprintf("the contract exited with code %d", f.u32(0))))
		return 0
	},

	"fd_write": func(f *frame) uint32 {
		fd := f.u32(0)
		if fd != 1 && fd != 2 {
			return abi.ErrnoBadf
		}
		count := f.u32(2)
		if count > maxVectors {
			return errnoInval
		}
		written := f.window("count", f.u32(3), 4)
		vectors := f.window("vectors", f.u32(1), iovecSize*uint64(count))
		total := uint32(0)
		for ; len(vectors) > 0; vectors = vectors[iovecSize:] {
			size := binary.LittleEndian.Uint32(vectors[4:])
			b := f.window("bytes", binary.LittleEndian.Uint32(vectors), uint64(size))
			f.charge(gas.LogByte * uint64(size)) // before its lines are counted
			f.charge(gas.LogLine * uint64(bytes.Count(b, []byte{'\n'})))
			f.wasi.write(f.host, int(fd), b)
			total += size
		}
		binary.LittleEndian.PutUint32(written, total)
		return abi.ErrnoSuccess
	},
	"fd_read": func(f *frame) uint32 {
		if f.u32(0) != 0 {
			return abi.ErrnoBadf
		}
		binary.LittleEndian.PutUint32(f.window("count", f.u32(3), 4), 0)
		return abi.ErrnoSuccess
	},
	"fd_fdstat_get": func(f *frame) uint32 {
		if f.u32(0) > 2 {
			return abi.ErrnoBadf
		}
		stat := f.window("stat", f.u32(1), fdstatSize)
		clear(stat)
		stat[0] = characterDevice
		rights := uint64(rightWrite)
		if f.u32(0) == 0 {
			rights = rightRead
		}
		binary.LittleEndian.PutUint64(stat[8:], rights)
		return abi.ErrnoSuccess
	},
	"fd_fdstat_set_flags": func(f *frame) uint32 {
		if f.u32(0) > 2 {
			return abi.ErrnoBadf
		}
		return abi.ErrnoSuccess
	},
}

func sizesGet(f *frame) uint32 {
	clear(f.window("count", f.u32(0), 4))
	clear(f.window("size", f.u32(1), 4))
	return abi.ErrnoSuccess
}

// poll answers every subscription at once: the time of a clock's has come, because
// the monotonic clock is moved on to it, and a file's is an error.
func poll(f *frame) uint32 {
	count := uint64(f.u32(2))
	if count == 0 {
		return errnoInval
	}
	in := f.window("subscriptions", f.u32(0), subscriptionSize*count)
	out := f.window("events", f.u32(1), eventSize*count)
	events := f.window("count", f.u32(3), 4)
	f.charge(gas.Host * count)
	for i := range count {
		// A copy, because nothing says that the two don't overlap.
		sub := [subscriptionSize]byte(in[i*subscriptionSize:])
		event := out[i*eventSize:][:eventSize]
		clear(event)
		copy(event[:8], sub[:8])
		event[10] = sub[8]
		if sub[8] == eventClock {
			f.wasi.sleep(sub[16:])
		} else {
			binary.LittleEndian.PutUint16(event[8:], abi.ErrnoBadf)
		}
	}
	binary.LittleEndian.PutUint32(events, uint32(count))
	return abi.ErrnoSuccess
}

// sleep moves the monotonic clock to where a clock subscription is due: clock,
// timeout, precision, flags.
func (w *wasi) sleep(sub []byte) {
	timeout := binary.LittleEndian.Uint64(sub[8:])
	until := w.slept + timeout
	if binary.LittleEndian.Uint16(sub[24:])&absoluteTime != 0 {
		until = max(w.slept, timeout-min(timeout, w.now))
	}
	// Never backwards, and not so far that a guest's signed nanoseconds overflow.
	const longest = 1 << 60
	if until < w.slept || until > longest {
		until = max(w.slept, longest)
	}
	w.slept = until
}

// wasiFunction returns what wazero calls when a contract calls f.
func wasiFunction(f abi.WASIFunction) api.GoModuleFunc {
	do := wasiFunctions[f.Name]
	if (do == nil) != (f.Errno != abi.Answered) {
		panic("BUG: vm: the table and the engine disagree on the WASI function " + f.Name)
	}
	return func(ctx context.Context, m api.Module, stack []uint64) {
		k := ctx.Value(callKey{}).(*call)
		k.enter(f.Name)
		fr := frame{k, f.Name, m.Memory(), stack}
		errno := uint32(f.Errno)
		if do != nil {
			errno = do(&fr)
		}
		if len(f.Results) > 0 {
			stack[0] = uint64(errno)
		}
		k.leave()
	}
}
