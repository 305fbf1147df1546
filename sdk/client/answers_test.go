package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

func TestStatusKeyContract(t *testing.T) {
	key := mustKey(t, tx.ES256)
	f := newFake(t, key)
	f.mux.HandleFunc("GET /v1/contracts", func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); q.Get("after") != "access" || q.Get("limit") != "2" {
			t.Errorf("asked with %s", r.URL.RawQuery)
		}
		answer(w, 200, `{"contracts":[{"name":"door","code":"77ab","capabilities":[],"created":1},{"name":"gate","code":"77ac","capabilities":[],"created":2}],"next":"gate"}`)
	})
	f.mux.HandleFunc("GET /v1/events", func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, `{"events":[%s],"next":"42.0.0","more":true,"height":57,"gap":{"from":1,"to":39}}`, event("42.0.0", "?"))
	})
	c := f.client(t)

	status, err := c.Status(t.Context())
	if err != nil || status.Chain != "test" || status.Height != 57 || status.Transactions != 2 || status.Time.Unix() != 1760000000 {
		t.Errorf("status %+v, %v", status, err)
	}
	k, err := c.Key(t.Context(), key.Public().Address())
	if err != nil || k.Account != key.Public().Address() || k.Public.String() != key.Public().String() || k.PerHour != math.MaxUint64 ||
		k.Available != 7 || k.Expires.Unix() != 1790000000 || k.Next(0) != 1 || k.Next(9) != 1 || len(k.Scope["door"]) != 1 || !k.Owner.IsZero() {
		t.Errorf("key %+v, %v", k, err)
	}
	if _, err := c.Key(t.Context(), address.Address{}); !isNotFound(err) {
		t.Errorf("a key that isn't there: %v", err)
	}
	contract, err := c.Contract(t.Context(), "door")
	if err != nil || contract.Name != "door" || contract.Admin != key.Public().Address() || contract.Created != 1 {
		t.Errorf("contract %+v, %v", contract, err)
	}
	all, next, err := c.Contracts(t.Context(), "access", 2)
	if err != nil || len(all) != 2 || all[1].Name != "gate" || !all[1].Admin.IsZero() || next != "gate" {
		t.Errorf("contracts %v, next %q, %v", all, next, err)
	}
	page, err := c.Events(t.Context(), Filter{}, FromStart, 10)
	if err != nil || len(page.Events) != 1 || page.Next != "42.0.0" || !page.More || page.Height != 57 || page.GapTo != 39 {
		t.Errorf("page %+v, %v", page, err)
	}
}

func isNotFound(err error) bool {
	u, ok := errors.AsType[*Unserved](err)
	return ok && u.NotFound()
}

// TestLanes: a client that took another lane than the chain would count the wrong one.
func TestLanes(t *testing.T) {
	key := mustKey(t, tx.EdDSA)
	for _, contract := range []string{"code", "authority", "access", "devices", "codex"} {
		if got, want := laneOf(key, contract).lane, uint64(runtime.LaneOf(contract)); got != want {
			t.Errorf("%s: lane %d, the chain's is %d", contract, got, want)
		}
	}
}

