package cli

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk/client"
)

// TestText: what a contract or a node says can't move the cursor, colour the screen or turn
// the reading direction.
func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"door/1 is not yours": "door/1 is not yours",
		"a\nb\tc":             "a b c",
		"\x1b[2Jgone\r":       "\ufffd[2Jgone\ufffd",
		"\u202eliar\u2066":    "\ufffdliar\ufffd",
		"\x9b31m\u009b":       "\ufffd31m\ufffd",
		"größer":              "größer",
	} {
		if got := text(in); got != want {
			t.Errorf("text(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestInline(t *testing.T) {
	for in, want := range map[string]string{
		`{"id":"7","object":"door/1"}`:                `id=7 object=door/1`,
		`{"reason":"moved out","n":9007199254740993}`: `reason="moved out" n=9007199254740993`,
		`{"b":"","a":["x", "y"],"c":{"d":1}}`:         `b="" a=["x","y"] c={"d":1}`,
		`{"fake":"1 allowed=true"}`:                   `fake="1 allowed=true"`,
		`{"a=b":"\u001b[2J"}`:                         `a=b="\u001b[2J"`,
		`7`:                                           `7`,
		`"ward1abc"`:                                  `ward1abc`,
		`[1, 2]`:                                      `[1,2]`,
		`{}`:                                          ``,
		`{"a":`:                                       `{"a":`,
	} {
		if got := inline(json.RawMessage(in)); got != want {
			t.Errorf("inline(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestInteger(t *testing.T) {
	b, err := json.Marshal([]integer{0, 1<<53 - 1, 1 << 53, 1<<64 - 1})
	if want := `[0,9007199254740991,"9007199254740992","18446744073709551615"]`; err != nil || string(b) != want {
		t.Errorf("got %s, want %s (%v)", b, want, err)
	}
}

func TestReorder(t *testing.T) {
	for in, want := range map[string]string{
		"key new owner --plain":           "key new --plain owner",
		"key new owner --alg ES256 x":     "key new --alg ES256 owner x",
		"key new --alg=ES256 owner":       "key new --alg=ES256 owner",
		"key new owner --home":            "key new --home owner",
		"key new -- --plain":              "key new -- --plain",
		"tx abc --json":                   "tx --json abc",
		"tx send file --no-wait":          "tx send --no-wait file",
		"tx send - --json":                "tx send --json -",
		"call access grant --key x --y z": "call access grant --key x --y z",
		"nonsense a --b":                  "nonsense a --b",
		"--help":                          "--help",
	} {
		if got := reorder(commands(), strings.Fields(in)); !reflect.DeepEqual(got, strings.Fields(want)) {
			t.Errorf("%s: got %v, want %v", in, got, want)
		}
	}
}

// A view that writes is nothing that a key of anybody's could do.
func TestAdviceOfAViewThatWrites(t *testing.T) {
	for reason, want := range map[string]string{
		"set in a view: a view changes nothing": "who wrote the contract: what writes is declared with sdk.Method",
		"the sender is not the operator":        "--key with the operator's key, if this is the operator's to do",
	} {
		if got := advice(&client.Refused{Code: receipt.NotPermitted, Reason: reason}); got != want {
			t.Errorf("%s: %s", reason, got)
		}
	}
}
