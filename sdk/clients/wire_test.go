package clients_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
)

// page is sdk/WIRE.md.
func page(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../WIRE.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// hexBlock is a fenced block of the page: "```hex NAME", then lines of hex, each with a remark
// after two spaces perhaps.
var (
	hexBlock = regexp.MustCompile("(?ms)^```hex ([a-z0-9_.]+)\n(.*?)^```$")
	remark   = regexp.MustCompile(`  .*$`)
)

func blocks(t *testing.T) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	for _, m := range hexBlock.FindAllStringSubmatch(page(t), -1) {
		var digits strings.Builder
		for line := range strings.Lines(m[2]) {
			digits.WriteString(remark.ReplaceAllString(strings.TrimSpace(line), ""))
		}
		b, err := hex.DecodeString(strings.ReplaceAll(digits.String(), " ", ""))
		if err != nil {
			t.Errorf("block %s: %v", m[1], err)
		}
		if all[m[1]] != nil {
			t.Errorf("there are two blocks %s", m[1])
		}
		all[m[1]] = b
	}
	return all
}

func secret(t *testing.T, alg tx.Alg, b []byte) *tx.SecretKey {
	t.Helper()
	parse := tx.NewEd25519
	if alg == tx.ES256 {
		parse = tx.NewP256
	}
	key, err := parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestWorkedExamples: the transactions on the page decode, verify and have the ids that it
// gives; what it calls their parts is what they consist of.
func TestWorkedExamples(t *testing.T) {
	hexes := blocks(t)
	take := func(name string) []byte {
		b, ok := hexes[name]
		if !ok {
			t.Errorf("there is no block %s", name)
		}
		delete(hexes, name)
		return b
	}
	payload, structure := take("es256.payload"), take("es256.sig_structure")
	for _, alg := range []tx.Alg{tx.ES256, tx.EdDSA} {
		name := strings.ToLower(alg.String()) + "."
		public, err := tx.ParsePublicKey(take(name + "public_key"))
		if err != nil || public.Alg() != alg {
			t.Fatalf("%spublic_key: %v, %v", name, public.Alg(), err)
		}
		if got := secret(t, alg, take(name+"private_key")).Public(); !bytes.Equal(got.Bytes, public.Bytes) {
			t.Errorf("%sprivate_key has the public key %x", name, got.Bytes)
		}
		kid := public.Address()
		if got := take(name + "kid"); !bytes.Equal(got, kid[:]) {
			t.Errorf("%skid is %x, want %x", name, got, kid)
		}
		if row := fmt.Sprintf("| `%x` | `%s` |", kid[:], kid); !strings.Contains(page(t), row) {
			t.Errorf("the page has no row %s", row)
		}
		raw := take(name + "transaction")
		signed, err := tx.Decode(raw)
		if err != nil {
			t.Fatalf("%stransaction: %v", name, err)
		}
		if !signed.Verify(public) {
			t.Errorf("%stransaction does not verify", name)
		}
		if id := signed.ID(); !bytes.Equal(id[:], take(name+"id")) {
			t.Errorf("%sid is not %s", name, id)
		}
		if signed.Sequence != 48211 || signed.GasLimit != 5000000 || signed.Contract != "energy" || signed.Method != "report" || signed.Chain != "ward-1" || signed.LastValid != 0 {
			t.Errorf("%stransaction is %+v, not what the remarks say", name, signed.Tx)
		}
		if !bytes.Contains(raw, append([]byte{0x58, byte(len(payload))}, payload...)) {
			t.Errorf("%stransaction does not hold the payload of the page", name)
		}
		if alg == tx.ES256 {
			// The page's Sig_structure is what the id is the hash of.
			if id := tx.ID(sha256.Sum256(structure)); id != signed.ID() {
				t.Errorf("the Sig_structure hashes to %s, the id is %s", id, signed.ID())
			}
		}
	}
	for _, name := range []string{"enrol.payload", "enrol.message", "auth.payload", "values"} {
		take(name) // by the tests below
	}
	for name := range hexes {
		t.Errorf("block %s is checked by nobody", name)
	}
}

// TestDeviceMessages: what the page says that a device signs is what the Go client signs, and
// so what contracts/devices is tested with.
func TestDeviceMessages(t *testing.T) {
	hexes := blocks(t)
	device, key := secret(t, tx.EdDSA, hexes["eddsa.private_key"]), secret(t, tx.ES256, hexes["es256.private_key"])
	const chain = "ward-1"
	owner, audience := address.Address(bytes.Repeat([]byte{0x11}, 20)), address.Address(bytes.Repeat([]byte{0x33}, 20))
	proof, err := client.ProvePossession(device, chain, owner)
	if err != nil {
		t.Fatal(err)
	}
	marker := []byte("\x65nonce\x50") // "nonce", a byte string of 16
	nonce := func(payload []byte) []byte {
		at := bytes.Index(payload, marker)
		if at < 0 {
			t.Fatalf("%x has no nonce of 16 bytes", payload)
		}
		return payload[at+len(marker):][:16]
	}
	challenge := client.Challenge{
		Chain: chain, Contract: client.DevicesContract, Device: key.Public().Address(), Audience: audience,
		Nonce: nonce(hexes["auth.payload"]), Expires: 1767600060,
	}
	answer, err := challenge.Answer(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		block, aad string
		message    []byte
		signer     *tx.SecretKey
	}{
		{"enrol.payload", "ward-enrol-v1", proof, device},
		{"enrol.payload", "ward-enrol-v1", hexes["enrol.message"], device},
		{"auth.payload", "ward-auth-v1", answer, key},
	} {
		payload, err := tx.OpenMessage(c.aad, c.message, c.signer.Public())
		if err != nil {
			t.Fatalf("%s: %v", c.block, err)
		}
		payload = bytes.Clone(payload)
		copy(nonce(payload), nonce(hexes[c.block])) // that of a proof is random
		if !bytes.Equal(payload, hexes[c.block]) {
			t.Errorf("%s is %x, the Go client signs %x", c.block, hexes[c.block], payload)
		}
		if !strings.Contains(page(t), "\n| `"+c.aad+"` | ") {
			t.Errorf("the page has no row for %s", c.aad)
		}
	}
	// Ed25519 makes the same signature every time, so the whole message can be compared.
	if again, err := tx.SignMessage(client.EnrolAAD, hexes["enrol.payload"], device); err != nil || !bytes.Equal(again, hexes["enrol.message"]) {
		t.Errorf("enrol.message is %x, should be %x (%v)", hexes["enrol.message"], again, err)
	}
}

// TestValues: the page's JSON and CBOR are the same values, and each kind of type has its row.
func TestValues(t *testing.T) {
	field := func(name string, k abi.Kind, optional bool) abi.Field {
		return abi.Field{Name: name, Type: &abi.Type{Kind: k}, Optional: optional}
	}
	list := abi.Field{Name: "relations", Type: &abi.Type{Kind: abi.KindList, Elem: &abi.Type{Kind: abi.KindText}}}
	values := &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{
		field("subject", abi.KindAddress, false), field("expires", abi.KindTime, false), list, field("for", abi.KindDuration, false), field("note", abi.KindText, true),
	}}
	m := regexp.MustCompile("(?ms)^```json values\n(.*?)^```$").FindStringSubmatch(page(t))
	if m == nil {
		t.Fatal("the page has no values in JSON")
	}
	want := blocks(t)["values"]
	if got, err := specjson.ToCBOR(values, []byte(m[1])); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the JSON is %x (%v), the page says %x", got, err, want)
	}
	back, err := specjson.ToJSON(values, want)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if json.Unmarshal(back, &a) != nil || json.Unmarshal([]byte(m[1]), &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("the CBOR is %s in JSON, the page says %s", back, m[1])
	}
	for k := abi.KindBool; k <= abi.KindStruct; k++ {
		if !strings.Contains(page(t), "\n| `"+k.String()+"` | ") {
			t.Errorf("the page does not say how a %s is written", k)
		}
	}
}

