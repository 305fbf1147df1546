package genesis_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
)

// key is the n-th public key of this test.
func key(n byte) []byte {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32)).Public().(ed25519.PublicKey)
}

// p256 is the generator of the curve: a public key like any other.
var p256 = []byte("\x03\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96")

func sample() *genesis.Genesis {
	return &genesis.Genesis{
		Chain:       "ward-test",
		Time:        time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC),
		Operator:    address.FromKey(key(1)),
		Authorities: []genesis.Authority{{Name: "north", Key: key(9)}, {Key: key(8)}},
		Accounts: []genesis.Account{
			{Name: "operator", Key: key(1), QuotaPerHour: 1 << 60, Scope: genesis.Everything()},
			{Key: bytes.Clone(p256), QuotaPerHour: 7, Scope: []abi.Scope{{Contract: "devices", Methods: []string{"enrol"}}, {Contract: "access"}}},
		},
		Contracts: []genesis.Contract{{
			Name: "devices", Code: bytes.Repeat([]byte("\x00asm"), 1000), Admin: address.FromKey(key(1)),
			Capabilities: []string{"accounts"}, Init: []byte{0xa1, 0x61, 'a', 0x01},
		}},
	}
}

func TestRoundTrip(t *testing.T) {
	g := sample()
	text, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := genesis.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, again) {
		t.Errorf("parse and encode changed the document:\n%s\n%s", text, again)
	}
	if g.Digest() != back.Digest() {
		t.Error("the digest changed on the way through the document")
	}
	if back.Params != (genesis.Params{}).WithDefaults() {
		t.Errorf("params are %+v, want the defaults", back.Params)
	}
	if !bytes.Equal(back.Contracts[0].Code, g.Contracts[0].Code) {
		t.Error("the code changed")
	}
}

// The chain's parameters are in the document only where they are not the defaults.
func TestParameters(t *testing.T) {
	for want, p := range map[string]abi.Parameters{
		"": {Deploy: abi.DeployOperator},
		`"parameters": {
    "deploy": "open"
  }`: {Deploy: abi.DeployOpen},
		`"parameters": {
    "deploy": "list"
  }`: {Deploy: abi.DeployList},
		`"parameters": {
    "deploy": "list",
    "deployers": [
      "` + address.FromKey(key(1)).String() + `"
    ]
  }`: {Deploy: abi.DeployList, Deployers: [][]byte{sample().Operator[:]}},
	} {
		g := sample()
		g.Parameters = p
		text, err := g.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) || want == "" && strings.Contains(string(text), "parameters") {
			t.Errorf("%+v is not written as %s:\n%s", p, want, text)
		}
		back, err := genesis.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if back.Digest() != g.Digest() || !bytes.Equal(back.State().Parameters.Encode(), p.Encode()) {
			t.Errorf("%+v came back as %+v", p, back.Parameters)
		}
	}
}