// TestNotANode: whatever stands behind the URL, the answer is an error that says so.
func TestNotANode(t *testing.T) {
	mux := http.NewServeMux()
	var reply func(http.ResponseWriter)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { reply(w) })
	f := newFake(t, nil)
	f.Config.Handler = mux
	c := f.client(t)
	for _, test := range []struct {
		name  string
		reply func(http.ResponseWriter)
		want  string
	}{
		{"a web page", func(w http.ResponseWriter) { _, _ = w.Write([]byte("<html>")) }, "is this a Ward node"},
		{"half an answer", func(w http.ResponseWriter) { answer(w, 200, `{"chain":`) }, "unexpected end"},
		{"another shape", func(w http.ResponseWriter) { answer(w, 200, `{"height":"far"}`) }, "height"},
		{"an error of a proxy", func(w http.ResponseWriter) { w.WriteHeader(502) }, "HTTP 502"},
		{"an error of the node", func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "3")
			answer(w, 503, `{"error":{"code":"unavailable","number":1007,"reason":"shutting down"}}`)
		}, "unavailable: shutting down"},
		{"no end", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			block := bytes.Repeat([]byte(" "), 1<<20)
			for range MaxAnswer>>20 + 2 {
				_, _ = w.Write(block)
			}
		}, "more than"},
	} {
		reply = test.reply
		_, err := c.Status(t.Context())
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
		if u, ok := errors.AsType[*Unserved](err); ok && (!u.Temporary() || u.Code != "" && u.RetryAfter != 3*time.Second) {
			t.Errorf("%s: %+v isn't for another try", test.name, u)
		}
	}
	for _, url := range []string{"", "127.0.0.1:9273", "ftp://127.0.0.1", "http://"} {
		if _, err := (&Client{URL: url}).Status(t.Context()); err == nil || !strings.Contains(err.Error(), "want http://host:port") {
			t.Errorf("URL %q: %v", url, err)
		}
	}
}

func TestDecodeError(t *testing.T) {
	id := strings.Repeat("0a", 32)
	err := decodeError(409, nil, []byte(`{"error":{"code":"replayed","number":10,"reason":"sequence 7"},"id":"`+id+`"}`))
	if r, ok := errors.AsType[*Refused](err); !ok || r.Code != receipt.Replayed || r.Reason != "sequence 7" || r.ID.String() != id || r.Executed() {
		t.Errorf("got %#v", err)
	}
	err = decodeError(418, nil, []byte(`{"error":{"code":"from_the_future","number":77,"reason":"new"}}`))
	if r, ok := errors.AsType[*Refused](err); !ok || r.Code != 77 {
		t.Errorf("a code of a later chain: %#v", err)
	}
}

// FuzzAnswers: whatever a server says, decoding ends in a value or an error.
func FuzzAnswers(f *testing.F) {
	key := must(tx.NewEd25519(bytes.Repeat([]byte{7}, secretSize)))
	signed := must(tx.Decode(must(tx.Sign(&tx.Tx{Chain: "test", Sequence: 1, GasLimit: 1, Contract: "door", Method: "open", Args: []byte{0xa0}}, key))))
	f.Add([]byte(receiptJSON(signed)))
	f.Add([]byte(hello("1.2.3")))
	f.Add([]byte(event("1.2.3", "?")))
	f.Add([]byte(event("1.2.3", "1.2.2")))
	f.Add([]byte(`{"key":"","lanes":[{"lane":0,"next":"1"}],"public":"02","expires":-1,"owner":null}`))
	f.Add([]byte(`{"result":null,"result_cbor":"0x00","time":9223372036854775807}`))
	f.Add([]byte(`{"error":{"number":1105},"id":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if decodeError(500, http.Header{"Retry-After": {string(b)}}, b) == nil {
			t.Error("an error answer without an error")
		}
		if fr, err := decodeFrame(b); err == nil {
			s := &Subscription{notify: func(Notice) {}}
			if s.hello(fr) == nil {
				if e, err := fr.event(); err == nil && s.follow(e) == nil && s.Cursor() != e.Cursor.String() {
					t.Errorf("after %s the cursor is %s", e.Cursor, s.Cursor())
				}
			}
			_ = s.skip(fr.Cursor)
		}
		var r receiptAnswer
		if json.Unmarshal(b, &r) == nil {
			if full, err := r.receipt(); err == nil {
				_ = full.Err()
			}
		}
		var k keyAnswer
		if json.Unmarshal(b, &k) == nil {
			if record, err := k.record(); err == nil && record.Next(0) == 0 {
				t.Error("the next sequence is 0")
			}
		}
		_ = json.Unmarshal(b, new(queryAnswer))
		_ = json.Unmarshal(b, new(contractAnswer))
		_ = json.Unmarshal(b, new(statusAnswer))
	})
}
