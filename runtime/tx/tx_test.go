package tx_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

// refusedWith fails unless err is a refusal with this code and a reason that says want.
func refusedWith(t *testing.T, err error, code receipt.Code, want string) {
	t.Helper()
	e, ok := errors.AsType[*tx.Error](err)
	if !ok || e.Code != code || !strings.Contains(e.Reason, want) {
		t.Errorf("got %v, want the code %s and a reason with %q", err, code.Name(), want)
	}
	if ok && tx.CodeOf(fmt.Errorf("wrapped: %w", err)) != code {
		t.Errorf("CodeOf(%v) = %s, want %s", err, tx.CodeOf(err).Name(), code.Name())
	}
}

// TestMeterReadingFitsIn200Bytes shows the size of one reading, signature included: on a
// narrow-band radio each byte is paid for.
func TestMeterReadingFitsIn200Bytes(t *testing.T) {
	for _, k := range bothKeys(t) {
		r := reading()
		raw, err := tx.Sign(&r, k)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: a meter reading is %d bytes: arguments %d, other fields %d, envelope and signature %d",
			k.Public().Alg(), len(raw), len(r.Args), len(r.Payload())-len(r.Args), len(raw)-len(r.Payload()))
		if len(raw) > 200 {
			t.Errorf("%s: a meter reading is %d bytes, limit 200", k.Public().Alg(), len(raw))
		}
		// The longest that the numbers can make it in the meter's lifetime, by its clock in 2106.
		r.Sequence, r.LastValid = 1<<32-1, 1<<32-1
		if raw, err = tx.Sign(&r, k); err != nil || len(raw) > 200 {
			t.Errorf("%s: at the end of its life a reading is %d bytes, limit 200 (%v)", k.Public().Alg(), len(raw), err)
		}
	}
}

// TestSizeLimits: 64 KiB for everybody, more only for code, one byte too many is refused.
func TestSizeLimits(t *testing.T) {
	k := edKey(t)
	ofSize := func(contract string, size int) []byte { // a transaction of exactly size bytes
		c := tx.Tx{Chain: "ward-1", Sequence: 1, GasLimit: 1, Contract: contract, Method: "deploy"}
		n := size - 200
		for {
			c.Args = cbor.AppendBytes(nil, make([]byte, n))
			raw := forge(t, k, func(f *forged) { f.Payload = c.Payload() })
			if len(raw) == size {
				return raw
			}
			n += size - len(raw)
		}
	}
	for _, c := range []struct {
		contract string
		size     int
		want     string // empty: accepted
	}{
		{"energy", tx.MaxSize, ""},
		{"energy", tx.MaxSize + 1, "transaction is 65537 bytes, limit 65536"},
		{"energy", tx.MaxDeploySize, "transaction is 4259840 bytes, limit 65536"},
		{"codes", tx.MaxSize + 1, "transaction is 65537 bytes, limit 65536"},
		{tx.DeployContract, tx.MaxSize + 1, ""},
		{tx.DeployContract, tx.MaxDeploySize, ""},
		{tx.DeployContract, tx.MaxDeploySize + 1, "transaction is 4259841 bytes, limit 4259840"},
	} {
		raw := ofSize(c.contract, c.size)
		s, err := tx.Decode(raw)
		if c.want != "" {
			refusedWith(t, err, receipt.TooLarge, c.want)
			continue
		}
		if err != nil || s.Size() != c.size || !bytes.Equal(s.Encode(), raw) {
			t.Errorf("%s, %d bytes: %v", c.contract, c.size, err)
		}
	}
	// The limit comes before anything is read: rubbish of that size is too large as well.
	_, err := tx.Decode(make([]byte, tx.MaxDeploySize+1))
	refusedWith(t, err, receipt.TooLarge, "limit 4259840")
}