// The digest must notice everything that makes another chain and nothing else.
func TestDigest(t *testing.T) {
	base := sample().Digest()
	for name, change := range map[string]func(*genesis.Genesis){
		"chain":     func(g *genesis.Genesis) { g.Chain = "ward-tess" },
		"time":      func(g *genesis.Genesis) { g.Time = g.Time.Add(1) },
		"operator":  func(g *genesis.Genesis) { g.Operator[0]++ },
		"authority": func(g *genesis.Genesis) { g.Authorities = g.Authorities[:1] },
		"order":     func(g *genesis.Genesis) { g.Accounts[0], g.Accounts[1] = g.Accounts[1], g.Accounts[0] },
		"quota":     func(g *genesis.Genesis) { g.Accounts[1].QuotaPerHour++ },
		"scope":     func(g *genesis.Genesis) { g.Accounts[1].Scope = g.Accounts[1].Scope[:1] },
		"method":    func(g *genesis.Genesis) { g.Accounts[1].Scope[0].Methods = nil },
		"code":      func(g *genesis.Genesis) { g.Contracts[0].Code[9]++ },
		"admin":     func(g *genesis.Genesis) { g.Contracts[0].Admin[3]++ },
		"power":     func(g *genesis.Genesis) { g.Contracts[0].Capabilities = nil },
		"init":      func(g *genesis.Genesis) { g.Contracts[0].Init = nil },
		"params":    func(g *genesis.Genesis) { g.Params.BlockGas = 3_000_000_000 },
		"open":      func(g *genesis.Genesis) { g.Parameters.Deploy = abi.DeployOpen },
		"list":      func(g *genesis.Genesis) { g.Parameters.Deploy = abi.DeployList },
	} {
		g := sample()
		change(g)
		if g.Digest() == base {
			t.Errorf("%s: another chain has the same digest", name)
		}
	}
	g := sample()
	g.Authorities[0].Name, g.Accounts[0].Name, g.Params = "south", "boss", g.Params.WithDefaults()
	g.Parameters.Deploy = abi.DeployOperator
	if g.Digest() != base {
		t.Error("labels or written-out defaults changed the digest")
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		why    string
		change func(*genesis.Genesis)
	}{
		{`chain: ""`, func(g *genesis.Genesis) { g.Chain = "" }},
		{`chain: "my chain"`, func(g *genesis.Genesis) { g.Chain = "my chain" }},
		{"chain: 51 bytes, limit 50", func(g *genesis.Genesis) { g.Chain = strings.Repeat("x", 51) }},
		{"time: 0001-01-01", func(g *genesis.Genesis) { g.Time = time.Time{} }},
		{"time: the year 10000", func(g *genesis.Genesis) { g.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"is not one of the accounts", func(g *genesis.Genesis) { g.Operator = address.FromKey(key(77)) }},
		{"authorities: there are none", func(g *genesis.Genesis) { g.Authorities = nil }},
		{"authorities: there are 101, limit 100", func(g *genesis.Genesis) {
			for len(g.Authorities) < 101 {
				g.Authorities = append(g.Authorities, genesis.Authority{Key: key(byte(100 + len(g.Authorities)))})
			}
		}},
		{"authorities[1].key: 31 bytes", func(g *genesis.Genesis) { g.Authorities[1].Key = g.Authorities[1].Key[1:] }},
		{"authorities[1].key: 0x0000000000000000000000000000000000000000000000000000000000000000 is no point", func(g *genesis.Genesis) { g.Authorities[1].Key = make([]byte, 32) }},
		{"is the key of authorities[0] already", func(g *genesis.Genesis) { g.Authorities[1].Key = g.Authorities[0].Key }},
		{"authorities[0].name: \"a\\nb\" holds", func(g *genesis.Genesis) { g.Authorities[0].Name = "a\nb" }},
		{"accounts[0].name: 65 bytes, limit 64", func(g *genesis.Genesis) { g.Accounts[0].Name = strings.Repeat("n", 65) }},
		{"accounts[1].scope: is empty", func(g *genesis.Genesis) { g.Accounts[1].Scope = nil }},
		{"accounts[1].key: ", func(g *genesis.Genesis) { g.Accounts[1].Key[0] = 4 }},
		{"accounts[0].key: ", func(g *genesis.Genesis) { g.Accounts[0].Key = nil }},
		{"accounts[0].key: 0x0000000000000000000000000000000000000000000000000000000000000000 is a point of small order", func(g *genesis.Genesis) { g.Accounts[0].Key = make([]byte, 32) }},
		{"is the key of accounts[0] already", func(g *genesis.Genesis) { g.Accounts[1].Key = g.Accounts[0].Key }},
		{`accounts[1].scope: "Devices" is not the name`, func(g *genesis.Genesis) { g.Accounts[1].Scope[0].Contract = "Devices" }},
		{`accounts[1].scope: names the contract "access" twice`, func(g *genesis.Genesis) { g.Accounts[1].Scope[0].Contract = "access" }},
		{`accounts[1].scope: "" is not the name of a method`, func(g *genesis.Genesis) { g.Accounts[1].Scope[0].Methods = []string{""} }},
		{`contracts[0].name: "-"`, func(g *genesis.Genesis) { g.Contracts[0].Name = "-" }},
		{`contracts[1].name: "devices" is the name of contracts[0]`, func(g *genesis.Genesis) { g.Contracts = append(g.Contracts, g.Contracts[0]) }},
		{"has no code", func(g *genesis.Genesis) { g.Contracts[0].Code = nil }},
		{"is 4194305 bytes, limit 4194304", func(g *genesis.Genesis) { g.Contracts[0].Code = make([]byte, abi.MaxModule+1) }},
		{"contracts[0].admin", func(g *genesis.Genesis) { g.Contracts[0].Admin = address.Address{} }},
		{`contracts[0].capabilities: "Root"`, func(g *genesis.Genesis) { g.Contracts[0].Capabilities = []string{"Root"} }},
		{"contracts[0].init: cbor: byte 0", func(g *genesis.Genesis) { g.Contracts[0].Init = []byte{0xff} }},
		{"contracts[0].init: 65537 bytes, limit 65536", func(g *genesis.Genesis) { g.Contracts[0].Init = make([]byte, genesis.MaxInit+1) }},
		{"parameters: deploy is none of", func(g *genesis.Genesis) { g.Parameters.Deploy = "all" }},
		{"parameters: deployers go with", func(g *genesis.Genesis) { g.Parameters.Deployers = [][]byte{make([]byte, 20)} }},
		{"parameters: deployer 1 does not come after", func(g *genesis.Genesis) {
			g.Parameters = abi.Parameters{Deploy: abi.DeployList, Deployers: [][]byte{make([]byte, 20), make([]byte, 20)}}
		}},
		{"params.block_bytes: 1 is not within", func(g *genesis.Genesis) { g.Params.BlockBytes = 1 }},
		{"params.block_gas: 999999999 is not within", func(g *genesis.Genesis) { g.Params.BlockGas = 999_999_999 }},
		{"params.evidence_age: 1s is not", func(g *genesis.Genesis) { g.Params.EvidenceAge = time.Second }},
	} {
		g := sample()
		c.change(g)
		err := g.Validate()
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("want an error with %q, got %v", c.why, err)
		}
		if _, err := g.Encode(); err == nil {
			t.Errorf("%s: an invalid document was written", c.why)
		}
	}
}

