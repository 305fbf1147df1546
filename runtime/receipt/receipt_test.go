package receipt

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
)

// TestCodesAreForGood: the numbers are in block hashes. A line may be added at the end
// of its half; none may change.
func TestCodesAreForGood(t *testing.T) {
	var b strings.Builder
	for _, c := range Codes() {
		fmt.Fprintf(&b, "%d %s\n", uint32(c), c.Name())
	}
	const want = `0 ok
1 malformed
2 too_large
3 wrong_chain
4 expired
5 unknown_key
6 key_shut
7 key_expired
8 bad_signature
9 out_of_scope
10 replayed
11 sequence_jump
12 gas_limit
13 over_quota
14 busy
15 one_activation
32 unknown_contract
33 unknown_method
34 bad_arguments
35 failed
36 trapped
37 out_of_gas
38 too_deep
39 not_permitted
40 bad_result
41 bad_code
42 exists
43 breaking
`
	if b.String() != want {
		t.Errorf("the codes are\n%s\nwant\n%s", &b, want)
	}
}

func TestCodes(t *testing.T) {
	if !slices.IsSorted(Codes()) {
		t.Error("the codes do not ascend")
	}
	sentences := map[string]Code{}
	for _, c := range Codes() {
		if got, ok := ParseCode(c.Name()); !ok || got != c {
			t.Errorf("ParseCode(%q) = %d, %t, want %d", c.Name(), got, ok, c)
		}
		if other, ok := sentences[c.String()]; ok {
			t.Errorf("%s and %s have the same sentence", c.Name(), other.Name())
		}
		sentences[c.String()] = c
		if want := c == 0 || c >= 32; c.Executed() != want {
			t.Errorf("%s: executed is %t", c.Name(), c.Executed())
		}
	}
	if got := Code(99).Name() + ": " + Code(99).String(); got != "code_99: code 99, which this version does not know" {
		t.Errorf("an unknown code prints as %q", got)
	}
	if c, ok := ParseCode("code_99"); ok {
		t.Errorf("ParseCode takes a name that is not in the list: %d", c)
	}
}

// sample is a receipt with every field set.
func sample() Receipt {
	return Receipt{
		TxID: sha256.Sum256([]byte("tx")), Code: Failed, ContractCode: 7, Reason: "grant g-17 expired at 1767225600",
		GasUsed: 812_345, GasLimit: 5_000_000, Return: []byte{0xf5},
		Events: []Event{
			{"access", "denied", []byte{0xa1, 0x62, 'i', 'd', 0x11}},
			{"access", "tick", []byte{0xa0}},
		},
		Contract: "access", Method: "use", Sender: address.OfContract("somebody"), Log: []string{"not encoded"},
	}
}

func TestReceiptRoundTrip(t *testing.T) {
	for name, want := range map[string]Receipt{"full": sample(), "empty": {}, "code from the future": {Code: 4_000_000_000}} {
		b := want.Encode()
		if err := cbor.Valid(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got, err := Decode(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want.Log = nil
		if g, w := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want); g != w {
			t.Errorf("%s: came back as\n%s\nwant\n%s", name, g, w)
		}
		clear(b) // the receipt must not share memory with what it was read from
		if again := got.Encode(); !bytes.Equal(again, want.Encode()) {
			t.Errorf("%s: encodes to %x, want %x", name, again, want.Encode())
		}
	}
}

// TestGolden fixes the encodings: Data is in block hashes, Encode is on disk.
func TestGolden(t *testing.T) {
	r := sample()
	events, ret := EventsRoot(r.Events), sha256.Sum256(r.Return)
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"Event", r.Events[0].Encode(), "8366616363657373" + "6664656e696564" + "a162696411"},
		{"Event without attributes", Event{Contract: "c", Name: "n"}.Encode(), "8361636" + "16ea0"},
		{"Data", r.Data(), "8401" + "5820" + hex.EncodeToString(events[:]) + "5820" + hex.EncodeToString(ret[:]) + "07"},
		{"Encode", r.Encode(), "8c01" + "5820" + hex.EncodeToString(r.TxID[:]) + "1823" + "07" + "7820" + hex.EncodeToString([]byte(r.Reason)) +
			"1a000c6539" + "1a004c4b40" + "41f5" + "82" + "8366616363657373" + "6664656e696564" + "a162696411" + "8366616363657373" + "647469636b" + "a0" +
			"66616363657373" + "63757365" + "54" + hex.EncodeToString(r.Sender[:])},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s is %s, want %s", c.name, got, c.want)
		}
	}
}

