package api_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardledger/ward/node/api"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
)

func kept(b ...byte) host.Bytes { return host.Bytes{Kept: b, Size: len(b)} }

// tale is the trace of a grant in which each kind of step occurs.
func tale() *host.Trace {
	object := cbor.AppendText(cbor.AppendText(cbor.AppendMap(nil, 1), "object"), "door/1")
	id := cbor.AppendUint(cbor.AppendText(cbor.AppendMap(nil, 1), "id"), 7)
	return &host.Trace{
		Contract: "access", Method: "grant", Sender: alice.Public().Address(), Args: kept(object...), Result: kept(id...),
		Gas:       host.TraceGas{Used: 100, Instance: 10, Instructions: 20, Functions: 30, Calls: 40},
		Functions: []host.FunctionUse{{Name: "get", Calls: 2, Gas: 12}, {Name: "call", Calls: 1, Gas: 18}},
		Steps: []host.Step{
			{Op: "get", Collection: "grants", Key: kept(1), Found: true, Value: kept(2, 3)},
			{Op: "get", Collection: "grants", Key: kept(2)},
			{Op: "exists", Collection: "grants", Key: kept(3), Found: true},
			{Op: "set", Collection: "grants", Key: kept(1), Value: host.Bytes{Kept: []byte{9}, Size: 5000}},
			{Op: "scan", Collection: "grants", Key: kept(1), Reverse: true},
			{Op: "row", Collection: "grants", Key: kept(1), Value: kept(), Found: true},
			{Op: "emit", Event: "granted", Attributes: kept(id...)},
			{Op: "log", Line: "done"},
			{Op: "code_permit", Value: kept(0xa0)}, {Op: "code_withdraw", Key: kept('l')},
			{Op: "call", Call: &host.Trace{
				Contract: "plain", Method: "put", View: true, Args: host.Bytes{Kept: []byte{0xa0}, Size: 70000},
				Code: receipt.Failed, ContractCode: 3, Reason: "no", Gas: host.TraceGas{Used: 40, Instance: 40}, Omitted: 2,
			}},
			{Op: "call", Call: &host.Trace{
				Contract: "plain", Method: "put", Code: receipt.Trapped, Reason: "trap", Stack: []string{"ward.get", "main.(*T[go.shape.string]).Get", "\x01"},
			}},
		},
	}
}

func taleJSON() string {
	return `{"contract":"access","method":"grant","sender":"` + alice.Public().Address().String() + `","args":{"object":"door/1"},"code":"ok","number":0,"reason":"","result":{"id":7},` +
		`"gas":{"used":100,"instance":10,"instructions":20,"functions":30,"calls":40},"functions":[{"name":"get","calls":2,"gas":12},{"name":"call","calls":1,"gas":18}],` +
		`"steps":[{"op":"get","collection":"grants","key":"0x01","found":true,"value":"0x0203"},{"op":"get","collection":"grants","key":"0x02","found":false},` +
		`{"op":"exists","collection":"grants","key":"0x03","found":true},{"op":"set","collection":"grants","key":"0x01","value":"0x09","value_cut":5000},` +
		`{"op":"scan","collection":"grants","key":"0x01","reverse":true},{"op":"row","collection":"grants","key":"0x01","value":"0x"},` +
		`{"op":"emit","event":"granted","attributes":{"id":7}},{"op":"log","line":"done"},{"op":"code_permit","value":"0xa0"},{"op":"code_withdraw","key":"0x6c"},` +
		`{"op":"call","call":{"contract":"plain","method":"put","view":true,"args":"0xa0","args_cut":70000,"code":"failed","number":35,"contract_code":3,"reason":"no","result":null,` +
		`"gas":{"used":40,"instance":40,"instructions":0,"functions":0,"calls":0},"functions":[],"steps":[],"omitted":2}},` +
		`{"op":"call","call":{"contract":"plain","method":"put","args":null,"code":"trapped","number":36,"reason":"trap","stack":["ward.get","main.(*T[go.shape.string]).Get","\u0001"],"result":null,` +
		`"gas":{"used":0,"instance":0,"instructions":0,"functions":0,"calls":0},"functions":[],"steps":[]}}]}`
}

