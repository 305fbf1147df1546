package api_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/node/api"
	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
)

func TestBlocks(t *testing.T) {
	s := newSite(t, api.Config{})
	s.refused("before the first", s.get("/v1/blocks/latest"), 404, "future_height", "the newest block is 0")
	for i := range uint64(3) {
		raw, _ := signed(t, i+1, nil)
		s.post("/v1/tx", raw)
	}
	s.chain.block(t, granted)
	_, id := signed(t, 2, nil)
	s.wants(s.get("/v1/blocks/1?from=1&limit=1"), 200, sprint(`{"height":1,"time":1760000001,"hash":"bb01","root":"aa01","transactions":3,"events":3,`+
		`"page":[{"index":1,"id":"%s","code":"ok","number":0,"reason":"","gas_used":5,"contract":"access","method":"grant","sender":"%s"}],"next":2}`, id, alice.Public().Address()))
	if a := s.get("/v1/blocks/latest?from=2"); a.status != 200 || strings.Contains(a.body, "next") || strings.Count(a.body, `"index"`) != 1 {
		t.Errorf("the last page is %d %s", a.status, a.body)
	}
	if a := s.get("/v1/blocks/1?from=3"); a.status != 200 || !strings.Contains(a.body, `"page":[]`) {
		t.Errorf("a page behind the end is %d %s", a.status, a.body)
	}
	for path, reason := range map[string]string{
		"/v1/blocks/0": `height "0"`, "/v1/blocks/-1": `height "-1"`, "/v1/blocks/one": `height "one"`, "/v1/blocks/01": `height "01"`,
		"/v1/blocks/99999999999999999999": "height", "/v1/blocks/1?limit=0": `limit "0": must be a number from 1 to 1000`,
		"/v1/blocks/1?limit=1001": "limit", "/v1/blocks/1?from=4294967296": "from", "/v1/blocks/1?page=2": `unknown parameter "page"`,
	} {
		s.refused(path, s.get(path), 400, "bad_request", reason)
	}
	s.refused("the next", s.get("/v1/blocks/2"), 404, "future_height", "height 2 does not exist yet: the newest block is 1")

	late := newSite(t, api.Config{})
	if err := late.chain.log.Raise(40); err != nil {
		t.Fatal(err)
	}
	late.refused("a block before the log", late.get("/v1/blocks/7"), 410, "pruned", "begins at height 41")
}

func TestContracts(t *testing.T) {
	s := newSite(t, api.Config{})
	access := sprint(`{"name":"access","code":"01%s","admin":"%s","capabilities":[],"created":1,"version":1`, strings.Repeat("00", 31), alice.Public().Address())
	plain := sprint(`{"name":"plain","code":"%s","capabilities":["accounts"],"created":2,"version":4`, strings.Repeat("00", 32))
	s.wants(s.get("/v1/contracts"), 200, `{"contracts":[`+access+"},"+plain+`}]}`)
	s.wants(s.get("/v1/contracts?limit=1"), 200, `{"contracts":[`+access+`}],"next":"access"}`)
	s.wants(s.get("/v1/contracts?after=access"), 200, `{"contracts":[`+plain+`}]}`)
	if a := s.get("/v1/contracts/access"); a.status != 200 || !strings.HasPrefix(a.body, access+`,"spec":{"abi":1,"name":"access","methods":[{"name":"grant",`) {
		t.Errorf("contract is %d %s", a.status, a.body)
	}
	s.wants(s.get("/v1/contracts/plain"), 200, plain+sprint(`,"delay":90,"shorter":0,"from":1700,"announced":{"version":1,"code":"02%s","rollback":true,"allow_breaking":false,"earliest":1600},"spec":null}`, strings.Repeat("00", 31)))
	a := s.get("/v1/contracts/access?format=cbor")
	// Trimmed like every answer here, which these bytes survive.
	if spec, err := abi.DecodeSpec([]byte(a.body)); err != nil || spec.Name != "access" || a.header.Get("Content-Type") != "application/cbor" {
		t.Errorf("spec is %v, %v", spec, err)
	}
	s.refused("no such contract", s.get("/v1/contracts/energy"), 404, "unknown_contract", `there is no contract "energy"`)
	s.refused("no name", s.get("/v1/contracts/Energy"), 400, "bad_request", `contract "Energy"`)
	s.refused("no spec", s.get("/v1/contracts/plain?format=cbor"), 404, "not_found", "has no spec")
	s.refused("another format", s.get("/v1/contracts/access?format=xml"), 400, "bad_request", `format "xml": must be json or cbor`)
	s.refused("a bad place", s.get("/v1/contracts?after=%00"), 400, "bad_request", `after "\x00"`)
	s.refused("a broken state", s.get("/v1/contracts/broken"), 500, "internal", "its log has the details")
}