// TestDataCommits: events, their order, the returned value and the contract's code
// change Data; what is for people does not.
func TestDataCommits(t *testing.T) {
	is := func(change func(*Receipt)) string {
		r := sample()
		change(&r)
		return string(r.Data())
	}
	base := is(func(*Receipt) {})
	for name, change := range map[string]func(*Receipt){
		"an attribute":  func(r *Receipt) { r.Events[0].Attributes[4]++ },
		"an event name": func(r *Receipt) { r.Events[0].Name = "allowed" },
		"the emitter":   func(r *Receipt) { r.Events[0].Contract = "energy" },
		"the order":     func(r *Receipt) { slices.Reverse(r.Events) },
		"one event less": func(r *Receipt) {
			r.Events = r.Events[:1]
		},
		"the returned value":  func(r *Receipt) { r.Return = []byte{0xf4} },
		"the contract's code": func(r *Receipt) { r.ContractCode++ },
	} {
		if is(change) == base {
			t.Errorf("%s is not in Data", name)
		}
	}
	if is(func(r *Receipt) { r.Reason, r.Log = "else", nil }) != base {
		t.Error("reason or log is in Data")
	}
}

// TestDecodeRefuses changes one element of a receipt's array at a time.
func TestDecodeRefuses(t *testing.T) {
	text := func(s string) []byte { return cbor.AppendText(nil, s) }
	good := sample()
	elements := func() [][]byte {
		r := cbor.NewReader(good.Encode())
		n, err := r.Array()
		if err != nil {
			t.Fatal(err)
		}
		var all [][]byte
		for range n {
			raw, err := r.Raw()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, raw)
		}
		return all
	}
	event := func(b ...[]byte) []byte { return slices.Concat([]byte{0x81, 0x83}, slices.Concat(b...)) }
	for _, c := range []struct {
		name  string
		i     int
		value []byte
		want  string
	}{
		{"another version", 0, []byte{2}, "version 2, this program knows 1"},
		{"a short id", 1, cbor.AppendBytes(nil, make([]byte, 31)), "transaction id is 31 bytes, must be 32"},
		{"an id as text", 1, text("id"), "transaction id: cbor: byte 2: found a text string"},
		{"a code beyond 32 bits", 2, cbor.AppendUint(nil, math.MaxUint32+1), "code 4294967296 is beyond 32 bits"},
		{"a negative code", 2, []byte{0x20}, "code: cbor: byte 36: found a negative integer"},
		{"a contract code beyond 32 bits", 3, cbor.AppendUint(nil, math.MaxUint64), "contract code 18446744073709551615 is beyond 32 bits"},
		{"a long reason", 4, text(strings.Repeat("x", MaxReason+1)), "reason is 1025 bytes, limit 1024"},
		{"gas as text", 5, text("all"), "found a text string"},
		{"a float limit", 6, []byte{0xf9, 0, 0}, "floating-point"},
		{"a long returned value", 7, cbor.AppendBytes(nil, make([]byte, MaxReturn+1)), "returned value is 1048577 bytes, limit 1048576"},
		{"too many events", 8, append(cbor.AppendArray(nil, MaxEvents+1), bytes.Repeat([]byte{0}, MaxEvents+1)...), "4097 events, limit 4096"},
		{"an event that is none", 8, []byte{0x81, 0x00}, "event 0: cbor: "},
		{"an event of two", 8, []byte{0x81, 0x82, 0x60, 0x60}, "event 0: array of 2, must have 3"},
		{"a long emitter", 8, event(text(strings.Repeat("c", 65)), text("n"), []byte{0xa0}), "event 0: contract is 65 bytes, limit 64"},
		{"a long event name", 8, event(text("c"), text(strings.Repeat("n", 65)), []byte{0xa0}), "event 0: name is 65 bytes, limit 64"},
		{"attributes in a list", 8, event(text("c"), text("n"), []byte{0x80}), "event 0: attributes: found an array, must be a map"},
		{"attributes with a number as key", 8, event(text("c"), text("n"), []byte{0xa1, 1, 1}), "event 0: attributes: cbor: byte 1: found an unsigned integer where a text string"},
		{"attributes out of order", 8, event(text("c"), text("n"), []byte{0xa2, 0x61, 'b', 0, 0x61, 'a', 0}), "map keys are not in ascending order"},
		{"large attributes", 8, event(text("c"), text("n"), append([]byte{0xa1, 0x60}, cbor.AppendBytes(nil, make([]byte, MaxAttributes))...)), "attributes: 65543 bytes, limit 65536"},
		{"a long contract", 9, text(strings.Repeat("c", 65)), "contract is 65 bytes, limit 64"},
		{"a long method", 10, text(strings.Repeat("c", 65)), "method is 65 bytes, limit 64"},
		{"a short sender", 11, []byte{0x41, 1}, "sender is 1 bytes, must be 20"},
		{"a byte behind", 11, append(elements()[11], 0), "one byte too many"},
	} {
		e := elements()
		e[c.i] = c.value
		_, err := Decode(append(cbor.AppendArray(nil, 12), slices.Concat(e...)...))
		if err == nil || !strings.HasPrefix(err.Error(), "receipt: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	whole := good.Encode()
	for n := range whole {
		if _, err := Decode(whole[:n]); err == nil {
			t.Errorf("the first %d of %d bytes decode", n, len(whole))
		}
	}
	if _, err := Decode([]byte{0x80}); err == nil || !strings.Contains(err.Error(), "array of 0, must have 12") {
		t.Errorf("an empty array: %v", err)
	}
}

// TestEventsRoot takes the vectors of the Certificate Transparency project, which RFC
// 6962's authors published for their tree.
func TestEventsRoot(t *testing.T) {
	inputs := []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
	roots := []string{
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
	var leaves [][32]byte
	for i, want := range roots {
		if got := merkleRoot(leaves); hex.EncodeToString(got[:]) != want {
			t.Errorf("%d leaves: root %x, want %s", i, got, want)
		}
		if i < len(inputs) {
			b, err := hex.DecodeString(inputs[i])
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, sha256.Sum256(append([]byte{0}, b...)))
		}
	}
	if EventsRoot(nil) != sha256.Sum256(nil) {
		t.Error("the root of no events is not the hash of nothing")
	}
}

// TestEventsRootOracle compares with the definition, level by level: pair up
// neighbours, carry an odd one over.
func TestEventsRootOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := make([]Event, rapid.IntRange(1, 40).Draw(t, "events"))
		var level [][]byte
		for i := range events {
			events[i] = Event{"c", fmt.Sprint(i), nil}
			h := sha256.Sum256(append([]byte{0}, events[i].Encode()...))
			level = append(level, h[:])
		}
		for len(level) > 1 {
			var up [][]byte
			for i := 0; i+1 < len(level); i += 2 {
				h := sha256.Sum256(slices.Concat([]byte{1}, level[i], level[i+1]))
				up = append(up, h[:])
			}
			if len(level)%2 == 1 {
				up = append(up, level[len(level)-1])
			}
			level = up
		}
		if got := EventsRoot(events); !bytes.Equal(got[:], level[0]) {
			t.Fatalf("%d events: %x, want %x", len(events), got, level[0])
		}
	})
}

