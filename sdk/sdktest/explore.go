package sdktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk"
)

// An Exploration is random calls of a contract, and what must hold whatever they are.
type Exploration struct {
	// Contract is what is called: each of its methods and views, with arguments of their types. Numbers are of a dozen from 0 to 2^63 - 1
	// or to the largest that the type has, with 0, 1, 2, 3, 5, 10 and that one among them, and with a sign the negative ones and the
	// smallest too: a rule about a thing with a number is tried more often if things with these exist beforehand.
	Contract string
	// As is who calls. Addresses and public keys among the arguments are mostly theirs.
	As []*Key
	// Skip is methods that are not called.
	Skip []string
	// Holds is asked after each call, and says what does not hold; "" if all is well. Nil: only that nothing crashes is looked at.
	Holds func() string
	// Runs is how many sequences of calls are tried, each from the chain as it is now. 0 is 20.
	Runs int
	// Calls is how many calls a sequence has. 0 is 30.
	Calls int
	// Seed chooses other calls. The same one gives the same calls on any machine.
	Seed uint64
}

// Explore makes random calls and lets time pass between them. If something does not hold, or a call traps, runs out of gas or
// returns what its type doesn't allow, it looks for fewer and simpler calls that show the same, and ends the test with those, as Go that
// can be pasted into a test. The chain is afterwards as it was before. How often each method ended how is logged: `go test -v`.
func (c *Chain) Explore(e Exploration) {
	c.t.Helper()
	if e.Runs == 0 {
		e.Runs = 20
	}
	if e.Calls == 0 {
		e.Calls = 30
	}
	x := explorer{Exploration: e, chain: c, start: c.Checkpoint(), gas: maps.Clone(c.gas), reached: map[string]map[string]int{}}
	spec := c.specs[e.Contract]
	if spec == nil || len(e.As) == 0 {
		c.t.Fatalf("explore %q: the chain has no such contract, or nobody to call it", e.Contract)
	}
	for _, m := range spec.Methods {
		if m.Name != abi.MethodInit && m.Name != abi.MethodUpgrade && !slices.Contains(e.Skip, m.Name) {
			x.methods = append(x.methods, m)
		}
	}
	if len(x.methods) == 0 {
		c.t.Fatalf("explore %q: it has no methods to call", e.Contract)
	}
	random := rand.New(rand.NewPCG(e.Seed, 0))
	for range e.Runs {
		calls := make([]choices, e.Calls)
		for i := range calls {
			calls[i] = make(choices, choicesPerCall)
			for j := range calls[i] {
				calls[i][j] = random.Uint32()
			}
		}
		if why := x.run(calls); why != "" {
			short, why := x.shrink(calls, why)
			x.run(short)
			c.t.Fatalf("%s\nafter %d of %d calls:\n%s", why, len(x.said), e.Calls, strings.Join(x.said, "\n"))
		}
	}
	x.back()
	c.t.Log(x.reach())
}

const (
	// choicesPerCall is how many random numbers make a call. Arguments that want more get the simplest of each kind.
	choicesPerCall = 24
	// maxShrinks is how many sequences are tried to find a shorter one: a few seconds.
	maxShrinks = 500
)

// choices make one call: each number decides something, and 0 is always the simplest.
type choices []uint32

type explorer struct {
	Exploration
	chain   *Chain
	start   Mark
	gas     map[string]gasUse
	methods []abi.Method
	said    []string // the calls of the last run, as Go

	reached map[string]map[string]int // how often each method ended how
}

// reach says how far the calls got, so that a property which only ever met refusals is seen to have shown nothing.
func (x *explorer) reach() string {
	var b strings.Builder
	fmt.Fprintf(&b, "explored %s:", x.Contract)
	for _, m := range x.methods {
		ends := x.reached[m.Name]
		fmt.Fprintf(&b, "\n  %s:", m.Name)
		if ends[receipt.OK.Name()] == 0 {
			b.WriteString(" never ok")
		}
		for _, end := range slices.Sorted(maps.Keys(ends)) {
			fmt.Fprintf(&b, " %s %d", end, ends[end])
		}
	}
	return b.String()
}

// back undoes a run. What it used is no part of a gas report.
func (x *explorer) back() {
	x.chain.Revert(x.start)
	x.chain.gas = maps.Clone(x.gas)
}

// run makes the calls from the start and says what went wrong with the last of them, or "".
func (x *explorer) run(calls []choices) string {
	x.back()
	x.said = nil
	for _, numbers := range calls {
		d := &draw{numbers: numbers, x: x}
		m := x.methods[d.below(len(x.methods))]
		as := x.As[d.below(len(x.As))]
		if span := spans[d.below(len(spans))]; span > 0 {
			x.chain.Advance(span)
			x.said = append(x.said, fmt.Sprintf("chain.Advance(%d) // %s", span, span))
		}
		var args any
		text := "nil"
		if m.Args != nil {
			doc, err := json.Marshal(d.value(m.Args))
			if err != nil {
				panic("BUG: sdktest: " + err.Error())
			}
			args, text = JSON(doc), "sdktest.JSON(`"+string(doc)+"`)"
		}
		var r *Receipt
		if m.View {
			r = x.chain.ViewAs(as.Address(), x.Contract, m.Name, args)
			x.said = append(x.said, fmt.Sprintf("chain.ViewAs(%s.Address(), %q, %q, %s) // %s", as, x.Contract, m.Name, text, r.outcome()))
		} else {
			r = x.chain.Call(as, x.Contract, m.Name, args)
			x.said = append(x.said, fmt.Sprintf("chain.Call(%s, %q, %q, %s) // %s", as, x.Contract, m.Name, text, r.outcome()))
		}
		if x.reached[m.Name] == nil {
			x.reached[m.Name] = map[string]int{}
		}
		x.reached[m.Name][r.outcome()]++
		switch r.Code {
		case receipt.Trapped, receipt.OutOfGas, receipt.BadResult:
			return r.withLog()
		}
		if x.Holds != nil {
			if why := x.Holds(); why != "" {
				return why
			}
		}
	}
	return ""
}

