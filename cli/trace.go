package cli

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
)

// simulate is call without a transaction.
func (v *invocation) simulate() error {
	for _, name := range []string{"no-wait", "out", "last-valid", "sequence"} {
		if _, given := v.options[name]; given {
			return usagef("--%s is for a transaction: it doesn't go with --simulate", name)
		}
	}
	q := client.Question{Contract: v.contract, Method: v.method.Name, Args: v.args}
	var err error
	if q.Height, err = v.number("height"); err != nil {
		return err
	}
	limit, err := v.number("gas")
	if err != nil {
		return err
	}
	if q.Sender, err = v.caller(); err != nil {
		return err
	}
	r, err := v.client.Simulate(v.ctx, q, limit)
	if err != nil {
		return err
	}
	if err := v.printSimulation(r); err != nil {
		return err
	}
	if err := r.Err(); err != nil {
		return err
	}
	return unmet(r.Return, v.require)
}

// caller is the account of the key that would sign, or nobody if that could be any or none. Its passphrase isn't needed.
func (v *invocation) caller() (address.Address, error) {
	name := v.keyName
	if name == "" {
		names, err := v.keys().List()
		if err != nil || len(names) != 1 {
			return address.Address{}, err
		}
		name = names[0]
	}
	file, err := v.keyFile(name)
	if err != nil {
		return address.Address{}, err
	}
	kid := file.Public().Address()
	record, err := v.client.Key(v.ctx, kid)
	if u, ok := errors.AsType[*client.Unserved](err); ok && u.NotFound() {
		fmt.Fprintf(v.err, "the chain doesn't know the key %s: a transaction of it would be refused\n", name)
		return kid, nil
	} else if err != nil {
		return address.Address{}, err
	}
	return record.Account, nil
}

// The JSON of a simulation and a trace, in the words of node/api/README.md.
type (
	simulationJSON struct {
		Height        uint64                  `json:"height"`
		Time          int64                   `json:"time"`
		Clock         string                  `json:"clock"`
		Code          string                  `json:"code"`
		Number        uint32                  `json:"number"`
		ContractCode  uint32                  `json:"contract_code,omitempty"`
		ContractError string                  `json:"contract_error,omitempty"`
		Reason        string                  `json:"reason"`
		GasUsed       uint64                  `json:"gas_used"`
		GasLimit      uint64                  `json:"gas_limit"`
		Contract      string                  `json:"contract"`
		Method        string                  `json:"method"`
		Sender        string                  `json:"sender"`
		Return        json.RawMessage         `json:"return"`
		ReturnCBOR    client.Bytes            `json:"return_cbor,omitzero"`
		Events        []client.SimulatedEvent `json:"events"`
		GasAdmission  uint64                  `json:"gas_admission"`
		Trace         *client.CallTrace       `json:"trace"`
	}
	traceJSON struct {
		receiptJSON
		GasAdmission uint64            `json:"gas_admission"`
		Trace        *client.CallTrace `json:"trace"`
	}
)

func (s *session) printSimulation(r *client.Simulation) error {
	return s.print(simulationJSON{
		Height: r.Height, Time: r.Time.Unix(), Clock: r.Clock,
		Code: r.Code.Name(), Number: uint32(r.Code), ContractCode: r.ContractCode, ContractError: r.ContractError, Reason: r.Reason,
		GasUsed: r.GasUsed, GasLimit: r.GasLimit, Contract: r.Contract, Method: r.Method, Sender: addressText(r.Sender),
		Return: r.Return, ReturnCBOR: r.ReturnCBOR, Events: r.Events, GasAdmission: r.GasAdmission, Trace: r.Call,
	}, func() {
		s.printf("%s  %s %s  simulated in block %d at %s  gas %d of %d\n", verdict(r.Code.Name(), r.ContractCode, r.ContractError, r.Return),
			text(r.Contract), text(r.Method), r.Height, clock(r.Time), r.GasUsed, r.GasLimit)
		if r.Reason != "" {
			s.printf("reason  %s\n", text(r.Reason))
		}
		if r.Return != nil {
			s.printf("result  %s\n", inline(r.Return))
		}
		for _, e := range r.Events {
			s.printf("event   %s.%s  %s\n", text(e.Contract), text(e.Name), inline(e.Attributes))
		}
		s.printStory(r.Call, r.GasUsed, r.GasAdmission)
	})
}

