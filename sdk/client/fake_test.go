package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

// fake answers as node/api/README.md and node/stream/README.md say, with a ledger that is
// a map, for what a real node can't be made to do: lose answers, leave gaps, talk rubbish.
// cli's tests have the real one.
type fake struct {
	*httptest.Server
	mux *http.ServeMux

	mu      sync.Mutex
	chain   string
	key     tx.PublicKey
	used    map[uint64]tx.ID // sequences
	highest uint64
	ledger  map[tx.ID]*tx.Signed
	asked   int // how often for the key
	// onTx, if set, may answer a transaction in place of the ledger.
	onTx func(w http.ResponseWriter, s *tx.Signed) bool
}

var fakeSpec = &abi.Spec{
	ABI: 1, Name: "door",
	Methods: []abi.Method{
		{Name: "open", Args: &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{{Name: "door", Type: &abi.Type{Kind: abi.KindText}}}}},
		{Name: "may", View: true,
			Args: &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{
				{Name: "subject", Type: &abi.Type{Kind: abi.KindAddress}}, {Name: "door", Type: &abi.Type{Kind: abi.KindText}}}},
			Result: &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{
				{Name: "allowed", Type: &abi.Type{Kind: abi.KindBool}}, {Name: "uses", Type: &abi.Type{Kind: abi.KindUint}}}}},
		{Name: "count", View: true},
	},
}

func newFake(t *testing.T, key tx.Signer) *fake {
	f := &fake{mux: http.NewServeMux(), chain: "test", used: make(map[uint64]tx.ID), ledger: make(map[tx.ID]*tx.Signed)}
	if key != nil {
		f.key = key.Public()
	}
	f.mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		answer(w, 200, `{"chain":%q,"height":57,"time":1760000000,"version":"v0","mempool":{"transactions":2,"bytes":99}}`, f.chain)
	})
	f.mux.HandleFunc("GET /v1/keys/{kid}", f.keys)
	f.mux.HandleFunc("POST /v1/tx", f.submit)
	f.mux.HandleFunc("GET /v1/tx/{id}", f.tx)
	f.mux.HandleFunc("GET /v1/contracts/door", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("format") == "cbor" {
			w.Header().Set("Content-Type", "application/cbor")
			_, _ = w.Write(fakeSpec.Encode())
			return
		}
		answer(w, 200, `{"name":"door","code":"77ab","admin":%q,"capabilities":["accounts"],"created":1,"spec":null}`, f.key.Address())
	})
	f.Server = httptest.NewServer(f.mux)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) client(t *testing.T) *Client {
	c := &Client{URL: f.URL + "/"}
	t.Cleanup(c.Close)
	return c
}

func answer(w http.ResponseWriter, status int, format string, args ...any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, format, args...)
}

func refuse(w http.ResponseWriter, status int, code string, number uint32, id tx.ID) {
	answer(w, status, `{"error":{"code":%q,"number":%d,"reason":"because"},"id":%q}`, code, number, id)
}

func (f *fake) keys(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if kid, err := address.Parse(r.PathValue("kid")); err != nil || kid != f.key.Address() {
		answer(w, 404, `{"error":{"code":"not_found","number":1000,"reason":"no such key"}}`)
		return
	}
	answer(w, 200, `{"key":%q,"account":%q,"algorithm":%q,"public":%q,"state":"open","expires":1790000000,
		"scope":[{"contract":"door","methods":["open"]}],"quota":{"per_hour":"18446744073709551615","available":7},
		"lanes":[{"lane":0,"next":%d},{"lane":1,"next":1}]}`,
		f.key.Address(), f.key.Address(), f.key.Alg(), f.key, f.highest+1)
}