func TestKeys(t *testing.T) {
	s := newSite(t, api.Config{})
	kid := alice.Public().Address()
	s.wants(s.get("/v1/keys/"+kid.String()), 200, sprint(`{"key":"%s","account":"%s","owner":"%s","algorithm":"EdDSA","public":"%s","state":"open","expires":1790000000,`+
		`"scope":[{"contract":"access","methods":["use"]},{"contract":"devices","methods":[]}],`+
		`"quota":{"per_hour":"1152921504606846975","available":1760000100},"lanes":[{"lane":0,"next":8},{"lane":1,"next":1}]}`,
		kid, kid, bob.Public().Address(), alice.Public()))
	s.refused("a stranger's in hex", s.get(sprint("/v1/keys/%x", [20]byte(bob.Public().Address()))), 404, "not_found", "no key ward1")
	s.refused("a stranger's", s.get("/v1/keys/"+bob.Public().Address().String()), 404, "not_found", "no key ward1")
	s.refused("no address", s.get("/v1/keys/bob"), 400, "bad_request", `address "bob"`)
	s.refused("a wrong checksum", s.get("/v1/keys/"+kid.String()[:42]+"q"), 400, "bad_request", "address")
}

func TestQuery(t *testing.T) {
	s := newSite(t, api.Config{})
	var asked runtime.Query
	allowed := func(_ context.Context, q runtime.Query) (receipt.Receipt, uint64, error) {
		asked = q
		return receipt.Receipt{GasUsed: 9, Return: cbor.AppendBool(cbor.AppendText(cbor.AppendMap(nil, 1), "allowed"), true)}, q.Height, nil
	}
	s.chain.view = allowed
	const check = "/v1/contracts/access/query/check"
	s.refused("before the first block", s.query(check, `{"object":"door/1"}`), 503, "unavailable", "no block yet")
	s.chain.block(t, nil)
	s.chain.block(t, nil)

	s.wants(s.query(check, `{"object":"door/1"}`), 200,
		`{"height":2,"time":1760000100,"clock":"node","result":{"allowed":true},"result_cbor":"0xa167616c6c6f776564f5","gas_used":9}`)
	object := cbor.AppendText(cbor.AppendText(cbor.AppendMap(nil, 1), "object"), "door/1")
	if asked.Height != 2 || asked.Time != 1_760_000_100 || string(asked.Args) != string(object) || !asked.Sender.IsZero() {
		t.Errorf("the view was asked %+v", asked)
	}
	sender := bob.Public().Address()
	s.wants(s.query(check+"?height=1&sender="+sender.String(), `{"object":"door/1","subject":"`+sender.String()+`"}`), 200,
		`{"height":1,"time":1760000001,"clock":"block","result":{"allowed":true},"result_cbor":"0xa167616c6c6f776564f5","gas_used":9}`)
	if asked.Height != 1 || asked.Sender != sender {
		t.Errorf("the view was asked %+v", asked)
	}
	// A block of the future, by this node's clock: time never goes back.
	s.chain.clock = nil
	behind := newSite(t, api.Config{Clock: func() time.Time { return time.Unix(1_700_000_000, 0) }})
	behind.chain.view = allowed
	behind.chain.block(t, nil)
	if a := behind.query(check, `{"object":"x"}`); !strings.Contains(a.body, `"time":1760000001,"clock":"block"`) {
		t.Errorf("answer is %s", a.body)
	}

	// Without arguments nothing need be sent, and no content type.
	s.chain.view = func(_ context.Context, q runtime.Query) (receipt.Receipt, uint64, error) {
		asked = q
		return receipt.Receipt{Return: cbor.AppendUint(nil, 1<<60)}, q.Height, nil
	}
	if a := s.request("POST", "/v1/contracts/access/query/count", "", nil); a.status != 200 || !strings.Contains(a.body, `"result":"1152921504606846976"`) {
		t.Errorf("answer is %d %s", a.status, a.body)
	}
	if string(asked.Args) != "\xa0" {
		t.Errorf("no arguments are %x", asked.Args)
	}
	s.chain.view = func(_ context.Context, q runtime.Query) (receipt.Receipt, uint64, error) {
		return receipt.Receipt{}, q.Height, nil
	}
	if a := s.query("/v1/contracts/plain/query/anything", ""); a.status != 200 || !strings.Contains(a.body, `"result":null`) || strings.Contains(a.body, "cbor") {
		t.Errorf("answer is %d %s", a.status, a.body)
	}
}

