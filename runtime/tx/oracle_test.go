package tx_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"

	fxcbor "github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"
	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/tx"
)

// The oracles are two libraries that know nothing of us: veraison/go-cose for the
// envelope and fxamacker/cbor for what is inside. Both read and write more than we do,
// so they agree in one direction only; where they are too lenient is in refusals.

// wire is the payload as another implementation would declare it.
type wire struct {
	Chain     string `cbor:"1,keyasint"`
	Sequence  uint64 `cbor:"2,keyasint"`
	LastValid uint64 `cbor:"3,keyasint,omitempty"`
	GasLimit  uint64 `cbor:"4,keyasint"`
	Contract  string `cbor:"5,keyasint"`
	Method    string `cbor:"6,keyasint"`
	Args      []byte `cbor:"7,keyasint"`
}

// cryptoKey is a test key as the standard library has it.
func cryptoKey(t testing.TB, k *tx.SecretKey) crypto.Signer {
	t.Helper()
	if k.Public().Alg() == tx.EdDSA {
		return ed25519.NewKeyFromSeed(k.Secret())
	}
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), k.Secret())
	if err != nil {
		t.Fatal(err)
	}
	return private
}

// drawTx draws a transaction that is within the bounds.
func drawTx(r *rapid.T) tx.Tx {
	args, err := coreDet().Marshal(rapid.OneOf(
		rapid.Custom(func(r *rapid.T) any {
			return rapid.MapOf(rapid.String(), rapid.Int64()).Draw(r, "map")
		}),
		rapid.Custom(func(r *rapid.T) any { return rapid.SliceOf(rapid.String()).Draw(r, "list") }),
		rapid.Custom(func(r *rapid.T) any { return rapid.SliceOf(rapid.Byte()).Draw(r, "bytes") }),
		rapid.Just[any](nil), rapid.Just[any](true),
	).Draw(r, "args"))
	if err != nil {
		r.Fatal(err)
	}
	return tx.Tx{
		Chain:     rapid.StringN(1, -1, tx.MaxChain).Draw(r, "chain"),
		Sequence:  rapid.Uint64Min(1).Draw(r, "sequence"),
		LastValid: rapid.Uint64().Draw(r, "last valid"),
		GasLimit:  rapid.Uint64Range(1, tx.MaxGas).Draw(r, "gas limit"),
		Contract:  rapid.StringMatching(`[a-z][a-z0-9-]{0,63}`).Draw(r, "contract"),
		Method:    rapid.StringMatching(`[a-z][a-z0-9_]{0,63}`).Draw(r, "method"),
		Args:      args,
	}
}

// coreDet is fxamacker's core deterministic mode.
func coreDet() fxcbor.EncMode {
	em, err := fxcbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	return em
}

// TestWhatWeSignOthersRead: go-cose verifies it, fxamacker finds the fields, and
// re-encoding it in core deterministic mode changes nothing.
func TestWhatWeSignOthersRead(t *testing.T) {
	em := coreDet()
	for _, k := range bothKeys(t) {
		verifier, err := cose.NewVerifier(cose.Algorithm(k.Public().Alg()), cryptoKey(t, k).Public())
		if err != nil {
			t.Fatal(err)
		}
		kid := k.Public().Address()
		rapid.Check(t, func(r *rapid.T) {
			want := drawTx(r)
			raw, err := tx.Sign(&want, k)
			if err != nil {
				r.Fatal(err)
			}
			m := cose.NewSign1Message()
			if err := m.UnmarshalCBOR(raw); err != nil {
				r.Fatalf("go-cose does not read %x: %v", raw, err)
			}
			if err := m.Verify([]byte(tx.AAD), verifier); err != nil {
				r.Fatalf("go-cose does not verify %x: %v", raw, err)
			}
			if got, ok := m.Headers.Protected[cose.HeaderLabelKeyID].([]byte); !ok || !bytes.Equal(got, kid[:]) {
				r.Fatalf("go-cose reads the kid %x, want %x", got, kid)
			}
			var w wire
			if err := fxcbor.Unmarshal(m.Payload, &w); err != nil {
				r.Fatal(err)
			}
			if got := tx.Tx(w); !equalTx(got, want) {
				r.Fatalf("fxamacker reads %+v, want %+v", got, want)
			}
			if again, err := em.Marshal(w); err != nil || !bytes.Equal(again, m.Payload) {
				r.Fatalf("fxamacker writes the payload as %x, we as %x (%v)", again, m.Payload, err)
			}
		})
	}
}

// TestWhatOthersSignWeRead: the same the other way round.
func TestWhatOthersSignWeRead(t *testing.T) {
	em := coreDet()
	for _, k := range bothKeys(t) {
		alg := cose.Algorithm(k.Public().Alg())
		signer, err := cose.NewSigner(alg, cryptoKey(t, k))
		if err != nil {
			t.Fatal(err)
		}
		kid := k.Public().Address()
		rapid.Check(t, func(r *rapid.T) {
			want := drawTx(r)
			payload, err := em.Marshal(wire(want))
			if err != nil {
				r.Fatal(err)
			}
			headers := cose.Headers{Protected: cose.ProtectedHeader{cose.HeaderLabelAlgorithm: alg, cose.HeaderLabelKeyID: kid[:]}}
			raw, err := cose.Sign1(rand.Reader, signer, headers, payload, []byte(tx.AAD))
			if err != nil {
				r.Fatal(err)
			}
			s, err := tx.Decode(raw)
			if err != nil {
				r.Fatalf("%x: %v", raw, err)
			}
			if !equalTx(s.Tx, want) || s.Key != kid || !s.Verify(k.Public()) || !bytes.Equal(s.Encode(), raw) {
				r.Fatalf("%x reads as %+v of %s, want %+v of %s", raw, s.Tx, s.Key, want, kid)
			}
		})
	}
}

func equalTx(a, b tx.Tx) bool {
	same := bytes.Equal(a.Args, b.Args)
	a.Args, b.Args = nil, nil
	return same && a.Chain == b.Chain && a.Sequence == b.Sequence && a.LastValid == b.LastValid &&
		a.GasLimit == b.GasLimit && a.Contract == b.Contract && a.Method == b.Method
}

// TestOthersAreMoreLenient keeps count of what a general library would have let
// through under a valid signature: the reason why the form is checked by ourselves.
func TestOthersAreMoreLenient(t *testing.T) {
	verifiers := map[tx.Alg]cose.Verifier{}
	for _, k := range bothKeys(t) {
		v, err := cose.NewVerifier(cose.Algorithm(k.Public().Alg()), cryptoKey(t, k).Public())
		if err != nil {
			t.Fatal(err)
		}
		verifiers[k.Public().Alg()] = v
	}
	var taken []string
	for _, r := range refusals(t) {
		m := cose.NewSign1Message()
		if m.UnmarshalCBOR(r.bytes) != nil || m.Verify([]byte(tx.AAD), verifiers[r.key.Public().Alg()]) != nil {
			continue
		}
		var w wire
		if fxcbor.Unmarshal(m.Payload, &w) == nil {
			taken = append(taken, r.name)
		}
	}
	if len(taken) == 0 {
		t.Error("go-cose and fxamacker refuse all that we refuse: are the refusals still signed correctly?")
	}
	t.Logf("%d refusals that both libraries take:\n\t%s", len(taken), strings.Join(taken, "\n\t"))
}
