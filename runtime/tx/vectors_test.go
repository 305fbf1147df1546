package tx_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

var update = flag.Bool("update", false, "rewrite testdata/vectors.json")

var vectorsFile = filepath.Join("testdata", "vectors.json")

// vectors is the file that device makers test their own code with; README.md says what
// each member means. All byte strings are lower-case hex.
type vectors struct {
	About        string          `json:"about"`
	AAD          string          `json:"aad"`
	Keys         []vectorKey     `json:"keys"`
	Transactions []vectorTx      `json:"transactions"`
	Messages     []vectorMessage `json:"messages"`
	Refused      []vectorRefused `json:"refused"`
}

type vectorKey struct {
	Alg        string `json:"alg"`
	PrivateKey string `json:"private_key"`
	PublicKey  string `json:"public_key"`
	Kid        string `json:"kid"`
	Address    string `json:"address"`
}

type vectorFields struct {
	Chain     string `json:"chain"`
	Sequence  uint64 `json:"sequence,string"`
	LastValid uint64 `json:"last_valid,string"`
	GasLimit  uint64 `json:"gas_limit,string"`
	Contract  string `json:"contract"`
	Method    string `json:"method"`
	Args      string `json:"args"`
}

type vectorTx struct {
	Name         string       `json:"name"`
	Alg          string       `json:"alg"`
	Fields       vectorFields `json:"fields"`
	Payload      string       `json:"payload"`
	Protected    string       `json:"protected"`
	SigStructure string       `json:"sig_structure"`
	ID           string       `json:"id"`
	Signature    string       `json:"signature"`
	Transaction  string       `json:"transaction"`
	Size         int          `json:"size"`
	Twin         string       `json:"twin,omitempty"`
}

type vectorMessage struct {
	Name         string `json:"name"`
	Alg          string `json:"alg"`
	AAD          string `json:"aad"`
	Payload      string `json:"payload"`
	SigStructure string `json:"sig_structure"`
	Signature    string `json:"signature"`
	Message      string `json:"message"`
}

type vectorRefused struct {
	Name        string `json:"name"`
	Alg         string `json:"alg"`
	Code        string `json:"code"`
	Reason      string `json:"reason,omitempty"`
	Transaction string `json:"transaction"`
}

// makeVectors computes the whole file. Nothing in it is random.
func makeVectors(t *testing.T) vectors {
	v := vectors{
		About: "Signing vectors of Ward transactions, explained in runtime/tx/README.md. The private keys are those of RFC 8032 and RFC 6979: never use them. " +
			"Written by: go test ./runtime/tx -run TestVectors -update",
		AAD: tx.AAD,
	}
	open := tx.Tx{Chain: "ward-1", Sequence: 1, LastValid: 90_000, GasLimit: 20_000_000, Contract: "access", Method: "use",
		Args: unhex(t, "a2666f626a65637469736974652f646f6f726872656c6174696f6e646f70656e")} // {"object": "site/door", "relation": "open"}
	bare := tx.Tx{Chain: "w", Sequence: 1, GasLimit: 1, Contract: "c", Method: "m", Args: unhex(t, "f6")}
	widest := tx.Tx{Chain: strings.Repeat("é", tx.MaxChain/2), Sequence: 1<<64 - 1, LastValid: 1<<64 - 1, GasLimit: tx.MaxGas,
		Contract: "z" + strings.Repeat("-", tx.MaxContract-1), Method: "z" + strings.Repeat("_", tx.MaxMethod-1),
		Args: unhex(t, strings.Repeat("81", 16)+"3b7fffffffffffffff")}
	for _, k := range bothKeys(t) {
		pub := k.Public()
		kid := pub.Address()
		alg := pub.Alg().String()
		v.Keys = append(v.Keys, vectorKey{alg, hex.EncodeToString(k.Secret()), pub.String(), hex.EncodeToString(kid[:]), kid.String()})
		for _, c := range []struct {
			name string
			tx   tx.Tx
		}{{"a meter reading", reading()}, {"open a door before height 90000", open}, {"the smallest", bare}, {"the widest fields", widest}} {
			raw, err := tx.Sign(&c.tx, k)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			s, err := tx.Decode(raw)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			e := vectorTx{Name: c.name, Alg: alg,
				Fields:  vectorFields{c.tx.Chain, c.tx.Sequence, c.tx.LastValid, c.tx.GasLimit, c.tx.Contract, c.tx.Method, hex.EncodeToString(c.tx.Args)},
				Payload: hex.EncodeToString(c.tx.Payload()), Protected: hex.EncodeToString(header(int64(pub.Alg()), kid)),
				SigStructure: hex.EncodeToString(s.SigStructure()), ID: s.ID().String(), Signature: hex.EncodeToString(s.Signature),
				Transaction: hex.EncodeToString(raw), Size: len(raw)}
			if pub.Alg() == tx.ES256 {
				e.Twin = hex.EncodeToString(twin(raw))
			}
			v.Transactions = append(v.Transactions, e)
		}
		// {"chain": "ward-1", "nonce": h'00..0f', "contract": "devices"}
		payload := unhex(t, "a365636861696e66776172642d31656e6f6e636550000102030405060708090a0b0c0d0e0f68636f6e74726163746764657669636573")
		const aad = "ward-auth-v1"
		raw, err := tx.SignMessage(aad, payload, k)
		if err != nil {
			t.Fatal(err)
		}
		v.Messages = append(v.Messages, vectorMessage{"an answer to a challenge", alg, aad, hex.EncodeToString(payload),
			hex.EncodeToString(tx.SigStructure(pub.Alg(), kid, aad, payload)), hex.EncodeToString(raw[len(raw)-64:]), hex.EncodeToString(raw)})
	}
	for _, r := range refusals(t) {
		e := vectorRefused{Name: r.name, Alg: r.key.Public().Alg().String(), Code: r.code, Transaction: hex.EncodeToString(r.bytes)}
		if _, err := tx.Decode(r.bytes); err != nil {
			e.Reason = err.Error()
		}
		v.Refused = append(v.Refused, e)
	}
	return v
}

