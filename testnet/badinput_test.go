package testnet_test

import (
	"bytes"
	"crypto/elliptic"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
)

// forge makes a COSE_Sign1 by hand: each part is what the caller says, and the signature holds.
func forge(t *testing.T, k *tx.SecretKey, head, protected, unprotected, payload []byte) []byte {
	t.Helper()
	message := cbor.AppendText(cbor.AppendArray(nil, 4), "Signature1")
	message = cbor.AppendBytes(message, protected)
	message = cbor.AppendBytes(message, []byte(tx.AAD))
	message = cbor.AppendBytes(message, payload)
	signature, err := k.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	raw := append(bytes.Clone(head), cbor.AppendBytes(nil, protected)...)
	raw = append(raw, unprotected...)
	raw = cbor.AppendBytes(raw, payload)
	return cbor.AppendBytes(raw, signature)
}

// header is the protected header as it should be.
func header(k *tx.SecretKey) []byte {
	kid := k.Public().Address()
	b := cbor.AppendUint(cbor.AppendMap(nil, 2), 1)
	b = cbor.AppendInt(b, int64(k.Public().Alg()))
	return cbor.AppendBytes(cbor.AppendUint(b, 4), kid[:])
}

// TestBadInput sends what a stranger, a broken device and a burglar send, over real HTTP, to
// a real node, while a dashboard follows. Each line gets its own precise answer; afterwards
// the node is well and the dashboard has missed nothing.
func TestBadInput(t *testing.T) {
	t.Parallel()
	n := start(t)
	ctx := within(t, 2*time.Minute)
	dashboard, err := connect(t, n).Subscribe(ctx, client.Filter{}, client.FromNow, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dashboard.Close()
	var happened []receipt.Cursor // the events that must come, by the receipts
	refused := 0
	ran := func(a answer) {
		for _, e := range a.Events {
			happened = append(happened, e.Cursor)
			if e.Event == abi.RefusedEvent {
				refused++
			}
		}
	}

	sequence := uint64(0)
	signed := func(k *tx.SecretKey, edit func(*tx.Tx)) []byte {
		t.Helper()
		sequence++
		call := &tx.Tx{
			Chain: "lab", Sequence: sequence, GasLimit: usualGas, Contract: "access", Method: "register",
			Args: cbor.AppendText(cbor.AppendText(cbor.AppendMap(nil, 1), "name"), fmt.Sprintf("door-%d", sequence)),
		}
		edit(call)
		raw, err := tx.Sign(call, k)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	as := func(contract, method string, args []byte) func(*tx.Tx) {
		return func(t *tx.Tx) { t.Contract, t.Method, t.Args = contract, method, args }
	}
	usual := func(*tx.Tx) {}
	payload := func() []byte { // of a good transaction of the owner's
		s, err := tx.Decode(signed(owner, usual))
		if err != nil {
			t.Fatal(err)
		}
		return s.Payload()
	}

	good := signed(owner, usual)
	first := post(t, n, good, "commit")
	if first.status != http.StatusOK || first.Code != "ok" {
		t.Fatalf("a good transaction: %d %s", first.status, first.body)
	}
	ran(first)
	wrong := signed(owner, usual)
	wrong[len(wrong)-1] ^= 1
	other := bytes.Clone(good)
	s := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(good[len(good)-32:]))
	s.FillBytes(other[len(other)-32:])
	envelope := []byte{0xd2, 0x84}
	empty := []byte{0xa0}
	padded := payload()
	padded = append(append(bytes.Clone(padded[:1]), 0x18, 0x01), padded[2:]...) // the key 1 in two bytes

	deployment := cbor.AppendText(cbor.AppendBytes(cbor.AppendText(cbor.AppendMap(nil, 2), "code"), []byte("\x00asm")), "name")
	deployment = cbor.AppendText(deployment, "mine")
	for _, test := range []struct {
		what   string
		raw    []byte
		status int
		code   string
		reason string // must be in the reason
	}{
		{"garbage", []byte("open sesame"), 400, "malformed", "first byte is 0x"},
		{"nothing", nil, 400, "malformed", ""},
		{"too large for a device", signed2(t, owner, tx.MaxSize+1), 413, "too_large", "65536"},
		{"too large for anybody", make([]byte, tx.MaxDeploySize+1), 413, "too_large", fmt.Sprint(tx.MaxDeploySize)},
		{"truncated", good[:len(good)-10], 400, "malformed", ""},
		{"wrongly signed", wrong, 403, "bad_signature", owner.Public().Address().String()},
		{"the other S of what ran", other, 409, "replayed", "block"},
		{"a sequence that was used", signed(owner, func(t *tx.Tx) { t.Sequence = 1 }), 409, "replayed", "sequence 1 "},
		{"signed for another chain", signed(owner, func(t *tx.Tx) { t.Chain = "elsewhere" }), 400, "wrong_chain", `"elsewhere"`},
		{"expired", signed(owner, func(t *tx.Tx) { t.LastValid = 1 }), 409, "expired", "last valid height is 1"},
		{"of a key that nobody knows", signed(stranger, usual), 403, "unknown_key", stranger.Public().Address().String()},
		{"out of scope", signed(narrow, usual), 403, "out_of_scope", "access.register"},
		{"over quota", signed(poor, func(t *tx.Tx) { t.GasLimit = 4 * usualGas }), 429, "over_quota", fmt.Sprint(4 * usualGas)},
		{"too little gas", signed(owner, func(t *tx.Tx) { t.GasLimit = 7 }), 400, "gas_limit", "7"},
		{"far ahead", signed(owner, func(t *tx.Tx) { t.Sequence = 5000 }), 409, "sequence_jump", "5000"},
		{"a padded array head", forge(t, owner, []byte{0xd2, 0x98, 0x04}, header(owner), empty, payload()), 400, "malformed", "byte 1"},
		{"no tag", forge(t, owner, []byte{0x84}, header(owner), empty, payload()), 400, "malformed", "first byte is 0x"},
		{"a header with more in it", forge(t, owner, envelope, append(append([]byte{0xa3}, header(owner)[1:]...), 0x05, 0x00), empty, payload()), 400, "malformed", ""},
		{"a header out of order", forge(t, owner, envelope, reversed(owner), empty, payload()), 400, "malformed", ""},
		{"an unprotected header", forge(t, owner, envelope, header(owner), []byte{0xa1, 0x01, 0x26}, payload()), 400, "malformed", ""},
		{"a payload that isn't canonical", forge(t, owner, envelope, header(owner), empty, padded), 400, "malformed", ""},
		{"another algorithm", forge(t, owner, envelope, bytes.Replace(header(owner), []byte{0x01, 0x26}, []byte{0x01, 0x25}, 1), empty, payload()), 400, "malformed", ""},
		{"arguments that aren't canonical", forge(t, owner, envelope, header(owner), empty, looseArguments(t, payload())), 400, "malformed", ""},

		// These are executed, so they answer with a receipt.
		{"to no contract", signed(owner, as("nobody", "open", empty)), 200, "unknown_contract", `"nobody"`},
		{"to no method", signed(owner, as("access", "explode", empty)), 200, "unknown_method", `"explode"`},
		{"with arguments of another type", signed(owner, as("access", "register", cbor.AppendUint(nil, 7))), 200, "bad_arguments", ""},
		{"with an argument missing", signed(owner, as("access", "register", empty)), 200, "bad_arguments", "name"},
		{"with one too many", signed(owner, as("access", "bump_epoch", cbor.AppendUint(cbor.AppendText(cbor.AppendMap(nil, 1), "x"), 1))), 200, "bad_arguments", "x"},
		{"to a contract that traps", signed(owner, as("trap", "open", empty)), 200, "trapped", ""},
		{"deploys without being the operator", signed(owner, as("code", "deploy", deployment)), 200, "not_permitted", owner.Public().Address().String()},
	} {
		t.Run(test.what, func(t *testing.T) {
			wait := "check"
			if test.status == http.StatusOK {
				wait = "commit"
			}
			got := post(t, n, test.raw, wait)
			code, reason := got.Error.Code, got.Error.Reason
			if got.status == http.StatusOK {
				code, reason = got.Code, got.Reason
			}
			ran(got)
			if got.status != test.status || code != test.code || reason == "" || !strings.Contains(reason, test.reason) {
				t.Errorf("%d %s %q, want %d %s with %q", got.status, code, reason, test.status, test.code, test.reason)
			}
		})
	}
	t.Run("the same bytes again", func(t *testing.T) {
		if got := post(t, n, good, "check"); got.status != http.StatusConflict || got.Error.Code != "replayed" || !strings.Contains(got.Error.Reason, "block") {
			t.Errorf("%d %s", got.status, got.body)
		}
		// A device that never saw the answer asks for it, and nothing runs twice.
		if got := post(t, n, good, "commit"); got.status != http.StatusOK || !slices.Equal(got.Events, first.Events) {
			t.Errorf("%d %s, want the receipt of the first time", got.status, got.body)
		}
	})

	last := signed(guest, func(t *tx.Tx) { t.Sequence = 1 })
	end := post(t, n, last, "commit")
	if end.status != http.StatusOK || end.Code != "ok" {
		t.Fatalf("a good transaction after all that: %d %s", end.status, end.body)
	}
	ran(end)
	healthy(t, n)
	if refused != 7 {
		t.Errorf("%d refused events, want one for each of the 7 that were executed and failed", refused)
	}
	for i, want := range happened {
		e, err := dashboard.Next(ctx)
		if err != nil {
			t.Fatalf("event %d of %d: %v", i+1, len(happened), err)
		}
		if e.Cursor != want {
			t.Fatalf("event %d is %s, want %s", i+1, e.Cursor, want)
		}
		if e.Name == "doomed" {
			t.Error("an event of the contract that trapped was streamed")
		}
	}
}

// signed2 is a transaction of a size that an ordinary one may not have.
func signed2(t *testing.T, k *tx.SecretKey, size int) []byte {
	t.Helper()
	args := cbor.AppendBytes(nil, make([]byte, size))
	payload := (&tx.Tx{Chain: "lab", Sequence: 1, GasLimit: usualGas, Contract: "access", Method: "register", Args: args}).Payload()
	return forge(t, k, []byte{0xd2, 0x84}, header(k), []byte{0xa0}, payload)
}

// reversed is the protected header with the key id first.
func reversed(k *tx.SecretKey) []byte {
	kid := k.Public().Address()
	b := cbor.AppendBytes(cbor.AppendUint(cbor.AppendMap(nil, 2), 4), kid[:])
	return cbor.AppendInt(cbor.AppendUint(b, 1), int64(k.Public().Alg()))
}

// looseArguments replaces a payload's arguments by a map whose head is longer than needed.
func looseArguments(t *testing.T, payload []byte) []byte {
	t.Helper()
	at := bytes.LastIndex(payload, []byte("\xa1\x64name"))
	if at < 0 {
		t.Fatalf("payload %x has no arguments", payload)
	}
	args := append([]byte{0xb8, 0x01}, payload[at+1:]...)
	head := at - 1 // the byte string's head is one byte for so few
	return append(bytes.Clone(payload[:head]), cbor.AppendBytes(nil, args)...)
}

// healthy fails the test unless the node says that it is well.
func healthy(t *testing.T, n *node.Node) {
	t.Helper()
	r, err := http.Get(fmt.Sprintf("http://%s/healthz", n.HTTP()))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Errorf("the node is not well: %s", r.Status)
	}
}

