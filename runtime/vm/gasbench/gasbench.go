package gasbench

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/vm"
)

// MaxRatio is how many times the median time for its gas an entry may take.
const MaxRatio = 3

// An Entry is what was measured of one thing that a contract can do, with what it takes to bring its operands.
type Entry struct {
	Name  string
	Times uint64  // in one call
	Gas   float64 // for one
	Nanos float64 // for one
	// Ratio is time by gas, divided by the median of all entries.
	Ratio float64
	// Beyond says why an entry may be above MaxRatio, or "".
	Beyond string
}

// PerGas is how many nanoseconds a unit of gas bought.
func (e Entry) PerGas() float64 { return e.Nanos / e.Gas }

// A work is a contract that does one thing very often.
type work struct {
	name      string
	functions []string // of the host that it calls
	times     uint64
	wasm      []byte
	store     bool         // on a state with rows
	pages     uint32       // of memory, for which entering is not counted; 0: entering is what is measured
	ends      receipt.Code // OK but for what ends the call
	beyond    string
}

// Options of Run. The zero value is a full measurement.
type Options struct {
	// Rounds is how often each contract is called; the fastest counts, because whatever else the machine does only adds. 0 means 12.
	Rounds int
	// Progress, if set, is told what comes next.
	Progress func(done, of int, name string)
}

// Run measures everything on an engine. It ends early with ctx.
func Run(ctx context.Context, e *vm.Engine, o Options) ([]Entry, error) {
	if o.Rounds == 0 {
		o.Rounds = 12
	}
	all := slices.Concat(instructions(), structure(), memories(), functions(), others())
	entries := make([]Entry, 0, len(all))
	for n, w := range all {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if o.Progress != nil {
			o.Progress(n, len(all), w.name)
		}
		entry, err := measure(e, w, o.Rounds)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		entries = append(entries, entry)
	}
	entries = worst(entries)
	median := Median(entries)
	for i := range entries {
		entries[i].Ratio = entries[i].PerGas() / median
	}
	return entries, nil
}

// worst keeps of the entries of one name the one that takes longest for its gas.
func worst(entries []Entry) (kept []Entry) {
	at := map[string]int{}
	for _, e := range entries {
		if n, ok := at[e.Name]; !ok {
			at[e.Name] = len(kept)
			kept = append(kept, e)
		} else if e.PerGas() > kept[n].PerGas() {
			kept[n] = e
		}
	}
	return kept
}

// Median returns the median nanoseconds that a unit of gas buys.
func Median(entries []Entry) float64 {
	per := make([]float64, len(entries))
	for i, e := range entries {
		per[i] = e.PerGas()
	}
	slices.Sort(per)
	return per[len(per)/2]
}

// Worst returns the entry with the largest ratio of those that must stay within MaxRatio.
func Worst(entries []Entry) Entry {
	return slices.MaxFunc(entries, func(a, b Entry) int {
		if (a.Beyond == "") != (b.Beyond == "") {
			return cmp.Compare(len(b.Beyond), len(a.Beyond))
		}
		return cmp.Compare(a.Ratio, b.Ratio)
	})
}

// measure calls a contract again and again and keeps the fastest.
func measure(e *vm.Engine, w work, rounds int) (Entry, error) {
	code := vm.Code{Hash: sha256.Sum256(w.wasm), Load: func() ([]byte, error) { return w.wasm, nil }}
	if err := e.Activate(gas.NewMeter(1<<40), w.wasm); err != nil {
		return Entry{}, err
	}
	least, used := time.Duration(math.MaxInt64), uint64(0)
	for range rounds {
		overlay, err := rows(w.store)
		if err != nil {
			return Entry{}, err
		}
		records := registry.New(overlay)
		h := &host.Call{
			Chain: "bench", Block: host.Block{Height: 2, Time: blockTime}, Contract: contract, Method: "m", Args: []byte{0xa0},
			Gas: gas.NewMeter(gas.MaxLimit), Store: overlay,
			Capabilities: abi.Capabilities(), Run: runner(e, overlay),
			Accounts: accounts{records}, Authorities: authorities{records}, Parameters: records, Permits: permits{records},
		}
		began := time.Now()
		r, err := e.Call(context.Background(), code, h)
		if err == nil && w.store {
			_, err = overlay.Stage(2) // what was written is hashed when the block ends
		}
		took := time.Since(began)
		if err != nil {
			return Entry{}, err
		}
		if r.Code != w.ends {
			return Entry{}, fmt.Errorf("ended with %s: %s", r.Code.Name(), r.Reason)
		}
		least, used = min(least, took), h.Gas.Used()
	}
	if w.pages > 0 {
		used -= gas.EnterPrice(uint64(w.pages)) // its time stays: it is little, and the rest must bear it
	}
	return Entry{
		Name: w.name, Times: w.times, Beyond: w.beyond,
		Gas: float64(used) / float64(w.times), Nanos: float64(least.Nanoseconds()) / float64(w.times),
	}, nil
}

// blockTime is when everything is measured.
const blockTime = 1_700_000_000

// contract is the name under which everything is measured.
const contract = "bench"

// numRows is how many rows the state has on which reading and writing is measured.
const numRows = 10_000

var base *state.State

// rows returns an overlay of an empty state, or of one with rows.
func rows(many bool) (*state.Overlay, error) {
	if !many {
		s, err := state.Open(state.NewMemory(), state.Options{})
		if err != nil {
			return nil, err
		}
		return s.Overlay(), nil
	}
	if base == nil {
		s, err := state.Open(state.NewMemory(), state.Options{})
		if err != nil {
			return nil, err
		}
		o := s.Overlay()
		for i := range numRows {
			if err := o.Set(host.Collection(contract, "rows"), fmt.Appendf(nil, "key %06d", i), make([]byte, 100)); err != nil {
				return nil, err
			}
		}
		if err := o.Set(host.Collection(contract, "large"), []byte("row"), make([]byte, largeRow)); err != nil {
			return nil, err
		}
		if err := settle(o); err != nil {
			return nil, err
		}
		stage, err := o.Stage(1)
		if err == nil {
			err = stage.Commit()
		}
		if err != nil {
			return nil, err
		}
		base = s
	}
	return base.Overlay(), nil
}