func TestBadQueries(t *testing.T) {
	s := newSite(t, api.Config{})
	s.chain.block(t, nil)
	const check = "/v1/contracts/access/query/check"
	for _, c := range []struct {
		name   string
		a      answer
		status int
		code   string
		reason string
	}{
		{"another contract", s.query("/v1/contracts/energy/query/check", ""), 404, "unknown_contract", `there is no contract "energy"`},
		{"another method", s.query("/v1/contracts/access/query/open", ""), 404, "unknown_method", `contract "access" has no method "open"`},
		{"a method that writes", s.query("/v1/contracts/access/query/grant", `{"object":"x"}`), 405, "not_a_view", "send it in a transaction"},
		{"no JSON", s.query(check, `{"object":`), 400, "bad_arguments", ""},
		{"a list", s.query(check, `["door/1"]`), 400, "bad_arguments", ""},
		{"a missing field", s.query(check, `{}`), 400, "bad_arguments", "object"},
		{"nothing at all", s.query(check, ""), 400, "bad_arguments", "object"},
		{"an unknown field", s.query(check, `{"object":"x","door":1}`), 400, "bad_arguments", "door"},
		{"a wrong type", s.query(check, `{"object":7}`), 400, "bad_arguments", "object: "},
		{"a wrong address", s.query(check, `{"object":"x","subject":"bob"}`), 400, "bad_arguments", "subject: "},
		{"text", s.request("POST", check, "text/plain", strings.NewReader("{}")), 415, "unsupported_media_type", `"text/plain": arguments are application/json`},
		{"300 kB", s.query(check, `{"object":"`+strings.Repeat("x", 300_000)+`"}`), 413, "body_too_large", "larger than 262144 bytes"},
		{"arguments of 100 kB", s.query(check, `{"object":"`+strings.Repeat("x", 100_000)+`"}`), 400, "bad_arguments", "arguments are 100013 bytes, limit 65536"},
		{"a simulation of as many", s.query("/v1/contracts/access/simulate/grant", `{"object":"`+strings.Repeat("x", 100_000)+`"}`), 400, "bad_arguments", "limit 65536"},
		{"untyped arguments", s.query("/v1/contracts/plain/query/x", `{"a":1}`), 400, "bad_request", "has no spec"},
		{"GET", s.get(check), 405, "method_not_allowed", "POST"},
		{"a height to come", s.query(check+"?height=2", `{"object":"x"}`), 404, "future_height", "height 2 does not exist yet: the newest block is 1"},
		{"height 0", s.query(check+"?height=0", `{"object":"x"}`), 400, "bad_request", `height "0"`},
		{"a sender that is none", s.query(check+"?sender=bob", `{"object":"x"}`), 400, "bad_request", `sender: address "bob"`},
		{"a proof", s.query(check+"?proof=1", `{"object":"x"}`), 400, "bad_request", `unknown parameter "proof"`},
	} {
		s.refused(c.name, c.a, c.status, c.code, c.reason)
	}
	for _, c := range []struct {
		name   string
		rec    receipt.Receipt
		err    error
		status int
		code   string
		reason string
	}{
		{"the contract refuses", receipt.Receipt{Code: receipt.Failed, ContractCode: 3, Reason: "not yours"}, nil, 422, "failed", "not yours"},
		{"the contract crashes", receipt.Receipt{Code: receipt.Trapped}, nil, 422, "trapped", "the contract crashed"},
		{"out of gas", receipt.Receipt{Code: receipt.OutOfGas}, nil, 422, "out_of_gas", ""},
		{"pruned", receipt.Receipt{}, &state.PrunedError{Height: 1, Earliest: 5, Latest: 9}, 410, "pruned", "no state of height 1 any more: the earliest is 5"},
		{"a broken disk", receipt.Receipt{}, errors.New("disk on fire"), 500, "internal", "its log has the details"},
	} {
		s.chain.view = func(context.Context, runtime.Query) (receipt.Receipt, uint64, error) { return c.rec, 1, c.err }
		a := s.query(check, `{"object":"x"}`)
		s.refused(c.name, a, c.status, c.code, c.reason)
		if strings.Contains(a.body, "fire") || (c.rec.ContractCode == 3) != strings.Contains(a.body, `"contract_code":3,"contract_error":"not_owner"`) {
			t.Errorf("%s: %s", c.name, a.body)
		}
	}
}

