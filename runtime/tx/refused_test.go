package tx_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/tx"
)

// order of the group that each algorithm's scalars belong to.
var (
	orderP256, _    = new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	orderEd25519, _ = new(big.Int).SetString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)
)

// refusal is a transaction that must be refused, with the signature of its signer over
// exactly the bytes that are there, so that nothing but the named fault is wrong.
type refusal struct {
	name  string
	code  string // receipt.Code.Name
	bytes []byte
	key   *tx.SecretKey // whose signature it claims to have
}

// refusals is the list that the negative vectors are made of.
func refusals(t testing.TB) []refusal {
	ed, p := edKey(t), p256Key(t)
	kid := p.Public().Address()
	var all []refusal
	add := func(code, name string, k *tx.SecretKey, spoil func(*forged)) {
		all = append(all, refusal{name, code, forge(t, k, spoil), k})
	}
	bad := func(name string, spoil func(*forged)) { add("malformed", name, p, spoil) }
	field := func(name string, key int, value []byte) { bad(name, withField(key, value)) }
	protected := func(name string, b ...[]byte) {
		bad(name, func(f *forged) { f.Protected = bytes.Join(b, nil) })
	}
	text := func(s string) []byte { return cbor.AppendText(nil, s) }
	good := forge(t, p, func(*forged) {})

	// The envelope.
	all = append(all, refusal{"no bytes", "malformed", nil, p})
	all = append(all, refusal{"text instead of a transaction", "malformed", []byte("open the door"), p})
	all = append(all, refusal{"cut off in the signature", "malformed", good[:len(good)-1], p})
	all = append(all, refusal{"cut off in the payload", "malformed", good[:60], p})
	bad("one byte behind the end", func(f *forged) { f.Tail = []byte{0} })
	bad("no tag", func(f *forged) { f.Tag = []byte{} })
	bad("tag 18 in a head of two bytes", func(f *forged) { f.Tag = []byte{0xd8, 18} })
	bad("tag 17, COSE_Mac0", func(f *forged) { f.Tag = []byte{0xd1} })
	bad("the CWT tag around it", func(f *forged) { f.Tag = []byte{0xd8, 61, 0xd2} })
	bad("array of five", func(f *forged) { f.Array, f.Tail = []byte{0x85}, []byte{0xf6} })
	bad("array head of two bytes", func(f *forged) { f.Array = []byte{0x98, 4} })
	bad("array of indefinite length", func(f *forged) { f.Array, f.Tail = []byte{0x9f}, []byte{0xff} })
	bad("protected header with a head longer than needed", func(f *forged) { f.ProtectedHead = []byte{0x59, 0, byte(len(f.Protected))} })
	bad("protected header as a map, not in a byte string", func(f *forged) { f.ProtectedHead = []byte{} })
	bad("payload with a head longer than needed", func(f *forged) { f.PayloadHead = []byte{0x59, 0, byte(len(f.Payload))} })
	bad("payload detached", func(f *forged) { f.PayloadHead, f.Payload = []byte{0xf6}, nil })
	bad("payload of nothing", func(f *forged) { f.Payload = nil })
	bad("signature with a head longer than needed", func(f *forged) { f.SignatureHead = []byte{0x59, 0, 64} })
	bad("signature of 63 bytes", func(f *forged) { f.Sig = func(s []byte) []byte { return s[:63] } })
	bad("signature of 65 bytes", func(f *forged) { f.Sig = func(s []byte) []byte { return append(s, 0) } })
	bad("signature in DER", func(f *forged) { f.Sig = inDER })

	// The headers.
	protected("protected header empty")
	protected("protected header without kid", []byte{0xa1, 1, 0x26})
	protected("protected header without alg", []byte{0xa1, 4, 0x54}, kid[:])
	protected("protected header with kid before alg", []byte{0xa2, 4, 0x54}, kid[:], []byte{1, 0x26})
	protected("protected header with a content type", []byte{0xa3, 1, 0x26, 3, 0, 4, 0x54}, kid[:])
	protected("protected header with alg twice", []byte{0xa3, 1, 0x26, 1, 0x26, 4, 0x54}, kid[:])
	protected("protected header with a byte behind the map", []byte{0xa2, 1, 0x26, 4, 0x54}, kid[:], []byte{0})
	protected("protected header with a map head of two bytes", []byte{0xb8, 2, 1, 0x26, 4, 0x54}, kid[:])
	protected("alg in a head of two bytes", []byte{0xa2, 1, 0x38, 6, 4, 0x54}, kid[:])
	protected("alg as text", []byte{0xa2, 1}, text("ES256"), []byte{4, 0x54}, kid[:])
	protected("kid as text", []byte{0xa2, 1, 0x26, 4}, text("door"))
	protected("kid of 19 bytes", []byte{0xa2, 1, 0x26, 4, 0x53}, kid[:19])
	protected("kid of 32 bytes", []byte{0xa2, 1, 0x26, 4, 0x58, 32}, kid[:], make([]byte, 12))
	for _, alg := range []struct {
		name string
		id   int64
	}{{"ES384", -35}, {"ESP256 of RFC 9864", -9}, {"Ed25519 of RFC 9864", -19}, {"ES256K", -47}, {"HMAC 256/256", 5}, {"reserved", 0}} {
		protected("algorithm "+alg.name, header(alg.id, kid))
	}
	bad("unprotected header with another alg", func(f *forged) { f.Unprotected = []byte{0xa1, 1, 0x27} })
	bad("unprotected header with the same kid", func(f *forged) { f.Unprotected = append([]byte{0xa1, 4, 0x54}, kid[:]...) })
	bad("unprotected header with a private label", func(f *forged) { f.Unprotected = []byte{0xa1, 0x20, 0} })
	bad("unprotected header with a head of two bytes", func(f *forged) { f.Unprotected = []byte{0xb8, 0} })
	bad("unprotected header of indefinite length", func(f *forged) { f.Unprotected = []byte{0xbf, 0xff} })
	bad("unprotected header null", func(f *forged) { f.Unprotected = []byte{0xf6} })

	// The payload map.
	bad("payload not a map", func(f *forged) { f.Payload = text("open") })
	bad("payload with a byte behind the map", func(f *forged) { f.Payload = append(f.Payload, 0) })
	bad("payload with a map head of two bytes", func(f *forged) { f.Payload = append([]byte{0xb8, 7}, payloadOf(pairs())[1:]...) })
	bad("payload of indefinite length", func(f *forged) {
		f.Payload = append(append([]byte{0xbf}, payloadOf(pairs())[1:]...), 0xff)
	})
	bad("payload with two keys swapped", func(f *forged) {
		ps := pairs()
		ps[4], ps[5] = ps[5], ps[4]
		f.Payload = payloadOf(ps)
	})
	bad("payload with a key twice", func(f *forged) { f.Payload = payloadOf(slices.Insert(pairs(), 2, pairs()[1])) })
	bad("payload with key 0", func(f *forged) { f.Payload = payloadOf(slices.Insert(pairs(), 0, pair{[]byte{0}, []byte{0}})) })
	bad("payload with key 8", func(f *forged) { f.Payload = payloadOf(append(pairs(), pair{[]byte{8}, []byte{0}})) })
	bad("payload with key -1", func(f *forged) { f.Payload = payloadOf(append(pairs(), pair{[]byte{0x20}, []byte{0}})) })
	bad("payload with a text key", func(f *forged) { f.Payload = payloadOf(append(pairs(), pair{text("memo"), []byte{0}})) })
	bad("payload with key 1 in a head of two bytes", func(f *forged) {
		ps := pairs()
		ps[0].key = []byte{0x18, 1}
		f.Payload = payloadOf(ps)
	})
	for key, name := range []string{1: "chain", 2: "sequence", 4: "gas limit", 5: "contract", 6: "method", 7: "arguments"} {
		if name != "" {
			bad("payload without "+name, func(f *forged) { f.Payload = payloadOf(slices.Delete(pairs(), key-1, key)) })
		}
	}

	// The fields.
	field("chain empty", 1, text(""))
	field("chain of 65 bytes", 1, text(strings.Repeat("c", 65)))
	field("chain not UTF-8", 1, []byte{0x62, 0xc3, 0x28})
	field("chain as bytes", 1, cbor.AppendBytes(nil, []byte("ward-1")))
	field("chain with a head longer than needed", 1, append([]byte{0x78, 6}, "ward-1"...))
	field("sequence 0", 2, []byte{0})
	field("sequence negative", 2, []byte{0x20})
	field("sequence with a head longer than needed", 2, []byte{0x19, 0, 7})
	field("sequence as a float", 2, []byte{0xf9, 0x3c, 0})
	field("sequence as a bignum", 2, []byte{0xc2, 0x41, 7})
	field("last valid height 0", 3, []byte{0})
	field("last valid height null", 3, []byte{0xf6})
	field("gas limit as text", 4, text("all"))
	add("gas_limit", "gas limit 0", p, withField(4, []byte{0}))
	add("gas_limit", "gas limit above the highest", p, withField(4, cbor.AppendUint(nil, tx.MaxGas+1)))
	add("gas_limit", "gas limit 2^64-1", ed, withField(4, cbor.AppendUint(nil, 1<<64-1)))
	field("contract empty", 5, text(""))
	field("contract in capitals", 5, text("Energy"))
	field("contract with a zero byte", 5, text("energy\x00"))
	field("contract starting with a digit", 5, text("1energy"))
	field("contract of 65 bytes", 5, text(strings.Repeat("e", 65)))
	field("method empty", 6, text(""))
	field("method with a hyphen", 6, text("re-port"))
	field("method of 65 bytes", 6, text(strings.Repeat("m", 65)))
	field("arguments not in a byte string", 7, reading().Args)
	for _, a := range []struct{ name, hex string }{
		{"arguments empty", ""},
		{"arguments of two items", "a0a0"},
		{"arguments cut off", "a1616b"},
		{"arguments with a head longer than needed", "a1616b1800"},
		{"arguments of indefinite length", "bfff"},
		{"arguments with keys out of order", "a2616b00616a00"},
		{"arguments with a key twice", "a2616b00616b00"},
		{"arguments with a float", "a1616bf93c00"},
		{"arguments with a tag", "a1616bc100"},
		{"arguments with undefined", "a1616bf7"},
		{"arguments with text that is not UTF-8", "a1616b62c328"},
		{"arguments nested 17 deep", strings.Repeat("81", 17) + "00"},
		{"arguments that promise 2^64-1 items", "9bffffffffffffffff"},
	} {
		field(a.name, 7, cbor.AppendBytes(nil, unhex(t, a.hex)))
	}

	// The signature. These are in canonical form; Verify refuses them.
	forgeSig := func(name string, k *tx.SecretKey, sig func([]byte) []byte) {
		add("bad_signature", name, k, func(f *forged) { f.Sig = sig })
	}
	flip := func(i int) func([]byte) []byte {
		return func(s []byte) []byte { s[i] ^= 1; return s }
	}
	for _, k := range []*tx.SecretKey{ed, p} {
		alg := k.Public().Alg().String()
		forgeSig(alg+": first bit of the signature turned", k, flip(0))
		forgeSig(alg+": last bit of the signature turned", k, flip(63))
		forgeSig(alg+": signature of zeros", k, func([]byte) []byte { return make([]byte, 64) })
	}
	half := func(name string, first bool, v *big.Int) {
		forgeSig("ES256: "+name, p, func(s []byte) []byte {
			if first {
				v.FillBytes(s[:32])
			} else {
				v.FillBytes(s[32:])
			}
			return s
		})
	}
	for _, v := range []struct {
		name string
		v    *big.Int
	}{{"0", new(big.Int)}, {"the group order", orderP256}, {"2^256-1", new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))}} {
		half("r is "+v.name, true, v.v)
		half("s is "+v.name, false, v.v)
	}
	forgeSig("ES256: r and s swapped", p, func(s []byte) []byte { return slices.Concat(s[32:], s[:32]) })
	forgeSig("EdDSA: S with the group order added", ed, func(s []byte) []byte {
		slices.Reverse(s[32:])
		new(big.Int).Add(new(big.Int).SetBytes(s[32:]), orderEd25519).FillBytes(s[32:])
		slices.Reverse(s[32:])
		return s
	})
	add("bad_signature", "EdDSA: signature is ES256's by the key of the tests", ed, func(f *forged) {
		f.Sig = func([]byte) []byte { return bytes.Clone(good[len(good)-64:]) }
	})
	add("bad_signature", "signed by another key than kid names", ed, func(f *forged) { f.Protected = header(-8, kid) })
	add("bad_signature", "signed with the algorithm that the header does not name", p, func(f *forged) { f.Protected = header(-8, kid) })
	return all
}

// inDER is what crypto libraries return for ECDSA by default, and COSE forbids.
func inDER(sig []byte) []byte {
	b, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])})
	if err != nil {
		panic(err)
	}
	return b
}

// TestRefusalsAreDistinct: two equal cases would hide that one of them is not made.
func TestRefusalsAreDistinct(t *testing.T) {
	seen := map[string]string{}
	for _, r := range refusals(t) {
		h := hex.EncodeToString(r.bytes)
		if other, ok := seen[h]; ok {
			t.Errorf("%q and %q are the same bytes", r.name, other)
		}
		seen[h] = r.name
	}
	// Two encodings of one transaction, both under valid signatures, is what canonical
	// form is there against; so the good one must be good.
	for _, k := range bothKeys(t) {
		s, err := tx.Decode(forge(t, k, func(*forged) {}))
		if err != nil || !s.Verify(k.Public()) {
			t.Errorf("the unspoilt transaction of %s is refused: %v", k, err)
		}
	}
}