// TestSignRefusesWhatDecodeWould: a client hears of its mistake before it sends.
func TestSignRefusesWhatDecodeWould(t *testing.T) {
	for _, c := range []struct {
		spoil func(*tx.Tx)
		code  receipt.Code
		want  string
	}{
		{func(t *tx.Tx) { t.Chain = "" }, receipt.Malformed, `chain "" is 0 bytes`},
		{func(t *tx.Tx) { t.Chain = "\xff" }, receipt.Malformed, "chain: byte 34: text is not UTF-8"},
		{func(t *tx.Tx) { t.Sequence = 0 }, receipt.Malformed, "sequence is 0"},
		{func(t *tx.Tx) { t.GasLimit = 0 }, receipt.GasLimit, "gas limit is 0"},
		{func(t *tx.Tx) { t.GasLimit = tx.MaxGas + 1 }, receipt.GasLimit, "gas limit is 1000000001"},
		{func(t *tx.Tx) { t.Contract = "Door" }, receipt.Malformed, `contract "Door" is not a name`},
		{func(t *tx.Tx) { t.Method = "9" }, receipt.Malformed, `method "9" is not a name`},
		{func(t *tx.Tx) { t.Args = nil }, receipt.Malformed, "arguments: "},
		{func(t *tx.Tx) { t.Args = []byte{0xf9, 0x3c, 0x00} }, receipt.Malformed, "floating-point"},
		{func(t *tx.Tx) { t.Args = cbor.AppendBytes(nil, make([]byte, tx.MaxSize)) }, receipt.TooLarge, "limit 65536"},
	} {
		r := reading()
		c.spoil(&r)
		raw, err := tx.Sign(&r, edKey(t))
		refusedWith(t, err, c.code, c.want)
		if raw != nil {
			t.Errorf("Sign gave out %x with the error %v", raw, err)
		}
	}
}

// brokenSigner stands for a secure element that answers wrongly.
type brokenSigner struct {
	*tx.SecretKey
	sig []byte
	err error
}

func (s brokenSigner) Sign([]byte) ([]byte, error) { return s.sig, s.err }

func TestSignReportsABrokenSigner(t *testing.T) {
	r := reading()
	unplugged := errors.New("secure element does not answer")
	if _, err := tx.Sign(&r, brokenSigner{SecretKey: p256Key(t), err: unplugged}); !errors.Is(err, unplugged) {
		t.Errorf("got %v, want it to wrap %v", err, unplugged)
	}
	_, err := tx.Sign(&r, brokenSigner{SecretKey: p256Key(t), sig: make([]byte, 71)})
	if err == nil || !strings.Contains(err.Error(), "signature is 71 bytes, must be 64") {
		t.Errorf("got %v, want the length of the DER signature", err)
	}
}

// TestLongValuesAreNotRepeated: a reason stays readable whatever was sent.
func TestLongValuesAreNotRepeated(t *testing.T) {
	for key := range 2 {
		raw := forge(t, edKey(t), withField(5+key, cbor.AppendText(nil, strings.Repeat("\x00", 60_000))))
		_, err := tx.Decode(raw)
		if err == nil || len(err.Error()) > 500 || !strings.Contains(err.Error(), "59920 bytes more") {
			t.Errorf("reason of %d bytes: %.200v", len(fmt.Sprint(err)), err)
		}
	}
}

// TestVerifyIsForOneKey: a signature holds for the key that kid names and for no other.
func TestVerifyIsForOneKey(t *testing.T) {
	for _, k := range bothKeys(t) {
		for _, other := range bothKeys(t) {
			r := reading()
			raw, err := tx.Sign(&r, k)
			if err != nil {
				t.Fatal(err)
			}
			s, err := tx.Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := s.Verify(other.Public()), k.String() == other.String(); got != want {
				t.Errorf("signed by %s, verified with %s: %t", k, other, got)
			}
			if s.Verify(tx.PublicKey{}) {
				t.Errorf("signed by %s, verified without a key", k)
			}
		}
	}
}

// TestEveryByteIsSigned turns each bit of a transaction in turn: either it is refused,
// or its signature does not verify.
func TestEveryByteIsSigned(t *testing.T) {
	for _, k := range bothKeys(t) {
		r := reading()
		raw, err := tx.Sign(&r, k)
		if err != nil {
			t.Fatal(err)
		}
		for i := range raw {
			for bit := range 8 {
				b := bytes.Clone(raw)
				b[i] ^= 1 << bit
				if s, err := tx.Decode(b); err == nil && s.Verify(k.Public()) {
					t.Errorf("%s: bit %d of byte %d turned, and it still verifies", k.Public().Alg(), bit, i)
				}
			}
		}
	}
}

