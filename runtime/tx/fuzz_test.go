package tx_test

import (
	"bytes"
	"testing"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/tx"
)

// FuzzDecode: whatever comes in, Decode answers; what it accepts is canonical, so that
// encoding it gives the same bytes, and a verified one keeps its promises.
func FuzzDecode(f *testing.F) {
	v := readVectors(f)
	for _, c := range v.Transactions {
		f.Add(unhex(f, c.Transaction))
	}
	for _, c := range v.Messages {
		f.Add(unhex(f, c.Message))
	}
	for _, c := range v.Refused {
		f.Add(unhex(f, c.Transaction))
	}
	keys := bothKeys(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := tx.Decode(raw)
		if err != nil {
			e, ok := err.(*tx.Error)
			if !ok || e.Reason == "" || e.Code.Executed() || len(e.Reason) > 1024 {
				t.Fatalf("%x is refused with %#v", raw, err)
			}
			return
		}
		if again := s.Encode(); !bytes.Equal(again, raw) {
			t.Fatalf("%x encodes to %x", raw, again)
		}
		if s.Size() != len(raw) || len(s.Signature) != tx.SignatureSize || cbor.Valid(s.Args) != nil ||
			s.Sequence == 0 || s.GasLimit == 0 || s.GasLimit > tx.MaxGas || s.Chain == "" || len(s.Chain) > tx.MaxChain {
			t.Fatalf("%x decodes beyond its bounds: %+v", raw, s)
		}
		if !bytes.Equal(s.SigStructure(), tx.SigStructure(s.Alg, s.Key, tx.AAD, s.Payload())) {
			t.Fatalf("%x: signed is %x", raw, s.SigStructure())
		}
		for _, k := range keys {
			s.Verify(k.Public()) // must not panic
		}
	})
}

// FuzzPublicKey: no bytes crash the parser, and what it takes is what it gives.
func FuzzPublicKey(f *testing.F) {
	for _, k := range bothKeys(f) {
		f.Add(k.Public().Bytes, make([]byte, 64))
	}
	for _, h := range []string{"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"} {
		f.Add(unhex(f, h), make([]byte, 64))
	}
	f.Fuzz(func(t *testing.T, b, sig []byte) {
		pub, err := tx.ParsePublicKey(b)
		if err != nil {
			return
		}
		if !bytes.Equal(pub.Bytes, b) || pub.Alg() == 0 {
			t.Fatalf("%x parses as %x with %s", b, pub.Bytes, pub.Alg())
		}
		pub.Weak()
		pub.Verify([]byte("message"), sig)
	})
}
