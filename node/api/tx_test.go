package api_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardledger/ward/node/api"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

func TestTransaction(t *testing.T) {
	s := newSite(t, api.Config{})
	raw, id := signed(t, 1, nil)
	sender := alice.Public().Address()

	s.refused("before it was sent", s.get("/v1/tx/"+id.String()), 404, "not_found", "no block up to 0 has transaction "+id.String())
	s.wants(s.post("/v1/tx", raw), 202, sprint(`{"id":"%s","status":"pending"}`, id))
	s.wants(s.post("/v1/tx?wait=check", raw), 202, sprint(`{"id":"%s","status":"pending"}`, id))
	s.chain.pool = s.chain.pool[:1]
	s.chain.block(t, granted)
	s.wants(s.get("/v1/tx/"+id.String()), 200, sprint(`{"height":1,"index":0,"time":1760000001,"id":"%s","code":"ok","number":0,"reason":"","gas_used":5,`+
		`"contract":"access","method":"grant","sender":"%s","gas_limit":2000000,"return":{"id":7},"return_cbor":"0xa162696407",`+
		`"events":[{"cursor":"1.0.0","contract":"access","event":"granted","attributes":{"id":7},"tx":"%s","height":1,"time":1760000001}]}`, id, sender, id))

	raw, id = signed(t, 2, nil)
	s.post("/v1/tx", raw)
	s.chain.block(t, func(r *receipt.Receipt) {
		r.Code, r.ContractCode, r.Reason = receipt.Failed, 3, "door/1 is bob's"
		r.Events = []receipt.Event{r.Refusal()}
	})
	s.wants(s.get("/v1/tx/"+id.String()), 200, sprint(`{"height":2,"index":0,"time":1760000002,"id":"%s","code":"failed","number":35,"reason":"door/1 is bob's","gas_used":5,`+
		`"contract":"access","method":"grant","sender":"%s","contract_code":3,"contract_error":"not_owner","gas_limit":2000000,"return":null,`+
		`"events":[{"cursor":"2.0.0","contract":"access","event":"refused","attributes":{"code":35,"name":"failed","contract_code":3,"method":"grant","reason":"door/1 is bob's","sender":"%s"},"tx":"%s","height":2,"time":1760000002}]}`,
		id, sender, sender, id))
}

// A transaction with wait=commit is answered when its block is there, and not before.
func TestWaitForCommit(t *testing.T) {
	s := newSite(t, api.Config{})
	s.chain.submitted = make(chan struct{}, 10)
	raw, id := signed(t, 1, nil)
	done := make(chan answer)
	go func() { done <- s.post("/v1/tx?wait=commit", raw) }()
	<-s.chain.submitted
	s.chain.block(t, granted)
	if a := <-done; a.status != 200 || !strings.Contains(a.body, `"height":1`) || !strings.Contains(a.body, id.String()) {
		t.Errorf("answer is %d %s", a.status, a.body)
	}
	// The answer was lost and the device tries again: the same receipt, whether the engine still
	// remembers the bytes or refuses them as a replay.
	if a := s.post("/v1/tx?wait=commit", raw); a.status != 200 || !strings.Contains(a.body, `"height":1`) {
		t.Errorf("known bytes: answer is %d %s", a.status, a.body)
	}
	s.chain.refuse = &receipt.Receipt{Code: receipt.Replayed, Reason: "sequence 1 was used before"}
	if a := s.post("/v1/tx?wait=commit", raw); a.status != 200 || !strings.Contains(a.body, `"height":1`) {
		t.Errorf("a replay: answer is %d %s", a.status, a.body)
	}
	s.refused("a replay without wait", s.post("/v1/tx", raw), 409, "replayed", "the transaction was executed already, in block 1")
	raw, _ = signed(t, 3, nil)
	s.refused("somebody else's sequence", s.post("/v1/tx?wait=commit", raw), 409, "replayed", "sequence 1 was used before")
	s.chain.refuse = nil

	// One that never gets into a block before its last valid height.
	raw, id = signed(t, 4, func(x *tx.Tx) { x.LastValid = 2 })
	<-s.chain.submitted
	go func() { done <- s.post("/v1/tx?wait=commit", raw) }()
	<-s.chain.submitted
	s.chain.pool = nil
	s.chain.block(t, nil)
	a := <-done
	s.refused("expired while waiting", a, 409, "expired", "no block up to the last valid height")
	if !strings.Contains(a.body, id.String()) {
		t.Errorf("the error has no id: %s", a.body)
	}

	// A twin with a broken signature was refused in an earlier block: that is no answer.
	raw, id = signed(t, 5, nil)
	s.chain.pool = []receipt.Receipt{{TxID: id, Code: receipt.BadSignature}}
	s.chain.block(t, nil)
	go func() { done <- s.post("/v1/tx?wait=commit", raw) }()
	<-s.chain.submitted
	s.chain.block(t, granted)
	if a := <-done; a.status != 200 || !strings.Contains(a.body, `"code":"ok"`) {
		t.Errorf("after a twin: answer is %d %s", a.status, a.body)
	}
}