// TestCodes: the page has each code of a receipt with its number and its sentence, and no other.
func TestCodes(t *testing.T) {
	var told, are []string
	for _, m := range regexp.MustCompile("(?m)^\\| (\\d{1,3}) \\| `(\\w+)` \\| \\d+ \\| (.*) \\|$").FindAllStringSubmatch(page(t), -1) {
		told = append(told, strings.Join(m[1:], " "))
	}
	for _, c := range receipt.Codes() {
		are = append(are, fmt.Sprint(uint32(c), " ", c.Name(), " ", c.String()))
		if c != receipt.OK && c.Executed() != (c >= 32) {
			t.Errorf("%s (%d) is on the wrong side of 32", c.Name(), c)
		}
	}
	if !slices.Equal(told, are) {
		t.Errorf("the page has the codes\n%s\nand there are\n%s", strings.Join(told, "\n"), strings.Join(are, "\n"))
	}
	for f := range slices.Values(abi.Refused().Fields) {
		if !strings.Contains(page(t), "`"+f.Name+"`") {
			t.Errorf("the page does not name the attribute %s of refused", f.Name)
		}
	}
}

// TestBounds: the numbers on the page are the code's.
func TestBounds(t *testing.T) {
	names := []int{tx.MaxChain, tx.MaxContract, tx.MaxMethod}
	if len(slices.Compact(names)) != 1 || abi.MaxArgs != abi.MaxReturn {
		t.Error("the page gives one bound for several that differ")
	}
	for _, row := range []string{
		fmt.Sprintf("| a transaction | %d bytes |", tx.MaxSize),
		fmt.Sprintf("| a transaction to `code` | %d bytes |", tx.MaxDeploySize),
		fmt.Sprintf("| chain id, contract name, method name | %d bytes |", tx.MaxChain),
		fmt.Sprintf("| gas limit | %d |", tx.MaxGas),
		fmt.Sprintf("| sequence above the highest used | %d |", registry.MaxJump),
		fmt.Sprintf("| sequences that are told apart | %d |", registry.WindowSize),
		fmt.Sprintf("| arrays and maps inside each other | %d |", cbor.MaxDepth),
		fmt.Sprintf("| external AAD | %d bytes |", tx.MaxAAD),
		fmt.Sprintf("| arguments, result | %d bytes |", abi.MaxArgs),
		fmt.Sprintf("| attributes of one event | %d bytes |", abi.MaxAttributes),
		fmt.Sprintf("| reason of a failure | %d bytes |", abi.MaxReason),
		fmt.Sprintf("at least %d and %d for each byte of the transaction, and at most %d;", gas.BaseTx, gas.PerTxByte, gas.MaxLimit),
	} {
		if !strings.Contains(page(t), row) {
			t.Errorf("the page does not say %q", row)
		}
	}
}

// TestContents: each chapter that the page lists is there, and each link within it leads somewhere.
func TestContents(t *testing.T) {
	anchors := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page(t), -1) {
		anchor := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		anchors[strings.ReplaceAll(anchor, " ", "-")] = true
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(page(t), -1) {
		if !anchors[m[1]] {
			t.Errorf("a link leads to #%s, which is not there", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`\]\(([^#)][^)#]*)[^)]*\)`).FindAllStringSubmatch(page(t), -1) {
		if _, err := os.Stat("../" + m[1]); err != nil {
			t.Errorf("a link leads to %s: %v", m[1], err)
		}
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "](WIRE.md)") {
		t.Error("sdk/README.md does not lead to WIRE.md")
	}
}
