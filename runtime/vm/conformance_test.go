package vm_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/vm"
)

// The contract in testdata/conformance, in plain Go; TestConformanceOfCompilers has it in other languages.
const (
	conformanceCalls = "testdata/conformance/calls.txt"
	conformanceGo    = "testdata/conformance/go"
)

// TestConformance holds the contract in plain Go against the answers in the repository, on both engines.
func TestConformance(t *testing.T) {
	wasm, err := goBuild(conformanceGo)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		text, _ := converse(t, engines.compiler(), readCalls(t), func(string) []byte { return wasm })
		if err := os.WriteFile(conformanceCalls, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	onBoth(t, func(t *testing.T, e *vm.Engine) { conforms(t, e, func(string) []byte { return wasm }) })
}

// conforms makes the calls of the repository of contracts that have the code which of says, holds the answers against those of the
// repository, and returns the gas of each call.
func conforms(t *testing.T, e *vm.Engine, of func(contract string) []byte) []callGas {
	t.Helper()
	want := readCalls(t)
	got, used := converse(t, e, want, of)
	if got != want {
		t.Errorf("not what %s says; if it should be: go test ./runtime/vm -run TestConformance -update\n%s", conformanceCalls, firstDifference(got, want))
	}
	return used
}

func readCalls(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(conformanceCalls)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n") // Git may have given it other line ends
}

// callGas is what one call used.
type callGas struct {
	call string
	gas  uint64
}

// converse makes the calls of a text in the form of calls.txt and returns it with the answers that it got, and the gas of each call.
func converse(t *testing.T, e *vm.Engine, text string, of func(contract string) []byte) (string, []callGas) {
	t.Helper()
	s, err := state.Open(state.NewMemory(), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &dialogue{t: t, engine: e, of: of, overlay: s.Overlay(), names: map[string]string{}}
	var b strings.Builder
	var used []callGas
	answering, started := false, false // below a call; the remarks at the top are over
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		name, value, definition := strings.Cut(line, " = ")
		started = started || strings.HasPrefix(line, "# ")
		switch call, ok := strings.CutPrefix(line, "> "); {
		case ok && started:
			answering = true
			b.WriteString(line + "\n")
			if call == "root" {
				fmt.Fprintf(&b, "%x\n", w.seal(s))
				continue
			}
			answer, n := w.call(call)
			used = append(used, callGas{call, n})
			b.WriteString(answer)
		case strings.HasPrefix(line, "# ") || line == "" || !started:
			answering = false
			b.WriteString(line + "\n")
		case definition && !strings.HasPrefix(line, " "):
			answering = false
			w.names[name] = w.bytes(&words{value})
			b.WriteString(line + "\n")
		case !answering:
			t.Fatalf("%s: what is %q?", conformanceCalls, line)
		}
	}
	return b.String(), used
}

// dialogue is a chain with the contracts a to i, which are asked one thing after the other.
type dialogue struct {
	t       *testing.T
	engine  *vm.Engine
	of      func(contract string) []byte
	overlay *state.Overlay
	names   map[string]string // of bytes
	calls   int
	rows    map[string]string // as the last call left them
}

const dialogueContracts = "abcdefghi"

// call makes one call and returns the lines of its answer, and the gas.
func (d *dialogue) call(line string) (string, uint64) {
	d.calls++
	c := &host.Call{
		Chain: "test-1", Block: host.Block{Height: 7, Time: 1_700_000_000},
		Sender: address.Address{1, 2}, Origin: address.Address{3}, Seed: sha256.Sum256([]byte(strconv.Itoa(d.calls))),
		Gas: gas.NewMeter(gas.MaxLimit), Store: d.overlay, Run: d.inner,
	}
	rest := line
	if after, ok := strings.CutPrefix(rest, "view "); ok {
		rest, c.View = after, true
	}
	if after, ok := strings.CutPrefix(rest, "gas "); ok {
		limit, call, _ := strings.Cut(after, " ")
		n, err := strconv.ParseUint(limit, 10, 64)
		if err != nil {
			d.t.Fatalf("%q: %v", line, err)
		}
		rest, c.Gas = call, gas.NewMeter(n)
	}
	what, arguments, _ := strings.Cut(rest, " ")
	c.Contract, c.Method, _ = strings.Cut(what, ".")
	if raw, ok := strings.CutPrefix(arguments, "raw "); ok {
		c.Args = []byte(d.bytes(&words{raw}))
	} else {
		c.Args = cbor.AppendBytes(nil, []byte(d.bytes(&words{arguments})))
	}

	mark := d.overlay.Checkpoint()
	r, err := d.engine.Call(context.Background(), code(d.of(c.Contract)), c)
	if err != nil {
		d.t.Fatalf("%s: %v", line, err)
	}
	if r.Code != receipt.OK {
		d.overlay.Revert(mark)
	}
	var b strings.Builder
	switch {
	case r.Code == receipt.Failed:
		fmt.Fprintf(&b, "failed with code %d: %s\n", r.ContractCode, r.Reason)
	case r.Code != receipt.OK:
		fmt.Fprintf(&b, "%s: %s\n", r.Code.Name(), r.Reason)
	case c.Result() == nil:
		b.WriteString("ok\n")
	default:
		result, err := cbor.NewReader(c.Result()).Bytes()
		if err != nil {
			d.t.Fatalf("%s: %v", line, err)
		}
		fmt.Fprintf(&b, "ok %s\n", whole(string(result)))
	}
	if r.Code == receipt.OK {
		for _, event := range c.Events() {
			fmt.Fprintf(&b, "event %s.%s %x\n", event.Contract, event.Name, event.Attributes)
		}
	}
	for _, line := range c.Log() {
		// What a contract in Go writes to standard error when it ends in the middle is its own affair.
		if c.Method == "log" {
			fmt.Fprintf(&b, "log %q\n", line)
		}
	}
	for _, line := range d.changes() {
		b.WriteString(line + "\n")
	}
	return b.String(), c.Gas.Used()
}

// seal commits all that was written and returns the root.
func (d *dialogue) seal(s *state.State) []byte {
	stage, err := d.overlay.Stage(1)
	if err == nil {
		err = stage.Commit()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.overlay = s.Overlay()
	root := s.Root()
	return root[:]
}

// inner makes a call that a contract makes.
func (d *dialogue) inner(c *host.Call) (*host.Stop, error) {
	if !strings.Contains(dialogueContracts, c.Contract) {
		return host.Stopf(receipt.UnknownContract, "there is no contract %q", c.Contract), nil
	}
	mark := d.overlay.Checkpoint()
	r, err := d.engine.Call(context.Background(), code(d.of(c.Contract)), c)
	if err != nil || r.Code == receipt.OK {
		return nil, err
	}
	d.overlay.Revert(mark)
	return &host.Stop{Code: r.Code, ContractCode: r.ContractCode, Reason: r.Reason}, nil
}

// changes returns what has become of the rows since the last time.
func (d *dialogue) changes() (lines []string) {
	rows := map[string]string{}
	for _, contract := range strings.Split(dialogueContracts, "") {
		for _, collection := range []string{"rows", "calls"} {
			err := d.overlay.Scan(host.Collection(contract, collection), nil, nil, false, func(key, value []byte) bool {
				if value != nil {
					rows[contract+"/"+collection+" "+whole(string(key))] = string(value)
				}
				return true
			})
			if err != nil {
				d.t.Fatal(err)
			}
		}
	}
	for row, value := range rows {
		if before, ok := d.rows[row]; !ok || before != value {
			lines = append(lines, "row "+row+": "+whole(value))
		}
	}
	for row := range d.rows {
		if _, ok := rows[row]; !ok {
			lines = append(lines, "row "+row+": none")
		}
	}
	d.rows = rows
	slices.Sort(lines)
	return lines
}

// whole returns bytes as show does, but if they are too long for a line, with a hash of all.
func whole(s string) string {
	if len(s) <= 400 {
		printable := !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
		if printable {
			return strconv.Quote(s)
		}
		return hex.EncodeToString([]byte(s))
	}
	return fmt.Sprintf("%d bytes, SHA-256 %x", len(s), sha256.Sum256([]byte(s)))
}

// words is what is left to read of some bytes in the notation of calls.txt.
type words struct{ rest string }

// bytes reads all bytes up to the end or a closing bracket.
func (d *dialogue) bytes(w *words) string {
	var b strings.Builder
	for {
		w.rest = strings.TrimLeft(w.rest, " ")
		if w.rest == "" || w.rest[0] == ']' {
			return b.String()
		}
		b.WriteString(d.item(w))
	}
}

// item reads one item.
func (d *dialogue) item(w *words) string {
	switch w.rest[0] {
	case '#':
		w.rest = w.rest[1:]
		s := d.item(w)
		return string([]byte{byte(len(s))}) + s
	case '[':
		w.rest = w.rest[1:]
		s := d.bytes(w)
		w.rest = strings.TrimPrefix(w.rest, "]")
		return string(cbor.AppendBytes(nil, []byte(s)))
	case '"':
		text, rest, _ := strings.Cut(w.rest[1:], `"`)
		w.rest = rest
		return text
	}
	end := strings.IndexAny(w.rest+" ", " *]")
	word := w.rest[:end]
	w.rest = w.rest[end:]
	if n, err := strconv.Atoi(word); err == nil && strings.HasPrefix(w.rest, "*") {
		w.rest = w.rest[1:]
		return strings.Repeat(d.item(w), n)
	}
	if value, size, ok := strings.Cut(word, ":"); ok {
		v, err := strconv.ParseUint(value, 10, 64)
		n, err2 := strconv.Atoi(size)
		if err == nil && err2 == nil && n <= 8 {
			var b []byte
			for range n {
				b = append(b, byte(v))
				v >>= 8
			}
			return string(b)
		}
	}
	if digits, ok := strings.CutPrefix(word, "0x"); ok {
		if b, err := hex.DecodeString(digits); err == nil {
			return string(b)
		}
	}
	s, ok := d.names[word]
	if !ok {
		d.t.Fatalf("%s: what is %q?", conformanceCalls, word)
	}
	return s
}