// call answers without a network, so that a bubble's clock can jump.
func (s *site) call(path string, raw []byte) answer {
	r := httptest.NewRequest("POST", path, bytes.NewReader(raw))
	r.Header.Set("Content-Type", "application/cose")
	w := httptest.NewRecorder()
	s.server.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), strings.TrimSpace(w.Body.String())}
}

func TestWaitIsBounded(t *testing.T) {
	for _, c := range []struct {
		path string
		want time.Duration
	}{{"/v1/tx?wait=commit", 10 * time.Second}, {"/v1/tx?wait=commit&timeout=30", 30 * time.Second}, {"/v1/tx", 0}} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t, api.Config{})
			defer s.server.Close()
			raw, id := signed(t, 1, nil)
			began := time.Now()
			a := s.call(c.path, raw)
			if d := time.Since(began); d != c.want {
				t.Errorf("%s: answered after %s, want %s", c.path, d, c.want)
			}
			s.wants(a, 202, sprint(`{"id":"%s","status":"pending"}`, id))
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, api.Config{MaxWaiting: 1})
		raw, _ := signed(t, 1, nil)
		first := make(chan answer, 1)
		go func() { first <- s.call("/v1/tx?wait=commit", raw) }()
		synctest.Wait()
		began := time.Now()
		if a := s.call("/v1/tx?wait=commit", raw); a.status != 202 || time.Since(began) != 0 {
			t.Errorf("with the slots taken: %d after %s", a.status, time.Since(began))
		}
		s.server.Close() // the first does not hold up the shutdown
		if a := <-first; a.status != 202 || time.Since(began) != 0 {
			t.Errorf("at shutdown: %d after %s", a.status, time.Since(began))
		}
	})
}

