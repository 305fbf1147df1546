package address

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/bech32"
	"pgregory.net/rapid"
)

// TestKnownAddresses fixes derivation and text for good: a change here renames every
// key on every chain. The hashes were computed outside of Go.
func TestKnownAddresses(t *testing.T) {
	key, err := hex.DecodeString("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, hex, text string
		a               Address
	}{
		{"the zero address", strings.Repeat("00", 20), "ward1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqrtsswh", Address{}},
		{"the first key of RFC 8032", "7605de7f32eb619b51d119122fe91c4e0a7d4c8f", "ward1wczaulejadsek5w3ryfzl6gufc986ny0wvc7ax", FromKey(key)},
		{"the contract access", "7c2db9fc321a2c0589d025914a0c123afbc26037", "ward10skmnlpjrgkqtzwsykg55rqj8tauycphc3staj", OfContract("access")},
	} {
		if got := hex.EncodeToString(c.a[:]); got != c.hex {
			t.Errorf("%s: bytes %s, want %s", c.name, got, c.hex)
		}
		if got := c.a.String(); got != c.text {
			t.Errorf("%s: text %s, want %s", c.name, got, c.text)
		}
		for _, s := range []string{c.text, strings.ToUpper(c.text)} {
			if got, err := Parse(s); err != nil || got != c.a {
				t.Errorf("%s: Parse(%q) = %v, %v", c.name, s, got, err)
			}
		}
	}
}

// TestKeyAndContractDiffer: equal bytes under the two names are two addresses.
func TestKeyAndContractDiffer(t *testing.T) {
	if FromKey([]byte("access")) == OfContract("access") {
		t.Error("a key with the bytes \"access\" has the address of the contract access")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "is not ward1 and 38 more characters"},
		{"one wrong character", "ward1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqrtsswa", "checksum"},
		{"mixed case", "ward1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqrtssWH", "upper and lower case"},
		{"another chain's prefix", "cosmos1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqnrql8a", `prefix "cosmos"`},
		{"bech32 instead of bech32m", "ward1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqkhqut4", "must be bech32m"},
		{"too long", "ward1" + strings.Repeat("q", 200), "205 bytes, limit 90"},
	} {
		_, err := Parse(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Parse(%q) = %v, want an error with %q", c.name, c.text, err, c.want)
		}
	}
}

// TestAgreesWithBTCD holds the text against another implementation of BIP 350, what is refused too.
func TestAgreesWithBTCD(t *testing.T) {
	other := func(s string) (a Address, ok bool) {
		prefix, words, version, err := bech32.DecodeGeneric(s)
		if err != nil || prefix != Prefix || version != bech32.VersionM {
			return a, false
		}
		b, err := bech32.ConvertBits(words, 5, 8, false)
		if err != nil || len(b) != Size {
			return a, false
		}
		return Address(b), true
	}
	rapid.Check(t, func(t *rapid.T) {
		a := Address(rapid.SliceOfN(rapid.Byte(), Size, Size).Draw(t, "bytes"))
		words, err := bech32.ConvertBits(a[:], 8, 5, true)
		if err != nil {
			t.Fatal(err)
		}
		text, err := bech32.EncodeM(Prefix, words)
		if err != nil || text != a.String() {
			t.Fatalf("%x is %s, btcd has %s, %v", a[:], a, text, err)
		}
		mangled := []byte(text)
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			mangled[rapid.IntRange(0, len(mangled)-1).Draw(t, "where")] = rapid.ByteRange(' ', '~').Draw(t, "what")
		}
		if rapid.Bool().Draw(t, "length") {
			// Words of a good checksum and a wrong number of them.
			extra := append(words, rapid.SliceOfN(rapid.ByteRange(0, 31), 1, 3).Draw(t, "words")...)
			if long, err := bech32.EncodeM(Prefix, extra); err == nil {
				mangled = []byte(long)
			}
		}
		want, ok := other(string(mangled))
		if got, err := Parse(string(mangled)); (err == nil) != ok || got != want {
			t.Fatalf("%q is %v, %v; btcd has %v, %v", mangled, got, err, want, ok)
		}
	})
}

func TestFromBytesWantsTwenty(t *testing.T) {
	for _, n := range []int{0, 19, 21, 32} {
		if _, err := FromBytes(make([]byte, n)); err == nil {
			t.Errorf("FromBytes took %d bytes", n)
		}
	}
	b := []byte("twenty bytes, exactly")[:20]
	if a, err := FromBytes(b); err != nil || string(a[:]) != string(b) {
		t.Errorf("FromBytes(20 bytes) = %v, %v", a, err)
	}
}

func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Address(rapid.SliceOfN(rapid.Byte(), Size, Size).Draw(t, "bytes"))
		got, err := Parse(a.String())
		if err != nil || got != a {
			t.Fatalf("Parse(%s) = %v, %v", a, got, err)
		}
	})
}

func TestJSON(t *testing.T) {
	want := map[Address]Address{OfContract("access"): OfContract("devices")}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got map[Address]Address
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got[OfContract("access")] != OfContract("devices") {
		t.Errorf("%s came back as %v", b, got)
	}
	if err := json.Unmarshal([]byte(`{"ward1x":"ward1x"}`), &got); err == nil {
		t.Error("JSON with a wrong address was taken")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("ward1wczaulejadsek5w3ryfzl6gufc986ny0wvc7ax")
	f.Add("WARD1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQRTSSWH")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := Parse(s)
		if err == nil && a.String() != strings.ToLower(s) {
			t.Errorf("Parse(%q) = %s", s, a)
		}
	})
}