// Documents that Encode never writes.
func TestParseRefuses(t *testing.T) {
	text, err := sample().Encode()
	if err != nil {
		t.Fatal(err)
	}
	bomb := func() string { // 64 MiB of zeros
		var b bytes.Buffer
		w, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		zeros := make([]byte, 1<<20)
		for range 64 {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		out, err := json.Marshal(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	edit := func(field, value string) string {
		t.Helper()
		lines := strings.Split(string(text), "\n")
		for i, l := range lines {
			if name := strings.TrimSpace(l); strings.HasPrefix(name, `"`+field+`":`) {
				comma := ""
				if strings.HasSuffix(l, ",") {
					comma = ","
				}
				lines[i] = fmt.Sprintf("%q: %s%s", field, value, comma)
				return strings.Join(lines, "\n")
			}
		}
		t.Fatalf("the sample has no field %q", field)
		return ""
	}
	for why, doc := range map[string]string{
		"EOF":                                    "",
		"cannot unmarshal":                       "[]",
		"chain: \"\"":                            "{}",
		`unknown field "block_byte"`:             strings.Replace(string(text), "block_bytes", "block_byte", 1),
		"something follows the document":         string(text) + "{}",
		"the document is 67108866 bytes":         strings.Repeat(" ", genesis.MaxDocument+2),
		`does not start with "0x"`:               edit("key", `"00"`),
		"authorities[0].key: 33 bytes, limit 32": edit("key", `"0x`+strings.Repeat("00", 33)+`"`),
		"encoding/hex":                           edit("key", `"0xzz"`),
		"is not the address of its":              edit("address", `"`+address.FromKey(key(3)).String()+`"`),
		"contracts[0].hash: says":                edit("hash", `"0x00"`),
		"contracts[0].code: ":                    edit("code", `"AAAA"`),
		"size exceeded":                          edit("code", bomb()),
		"params.evidence_age: time":              edit("evidence_age", `"soon"`),
		"contracts: there are 65":                strings.Replace(string(text), `"contracts": [`, `"contracts": [`+strings.Repeat("{},", 64), 1),
		"params.block_bytes: 9 is not":           edit("block_bytes", "9"),
	} {
		_, err := genesis.Parse([]byte(doc))
		if err == nil || !strings.Contains(err.Error(), why) || !strings.HasPrefix(err.Error(), "genesis: ") {
			t.Errorf("want a genesis error with %q, got %v", why, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	text, err := sample().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		g, err := genesis.Parse(doc)
		if err != nil {
			return
		}
		text, err := g.Encode()
		if err != nil {
			t.Fatalf("a parsed document can't be written: %v", err)
		}
		again, err := genesis.Parse(text)
		if err != nil {
			t.Fatalf("a written document can't be parsed: %v", err)
		}
		if g.Digest() != again.Digest() {
			t.Fatal("the digest changed")
		}
	})
}