// shrink looks for fewer calls, then simpler ones, that go wrong too.
func (x *explorer) shrink(calls []choices, why string) ([]choices, string) {
	tries := 0
	better := func(candidate []choices) bool {
		if tries++; tries > maxShrinks {
			return false
		}
		w := x.run(candidate)
		if w == "" {
			return false
		}
		calls, why = candidate, w
		return true
	}
	for n := len(calls) / 2; n > 0; n /= 2 {
		for i := 0; i+n <= len(calls); {
			if !better(slices.Concat(calls[:i], calls[i+n:])) {
				i += n
			}
		}
	}
	for i := 0; i < len(calls); i++ {
		for j := range calls[i] {
			if calls[i][j] == 0 {
				continue
			}
			simpler := slices.Clone(calls)
			simpler[i] = slices.Clone(calls[i])
			simpler[i][j] = 0
			better(simpler)
		}
	}
	return calls, why
}

// outcome is how a call ended, in a word or two.
func (r *Receipt) outcome() string {
	if name := r.ErrorName(); name != "" {
		return name
	}
	return r.Code.Name()
}

// spans are what may pass before a call, the simplest first.
var spans = []sdk.Duration{0, 0, 0, 0, 1, sdk.Minute, sdk.Hour, 24 * sdk.Hour, 400 * 24 * sdk.Hour}

// draw makes values of one call's numbers.
type draw struct {
	numbers choices
	x       *explorer
}

// below is a number from 0 to n-1.
func (d *draw) below(n int) int {
	if len(d.numbers) == 0 {
		return 0
	}
	first := d.numbers[0]
	d.numbers = d.numbers[1:]
	return int(first % uint32(n))
}

// number is at most most, which it often is, and small in half of all cases: boxes, doors and counts are.
func (d *draw) number(most uint64) uint64 {
	if d.below(2) == 0 {
		return uint64(d.below(8))
	}
	fit := 0
	for fit < len(uints) && uints[fit] < most {
		fit++
	}
	if i := d.below(fit + 1); i < fit {
		return uints[i]
	}
	return most
}

// sized is so many bytes: mostly a key, if keys are as long.
func (d *draw) sized(n int) string {
	var all []string
	for _, key := range d.x.As {
		if public := key.Public(); len(public) == n {
			all = append(all, fmt.Sprintf("0x%x", []byte(public)))
		}
	}
	for _, fill := range []string{"00", "01", "ff", "ab"} {
		all = append(all, "0x"+strings.Repeat(fill, n))
	}
	return all[d.below(len(all))]
}

var (
	uints = []uint64{0, 1, 2, 3, 5, 10, 100, 1000, 65536, 1<<31 - 1, 1 << 32, 1<<63 - 1}
	texts = []string{"a", "b", "door-1", "x/y", "", "Ä ß\x00", strings.Repeat("long ", 40)}
	bytes = []string{"0x00", "0x", "0x01", "0xff00ff", "0x" + strings.Repeat("ab", 32)}
)

// value is a value of a type as a JSON document has it.
func (d *draw) value(t *abi.Type) any {
	switch t.Kind {
	case abi.KindBool:
		return d.below(2) == 1
	case abi.KindInt:
		least, most := t.Ints()
		v := int64(d.number(uint64(most)))
		if d.below(4) != 1 {
			return v
		}
		if v == most {
			return least
		}
		return -v
	case abi.KindUint:
		return d.number(min(t.Uints(), math.MaxInt64)) // what is beyond, most contracts refuse by a bound of their own
	case abi.KindText:
		return texts[d.below(len(texts))]
	case abi.KindBytes:
		if t.Size != 0 {
			return d.sized(int(t.Size))
		}
		keys := len(d.x.As)
		if i := d.below(keys + len(bytes)); i < keys {
			return fmt.Sprintf("0x%x", []byte(d.x.As[i].Public()))
		} else {
			return bytes[i-keys]
		}
	case abi.KindAddress:
		if i := d.below(len(d.x.As) + 1); i < len(d.x.As) {
			return d.x.As[i].Address()
		}
		return sdk.Address{}
	case abi.KindTime:
		after := d.x.chain.Now().Add(spans[d.below(len(spans))])
		if d.below(4) == 1 {
			return d.x.chain.Now().Add(-sdk.Hour).String()
		}
		return after.String()
	case abi.KindDuration:
		return int64(spans[d.below(len(spans))])
	case abi.KindList:
		list := make([]any, d.below(4))
		for i := range list {
			list[i] = d.value(t.Elem)
		}
		return list
	case abi.KindMap:
		m := map[string]any{}
		for range d.below(3) {
			m[texts[d.below(len(texts))]] = d.value(t.Elem)
		}
		return m
	case abi.KindStruct:
		m := map[string]any{}
		for _, f := range t.Fields {
			if !f.Optional || d.below(2) == 1 {
				m[f.Name] = d.value(f.Type)
			}
		}
		return m
	}
	panic("BUG: sdktest: a value of kind " + t.Kind.String())
}