func TestRefusal(t *testing.T) {
	r := sample()
	r.Reason = "bad \xff" + strings.Repeat("é", MaxReason)
	e := r.Refusal()
	got, err := DecodeEvent(e.Encode())
	if err != nil || got.Contract != "access" || got.Name != Refused {
		t.Fatalf("%+v, %v", got, err)
	}
	m := cbor.NewReader(got.Attributes)
	n, err := m.Map()
	if err != nil {
		t.Fatal(err)
	}
	var keys cbor.MapKeys
	values := map[string]string{}
	for range n {
		k, err := keys.Text(m)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := m.Raw()
		if err != nil {
			t.Fatal(err)
		}
		values[k] = hex.EncodeToString(raw)
	}
	want := map[string]string{
		"code": "1823", "contract_code": "07", "name": "66" + hex.EncodeToString([]byte("failed")), "method": "63" + hex.EncodeToString([]byte("use")),
		"reason": hex.EncodeToString(cbor.AppendText(nil, Clip(r.Reason))), "sender": "54" + hex.EncodeToString(r.Sender[:]),
	}
	if fmt.Sprint(values) != fmt.Sprint(want) {
		t.Errorf("attributes are %v, want %v", values, want)
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"what fits", "grant expired", "grant expired"},
		{"exactly the limit", strings.Repeat("x", MaxReason), strings.Repeat("x", MaxReason)},
		{"one more", strings.Repeat("x", MaxReason+1), strings.Repeat("x", MaxReason)},
		{"not in the middle of a character", strings.Repeat("x", MaxReason-1) + "é", strings.Repeat("x", MaxReason-1)},
		{"not UTF-8", "a\xffb\xc3", "a\ufffdb\ufffd"},
		{"rubbish grows, and is cut", strings.Repeat("\xff", MaxReason), strings.Repeat("\ufffd", MaxReason/3)},
	} {
		if got := Clip(c.in); got != c.want || !utf8.ValidString(got) || Clip(got) != got {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestCursor(t *testing.T) {
	for _, c := range []struct {
		text string
		want Cursor
		err  string
	}{
		{"0.0.0", Cursor{}, ""},
		{"12.3.4", Cursor{12, 3, 4}, ""},
		{"18446744073709551615.4294967295.4294967295", Cursor{math.MaxUint64, math.MaxUint32, math.MaxUint32}, ""},
		{"", Cursor{}, "must be height.tx.index"},
		{"1.2", Cursor{}, "must be height.tx.index"},
		{"1.2.3.4", Cursor{}, `"3.4" is not a number`},
		{"01.2.3", Cursor{}, `"01" is not a number in plain decimal`},
		{"+1.2.3", Cursor{}, `"+1" is not a number`},
		{"-1.2.3", Cursor{}, `"-1" is not a number`},
		{"1. 2.3", Cursor{}, `" 2" is not a number`},
		{"1..3", Cursor{}, `"" is not a number`},
		{"18446744073709551616.0.0", Cursor{}, "is not a number"},
		{"1.4294967296.0", Cursor{}, "4294967296 is beyond 4294967295"},
		{strings.Repeat("1", 43), Cursor{}, "cursor is 43 bytes, limit 42"},
	} {
		got, err := ParseCursor(c.text)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("ParseCursor(%q) = %v, %v, want %q", c.text, got, err, c.err)
			}
			continue
		}
		if err != nil || got != c.want || got.String() != c.text {
			t.Errorf("ParseCursor(%q) = %v, %v", c.text, got, err)
		}
	}
}