func (f *fake) submit(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	s, err2 := tx.Decode(raw)
	if err != nil || err2 != nil || r.Header.Get("Content-Type") != "application/cose" {
		answer(w, 400, `{"error":{"code":"malformed","number":1,"reason":"%v"}}`, err2)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, twin := f.used[s.Sequence]
	switch {
	case f.onTx != nil && f.onTx(w, s):
		return
	case s.Chain != f.chain:
		refuse(w, 400, "wrong_chain", uint32(receipt.WrongChain), s.ID())
		return
	case !s.Verify(f.key):
		refuse(w, 403, "bad_signature", uint32(receipt.BadSignature), s.ID())
		return
	case twin || s.Sequence+256 <= f.highest:
		refuse(w, 409, "replayed", uint32(receipt.Replayed), s.ID())
		return
	case s.Sequence > f.highest+1024:
		refuse(w, 409, "sequence_jump", uint32(receipt.SequenceJump), s.ID())
		return
	}
	f.used[s.Sequence], f.ledger[s.ID()] = s.ID(), s
	f.highest = max(f.highest, s.Sequence)
	if r.URL.Query().Get("wait") == "commit" {
		answer(w, 200, "%s", receiptJSON(s))
		return
	}
	answer(w, 202, `{"id":%q,"status":"pending"}`, s.ID())
}

func (f *fake) tx(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id, err := tx.ParseID(r.PathValue("id")); err == nil && f.ledger[id] != nil {
		answer(w, 200, "%s", receiptJSON(f.ledger[id]))
		return
	}
	answer(w, 404, `{"error":{"code":"not_found","number":1000,"reason":"no such transaction"}}`)
}

// receiptJSON is the receipt of a transaction; the method "fail" fails.
func receiptJSON(s *tx.Signed) string {
	outcome := `"code":"ok","number":0,"reason":"","return":{"uses":3},"return_cbor":"0xa1647573657303"`
	if s.Method == "fail" {
		outcome = `"code":"failed","number":35,"contract_code":3,"contract_error":"not_owner","reason":"door/1 is not yours","return":null`
	}
	return fmt.Sprintf(`{"id":%q,"height":42,"index":1,"time":1760000000,%s,"gas_used":812345,"gas_limit":%d,
		"contract":%q,"method":%q,"sender":%q,"events":[{"cursor":"42.1.0","contract":%q,"event":"opened",
		"attributes":{"door":"1","by":%q},"tx":%q,"height":42,"time":1760000000}]}`,
		s.ID(), outcome, s.GasLimit, s.Contract, s.Method, s.Key, s.Contract, s.Key, s.ID())
}

// A stream is what a fake sends on one connection; the connection is cut at the end.
type stream []string

// streams serves one stream after the other and keeps the queries with which they were asked
// for. When they are used up, connections stay silent until the client leaves.
func (f *fake) streams(t *testing.T, all ...stream) (queries func() []string) {
	var mu sync.Mutex
	var asked []string
	f.mux.HandleFunc("GET /v1/events/stream", func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return // it has answered
		}
		defer conn.Close()
		mu.Lock()
		n := len(asked)
		asked = append(asked, r.URL.RawQuery)
		mu.Unlock()
		if n < len(all) {
			for _, frame := range all[n] {
				if conn.WriteMessage(websocket.TextMessage, []byte(frame)) != nil {
					return
				}
			}
			return
		}
		_ = conn.WriteMessage(websocket.TextMessage, []byte(hello("99.0.0")))
		_, _, _ = conn.ReadMessage()
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), asked...)
	}
}

func hello(cursor string) string {
	return fmt.Sprintf(`{"type":"hello","chain":"test","height":57,"cursor":%q}`, cursor)
}

// event is a frame; prev "?" is null.
func event(cursor, prev string) string {
	p := string(must(json.Marshal(prev)))
	if prev == "?" {
		p = "null"
	}
	return fmt.Sprintf(`{"type":"event","cursor":%q,"prev":%s,"contract":"door","event":"opened","attributes":{"n":1},
		"tx":%q,"height":42,"time":1760000000}`, cursor, p, strings.Repeat("ab", 32))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