func txTrace(c *urfave.Context) error {
	args, err := arguments(c, "ID")
	if err != nil {
		return err
	}
	id, err := tx.ParseID(args[0])
	if err != nil {
		return usagef("%w", err)
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	r, err := s.client.Trace(s.ctx, id)
	if u, ok := errors.AsType[*client.Unserved](err); ok && u.Code == "pruned" {
		return hint(err, "another --node: one that keeps more of the past")
	} else if err != nil {
		return err
	}
	if s.json {
		return s.print(traceJSON{newReceiptJSON(&r.Receipt), r.GasAdmission, r.Call}, nil)
	}
	if err := s.printReceipt(&r.Receipt); err != nil {
		return err
	}
	s.printStory(r.Call, r.GasUsed, r.GasAdmission)
	return nil
}

// printStory tells people what a call did, and what the gas went into.
func (s *session) printStory(c *client.CallTrace, used, admission uint64) {
	if c == nil {
		s.printf("\nit did not run\n")
		return
	}
	s.printf("\n")
	s.printCall(c, used, "")
	s.printf("gas %d: admission %s, call %s\n", used, part(admission, used), part(c.Gas.Used, used))
}

// printCall tells of one call, and deeper of those within it. Shares are of the transaction's gas.
func (s *session) printCall(c *client.CallTrace, used uint64, indent string) {
	as := ""
	if c.View {
		as = " (as a view)"
	}
	s.printf("%s%s %s%s  %s\n", indent, text(c.Contract), text(c.Method), as, strings.TrimRight(whole(c.Args, c.ArgsCut), " "))
	deeper := indent + "    "
	if c.Sender != nil && indent == "" {
		s.printf("%ssender %s\n", deeper, c.Sender)
	}
	for i := range c.Steps {
		s.printStep(&c.Steps[i], used, deeper)
	}
	if c.Omitted > 0 {
		s.printf("%s(%d more steps were not kept)\n", deeper, c.Omitted)
	}
	end := verdict(c.Code, c.ContractCode, c.ContractError, c.Result)
	switch {
	case c.Reason != "":
		end += ": " + text(c.Reason)
	case c.ResultCut > 0 || c.Result != nil && string(c.Result) != "null":
		end += "  " + whole(c.Result, c.ResultCut)
	}
	s.printf("%s-> %s\n", indent, end)
	for i, name := range c.Stack {
		in := "in "
		if i > 0 {
			in = "by "
		}
		s.printf("%s   %s%s\n", indent, in, text(name))
	}
	g := c.Gas
	if g.Used == 0 {
		return
	}
	into := []string{"instance " + part(g.Instance, used), "instructions " + part(g.Instructions, used)}
	var rest client.FunctionUse
	for _, f := range slices.SortedStableFunc(slices.Values(c.Functions), func(a, b client.FunctionUse) int { return cmp.Compare(b.Gas, a.Gas) }) {
		if f.Gas*100 < used { // less than 1%
			rest.Calls += f.Calls
			rest.Gas += f.Gas
			continue
		}
		into = append(into, fmt.Sprintf("%s x%d %s", text(f.Name), f.Calls, part(f.Gas, used)))
	}
	if rest.Calls > 0 {
		into = append(into, fmt.Sprintf("other functions x%d %s", rest.Calls, part(rest.Gas, used)))
	}
	if g.Calls > 0 {
		into = append(into, "calls "+part(g.Calls, used))
	}
	s.printf("%s   gas %s: %s\n", indent, part(g.Used, used), strings.Join(into, ", "))
}

func (s *session) printStep(t *client.Step, used uint64, indent string) {
	if t.Call != nil {
		s.printf("%scall\n", indent)
		s.printCall(t.Call, used, indent+"    ")
		return
	}
	var words []string
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if t.Collection != "" {
		add("%s", text(t.Collection))
	}
	if t.Op == "scan" {
		if t.Key != nil {
			add("from %s", keyText(t.Key))
		}
		if t.End != nil {
			add("to %s", keyText(t.End))
		}
		if t.Reverse {
			add("backwards")
		}
	} else if t.Key != nil {
		add("%s", keyText(t.Key))
	}
	if t.Found != nil && !*t.Found {
		add("(not there)")
	}
	if t.Value != nil {
		add("= %s", whole(specjson.Untyped(t.Value), t.ValueCut))
	}
	if t.Event != "" {
		add("%s  %s", text(t.Event), whole(t.Attributes, t.AttributesCut))
	}
	if t.Line != nil {
		add("%s", text(*t.Line))
	}
	s.printf("%s%-7s %s\n", indent, text(t.Op), strings.Join(words, " "))
}

// shownValue is how many characters a line of a story shows of a value.
const shownValue = 160

// whole shows JSON on one line, cut where it is long. size is that of all bytes if these are only the first.
func whole(raw json.RawMessage, size int) string {
	shown := inline(raw)
	if shown == "" { // an object without fields
		shown = string(raw)
	}
	if r := []rune(shown); len(r) > shownValue {
		shown = string(r[:shownValue]) + "..."
	}
	if size > 0 {
		shown += fmt.Sprintf(" (%d bytes)", size)
	}
	return shown
}

const (
	// textRun is from how many characters on a part of a row's key is taken for text: one address in 400 happens to hold as many.
	textRun = 8
	// endedRun is how many are enough where what ends a text in a key follows.
	endedRun = 4
	textEnd  = "\x00\x01"
)

// keyText shows a row's key: what looks like text as text, the rest in hex, as in 0x9701..door/1..0x0001. It is for the eye: bytes that happen
// to be characters are shown as such, at least where they stand beside text.
func keyText(key []byte) string {
	var parts []string
	for len(key) > 0 {
		n := run(key)
		if isText(key, n) || n == len(key) && parts == nil {
			parts = append(parts, string(key[:n]))
		} else {
			for n < len(key) && !isText(key[n:], run(key[n:])) {
				n += max(1, run(key[n:]))
			}
			parts = append(parts, "0x"+hex.EncodeToString(key[:n]))
		}
		key = key[n:]
	}
	return strings.Join(parts, "..")
}

// isText reports whether the first n bytes, which are all that are printable, are taken for text.
func isText(key []byte, n int) bool {
	return n >= textRun || n >= endedRun && strings.HasPrefix(string(key[n:]), textEnd)
}

// run is how many bytes from the first on are printable.
func run(b []byte) int {
	for i, c := range b {
		if c <= ' ' || c > '~' {
			return i
		}
	}
	return len(b)
}

// part shows gas and its share of the whole.
func part(gas, whole uint64) string {
	if whole == 0 {
		return fmt.Sprint(gas)
	}
	return fmt.Sprintf("%d (%d%%)", gas, (gas*100+whole/2)/whole)
}