// Whatever comes as a transaction and is none is answered precisely.
func TestBadTransactions(t *testing.T) {
	s := newSite(t, api.Config{})
	raw, id := signed(t, 1, nil)
	cose := "application/cose"
	send := func(path, kind string, body []byte) answer {
		return s.request("POST", path, kind, bytes.NewReader(body))
	}
	tagless := raw[1:]
	high := bytes.Clone(raw)
	padded := append(bytes.Clone(raw), 0)
	high[len(high)-1] ^= 1 // still well-formed: the signature is the engine's to check
	for _, c := range []struct {
		name   string
		a      answer
		status int
		code   string
		reason string
	}{
		{"nothing", send("/v1/tx", cose, nil), 400, "malformed", ""},
		{"garbage", send("/v1/tx", cose, []byte("hello")), 400, "malformed", "first byte is 0x68"},
		{"json", send("/v1/tx", cose, []byte(`{"contract":"access"}`)), 400, "malformed", ""},
		{"truncated", send("/v1/tx", cose, raw[:len(raw)-10]), 400, "malformed", ""},
		{"without its tag", send("/v1/tx", cose, tagless), 400, "malformed", ""},
		{"with a byte too many", send("/v1/tx", cose, padded), 400, "malformed", "byte too many"},
		{"an ordinary one of 70 kB", send("/v1/tx", cose, large(t, "acce", 70_000)), 413, "too_large", "limit 65536"},
		{"5 MB", send("/v1/tx", cose, make([]byte, 5<<20)), 413, "too_large", sprint("limit %d", tx.MaxDeploySize)},
		{"5 MB in chunks", s.request("POST", "/v1/tx", cose, struct{ io.Reader }{bytes.NewReader(make([]byte, 5<<20))}), 413, "too_large", sprint("limit %d", tx.MaxDeploySize)},
		{"no content type", send("/v1/tx", "", raw), 415, "unsupported_media_type", `content type ""`},
		{"text", send("/v1/tx", "text/plain", raw), 415, "unsupported_media_type", `"text/plain"`},
		{"json type", send("/v1/tx", "application/json", raw), 415, "unsupported_media_type", "application/cose"},
		{"many signers", send("/v1/tx", `application/cose; cose-type="cose-sign"`, raw), 415, "unsupported_media_type", "cose-sign"},
		{"an unreadable type", send("/v1/tx", "application/cose; =", raw), 415, "unsupported_media_type", ""},
		{"wait=long", send("/v1/tx?wait=long", cose, raw), 400, "bad_request", `wait "long": must be check or commit`},
		{"wait twice", send("/v1/tx?wait=check&wait=check", cose, raw), 400, "bad_request", "parameter wait is given 2 times"},
		{"timeout=31", send("/v1/tx?wait=commit&timeout=31", cose, raw), 400, "bad_request", `timeout "31": must be a number from 1 to 30`},
		{"timeout alone", send("/v1/tx?timeout=3", cose, raw), 400, "bad_request", "timeout without wait=commit"},
		{"another parameter", send("/v1/tx?async=1", cose, raw), 400, "bad_request", `unknown parameter "async": there is wait, timeout`},
		{"a bad escape", send("/v1/tx?wait=%zz", cose, raw), 400, "bad_request", `invalid URL escape "%zz"`},
		{"PUT", s.request("PUT", "/v1/tx", cose, bytes.NewReader(raw)), 405, "method_not_allowed", `"/v1/tx" does not take "PUT", but POST`},
		{"a short id", s.get("/v1/tx/abcd"), 400, "bad_request", `"abcd" is 4 characters, must be 64`},
		{"an id that is none", s.get("/v1/tx/" + strings.Repeat("z", 64)), 400, "bad_request", "invalid byte"},
	} {
		s.refused(c.name, c.a, c.status, c.code, c.reason)
	}
	if len(s.chain.pool) != 0 {
		t.Errorf("%d of them were taken", len(s.chain.pool))
	}
	if a := send("/v1/tx", `application/cose; cose-type="cose-sign1"`, raw); a.status != 202 {
		t.Errorf("with the type's parameter: %d %s", a.status, a.body)
	}
	if a := send("/v1/tx", cose, large(t, "code", 3<<20)); a.status != 202 {
		t.Errorf("a deployment of 3 MiB: %d %s", a.status, a.body)
	}

	// What the chain refuses keeps its code and says the id.
	for code, status := range map[receipt.Code]int{
		receipt.WrongChain: 400, receipt.Expired: 409, receipt.UnknownKey: 403, receipt.KeyShut: 403, receipt.KeyExpired: 403, receipt.BadSignature: 403,
		receipt.OutOfScope: 403, receipt.Replayed: 409, receipt.SequenceJump: 409, receipt.GasLimit: 400, receipt.OverQuota: 429, receipt.Busy: 503, receipt.OneActivation: 409,
		receipt.UnknownContract: 404, receipt.Trapped: 422,
	} {
		s.chain.refuse = &receipt.Receipt{Code: code, Reason: "because 7 > 5"}
		a := s.post("/v1/tx", raw)
		s.refused(code.Name(), a, status, code.Name(), "because 7 > 5")
		if !strings.Contains(a.body, id.String()) || (code == receipt.Busy) != (a.header.Get("Retry-After") == "1") {
			t.Errorf("%s: %s %v", code.Name(), a.body, a.header)
		}
	}
	s.chain.refuse, s.chain.broken = nil, errors.New("consensus: stopped")
	s.refused("a stopped engine", s.post("/v1/tx", raw), 503, "unavailable", "takes no transactions")
}

// large makes a transaction of about size bytes to a contract with a name of four letters.
// Only "code" may be sent large ones, and Sign knows that.
func large(t *testing.T, contract string, size int) []byte {
	t.Helper()
	args := append([]byte{0x5a, byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}, make([]byte, size)...)
	raw, _ := signed(t, 1, func(x *tx.Tx) { x.Contract, x.Method, x.Args = "code", "deploy", args })
	return bytes.Replace(raw, []byte("\x64code"), []byte("\x64"+contract), 1)
}

// A body that never comes, or only half, costs a connection for a while and no more.
func TestHalfABody(t *testing.T) {
	s := newSite(t, api.Config{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST /v1/tx HTTP/1.1\r\nHost: x\r\nContent-Type: application/cose\r\nContent-Length: 100\r\n\r\nabc"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), "400 Bad Request") || !strings.Contains(string(answer), "the body ended after 3 bytes") {
		t.Errorf("answer is %s, %v", answer, err)
	}
	conn.Close()
	if a := s.get("/v1/status"); a.status != http.StatusOK {
		t.Errorf("afterwards: %d", a.status)
	}
}