func TestSimulate(t *testing.T) {
	s := newSite(t, api.Config{})
	var asked runtime.Trial
	s.chain.simulate = func(_ context.Context, trial runtime.Trial) (runtime.Traced, error) {
		asked = trial
		out := runtime.Traced{Header: runtime.Header{Height: trial.Height + 1, Time: trial.Time}, Admission: 11, Trace: tale()}
		out.Receipt = receipt.Receipt{GasUsed: 111, GasLimit: trial.GasLimit, Contract: trial.Contract, Method: trial.Method, Sender: trial.Sender}
		granted(&out.Receipt)
		return out, nil
	}
	const grant = "/v1/contracts/access/simulate/grant"
	s.refused("before the first block", s.query(grant, `{"object":"door/1"}`), 503, "unavailable", "no block yet")
	s.chain.block(t, nil)
	s.chain.block(t, nil)
	s.wants(s.query(grant, `{"object":"door/1"}`), 200,
		`{"height":3,"time":1760000100,"clock":"node","code":"ok","number":0,"reason":"","gas_used":111,"contract":"access","method":"grant","gas_limit":1000000000,`+
			`"return":{"id":7},"return_cbor":"0xa162696407","events":[{"contract":"access","event":"granted","attributes":{"id":7}}],"gas_admission":11,"trace":`+taleJSON()+`}`)
	if asked.Height != 2 || asked.Time != 1_760_000_100 || asked.GasLimit != gas.MaxLimit || !asked.Sender.IsZero() || len(asked.Args) != 15 {
		t.Errorf("asked %+v", asked)
	}
	// In the block after that height, at its time; of the newest there is none yet.
	sender := bob.Public().Address()
	for _, c := range []struct {
		height string
		time   int64
	}{{"1", 1_760_000_002}, {"2", 1_760_000_002}} {
		if a := s.query(grant+"?height="+c.height+"&gas=5000&sender="+sender.String(), `{"object":"door/1"}`); a.status != 200 || !strings.Contains(a.body, `"clock":"block"`) {
			t.Errorf("%d %s", a.status, a.body)
		}
		if asked.Time != c.time || asked.GasLimit != 5000 || asked.Sender != sender {
			t.Errorf("asked %+v", asked)
		}
	}
	// A refusal is an answer, with its story.
	s.chain.simulate = func(context.Context, runtime.Trial) (runtime.Traced, error) {
		return runtime.Traced{Receipt: receipt.Receipt{Code: receipt.Failed, ContractCode: 3, Reason: "not yours", Contract: "access", Method: "grant"}, Trace: new(host.Trace)}, nil
	}
	if a := s.query(grant, `{"object":"door/1"}`); a.status != 200 || !strings.Contains(a.body, `"code":"failed","number":35,"reason":"not yours"`) || !strings.Contains(a.body, `"contract_code":3,"contract_error":"not_owner"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.query("/v1/contracts/access/simulate/count", ""); a.status != 200 { // a transaction can call a view
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, c := range []struct {
		name   string
		a      answer
		status int
		code   string
		reason string
	}{
		{"another contract", s.query("/v1/contracts/energy/simulate/x", ""), 404, "unknown_contract", ""},
		{"another method", s.query("/v1/contracts/access/simulate/open", ""), 404, "unknown_method", ""},
		{"a wrong type", s.query(grant, `{"object":7}`), 400, "bad_arguments", "object: "},
		{"gas 0", s.query(grant+"?gas=0", `{"object":"x"}`), 400, "bad_request", `gas "0": must be a number from 1 to 1000000000`},
		{"too much gas", s.query(grant+"?gas=1000000001", `{"object":"x"}`), 400, "bad_request", "gas"},
		{"a height to come", s.query(grant+"?height=3", `{"object":"x"}`), 404, "future_height", "the newest block is 2"},
		{"GET", s.get(grant), 405, "method_not_allowed", "POST"},
	} {
		s.refused(c.name, c.a, c.status, c.code, c.reason)
	}
}

func TestTrace(t *testing.T) {
	s := newSite(t, api.Config{})
	raw, id := signed(t, 1, nil)
	path := "/v1/tx/" + id.String() + "/trace"
	s.refused("before it was sent", s.get(path), 404, "not_found", "no block up to 0 has transaction "+id.String())
	s.post("/v1/tx", raw)
	s.chain.block(t, granted)
	s.refused("a block that isn't kept", s.get(path), 410, "pruned", "no transactions of block 1 any more")
	s.chain.txs = map[uint64][][]byte{1: {raw, []byte("another")}}
	again := receipt.Receipt{TxID: id, GasUsed: 5, Contract: "access", Method: "grant"}
	granted(&again)
	s.chain.traceTx = func(_ context.Context, h runtime.Header, first [][]byte) (runtime.Traced, error) {
		if h.Height != 1 || h.Time != 1_760_000_001 || len(first) != 1 || !bytes.Equal(first[0], raw) {
			t.Errorf("block %+v, %d transactions", h, len(first))
		}
		return runtime.Traced{Receipt: again, Admission: 2, Trace: tale()}, nil
	}
	a, whole := s.get(path), s.get("/v1/tx/"+id.String())
	s.wants(a, 200, strings.TrimSuffix(whole.body, "}")+`,"gas_admission":2,"trace":`+taleJSON()+`}`)

	for _, c := range []struct {
		name   string
		change func(*receipt.Receipt)
		err    error
		status int
		code   string
		reason string
	}{
		{"other gas", func(r *receipt.Receipt) { r.GasUsed++ }, nil, 500, "internal", "its log has the details"},
		{"another end", func(r *receipt.Receipt) { r.Code = receipt.Failed }, nil, 500, "internal", ""},
		{"no event", func(r *receipt.Receipt) { r.Events = nil }, nil, 500, "internal", ""},
		{"another transaction", func(r *receipt.Receipt) { r.TxID[0]++ }, nil, 500, "internal", ""},
		{"pruned state", nil, &state.PrunedError{Height: 1, Earliest: 5, Latest: 9}, 410, "pruned", "no state of height 1 any more: the earliest is 5"},
		{"a broken disk", nil, errors.New("disk on fire"), 500, "internal", ""},
	} {
		s.chain.traceTx = func(context.Context, runtime.Header, [][]byte) (runtime.Traced, error) {
			other := again
			if c.change != nil {
				c.change(&other)
			}
			return runtime.Traced{Receipt: other}, c.err
		}
		s.refused(c.name, s.get(path), c.status, c.code, c.reason)
	}
	s.refused("a parameter", s.get(path+"?x=1"), 400, "bad_request", "there is none here")
	s.refused("an id that is none", s.get("/v1/tx/abc/trace"), 400, "bad_request", "")
}

// What takes too long is given up. Who comes while the slots are taken is told at once, and can come again.
func TestTraceLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, api.Config{MaxTraces: 1})
		defer s.server.Close()
		raw, id := signed(t, 1, nil)
		if _, err := s.chain.Submit(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
		s.chain.block(t, nil)
		s.chain.simulate = func(ctx context.Context, _ runtime.Trial) (runtime.Traced, error) {
			<-ctx.Done()
			return runtime.Traced{}, ctx.Err()
		}
		ask := func() answer { return s.direct("POST", "/v1/contracts/access/simulate/count", "") }
		first := make(chan answer, 1)
		go func() { first <- ask() }()
		synctest.Wait()
		began := time.Now()
		a := ask()
		s.refused("the second", a, 503, "unavailable", "1 simulations and traces run already")
		if d := time.Since(began); d != 0 || a.header.Get("Retry-After") != "1" {
			t.Errorf("the second waited for %s, %v", d, a.header)
		}
		s.refused("a trace", s.direct("GET", "/v1/tx/"+id.String()+"/trace", ""), 503, "unavailable", "1 simulations and traces run already")
		if s.chain.loaded > 0 {
			t.Error("a block was read for somebody who has no slot")
		}
		s.refused("the first", <-first, 504, "timed_out", "did not end within 5s")
		if d := time.Since(began); d != 5*time.Second {
			t.Errorf("the first took %s", d)
		}
		s.chain.simulate = func(context.Context, runtime.Trial) (runtime.Traced, error) { return runtime.Traced{}, nil }
		if a := ask(); a.status != 200 || !strings.Contains(a.body, `"trace":null`) {
			t.Errorf("afterwards: %d %s", a.status, a.body)
		}
	})
}
