package story

import (
	"encoding/hex"
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/wardledger/ward/sdk/client"
)

func TestKeyText(t *testing.T) {
	for key, want := range map[string]string{
		"":                          "",
		"a":                         "a",
		"door/1":                    "door/1",
		"\x00":                      "0x00",
		"\x01ab\x02":                "0x01616202",
		"\x01\x02door/1\x00\x01":    "0x0102..door/1..0x0001",
		"abc\x00":                   "0x61626300",
		"door\x00x":                 "0x646f6f720078",
		"doorbell\x00x":             "doorbell..0x0078",
		"door\x00\x01gate\x00\x01x": "door..0x0001..gate..0x000178",
		"two syllables":             "0x74776f20..syllables",
		"\x9b2J\u202e and the end":  "0x9b324ae280ae20616e642074686520656e64",
	} {
		if got := keyText([]byte(key)); got != want {
			t.Errorf("%q is shown as %q, want %q", key, got, want)
		}
	}
}

// Whatever the bytes of an address are, a text behind it is shown whole, as testdata/script/simulate.txtar has it. Seldom is anything else
// of the address text.
func TestKeyTextOfAddresses(t *testing.T) {
	const text = "ward1operator/door/1"
	shown := regexp.MustCompile(`^[!-~]*` + text + `\.\.0x0001$`)
	random := rand.NewChaCha8([32]byte{})
	torn := 0
	for i := range 10_000 {
		var address [20]byte
		_, _ = random.Read(address[:])
		if keyText(address[:]) != "0x"+hex.EncodeToString(address[:]) {
			torn++
		}
		for tail := range 2 {
			if tail == 1 { // its last bytes are characters, up to all of them
				for n := range i % 21 {
					address[19-n] = '!' + address[19-n]%('~'-'!'+1)
				}
			}
			if got := keyText([]byte(string(address[:]) + text + "\x00\x01")); !shown.MatchString(got) {
				t.Fatalf("%x is shown as %q", address, got)
			}
		}
	}
	if torn > 100 {
		t.Errorf("%d of 10,000 addresses are not shown in hex alone", torn)
	} else {
		t.Logf("%d of 10,000 addresses are not shown in hex alone", torn)
	}
}

// Where a contract trapped is below how it ended.
func TestStoryOfATrap(t *testing.T) {
	got := Tell(&client.CallTrace{
		Contract: "door", Method: "open", Args: []byte("{}"), Code: "ok", Gas: client.CallGas{Used: 90},
		Steps: []client.Step{{Op: "call", Call: &client.CallTrace{
			Contract: "lock", Method: "turn", Args: []byte("{}"), Code: "trapped", Reason: "trap: division by zero",
			Stack: []string{"main.share", "main.(*Book[go.shape.string]).Total", "\x1b[2Jward_call"},
		}}},
	}, 100, 10)
	want := `
door open  {}
    call
        lock turn  {}
        -> trapped: trap: division by zero
           in main.share
           by main.(*Book[go.shape.string]).Total
           by ` + "\ufffd" + `[2Jward_call
-> ok
   gas 90 (90%): instance 0 (0%), instructions 0 (0%)
gas 100: admission 10 (10%), call 90 (90%)
`
	if got != want {
		t.Errorf("the story is\n%s\nwant\n%s", got, want)
	}
}
