// Package story tells people what a call of a contract did: what it read, wrote, said and called, how it ended, and what the gas went
// into. The command prints it for --simulate and for transactions, sdk/sdktest where an expectation fails.
package story

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/sdk/client"
)

// Tell returns the story of a call that used gas, of it admission before it began; c is nil if it did not begin. It ends with a line break.
func Tell(c *client.CallTrace, used, admission uint64) string {
	var t teller
	t.story(c, used, admission)
	return t.b.String()
}

type teller struct{ b strings.Builder }

func (s *teller) printf(format string, args ...any) { fmt.Fprintf(&s.b, format, args...) }

// story tells people what a call did, and what the gas went into.
func (s *teller) story(c *client.CallTrace, used, admission uint64) {
	if c == nil {
		s.printf("\nit did not run\n")
		return
	}
	s.printf("\n")
	s.call(c, used, "")
	s.printf("gas %d: admission %s, call %s\n", used, part(admission, used), part(c.Gas.Used, used))
}

// call tells of one call, and deeper of those within it. Shares are of the transaction's gas.
func (s *teller) call(c *client.CallTrace, used uint64, indent string) {
	as := ""
	if c.View {
		as = " (as a view)"
	}
	s.printf("%s%s %s%s  %s\n", indent, Text(c.Contract), Text(c.Method), as, strings.TrimRight(whole(c.Args, c.ArgsCut), " "))
	deeper := indent + "    "
	if c.Sender != nil && indent == "" {
		s.printf("%ssender %s\n", deeper, c.Sender)
	}
	for i := range c.Steps {
		s.step(&c.Steps[i], used, deeper)
	}
	if c.Omitted > 0 {
		s.printf("%s(%d more steps were not kept)\n", deeper, c.Omitted)
	}
	end := Verdict(c.Code, c.ContractCode, c.ContractError, c.Result)
	switch {
	case c.Reason != "":
		end += ": " + Text(c.Reason)
	case c.ResultCut > 0 || c.Result != nil && string(c.Result) != "null":
		end += "  " + whole(c.Result, c.ResultCut)
	}
	s.printf("%s-> %s\n", indent, end)
	for i, name := range c.Stack {
		in := "in "
		if i > 0 {
			in = "by "
		}
		s.printf("%s   %s%s\n", indent, in, Text(name))
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
		into = append(into, fmt.Sprintf("%s x%d %s", Text(f.Name), f.Calls, part(f.Gas, used)))
	}
	if rest.Calls > 0 {
		into = append(into, fmt.Sprintf("other functions x%d %s", rest.Calls, part(rest.Gas, used)))
	}
	if g.Calls > 0 {
		into = append(into, "calls "+part(g.Calls, used))
	}
	s.printf("%s   gas %s: %s\n", indent, part(g.Used, used), strings.Join(into, ", "))
}

func (s *teller) step(t *client.Step, used uint64, indent string) {
	if t.Call != nil {
		s.printf("%scall\n", indent)
		s.call(t.Call, used, indent+"    ")
		return
	}
	var words []string
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if t.Collection != "" {
		add("%s", Text(t.Collection))
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
		add("%s  %s", Text(t.Event), whole(t.Attributes, t.AttributesCut))
	}
	if t.Line != nil {
		add("%s", Text(*t.Line))
	}
	s.printf("%s%-7s %s\n", indent, Text(t.Op), strings.Join(words, " "))
}

// shownValue is how many characters a line of a story shows of a value.
const shownValue = 160

// whole shows JSON on one line, cut where it is long. size is that of all bytes if these are only the first.
func whole(raw json.RawMessage, size int) string {
	shown := Inline(raw)
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

// Verdict says how a call ended.
func Verdict(code string, contractCode uint32, contractError string, result json.RawMessage) string {
	if contractCode != 0 {
		code += fmt.Sprintf(" %d %s", contractCode, contractError)
	}
	if no := saysNo(result); no != "" {
		code += ", but " + no + "=false"
	}
	return Text(strings.TrimSpace(code))
}

// Inline shows JSON on one line for people: the fields of an object as name=value, without
// quotes where nothing can be misread.
func Inline(raw json.RawMessage) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return scalar(raw)
	}
	var parts []string
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return Text(string(raw))
		}
		parts = append(parts, Text(fmt.Sprint(name))+"="+scalar(value))
	}
	return strings.Join(parts, " ")
}

// scalar shows a JSON value, a string without its quotes if it is one plain word.
func scalar(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil && s != "" && !strings.ContainsAny(s, " =\"\\'{}[],") && Text(s) == s {
		return s
	}
	var compact bytes.Buffer
	if json.Compact(&compact, raw) != nil {
		return Text(string(raw))
	}
	return Text(compact.String())
}

// saysNo names the field by which a result says no, or "": people read the first line only.
func saysNo(result json.RawMessage) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(result, &fields) != nil {
		return ""
	}
	for _, name := range []string{"allowed", "authentic"} {
		if string(fields[name]) == "false" {
			return name
		}
	}
	return ""
}

// Text makes what others wrote safe to print on a terminal: control characters would let a
// contract's reason move the cursor or change what is on the screen.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < 0x20 || 0x7f <= r && r < 0xa0 || r == 0x2028 || r == 0x2029 || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069:
			return '\ufffd'
		}
		return r
	}, s)
}