func TestMessages(t *testing.T) {
	payload := cbor.AppendText(cbor.AppendText(cbor.AppendMap(nil, 1), "chain"), "ward-1")
	const aad = "ward-auth-v1"
	for _, k := range bothKeys(t) {
		raw, err := tx.SignMessage(aad, payload, k)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tx.OpenMessage(aad, raw, k.Public())
		if err != nil || !bytes.Equal(got, payload) {
			t.Errorf("%s: %x, %v", k, got, err)
		}
		// No message is a transaction, and no transaction a message.
		if s, err := tx.Decode(raw); err == nil {
			t.Errorf("%s: a message decodes as the transaction %+v", k, s.Tx)
		}
		r := reading()
		signed, err := tx.Sign(&r, k)
		if err != nil {
			t.Fatal(err)
		}
		_, err = tx.OpenMessage(aad, signed, k.Public())
		refusedWith(t, err, receipt.BadSignature, `is not signed by the key `+k.Public().Address().String())
		_, err = tx.OpenMessage(tx.AAD, signed, k.Public())
		refusedWith(t, err, receipt.Malformed, `external AAD "ward-tx-v1" is reserved`)
		// Even if a message carries a transaction's payload, its signature is another.
		again, err := tx.SignMessage(aad, r.Payload(), k)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := tx.Decode(again); err != nil || s.Verify(k.Public()) {
			t.Errorf("%s: a message with a transaction's payload verifies as one (%v)", k, err)
		}
		// Another purpose, another key, another payload.
		_, err = tx.OpenMessage("ward-auth-v2", raw, k.Public())
		refusedWith(t, err, receipt.BadSignature, `under "ward-auth-v2"`)
		for _, other := range bothKeys(t) {
			if other.String() != k.String() {
				_, err = tx.OpenMessage(aad, raw, other.Public())
				refusedWith(t, err, receipt.BadSignature, other.Public().Address().String())
			}
		}
		_, err = tx.OpenMessage(aad, append(bytes.Clone(raw), 0), k.Public())
		refusedWith(t, err, receipt.Malformed, "one byte too many")
	}
	k := edKey(t)
	for _, c := range []struct {
		aad     string
		payload []byte
		code    receipt.Code
		want    string
	}{
		{tx.AAD, payload, receipt.Malformed, "is reserved for transactions"},
		{"", payload, receipt.Malformed, `external AAD "" is 0 bytes, must be 1 to 64`},
		{strings.Repeat("a", 65), payload, receipt.Malformed, "is 65 bytes, must be 1 to 64"},
		{aad, nil, receipt.Malformed, "payload: byte 0: the input ends"},
		{aad, []byte{0x18, 0}, receipt.Malformed, "payload: byte 0: value 0 has a head longer than it needs"},
		{aad, cbor.AppendBytes(nil, make([]byte, tx.MaxSize)), receipt.TooLarge, "limit 65536"},
	} {
		_, err := tx.SignMessage(c.aad, c.payload, k)
		refusedWith(t, err, c.code, c.want)
	}
	// A signer that did not use SignMessage is held to the same.
	raw := forge(t, k, func(f *forged) { f.Payload = []byte{0x18, 0} })
	_, err := tx.OpenMessage(aad, raw, k.Public())
	refusedWith(t, err, receipt.Malformed, "payload: byte 31: value 0")
	_, err = tx.OpenMessage(aad, make([]byte, tx.MaxSize+1), k.Public())
	refusedWith(t, err, receipt.TooLarge, "message is 65537 bytes, limit 65536")
}

func TestIDText(t *testing.T) {
	want := tx.ID{1, 2, 0xff}
	b, err := want.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var got tx.ID
	if err := got.UnmarshalText(b); err != nil || got != want {
		t.Errorf("%s came back as %s, %v", b, got, err)
	}
	for _, s := range []string{"", "01", strings.Repeat("0", 63) + "g", strings.Repeat("0", 66), strings.Repeat("x", 1_000_000)} {
		if id, err := tx.ParseID(s); err == nil || len(err.Error()) > 300 {
			t.Errorf("ParseID(%.70q) = %s, %v", s, id, err)
		}
	}
}

// TestSecretsStaySecret: no way of printing a key shows its secret.
func TestSecretsStaySecret(t *testing.T) {
	for _, k := range bothKeys(t) {
		var b bytes.Buffer
		fmt.Fprintf(&b, "%v %+v %#v %s", k, k, k, k)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("key", "key", k)
		slog.New(slog.NewTextHandler(&b, nil)).Info("key", "key", k)
		for _, form := range []string{fmt.Sprintf("%x", k.Secret()), fmt.Sprintf("%X", k.Secret()), fmt.Sprint(k.Secret()), fmt.Sprintf("%#v", k.Secret())} {
			if strings.Contains(b.String(), form) {
				t.Errorf("the secret is printed as %s", form)
			}
		}
		if !strings.Contains(b.String(), k.Public().Address().String()) {
			t.Errorf("the address is not printed: %s", &b)
		}
	}
}