// TestBadFollowers connects WebSocket clients that talk rubbish, ask for the future and never read,
// beside one that behaves: it misses nothing.
func TestBadFollowers(t *testing.T) {
	t.Parallel()
	n := start(t)
	ctx := within(t, 2*time.Minute)
	c := connect(t, n)
	calm, err := c.Subscribe(ctx, client.Filter{}, client.FromNow, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer calm.Close()

	stream := func(query string) string { return fmt.Sprintf("ws://%s/v1/events/stream?%s", n.HTTP(), query) }
	for _, test := range []struct{ what, url, send, code, reason string }{
		{"rubbish", stream("after=start"), "give me everything", "unexpected_frame", ""},
		{"the future", stream("after=999999.0.0"), "", "future_cursor", "999999"},
		{"no cursor", stream("after=yesterday"), "", "bad_cursor", "yesterday"},
		{"no such parameter", stream("colour=blue"), "", "bad_parameter", "colour"},
		{"no such event", stream("contract=access&event=exploded"), "", "unknown_name", "exploded"},
	} {
		t.Run(test.what, func(t *testing.T) {
			conn := dial(t, ctx, test.url)
			if test.send != "" {
				conn.send(test.send)
			}
			frame := conn.until("error")
			if frame.Code != test.code || !strings.Contains(frame.Reason, test.reason) {
				t.Errorf("error %s %q, want %s with %q", frame.Code, frame.Reason, test.code, test.reason)
			}
			conn.closed()
		})
	}
	dial(t, ctx, stream("after=start")) // and never a read

	var want []string
	for i := range 40 {
		r, err := c.Call(ctx, owner, "access", "register", struct{ Name string }{fmt.Sprintf("door-%d", i)}, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range r.Events {
			want = append(want, e.Cursor.String())
		}
	}
	var got []string
	for range want {
		e, err := calm.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Cursor.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("the calm follower saw %v, want %v", got, want)
	}
	healthy(t, n)
}