// TestCursorOrder: Compare, the order of the three numbers and the order of Key agree,
// and each form comes back.
func TestCursorOrder(t *testing.T) {
	small := rapid.Uint32Range(0, 3) // so that equal parts are drawn as well
	cursor := rapid.Custom(func(t *rapid.T) Cursor {
		if rapid.Bool().Draw(t, "wide") {
			return Cursor{rapid.Uint64().Draw(t, "height"), rapid.Uint32().Draw(t, "tx"), rapid.Uint32().Draw(t, "index")}
		}
		return Cursor{uint64(small.Draw(t, "height")), small.Draw(t, "tx"), small.Draw(t, "index")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := cursor.Draw(t, "a"), cursor.Draw(t, "b")
		want := slices.Compare([]uint64{a.Height, uint64(a.Tx), uint64(a.Index)}, []uint64{b.Height, uint64(b.Tx), uint64(b.Index)})
		ka, kb := a.Key(), b.Key()
		if a.Compare(b) != want || bytes.Compare(ka[:], kb[:]) != want {
			t.Fatalf("%v against %v: Compare %d, keys %d, want %d", a, b, a.Compare(b), bytes.Compare(ka[:], kb[:]), want)
		}
		if CursorOfKey(ka) != a {
			t.Fatalf("%v comes back from its key as %v", a, CursorOfKey(ka))
		}
		js, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var c Cursor
		if err := json.Unmarshal(js, &c); err != nil || c != a {
			t.Fatalf("%v comes back from %s as %v, %v", a, js, c, err)
		}
	})
}

// FuzzDecode: no bytes crash it, and what it takes is what Encode writes.
func FuzzDecode(f *testing.F) {
	full, empty := sample(), Receipt{}
	f.Add(full.Encode())
	f.Add(empty.Encode())
	f.Add(full.Encode()[:80])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Decode(b)
		if err == nil && !bytes.Equal(r.Encode(), b) {
			t.Fatalf("%x encodes to %x", b, r.Encode())
		}
	})
}

// FuzzDecodeEvent: the same for what a client checks a proof with.
func FuzzDecodeEvent(f *testing.F) {
	for _, e := range sample().Events {
		f.Add(e.Encode())
	}
	f.Add(Event{}.Encode())
	f.Add([]byte{0x83, 0x60, 0x60, 0xa1, 0x01, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := DecodeEvent(b)
		if err == nil && !bytes.Equal(e.Encode(), b) {
			t.Fatalf("%x encodes to %x", b, e.Encode())
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	r := sample()
	b.ReportAllocs()
	for b.Loop() {
		r.Encode()
	}
}

func BenchmarkDecode(b *testing.B) {
	r := sample()
	raw := r.Encode()
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkData(b *testing.B) {
	r := sample()
	b.ReportAllocs()
	for b.Loop() {
		r.Data()
	}
}
