package tx_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/tx"
)

// The private keys of the tests are published ones, so that nobody takes them for
// anything else and everybody can check them: RFC 8032 section 7.1 TEST 1, and
// RFC 6979 appendix A.2.5.
const (
	seedHex   = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
	scalarHex = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func edKey(t testing.TB) *tx.SecretKey {
	t.Helper()
	k, err := tx.NewEd25519(unhex(t, seedHex))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func p256Key(t testing.TB) *tx.SecretKey {
	t.Helper()
	k, err := tx.NewP256(unhex(t, scalarHex))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// bothKeys are the test keys, for what must hold under either algorithm.
func bothKeys(t testing.TB) []*tx.SecretKey { return []*tx.SecretKey{edKey(t), p256Key(t)} }

// reading is what a meter sends: a batch of one, with the fields of energy's Reading.
func reading() tx.Tx {
	args := cbor.AppendMap(nil, 5)
	args = cbor.AppendUint(cbor.AppendText(args, "seq"), 48211)
	args = cbor.AppendUint(cbor.AppendText(args, "time"), 1767225600)
	args = cbor.AppendUint(cbor.AppendText(args, "export"), 1204417)
	args = cbor.AppendUint(cbor.AppendText(args, "import"), 8830256)
	args = cbor.AppendUint(cbor.AppendText(args, "quality"), 1)
	return tx.Tx{Chain: "ward-1", Sequence: 48211, GasLimit: 5_000_000, Contract: "energy", Method: "report", Args: args}
}

// forged is a COSE_Sign1 put together by hand, correct except for what a test spoils.
// The signature is valid for the protected header and the payload as they are, unless
// Sig changes it.
type forged struct {
	Tag, Array, ProtectedHead, Unprotected, PayloadHead, SignatureHead, Tail []byte // canonical if nil

	Protected []byte
	Payload   []byte
	Sig       func([]byte) []byte
}

func forge(t testing.TB, k *tx.SecretKey, spoil func(*forged)) []byte {
	t.Helper()
	good := reading()
	f := forged{Protected: header(int64(k.Public().Alg()), k.Public().Address()), Payload: good.Payload()}
	spoil(&f)

	message := cbor.AppendText(cbor.AppendArray(nil, 4), "Signature1")
	message = cbor.AppendBytes(message, f.Protected)
	message = cbor.AppendBytes(message, []byte(tx.AAD))
	message = cbor.AppendBytes(message, f.Payload)
	sig, err := k.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	if f.Sig != nil {
		sig = f.Sig(sig)
	}
	head := func(given, v []byte) []byte { // of a byte string
		if given != nil {
			return given
		}
		whole := cbor.AppendBytes(nil, v)
		return whole[:len(whole)-len(v)]
	}
	or := func(given []byte, canonical ...byte) []byte {
		if given != nil {
			return given
		}
		return canonical
	}
	return bytes.Join([][]byte{or(f.Tag, 0xd2), or(f.Array, 0x84), head(f.ProtectedHead, f.Protected), f.Protected, or(f.Unprotected, 0xa0),
		head(f.PayloadHead, f.Payload), f.Payload, head(f.SignatureHead, sig), sig, f.Tail}, nil)
}

// header is the canonical protected header.
func header(alg int64, kid address.Address) []byte {
	b := cbor.AppendInt(cbor.AppendUint(cbor.AppendMap(nil, 2), 1), alg)
	return cbor.AppendBytes(cbor.AppendUint(b, 4), kid[:])
}

// pair is one key of a payload with its encoded value.
type pair struct{ key, value []byte }

// pairs are those of a canonical payload, for a test to change one.
func pairs() []pair {
	good := reading()
	u, s := func(v uint64) []byte { return cbor.AppendUint(nil, v) }, func(v string) []byte { return cbor.AppendText(nil, v) }
	return []pair{
		{u(1), s(good.Chain)}, {u(2), u(good.Sequence)}, {u(3), u(90_000)}, {u(4), u(good.GasLimit)},
		{u(5), s(good.Contract)}, {u(6), s(good.Method)}, {u(7), cbor.AppendBytes(nil, good.Args)},
	}
}

// payloadOf writes pairs as they come.
func payloadOf(ps []pair) []byte {
	b := cbor.AppendMap(nil, len(ps))
	for _, p := range ps {
		b = append(append(b, p.key...), p.value...)
	}
	return b
}

// withField replaces the value of one payload key, 1 to 7.
func withField(key int, value []byte) func(*forged) {
	return func(f *forged) {
		ps := pairs()
		ps[key-1].value = value
		f.Payload = payloadOf(ps)
	}
}