// twin puts the other s under an ES256 signature.
func twin(raw []byte) []byte {
	b := bytes.Clone(raw)
	s := b[len(b)-32:]
	new(big.Int).Sub(orderP256, new(big.Int).SetBytes(s)).FillBytes(s)
	return b
}

// readVectors is the file as it is, for tests that take its word.
func readVectors(t testing.TB) vectors {
	t.Helper()
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// publicKeys are those of the file by algorithm.
func (v *vectors) publicKeys(t testing.TB) map[string]tx.PublicKey {
	t.Helper()
	keys := map[string]tx.PublicKey{}
	for _, k := range v.Keys {
		pub, err := tx.ParsePublicKey(unhex(t, k.PublicKey))
		if err != nil {
			t.Fatal(err)
		}
		kid := pub.Address()
		if pub.Alg().String() != k.Alg || hex.EncodeToString(kid[:]) != k.Kid || kid.String() != k.Address {
			t.Errorf("public key %s is %s %x %s, want %s %s %s", pub, pub.Alg(), kid[:], kid, k.Alg, k.Kid, k.Address)
		}
		keys[k.Alg] = pub
	}
	return keys
}

// TestVectors holds the file against what is computed now: a change of a single byte
// in it is a change of the protocol.
func TestVectors(t *testing.T) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(makeVectors(t)); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(vectorsFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(was, b.Bytes()) {
		t.Errorf("%s is not what this code computes; if the protocol was meant to change: go test ./runtime/tx -run TestVectors -update, and look at the diff", vectorsFile)
	}
}

// TestVectorsAccepted reads each positive vector as a node would.
func TestVectorsAccepted(t *testing.T) {
	v := readVectors(t)
	keys := v.publicKeys(t)
	for _, c := range v.Transactions {
		raw := unhex(t, c.Transaction)
		s, err := tx.Decode(raw)
		if err != nil {
			t.Errorf("%s, %s: %v", c.Alg, c.Name, err)
			continue
		}
		f := vectorFields{s.Chain, s.Sequence, s.LastValid, s.GasLimit, s.Contract, s.Method, hex.EncodeToString(s.Args)}
		switch {
		case f != c.Fields:
			t.Errorf("%s, %s: fields are %+v, want %+v", c.Alg, c.Name, f, c.Fields)
		case !s.Verify(keys[c.Alg]):
			t.Errorf("%s, %s: the signature does not verify", c.Alg, c.Name)
		case s.ID().String() != c.ID || s.Size() != c.Size || hex.EncodeToString(s.SigStructure()) != c.SigStructure:
			t.Errorf("%s, %s: id %s, size %d, signed %x", c.Alg, c.Name, s.ID(), s.Size(), s.SigStructure())
		case !bytes.Equal(s.Encode(), raw):
			t.Errorf("%s, %s: encodes to %x", c.Alg, c.Name, s.Encode())
		}
		if c.Twin == "" {
			continue
		}
		if other, err := tx.Decode(unhex(t, c.Twin)); err != nil || !other.Verify(keys[c.Alg]) || other.ID() != s.ID() || bytes.Equal(other.Signature, s.Signature) {
			t.Errorf("%s, %s: the twin is not the same transaction under another valid signature (%v)", c.Alg, c.Name, err)
		}
	}
	for _, c := range v.Messages {
		payload, err := tx.OpenMessage(c.AAD, unhex(t, c.Message), keys[c.Alg])
		if err != nil || hex.EncodeToString(payload) != c.Payload {
			t.Errorf("%s, %s: %x, %v", c.Alg, c.Name, payload, err)
		}
	}
}

// TestVectorsRefused asks for exact code and reason of each negative vector. Those
// with bad_signature are in canonical form and fall at the signature.
func TestVectorsRefused(t *testing.T) {
	v := readVectors(t)
	keys := v.publicKeys(t)
	for _, c := range v.Refused {
		want, ok := receipt.ParseCode(c.Code)
		if !ok {
			t.Errorf("%s: no code is named %q", c.Name, c.Code)
		}
		s, err := tx.Decode(unhex(t, c.Transaction))
		if want == receipt.BadSignature {
			if err != nil || s.Verify(keys[c.Alg]) {
				t.Errorf("%s: decodes with %v; must decode and not verify", c.Name, err)
			}
			continue
		}
		refusal, ok := errors.AsType[*tx.Error](err)
		if !ok || refusal.Code != want || refusal.Reason != c.Reason || refusal.Reason == "" {
			t.Errorf("%s: %v, want %s: %s", c.Name, err, c.Code, c.Reason)
		}
	}
}