func TestEvents(t *testing.T) {
	s := newSite(t, api.Config{})
	s.wants(s.get("/v1/events"), 200, `{"events":[],"next":"0.0.0","more":false,"height":0}`)
	for i := range uint64(3) {
		raw, _ := signed(t, i+1, nil)
		s.post("/v1/tx", raw)
		s.chain.block(t, granted)
	}
	s.chain.block(t, nil)
	item := func(height uint64, prev string) string {
		_, id := signed(t, height, nil)
		return sprint(`{"prev":"%s","cursor":"%d.0.0","contract":"access","event":"granted","attributes":{"id":7},"tx":"%s","height":%d,"time":%d}`,
			prev, height, id, height, 1_760_000_000+height)
	}
	s.wants(s.get("/v1/events?limit=2"), 200, `{"events":[`+item(1, "")+","+item(2, "1.0.0")+`],"next":"2.0.0","more":true,"height":4}`)
	s.wants(s.get("/v1/events?limit=2&after=2.0.0"), 200, `{"events":[`+item(3, "2.0.0")+`],"next":"3.0.0","more":false,"height":4}`)
	s.wants(s.get("/v1/events?contract=access&event=granted&attr.id=7&after=2.5.0"), 200, `{"events":[`+item(3, "2.0.0")+`],"next":"3.0.0","more":false,"height":4}`)
	s.wants(s.get("/v1/events?attr.id=8"), 200, `{"events":[],"next":"3.0.0","more":false,"height":4}`)
	for _, c := range []struct{ query, code, reason string }{
		{"after=5.0.0", "future_cursor", "the newest block is 4"},
		{"after=now", "bad_cursor", `"now"`},
		{"limit=0", "bad_request", `limit "0"`},
		{"limit=1&limit=2", "bad_request", "given 2 times"},
		{"contract=access&event=opened", "unknown_name", "opened"},
		{"from=1", "bad_parameter", `unknown parameter "from": there are contract, event, attr.NAME and after, and limit`},
		{"contract=%zz", "bad_request", "%zz"},
	} {
		s.refused(c.query, s.get("/v1/events?"+c.query), 400, c.code, c.reason)
	}

	late := newSite(t, api.Config{})
	if err := late.chain.log.Raise(40); err != nil {
		t.Fatal(err)
	}
	late.wants(late.get("/v1/events"), 200,
		`{"events":[],"next":"0.0.0","more":false,"height":40,"gap":{"from":1,"to":40,"reason":"the event log of this node begins at height 41"}}`)
}

// A damaged row is a fault of this node and said to be one.
func TestDamagedLog(t *testing.T) {
	db := state.NewMemory()
	log, err := eventlog.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	r := receipt.Receipt{TxID: [32]byte{1}, Events: []receipt.Event{{Contract: "access", Name: "granted", Attributes: []byte{0xa0}}}}
	if err := errors.Join(log.Append(eventlog.Block{Height: 1, Receipts: []receipt.Receipt{r}}), log.Raise(1)); err != nil {
		t.Fatal(err)
	}
	c := &chain{log: log}
	server, err := api.New(api.Config{Chain: c, Engine: c, Log: log, ChainID: "test", Rate: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	b := new(state.Batch)
	if err := db.Scan(nil, nil, false, func(key, _ []byte) bool {
		if key[0] != 'v' {
			b.Set(append([]byte{}, key...), []byte("nonsense"))
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(b, true); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, server: server}
	for _, path := range []string{"/v1/events", "/v1/tx/01" + strings.Repeat("00", 31), "/v1/blocks/1", "/v1/status"} {
		s.refused(path, s.direct("GET", path, ""), 500, "internal", "the log of this node is damaged")
	}
	if a := s.direct("GET", "/healthz", ""); a.status != 503 || !strings.Contains(a.body, "block 1 is damaged") {
		t.Errorf("health is %d %s", a.status, a.body)
	}
	if a := s.direct("GET", "/metrics", ""); a.status != 200 || strings.Contains(a.body, "ward_height") {
		t.Errorf("metrics are %d", a.status)
	}
}
