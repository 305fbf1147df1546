package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

type openArgs struct{ Door string }

func TestCall(t *testing.T) {
	key := mustKey(t, tx.ES256)
	f := newFake(t, key)
	c := f.client(t)
	r, err := c.Call(t.Context(), key, "door", "open", openArgs{"1"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != receipt.OK || r.Height != 42 || r.Index != 1 || r.Sender != key.Public().Address() || r.Method != "open" ||
		!r.Time.Equal(time.Unix(1760000000, 0)) || string(r.Return) != `{"uses":3}` || len(r.Events) != 1 {
		t.Errorf("receipt %+v", r)
	}
	var result struct{ Uses uint64 }
	if err := r.Decode(&result); err != nil || result.Uses != 3 {
		t.Errorf("result %+v, %v", result, err)
	}
	var opened struct {
		Door string
		By   address.Address
	}
	e := r.Events[0]
	if err := e.Decode(&opened); err != nil || opened.Door != "1" || opened.By != key.Public().Address() {
		t.Errorf("event %+v, %v", opened, err)
	}
	if e.Cursor != (receipt.Cursor{Height: 42, Tx: 1}) || e.Tx != r.ID || e.Height != 42 || e.Prev != nil {
		t.Errorf("event %+v", e)
	}
	s := f.ledger[r.ID]
	if s == nil || s.GasLimit < DefaultGas+20*uint64(len(s.Args)) || s.GasLimit > DefaultGas+gasSpread+1000 || s.LastValid != 0 {
		t.Errorf("what arrived is %+v", s)
	}
}

func TestCallThatFails(t *testing.T) {
	key := mustKey(t, tx.EdDSA)
	c := newFake(t, key).client(t)
	r, err := c.Call(t.Context(), key, "door", "fail", nil, Options{})
	refused, ok := errors.AsType[*Refused](err)
	if !ok || r == nil || !refused.Executed() || refused.Code != receipt.Failed || refused.ContractCode != 3 || refused.ID != r.ID {
		t.Fatalf("receipt %+v, error %v", r, err)
	}
	if want := "refused: failed 3 not_owner: door/1 is not yours"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if r.Return != nil || r.ReturnCBOR != nil {
		t.Errorf("returned %s", r.Return)
	}

	stranger := mustKey(t, tx.ES256)
	if _, err := c.Call(t.Context(), stranger, "door", "open", nil, Options{}); !isRefused(err, receipt.UnknownKey) {
		t.Errorf("a key that the chain doesn't know: %v", err)
	}
	if _, err := c.Call(t.Context(), forger{key, stranger}, "door", "open", nil, Options{}); !isRefused(err, receipt.BadSignature) {
		t.Errorf("another's signature: %v", err)
	}
}

// forger says it is one key and signs with another.
type forger struct {
	victim *tx.SecretKey
	*tx.SecretKey
}

func (f forger) Public() tx.PublicKey { return f.victim.Public() }

func isRefused(err error, code receipt.Code) bool {
	r, ok := errors.AsType[*Refused](err)
	return ok && r.Code == code
}

// TestSequences: many goroutines share one Client and key, and another process uses the key
// at the same time. Everything runs once, and the ledger is asked for the key only when a
// number turned out to be taken.
func TestSequences(t *testing.T) {
	key := mustKey(t, tx.EdDSA)
	f := newFake(t, key)
	us, them := f.client(t), f.client(t)
	const each, senders = 20, 8
	var wg sync.WaitGroup
	for i := range senders {
		c := us
		if i%4 == 3 {
			c = them
		}
		wg.Go(func() {
			for range each {
				if _, err := c.Send(t.Context(), key, "door", "open", nil, Options{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if len(f.ledger) != each*senders {
		t.Errorf("%d transactions ran, want %d", len(f.ledger), each*senders)
	}

	alone := newFake(t, key)
	c := alone.client(t)
	for range 5 {
		if _, err := c.Send(t.Context(), key, "door", "open", nil, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if alone.asked != 1 || alone.highest != 5 {
		t.Errorf("asked for the key %d times, want once; highest sequence %d, want 5", alone.asked, alone.highest)
	}
}

func TestSequenceJump(t *testing.T) {
	key := mustKey(t, tx.EdDSA)
	f := newFake(t, key)
	c := f.client(t)
	// Signed, and lost on their way: so many that none of those that follow comes within reach of the window
	// again while others have begun anew.
	for range 1100 {
		if _, err := c.Sign(t.Context(), key, "door", "open", nil, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := c.Call(t.Context(), key, "door", "open", nil, Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if f.highest != 8 {
		t.Errorf("highest sequence %d, want 8", f.highest)
	}
}

func TestOwnSequenceIsSentOnce(t *testing.T) {
	key := mustKey(t, tx.EdDSA)
	f := newFake(t, key)
	c := f.client(t)
	if _, err := c.Send(t.Context(), key, "door", "open", openArgs{"1"}, Options{Sequence: 7}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), key, "door", "open", openArgs{"2"}, Options{Sequence: 7}); !isRefused(err, receipt.Replayed) {
		t.Errorf("the same sequence again: %v", err)
	}
	if len(f.ledger) != 1 {
		t.Errorf("%d transactions ran, want 1", len(f.ledger))
	}
}

// TestNeverTwice: the node took the transaction, but something between it and us sent it
// twice and gave us the second answer, "replayed". It must not be signed anew.
func TestNeverTwice(t *testing.T) {
	key := mustKey(t, tx.EdDSA)
	f := newFake(t, key)
	f.onTx = func(w http.ResponseWriter, s *tx.Signed) bool {
		f.ledger[s.ID()], f.used[s.Sequence] = s, s.ID()
		return false
	}
	r, err := f.client(t).Call(t.Context(), key, "door", "open", nil, Options{})
	if err != nil || len(f.ledger) != 1 || f.ledger[r.ID] == nil {
		t.Errorf("%d transactions ran, receipt %+v, error %v", len(f.ledger), r, err)
	}
}

// TestLostAnswer: the connection breaks after the node has the transaction. The error isn't
// a refusal, the id is known, and Wait finds the receipt.
func TestLostAnswer(t *testing.T) {
	key := mustKey(t, tx.EdDSA)
	f := newFake(t, key)
	f.onTx = func(w http.ResponseWriter, s *tx.Signed) bool {
		f.ledger[s.ID()] = s
		panic(http.ErrAbortHandler)
	}
	c := f.client(t)
	id, err := c.Send(t.Context(), key, "door", "open", nil, Options{})
	if _, refused := errors.AsType[*Refused](err); err == nil || refused || id == (tx.ID{}) {
		t.Fatalf("id %s, error %v", id, err)
	}
	if r, err := c.Wait(t.Context(), id); err != nil || r.ID != id {
		t.Errorf("wait: %+v, %v", r, err)
	}
}

func TestWait(t *testing.T) {
	key := mustKey(t, tx.EdDSA)
	f := newFake(t, key)
	f.onTx = func(w http.ResponseWriter, s *tx.Signed) bool { // the node stops waiting, then the block comes
		answer(w, 202, `{"id":%q,"status":"pending"}`, s.ID())
		f.ledger[s.ID()] = s
		return true
	}
	if r, err := f.client(t).Call(t.Context(), key, "door", "open", nil, Options{}); err != nil || r.Height != 42 {
		t.Errorf("receipt %+v, %v", r, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
	defer cancel()
	if _, err := f.client(t).Wait(ctx, tx.ID{1}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a transaction that never comes: %v", err)
	}
}

// TestAnotherChain: the node behind the URL was set up anew. The first transaction is for
// the chain that was, the next for the one that is.
func TestAnotherChain(t *testing.T) {
	key := mustKey(t, tx.EdDSA)
	f := newFake(t, key)
	c := f.client(t)
	if _, err := c.Send(t.Context(), key, "door", "open", nil, Options{}); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.chain = "test-2"
	f.mu.Unlock()
	if _, err := c.Send(t.Context(), key, "door", "open", nil, Options{}); !isRefused(err, receipt.WrongChain) {
		t.Errorf("first: %v", err)
	}
	if _, err := c.Send(t.Context(), key, "door", "open", nil, Options{}); err != nil {
		t.Errorf("second: %v", err)
	}
}

func TestQuery(t *testing.T) {
	key := mustKey(t, tx.EdDSA)
	f := newFake(t, key)
	f.mux.HandleFunc("POST /v1/contracts/door/query/{method}", func(w http.ResponseWriter, r *http.Request) {
		var body json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&body)
		switch r.PathValue("method") {
		case "may":
			if want := `{"subject":"` + key.Public().Address().String() + `","door":"1"}`; string(body) != want {
				t.Errorf("asked %s, want %s", body, want)
			}
			if q := r.URL.Query(); q.Get("height") != "" && q.Get("sender") != key.Public().Address().String() {
				t.Errorf("asked with %s", r.URL.RawQuery)
			}
			answer(w, 200, `{"height":57,"time":1760000100,"clock":"node","result":{"allowed":true,"uses":2},"result_cbor":"0xa264757365730267616c6c6f776564f5","gas_used":412000}`)
		default:
			answer(w, 404, `{"error":{"code":"unknown_method","number":33,"reason":"door has no method %s"}}`, r.PathValue("method"))
		}
	})
	c := f.client(t)
	args := struct {
		Subject address.Address
		Door    string
	}{key.Public().Address(), "1"}
	var out struct {
		Allowed bool
		Uses    uint64
	}
	if err := c.Query(t.Context(), "door", "may", args, &out); err != nil || !out.Allowed || out.Uses != 2 {
		t.Errorf("answer %+v, %v", out, err)
	}
	a, err := c.Ask(t.Context(), Question{Contract: "door", Method: "may", Args: args, Height: 40, Sender: key.Public().Address()})
	if err != nil || a.Height != 57 || a.Clock != "node" || a.Time.Unix() != 1760000100 || a.GasUsed != 412000 || string(a.Result) != `{"allowed":true,"uses":2}` {
		t.Errorf("answer %+v, %v", a, err)
	}
	a, err = c.Ask(t.Context(), Question{Contract: "door", Method: "nope"})
	if !isRefused(err, receipt.UnknownMethod) {
		t.Errorf("a method that isn't there: %+v, %v", a, err)
	}
	for _, names := range [][2]string{{"..", "may"}, {"door/../door", "may"}, {"door", "../may"}} {
		if err := c.Query(t.Context(), names[0], names[1], nil, nil); !isRefused(err, receipt.UnknownContract) && !isRefused(err, receipt.UnknownMethod) {
			t.Errorf("%q: %v", names, err)
		}
	}
	if err := c.Query(t.Context(), "door", "count", args, nil); err == nil || !strings.Contains(err.Error(), "takes no arguments") {
		t.Errorf("arguments for a method without: %v", err)
	}
	if err := c.Query(t.Context(), "door", "may", struct{ Subject string }{"me"}, nil); err == nil || !strings.Contains(err.Error(), "subject") {
		t.Errorf("arguments of another type: %v", err)
	}
}
